/**
 * @file What the parts of the page say to each other: the catalogue, configurations, and the messages
 * between the page and the engine. Types only, and the few names that both sides must agree on.
 */

/**
 * The value of a setting.
 * @typedef {number | boolean | string | number[]} Value
 */

/**
 * A flat configuration: `dataset`, `model`, `seed` and every setting of the two.
 * @typedef {Record<string, Value>} Config
 */

/**
 * One setting, as the catalogue lists it.
 * @typedef {object} Spec
 * @property {string} key
 * @property {string} doc A sentence in English, the fallback where a language has no text.
 * @property {"linear" | "log" | "integer" | "choice" | "flag" | "widths" | "text"} kind
 * @property {number} [low]
 * @property {number} [high]
 * @property {boolean} [log] Whether an integer's control is logarithmic.
 * @property {string[]} [options]
 * @property {number} [layers]
 * @property {number} [width]
 * @property {number} [length]
 * @property {boolean} [lines] Whether a text may have several lines.
 * @property {Value} default
 * @property {"live" | "restart"} effect
 * @property {{key: string, in: string[]} | null} when
 * @property {boolean} advanced
 * @property {boolean} [rate] Whether it says how far a step goes: what a run that diverged should have less of.
 * @property {Record<string, string[]>} [domains] The options that only some domains allow.
 */

/** @typedef {{id: string, values: Config}} Preset */

/** @typedef {{channels: number, height: number, width: number, vocabulary: number}} Shape */

/**
 * @typedef {object} DatasetEntry
 * @property {string} id
 * @property {string} domain
 * @property {boolean} drawable
 * @property {boolean} file Whether its rows come from a file.
 * @property {string | null} attribution
 * @property {string | null} supply The file of the package that it is stored in.
 * @property {Shape} shape
 * @property {number} classes
 * @property {Spec[]} params
 * @property {Preset[]} presets
 */

/** @typedef {{id: string, unit: string}} LossEntry */

/**
 * @typedef {object} ModelEntry
 * @property {string} id
 * @property {string} badge
 * @property {string} example The data set that it is shown on where nobody names one.
 * @property {string[]} domains
 * @property {Record<string, string>} misfits The data sets that it does not take as they are by default, each with the id of the reason.
 * @property {Record<string, {key: string, most: number, misfit: string}>} upTo The data sets that it takes up to some value of a setting.
 * @property {string[]} capabilities
 * @property {Spec[]} params
 * @property {Record<string, Config>} defaults Per domain, where they differ from the specs' own.
 * @property {LossEntry[]} losses
 * @property {string[]} phases
 */

/**
 * @typedef {object} Catalog
 * @property {string} version
 * @property {{low: number, high: number, default: number}} seed
 * @property {DatasetEntry[]} datasets
 * @property {ModelEntry[]} models
 * @property {ScoreEntry[]} scores In the order in which they are shown.
 * @property {string[]} findings
 * @property {Exhibit[]} gallery
 * @property {{name: string, bytes: number, for: "rows" | "scores"}[]} supplies The files of the package that are not in the module, and what needs each.
 */

/**
 * A score, as the catalogue lists it.
 * @typedef {object} ScoreEntry
 * @property {string} id
 * @property {"nats" | "bits" | "share" | "data" | ""} unit
 * @property {"lower" | "higher" | "target"} better
 * @property {number | null} target The value that is best, where it is one whatever the data.
 * @property {string[]} domains
 */

/**
 * An experiment that fails on purpose.
 * @typedef {object} Exhibit
 * @property {string} id
 * @property {Config} config
 * @property {number} steps Until the failure shows.
 * @property {string} finding What is found then.
 */

/**
 * A score's value.
 * @typedef {object} Score
 * @property {string} id
 * @property {number} value
 * @property {number | null} floor What as many real rows score.
 * @property {number | null} optimum
 * @property {"exact" | "importance" | "grid" | "kde" | null} by How a likelihood was computed.
 */

/**
 * A failure that was found; the remedy is the settings that help.
 * @typedef {{id: string, values: Record<string, number>, remedy: Config}} Finding
 */

/**
 * What an evaluation came to.
 * @typedef {object} Scored
 * @property {number} step
 * @property {Score[]} scores
 * @property {Finding[]} findings
 * @property {string | null} failed Why there are no scores.
 */

/**
 * What a session says about itself.
 * @typedef {object} Info
 * @property {number} step
 * @property {Config} config
 * @property {Shape & {domain: string}} shape
 * @property {[number, number, number, number]} extent
 * @property {number} parameters
 * @property {string[]} capabilities What the model can show as it is set.
 * @property {string[]} dear Views that take long to compute.
 * @property {number | null} latentDim Null where there is no latent space.
 * @property {{id: string, unit: string, last: number | null}[]} losses
 * @property {{id: string, value: number, loss: string}[]} references
 * @property {number} classes
 * @property {string} alphabet What tokens 1, 2, … stand for; empty where values are not tokens.
 * @property {number} trainRows
 */

/**
 * A live change made at a step of a run.
 * @typedef {{step: number, key: string, value: Value}} LiveEvent
 */

/** @typedef {{id: string} & Record<string, any>} ViewRequest */

/**
 * One view in a frame's buffer: `offset` and `length` count 32-bit floats.
 * @typedef {{id: string, offset: number, length: number, shape: number[]} & Record<string, any>} SectionMeta
 */

/** @typedef {{data: Float32Array, shape: number[]} & Record<string, any>} Section */

/**
 * The wasm package's session, as the engine uses it.
 * @typedef {object} WasmSession
 * @property {(n: number) => void} step
 * @property {(key: string, value: string) => string} set
 * @property {() => void} reset
 * @property {(requests: string) => string} prepare
 * @property {(out: Float32Array) => void} read
 * @property {() => string} info
 * @property {() => number} steps
 * @property {() => number} beginScores
 * @property {() => string} scorePart
 * @property {() => Uint8Array} snapshot
 * @property {() => Uint8Array} checkpoint
 * @property {(bytes: Uint8Array) => void} restore
 * @property {() => Uint8Array} weights
 * @property {(bytes: Uint8Array) => void} loadWeights
 * @property {() => void} free
 */

/**
 * The wasm package's data without a model.
 * @typedef {object} WasmSource
 * @property {() => string} info
 * @property {(n: number) => Float32Array} rows
 * @property {() => void} free
 */

/**
 * The wasm package's reader of files.
 * @typedef {object} WasmLoader
 * @property {(name: string, bytes: Uint8Array) => void} add
 * @property {(name: string, rgba: Uint8Array, width: number, height: number) => void} addImage
 * @property {() => WasmSource} finish
 * @property {() => void} free
 */

/**
 * A file as the engine reads it: its bytes, or the pixels that the browser decoded.
 * @typedef {{name: string, bytes: Uint8Array} | {name: string, rgba: Uint8Array, width: number, height: number}} Part
 */

/**
 * What data look like: their shape, and some of their rows.
 * @typedef {object} Preview
 * @property {Shape & {domain: string}} shape
 * @property {[number, number, number, number]} extent
 * @property {number} classes
 * @property {string} alphabet The characters that tokens 1, 2, … stand for.
 * @property {number} trainRows
 * @property {number} heldOutRows
 * @property {Record<string, string>} misfits The models that do not take them, each with the id of the reason.
 * @property {ArrayBuffer} buffer The rows, as 32-bit floats.
 */

/**
 * What files hold: `rows` counts all, also those that were too many to keep.
 * @typedef {Preview & {dataset: string, rows: number, scaled: boolean}} Loaded
 */

/**
 * The wasm package, once initialised.
 * @typedef {object} WasmModule
 * @property {() => string} catalog
 * @property {new (config: string, n: number) => WasmSource} Source
 * @property {() => number} freshSeed
 * @property {(name: string, bytes: Uint8Array) => void} provide
 * @property {(new (config: string) => WasmSession) & {on: (config: string, source: any) => WasmSession}} Session
 * @property {new (options: string) => WasmLoader} Loader
 */

/**
 * What the page asks of the engine. With an `id`, one `reply` or `error` with that id follows.
 * @typedef {(
 *   {type: "catalog", id: number} |
 *   {type: "open", id: number, config: Config, events: LiveEvent[], target: number | null, play: boolean, generation: number} |
 *   {type: "close"} |
 *   {type: "set", id: number, key: string, value: Value} |
 *   {type: "run", running: boolean} |
 *   {type: "hold", held: boolean} |
 *   {type: "slow", slow: boolean} |
 *   {type: "steps", id: number, n: number} |
 *   {type: "train", id: number, target: number} |
 *   {type: "reset", id: number} |
 *   {type: "views", generation: number, requests: ViewRequest[], fresh: boolean} |
 *   {type: "scoring", on: boolean} |
 *   {type: "credit", buffer: ArrayBuffer | null} |
 *   {type: "once", id: number, requests: ViewRequest[]} |
 *   {type: "preview", id: number, config: Config, n: number} |
 *   {type: "load", id: number, parts: Part[], size: number | null, n: number} |
 *   {type: "freshSeed", id: number} |
 *   {type: "provide", file: string, bytes: ArrayBuffer | null, problem: string} |
 *   {type: "snapshot", id: number} |
 *   {type: "restore", id: number, bytes: Uint8Array} |
 *   {type: "weights", id: number} |
 *   {type: "loadWeights", id: number, bytes: Uint8Array, config: Config | null}
 * )} Request
 */

/**
 * Where the run stands.
 * @typedef {object} Status
 * @property {number} step
 * @property {number} rate Steps per second; 0 while paused.
 * @property {boolean} running
 * @property {number | null} target The step that is being trained to.
 */

/**
 * What is needed to go on after a trap.
 * @typedef {object} Rescue
 * @property {Config} config With the live changes made so far.
 * @property {string} phase
 * @property {number} step
 * @property {Uint8Array} bytes
 */

/**
 * What the engine tells the page.
 * @typedef {(
 *   {type: "reply", id: number, value: any} |
 *   {type: "error", id: number, message: string, file?: string} |
 *   {type: "wanted", file: string, again: boolean} |
 *   {type: "status", generation: number, status: Status} |
 *   {type: "applied", generation: number, info: Info, event: LiveEvent} |
 *   {type: "frame", generation: number, step: number, sections: SectionMeta[], failed: Record<string, string>, buffer: ArrayBuffer} |
 *   ({type: "scores", generation: number} & Scored) |
 *   {type: "stopped", generation: number, info: Info | null, message: string} |
 *   {type: "snapshot", generation: number, rescue: Rescue} |
 *   {type: "trap", message: string}
 * )} Message
 */

/**
 * What the page hears of its experiment.
 * @typedef {object} ExperimentListener
 * @property {() => void} opened A session began (or, when `empty`, none can yet): everything may be different.
 * @property {() => void} changed The configuration, the play state or the script of live changes is different.
 * @property {() => void} progress Step, speed or training target moved.
 * @property {(step: number) => void} goal The step that was trained to is reached.
 * @property {(frame: Extract<Message, {type: "frame"}>) => void} frame
 * @property {() => void} scored There are new scores.
 * @property {(message: string) => void} stopped Training could not go on, and went back to where it was well.
 * @property {(notice: Notice) => void} notice Something that the visitor should know.
 */

/** @typedef {{kind: "error" | "info", key: string, vars: Record<string, string | number>, again?: () => void}} Notice `again`: what may be tried again. */

/**
 * How a worker starts: the page's first message, and the worker's answers before the engine's own.
 * @typedef {{type: "start", wasm: WebAssembly.Module | ArrayBuffer | null}} StartRequest
 * @typedef {{type: "hello"} | {type: "started"} | {type: "failed", message: string}} StartMessage
 */

/** @typedef {(message: Message, transfer?: Transferable[]) => void} Post */

/** The key under which a phase ("only this network learns") stands among the events. */
export const PHASE = "phase";

/** The phase in which a step updates everything. */
export const ALL_PHASES = "both";

/** The message of an unknown thrown value. @param {unknown} error */
export function messageOf(error) {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : "unknown error";
}

/** The file of the package that something failed for want of, if it did. @param {unknown} error @returns {string | null} */
export function missingFile(error) {
  return error instanceof Error && error.name === "MissingFile" ? String(error.cause) : null;
}

/** Whether an error means that the wasm instance can no longer be trusted. @param {unknown} error */
export function isTrap(error) {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError && /call stack/i.test(error.message);
}
