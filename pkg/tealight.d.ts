/* tslint:disable */
/* eslint-disable */

/**
 * Makes a data set of files.
 */
export class Loader {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Takes an image of four bytes a pixel.
     */
    addImage(name: string, rgba: Uint8Array | number[], width: number, height: number): void;
    /**
     * Takes a file: images or labels as IDX, a table of points, or lines of text.
     */
    add(name: string, bytes: Uint8Array | number[]): void;
    /**
     * The data of all files together.
     */
    finish(): Source;
    /**
     * A loader that has no files yet; the options are JSON: `{"size": 16}`, or `{}`.
     */
    constructor(options: string);
}

/**
 * One model on one data set.
 */
export class Session {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Begins an evaluation of the model as it is now; how many parts it has.
     */
    beginScores(): number;
    /**
     * A snapshot without the rows of a file: for a session that has them.
     */
    checkpoint(): Uint8Array;
    /**
     * Configuration, shape, extent, losses and more, as JSON.
     */
    info(): string;
    /**
     * Takes weights from safetensors.
     */
    loadWeights(bytes: Uint8Array | number[]): void;
    /**
     * A fresh session from a flat JSON configuration.
     */
    constructor(config: string);
    /**
     * A fresh session on data that are there already; the configuration names their data set.
     */
    static on(config: string, source: Source): Session;
    /**
     * Computes views from a JSON list of requests; says as JSON where each lies in what `read` gives.
     */
    prepare(requests: string): string;
    /**
     * Copies the prepared values to the start of `out`.
     */
    read(out: Float32Array): void;
    /**
     * Back to step 0 with the same weights again.
     */
    reset(): void;
    /**
     * Becomes the session that a snapshot or a checkpoint was taken of.
     */
    restore(bytes: Uint8Array | number[]): void;
    /**
     * Does the next part, and says as JSON whether it was the last one, and then what the evaluation came to.
     */
    scorePart(): string;
    /**
     * Changes a setting to a value given as JSON; "live", or "restart" if the session was rebuilt at step 0.
     */
    set(key: string, value: string): string;
    /**
     * Everything needed to go on, bit for bit.
     */
    snapshot(): Uint8Array;
    /**
     * Takes `n` steps.
     */
    step(n: number): void;
    /**
     * Steps taken.
     */
    steps(): number;
    /**
     * The weights as safetensors.
     */
    weights(): Uint8Array;
}

/**
 * A data set without a model.
 */
export class Source {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Shape, extent, alphabet and more, as JSON.
     */
    info(): string;
    /**
     * The first `n` rows, if not more, of a flat JSON configuration: `{"dataset": …}` and what of its settings is
     * not at its default.
     */
    constructor(config: string, n: number);
    /**
     * The first `n` rows, row-major.
     */
    rows(n: number): Float32Array;
}

/**
 * Everything that there is to choose, as JSON.
 */
export function catalog(): string;

/**
 * A seed that nobody chose: the only use of the platform's randomness.
 */
export function freshSeed(): number;

/**
 * Takes a file of the package, one of the catalogue's `supplies`, which is not in the module; twice does no harm.
 *
 * What needs one that is not there throws a `MissingFile` whose `cause` is the name.
 */
export function provide(name: string, bytes: Uint8Array | number[]): void;

export function start(): void;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_loader_free: (a: number, b: number) => void;
    readonly __wbg_session_free: (a: number, b: number) => void;
    readonly __wbg_source_free: (a: number, b: number) => void;
    readonly catalog: () => [number, number];
    readonly freshSeed: () => [number, number, number];
    readonly loader_add: (a: number, b: number, c: number, d: number, e: number) => [number, number];
    readonly loader_addImage: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => [number, number];
    readonly loader_finish: (a: number) => [number, number, number];
    readonly loader_new: (a: number, b: number) => [number, number, number];
    readonly provide: (a: number, b: number, c: number, d: number) => [number, number];
    readonly session_beginScores: (a: number) => [number, number, number];
    readonly session_checkpoint: (a: number) => [number, number, number];
    readonly session_info: (a: number) => [number, number];
    readonly session_loadWeights: (a: number, b: number, c: number) => [number, number];
    readonly session_new: (a: number, b: number) => [number, number, number];
    readonly session_on: (a: number, b: number, c: number) => [number, number, number];
    readonly session_prepare: (a: number, b: number, c: number) => [number, number, number, number];
    readonly session_read: (a: number, b: any) => [number, number];
    readonly session_reset: (a: number) => [number, number];
    readonly session_restore: (a: number, b: number, c: number) => [number, number];
    readonly session_scorePart: (a: number) => [number, number, number, number];
    readonly session_set: (a: number, b: number, c: number, d: number, e: number) => [number, number, number, number];
    readonly session_snapshot: (a: number) => [number, number, number];
    readonly session_step: (a: number, b: number) => [number, number];
    readonly session_steps: (a: number) => number;
    readonly session_weights: (a: number) => [number, number, number];
    readonly source_info: (a: number) => [number, number];
    readonly source_new: (a: number, b: number, c: number) => [number, number, number];
    readonly source_rows: (a: number, b: number) => any;
    readonly start: () => void;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
