/** @file What an experiment tells whoever shows it. Types only. */

/** @import {Message} from "./protocol.js" */

/**
 * What the page hears.
 * @typedef {object} Listener
 * @property {() => void} opened A session began (or, when `empty`, none can yet): everything may be different.
 * @property {() => void} changed The configuration, the play state or the script of live changes is different.
 * @property {() => void} progress Step, speed or training target moved.
 * @property {(step: number) => void} goal The step that was trained to is reached.
 * @property {(frame: Extract<Message, {type: "frame"}>) => void} frame
 * @property {() => void} scored There are new scores.
 * @property {(message: string) => void} stopped Training could not go on, and went back to where it was well.
 * @property {(notice: Notice) => void} notice Something that the visitor should know.
 */

/** @typedef {{kind: "error" | "info", key: string, vars: Record<string, string | number>}} Notice */

export {};
