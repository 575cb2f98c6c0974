/**
 * @file The custom element: `<tealight-playground dataset="…" model="…" play>`.
 *
 * Its attributes are the keys of a link. They say what runs, and follow what is chosen in it. Properties
 * and methods are thin: the page is in `ui/`, the engine in a worker. `docs/api.md` is made from the comments
 * of this class.
 */
import type { Config, Info, Section, Value } from "./protocol.js";
/**
 * @fires ready A session began. `detail.info`: steps, shapes, parameters, losses, what the model can show.
 * @fires step A picture was drawn. `detail.step`, and `detail.losses`: the last value of each loss.
 * @fires goal The step that was trained to is reached. `detail.step`
 * @fires score Scores were computed. `detail` holds them.
 * @fires change What a link holds is different. `detail.link`
 * @fires error Something failed. `detail.message`
 */
export declare class TealightPlayground extends HTMLElement {
    #private;
    constructor();
    connectedCallback(): void;
    disconnectedCallback(): void;
    /** The attribute `dataset`: every element already has a property of that name, for `data-…`. */
    get datasetId(): string;
    set datasetId(id: string);
    /** The id of the model. */
    get model(): string;
    set model(id: string);
    /** The seed of all randomness. */
    get seed(): number;
    set seed(seed: number);
    /** Every setting, with the changes made while running; what is assigned is merged into it. @type {Config} */
    get config(): Config;
    set config(config: Config);
    /** Whether it trains. */
    get playing(): boolean;
    set playing(playing: boolean);
    /** `auto`, `light` or `dark`. */
    get theme(): string;
    set theme(theme: string);
    /** Groups that are not shown: data, model, settings, transport, scores (nor computed), losses. @type {string[]} */
    get hide(): string[];
    set hide(groups: string[]);
    /** Groups of controls that show their values and cannot be changed; links and methods still can. @type {string[]} */
    get lock(): string[];
    set lock(groups: string[]);
    /** Whether it is part of another page: compact, with a way to the whole page at its foot. */
    get embed(): boolean;
    set embed(embed: boolean);
    /** Of the engine; empty before there is one. */
    get version(): string;
    /** The steps that were taken. */
    get steps(): number;
    /** The scores of the run against its steps. @type {{steps: number[], values: Record<string, (number | null)[]>}} */
    get scores(): {
        steps: number[];
        values: Record<string, (number | null)[]>;
    };
    /** What runs, as it stands after the `#` of a link; assigning it begins that run. */
    get link(): string;
    set link(link: string);
    /** Whether what it shows has its shape: a session is there, a drawing is awaited, or the engine failed. */
    get settled(): boolean;
    /** Resolves when a session is there. @returns {Promise<Info>} */
    get ready(): Promise<Info>;
    /** Trains until it is paused. */
    play(): void;
    /** Pauses. */
    pause(): void;
    /** Takes `n` steps, then pauses. @param {number} [n] @returns {Promise<number>} The step that was reached. */
    step(n?: number): Promise<number>;
    /** Back to step 0, with the same weights again. */
    reset(): Promise<void>;
    /** `n` generated rows. @param {number} [n] @returns {Promise<Section>} */
    sample(n?: number): Promise<Section>;
    /**
     * Changes one setting, `dataset`, `model` or `seed`; refuses what is not allowed, in a sentence.
     * @param {string} key @param {Value} value
     */
    set(key: string, value: Value): Promise<void>;
    /** Everything needed to go on from here, bit for bit. @returns {Promise<Uint8Array>} */
    snapshot(): Promise<Uint8Array>;
    /** Goes on from a snapshot. @param {Uint8Array} bytes */
    restore(bytes: Uint8Array): Promise<void>;
    /** The weights as safetensors. @returns {Promise<Uint8Array>} */
    exportWeights(): Promise<Uint8Array>;
    /** Takes weights from safetensors. @param {Uint8Array} bytes */
    loadWeights(bytes: Uint8Array): Promise<void>;
    /** Begins the run of a link, without its `#`. @param {string} link */
    open(link: string): void;
    /** Opens the help. */
    showHelp(): void;
    /** Opens the gallery of failures. */
    showGallery(): void;
    /** Opens the panel with the link and the code to embed it. */
    showShare(): void;
    /**
     * Lets training wait while any reason for it holds; what it was asked to reach, it still reaches.
     * @param {string} reason @param {boolean} held
     */
    hold(reason: string, held: boolean): void;
    /**
     * Answers a key, if no control has it. A page that is all playground passes its own key events on.
     * @param {KeyboardEvent} event
     */
    handleKey(event: KeyboardEvent): void;
}
