/**
 * @file What the parts of the page say to each other: the catalogue, configurations, and the messages
 * between the page and the engine. Types only, and the few names that both sides must agree on.
 */
export type Value = number | boolean | string | number[];
export type Config = Record<string, Value>;
export type Spec = {
    key: string;
    /**
     * A sentence in English, the fallback where a language has no text.
     */
    doc: string;
    kind: "linear" | "log" | "integer" | "choice" | "flag" | "widths" | "text";
    low?: number;
    high?: number;
    /**
     * Whether an integer's control is logarithmic.
     */
    log?: boolean;
    options?: string[];
    layers?: number;
    width?: number;
    length?: number;
    /**
     * Whether a text may have several lines.
     */
    lines?: boolean;
    default: Value;
    effect: "live" | "restart";
    when: {
        key: string;
        in: string[];
    } | null;
    advanced: boolean;
    /**
     * Whether it says how far a step goes: what a run that diverged should have less of.
     */
    rate?: boolean;
    /**
     * The options that only some domains allow.
     */
    domains?: Record<string, string[]>;
};
export type Preset = {
    id: string;
    values: Config;
};
export type Shape = {
    channels: number;
    height: number;
    width: number;
    vocabulary: number;
};
export type DatasetEntry = {
    id: string;
    domain: string;
    drawable: boolean;
    /**
     * Whether its rows come from a file.
     */
    file: boolean;
    attribution: string | null;
    /**
     * The file of the package that it is stored in.
     */
    supply: string | null;
    shape: Shape;
    classes: number;
    params: Spec[];
    presets: Preset[];
};
export type LossEntry = {
    id: string;
    unit: string;
};
export type ModelEntry = {
    id: string;
    badge: string;
    /**
     * The data set that it is shown on where nobody names one.
     */
    example: string;
    domains: string[];
    /**
     * The data sets that it does not take as they are by default, each with the id of the reason.
     */
    misfits: Record<string, string>;
    /**
     * The data sets that it takes up to some value of a setting.
     */
    upTo: Record<string, {
        key: string;
        most: number;
        misfit: string;
    }>;
    capabilities: string[];
    params: Spec[];
    /**
     * Per domain, where they differ from the specs' own.
     */
    defaults: Record<string, Config>;
    losses: LossEntry[];
    phases: string[];
};
export type Catalog = {
    version: string;
    seed: {
        low: number;
        high: number;
        default: number;
    };
    datasets: DatasetEntry[];
    models: ModelEntry[];
    /**
     * In the order in which they are shown.
     */
    scores: ScoreEntry[];
    findings: string[];
    gallery: Exhibit[];
    /**
     * The files of the package that are not in the module, and what needs each.
     */
    supplies: {
        name: string;
        bytes: number;
        for: "rows" | "scores";
    }[];
};
export type ScoreEntry = {
    id: string;
    unit: "nats" | "bits" | "share" | "data" | "";
    better: "lower" | "higher" | "target";
    /**
     * The value that is best, where it is one whatever the data.
     */
    target: number | null;
    domains: string[];
};
export type Exhibit = {
    id: string;
    config: Config;
    /**
     * Until the failure shows.
     */
    steps: number;
    /**
     * What is found then.
     */
    finding: string;
};
export type Score = {
    id: string;
    value: number;
    /**
     * What as many real rows score.
     */
    floor: number | null;
    optimum: number | null;
    /**
     * How a likelihood was computed.
     */
    by: "exact" | "importance" | "grid" | "kde" | null;
};
export type Finding = {
    id: string;
    values: Record<string, number>;
    remedy: Config;
};
export type Scored = {
    step: number;
    scores: Score[];
    findings: Finding[];
    /**
     * Why there are no scores.
     */
    failed: string | null;
};
export type Info = {
    step: number;
    config: Config;
    shape: Shape & {
        domain: string;
    };
    extent: [number, number, number, number];
    parameters: number;
    /**
     * What the model can show as it is set.
     */
    capabilities: string[];
    /**
     * Views that take long to compute.
     */
    dear: string[];
    /**
     * Null where there is no latent space.
     */
    latentDim: number | null;
    losses: {
        id: string;
        unit: string;
        last: number | null;
    }[];
    references: {
        id: string;
        value: number;
        loss: string;
    }[];
    classes: number;
    /**
     * What tokens 1, 2, … stand for; empty where values are not tokens.
     */
    alphabet: string;
    trainRows: number;
};
export type LiveEvent = {
    step: number;
    key: string;
    value: Value;
};
export type ViewRequest = {
    id: string;
} & Record<string, any>;
export type SectionMeta = {
    id: string;
    offset: number;
    length: number;
    shape: number[];
} & Record<string, any>;
export type Section = {
    data: Float32Array;
    shape: number[];
} & Record<string, any>;
export type WasmSession = {
    step: (n: number) => void;
    set: (key: string, value: string) => string;
    reset: () => void;
    prepare: (requests: string) => string;
    read: (out: Float32Array) => void;
    info: () => string;
    steps: () => number;
    beginScores: () => number;
    scorePart: () => string;
    snapshot: () => Uint8Array;
    checkpoint: () => Uint8Array;
    restore: (bytes: Uint8Array) => void;
    weights: () => Uint8Array;
    loadWeights: (bytes: Uint8Array) => void;
    free: () => void;
};
export type WasmSource = {
    info: () => string;
    rows: (n: number) => Float32Array;
    free: () => void;
};
export type WasmLoader = {
    add: (name: string, bytes: Uint8Array) => void;
    addImage: (name: string, rgba: Uint8Array, width: number, height: number) => void;
    finish: () => WasmSource;
    free: () => void;
};
export type Part = {
    name: string;
    bytes: Uint8Array;
} | {
    name: string;
    rgba: Uint8Array;
    width: number;
    height: number;
};
export type Preview = {
    shape: Shape & {
        domain: string;
    };
    extent: [number, number, number, number];
    classes: number;
    /**
     * The characters that tokens 1, 2, … stand for.
     */
    alphabet: string;
    trainRows: number;
    heldOutRows: number;
    /**
     * The models that do not take them, each with the id of the reason.
     */
    misfits: Record<string, string>;
    /**
     * The rows, as 32-bit floats.
     */
    buffer: ArrayBuffer;
};
export type Loaded = Preview & {
    dataset: string;
    rows: number;
    scaled: boolean;
};
export type WasmModule = {
    catalog: () => string;
    Source: new (config: string, n: number) => WasmSource;
    freshSeed: () => number;
    provide: (name: string, bytes: Uint8Array) => void;
    Session: (new (config: string) => WasmSession) & {
        on: (config: string, source: any) => WasmSession;
    };
    Loader: new (options: string) => WasmLoader;
};
export type Request = ({
    type: "catalog";
    id: number;
} | {
    type: "open";
    id: number;
    config: Config;
    events: LiveEvent[];
    target: number | null;
    play: boolean;
    generation: number;
} | {
    type: "close";
} | {
    type: "set";
    id: number;
    key: string;
    value: Value;
} | {
    type: "run";
    running: boolean;
} | {
    type: "hold";
    held: boolean;
} | {
    type: "slow";
    slow: boolean;
} | {
    type: "steps";
    id: number;
    n: number;
} | {
    type: "train";
    id: number;
    target: number;
} | {
    type: "reset";
    id: number;
} | {
    type: "views";
    generation: number;
    requests: ViewRequest[];
    fresh: boolean;
} | {
    type: "scoring";
    on: boolean;
} | {
    type: "credit";
    buffer: ArrayBuffer | null;
} | {
    type: "once";
    id: number;
    requests: ViewRequest[];
} | {
    type: "preview";
    id: number;
    config: Config;
    n: number;
} | {
    type: "load";
    id: number;
    parts: Part[];
    size: number | null;
    n: number;
} | {
    type: "freshSeed";
    id: number;
} | {
    type: "provide";
    file: string;
    bytes: ArrayBuffer | null;
    problem: string;
} | {
    type: "snapshot";
    id: number;
} | {
    type: "restore";
    id: number;
    bytes: Uint8Array;
} | {
    type: "weights";
    id: number;
} | {
    type: "loadWeights";
    id: number;
    bytes: Uint8Array;
    config: Config | null;
});
export type Status = {
    step: number;
    /**
     * Steps per second; 0 while paused.
     */
    rate: number;
    running: boolean;
    /**
     * The step that is being trained to.
     */
    target: number | null;
};
export type Rescue = {
    /**
     * With the live changes made so far.
     */
    config: Config;
    phase: string;
    step: number;
    bytes: Uint8Array;
};
export type Message = ({
    type: "reply";
    id: number;
    value: any;
} | {
    type: "error";
    id: number;
    message: string;
    file?: string;
} | {
    type: "wanted";
    file: string;
    again: boolean;
} | {
    type: "status";
    generation: number;
    status: Status;
} | {
    type: "applied";
    generation: number;
    info: Info;
    event: LiveEvent;
} | {
    type: "frame";
    generation: number;
    step: number;
    sections: SectionMeta[];
    failed: Record<string, string>;
    buffer: ArrayBuffer;
} | ({
    type: "scores";
    generation: number;
} & Scored) | {
    type: "stopped";
    generation: number;
    info: Info | null;
    message: string;
} | {
    type: "snapshot";
    generation: number;
    rescue: Rescue;
} | {
    type: "trap";
    message: string;
});
export type ExperimentListener = {
    /**
     * A session began (or, when `empty`, none can yet): everything may be different.
     */
    opened: () => void;
    /**
     * The configuration, the play state or the script of live changes is different.
     */
    changed: () => void;
    /**
     * Step, speed or training target moved.
     */
    progress: () => void;
    /**
     * The step that was trained to is reached.
     */
    goal: (step: number) => void;
    frame: (frame: Extract<Message, {
        type: "frame";
    }>) => void;
    /**
     * There are new scores.
     */
    scored: () => void;
    /**
     * Training could not go on, and went back to where it was well.
     */
    stopped: (message: string) => void;
    /**
     * Something that the visitor should know.
     */
    notice: (notice: Notice) => void;
};
export type Notice = {
    kind: "error" | "info";
    key: string;
    vars: Record<string, string | number>;
    again?: () => void;
};
export type StartRequest = {
    type: "start";
    wasm: WebAssembly.Module | ArrayBuffer | null;
};
export type StartMessage = {
    type: "hello";
} | {
    type: "started";
} | {
    type: "failed";
    message: string;
};
export type Post = (message: Message, transfer?: Transferable[]) => void;
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
export declare const PHASE = "phase";
/** The phase in which a step updates everything. */
export declare const ALL_PHASES = "both";
/** The message of an unknown thrown value. @param {unknown} error */
export declare function messageOf(error: unknown): string;
/** The file of the package that something failed for want of, if it did. @param {unknown} error @returns {string | null} */
export declare function missingFile(error: unknown): string | null;
/** Whether an error means that the wasm instance can no longer be trusted. @param {unknown} error */
export declare function isTrap(error: unknown): boolean;
