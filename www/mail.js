/**
 * @file What the engine was asked and cannot answer before a file of the package is there.
 *
 * The package holds not all that it may come to need (src/supply.rs): what lacks a file says which, and is asked again
 * when the page has sent it. Meanwhile the session that is there goes on.
 */

import { messageOf, missingFile } from "./protocol.js";

/** @import {Post, Request, WasmModule} from "./protocol.js" */

/** A request that has an answer. @typedef {Extract<Request, {id: number}>} Question */

/** What makes another session of the one that is there: what is asked of the session after it is meant for the new one. */
const REPLACING = new Set(["open", "restore", "loadWeights"]);
/** What is asked of the session. */
const OF_THE_SESSION = new Set(["set", "steps", "train", "reset", "once", "snapshot", "weights", ...REPLACING]);

export class Mail {
  #wasm;
  #post;
  /** In the order in which they came, with the file that each waits for. @type {{message: Question, file: string}[]} */
  #held = [];
  /** Files that are on their way. @type {Set<string>} */
  #asked = new Set();
  /** Files that did not arrive, or not whole. @type {Set<string>} */
  #lost = new Set();

  /** @param {WasmModule} wasm @param {Post} post */
  constructor(wasm, post) {
    this.#wasm = wasm;
    this.#post = post;
  }

  /** What another session is waited for with. */
  get #replacing() {
    return this.#held.find(({ message }) => REPLACING.has(message.type));
  }

  /** Whether a message has to wait behind one that waits. @param {Request} message */
  holds(message) {
    const before = this.#replacing;
    if (!before) return false;
    if (message.type === "open" || message.type === "close") {
      this.#refuse(this.#released(() => true), "another run began");
    } else if (message.type === "run") {
      // Both are meant: the session that is seen, and the one that is to come.
      if (before.message.type === "open") Object.assign(before.message, { play: message.running, target: null });
    } else if ("id" in message && OF_THE_SESSION.has(message.type)) {
      this.#held.push({ message, file: before.file });
      return true;
    }
    return false;
  }

  /** Whether a message failed for want of a file: then it waits for it. @param {Request} message @param {unknown} error */
  waits(message, error) {
    const file = missingFile(error);
    if (file === null || !("id" in message)) return false;
    this.#held.push({ message, file });
    this.want(file);
    return true;
  }

  /** Asks the page for a file. @param {string} file */
  want(file) {
    if (this.#asked.has(file)) return;
    this.#asked.add(file);
    this.#post({ type: "wanted", file, again: this.#lost.delete(file) });
  }

  /**
   * The page has sent a file, or says why it cannot.
   * @param {Extract<Request, {type: "provide"}>} message
   * @returns {{again: Question[], problem: string}} What is to be asked again; why it is not, if the file is not there.
   */
  take({ file, bytes, problem }) {
    this.#asked.delete(file);
    const waited = this.#released((it) => it.file === file);
    let why = problem;
    try {
      if (bytes) this.#wasm.provide(file, new Uint8Array(bytes));
    } catch (error) {
      why = messageOf(error);
    }
    if (why === "") return { again: waited, problem: "" };
    this.#lost.add(file);
    this.#refuse(waited, why, file);
    return { again: [], problem: why };
  }

  /** Takes messages out of those that wait. @param {(held: {message: Question, file: string}) => boolean} which */
  #released(which) {
    const some = this.#held.filter(which);
    this.#held = this.#held.filter((held) => !some.includes(held));
    return some.map(({ message }) => message);
  }

  /** @param {Question[]} messages @param {string} message @param {string} [file] The one that is not there. */
  #refuse(messages, message, file) {
    for (const { id } of messages) this.#post({ type: "error", id, message, file });
  }
}
