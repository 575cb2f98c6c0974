/**
 * @file The page's end of the wire: starts the engine wherever it can run, and matches answers to questions.
 *
 * Order of start: a worker by URL; a worker from a Blob (which helps where the page itself has no
 * usable address: `file://`, a sandboxed frame, another origin); the main thread, in short slices.
 * A worker can always be killed: {@link Client.restart} ends it and starts a fresh one.
 */

import { compiled, inlined } from "./module.js";
import { messageOf } from "./protocol.js";
import { supply } from "./supply.js";

/** @import {Config, Loaded, Message, Part, Preview, Request, SectionMeta, StartMessage, StartRequest, ViewRequest} from "./protocol.js" */

/** @typedef {"worker" | "blob" | "page"} Mode Where the engine runs. */

/** @typedef {{send: (message: Request | StartRequest, transfer?: Transferable[]) => void, end: () => void}} Wire */

/** @typedef {(message: any) => void} Listener */

/**
 * A request without its id, which the client gives.
 * @typedef {Request extends infer R ? R extends {id: number} ? Omit<R, "id"> : never : never} Question
 */

/** How long a worker's script may take to say that it runs, before the next way is tried. */
const PATIENCE = 8000;

export class Client {
  #listen;
  /** @type {Wire | null} */
  #wire = null;
  /** @type {Mode | null} */
  #mode = null;
  #id = 0;
  #ended = false;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #pending = new Map();

  /** @param {(message: Exclude<Message, {type: "reply"} | {type: "error"} | {type: "wanted"}>) => void} listen Hears what is no answer. */
  constructor(listen) {
    this.#listen = listen;
  }

  /** Where the engine runs; null until it does. */
  get mode() {
    return this.#mode;
  }

  /**
   * Starts the engine.
   * @returns {Promise<Mode>}
   */
  async start() {
    /** @type {[Mode, (listener: Listener) => Promise<Wire>][]} */
    const ways = [
      ["worker", (listener) => byUrl(listener)],
      ["blob", (listener) => byBlob(listener)],
      ["page", (listener) => onThisThread(listener)],
    ];
    // What worked once is what a restart begins with.
    const first = ways.findIndex(([mode]) => mode === this.#mode);
    /** @type {string[]} */
    const reasons = [];
    for (const [mode, way] of ways.slice(Math.max(first, 0))) {
      try {
        await this.#tryWay(way);
        this.#mode = mode;
        return mode;
      } catch (error) {
        this.halt();
        reasons.push(messageOf(error));
      }
      if (this.#ended) throw new Error("ended");
    }
    throw new Error(reasons.at(-1) ?? "no way to run the engine");
  }

  /** @param {(listener: Listener) => Promise<Wire>} way */
  async #tryWay(way) {
    /** @type {(message: StartMessage) => void} */
    let answer = () => {};
    const started = new Promise((resolve, reject) => {
      answer = (message) => {
        if (message.type === "started") resolve(undefined);
        else if (message.type === "failed") reject(new Error(message.message));
      };
    });
    // A way that fails also rejects this; whoever waits hears of it from the way itself.
    started.catch(() => {});
    // While the worker starts, the page compiles for it.
    const wasm = compiled();
    /** @type {Wire | null} */
    let wire = null;
    wire = await way((message) => {
      if (message.type === "started" || message.type === "failed") answer(message);
      else if (wire && this.#wire === wire) this.#receive(message);
    });
    if (this.#ended) {
      wire.end();
      throw new Error("ended");
    }
    this.#wire = wire;
    wire.send({ type: "start", wasm: await wasm });
    await started;
  }

  /** @param {Message} message */
  #receive(message) {
    if (message.type === "reply" || message.type === "error") {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.type === "reply") pending?.resolve(message.value);
      else pending?.reject(message.file ? new Unloaded(message.message) : new Error(message.message));
    } else if (message.type === "wanted") {
      void this.#supply(message);
    } else if (!this.#ended) {
      this.#listen(message);
    }
  }

  /** Sends the engine a file that it has come to need. @param {Extract<Message, {type: "wanted"}>} message */
  async #supply({ file, again }) {
    const wire = this.#wire;
    /** @type {Request} */
    let answer;
    try {
      answer = { type: "provide", file, bytes: await supply(file, again), problem: "" };
    } catch (error) {
      answer = { type: "provide", file, bytes: null, problem: messageOf(error) };
    }
    if (this.#wire === wire) wire?.send(answer);
  }

  /**
   * Asks, and waits for the answer.
   * @param {Question} question
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(question, transfer = []) {
    const wire = this.#wire;
    if (!wire) return Promise.reject(new Lost());
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      wire.send(/** @type {Request} */ ({ ...question, id }), transfer);
    });
  }

  /**
   * Says something that has no answer.
   * @param {Exclude<Request, {id: number}>} message
   * @param {Transferable[]} [transfer]
   */
  tell(message, transfer = []) {
    this.#wire?.send(message, transfer);
  }

  /** A data set with its first `n` rows. @param {Config} config @param {number} n @returns {Promise<Preview>} */
  preview(config, n) {
    return this.ask({ type: "preview", config, n });
  }

  /** Makes a data set of files, and gives its first `n` rows. @param {Part[]} parts @param {number | null} size @param {number} n @returns {Promise<Loaded>} */
  load(parts, size, n) {
    return this.ask({ type: "load", parts, size, n }, parts.map((part) => ("rgba" in part ? part.rgba : part.bytes).buffer));
  }

  /** Views out of turn. @param {ViewRequest[]} requests @returns {Promise<{sections: SectionMeta[], buffer: ArrayBuffer}>} */
  views(requests) {
    return this.ask({ type: "once", requests });
  }

  /** Asks for one more frame, in a buffer that is given back. @param {ArrayBuffer | null} buffer */
  credit(buffer) {
    this.tell({ type: "credit", buffer }, buffer ? [buffer] : []);
  }

  /** Ends the engine, whatever it is doing, and starts another. */
  restart() {
    this.halt();
    return this.start();
  }

  /** Ends the engine for good. */
  end() {
    this.#ended = true;
    this.halt();
  }

  /** Ends the engine; it can be restarted. */
  halt() {
    this.#wire?.end();
    this.#wire = null;
    for (const { reject } of this.#pending.values()) reject(new Lost());
    this.#pending.clear();
  }
}

/** A question whose engine ended before it answered. */
export class Lost extends Error {
  constructor() {
    super("the engine ended");
    this.name = "Lost";
  }
}

/** A question for whose answer a file of the package is not there, which may yet be loaded. */
export class Unloaded extends Error {}

/** @param {Listener} listener @returns {Promise<Wire>} */
function byUrl(listener) {
  if (inlined()) throw new Error("this file carries its worker");
  return spawn(new Worker(new URL("./worker.js", import.meta.url), { name: "tealight" }), listener);
}

/** @param {Listener} listener @returns {Promise<Wire>} */
async function byBlob(listener) {
  const inline = inlined();
  // The worker of another origin, or of a sandbox that has none, is fetched and runs as this page's own.
  const source = inline?.worker ?? (await (await fetch(new URL("./worker.js", import.meta.url))).text());
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return await spawn(new Worker(url, { name: "tealight" }), listener);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Waits until the worker's script runs.
 * @param {Worker} worker
 * @param {Listener} listener
 * @returns {Promise<Wire>}
 */
function spawn(worker, listener) {
  return new Promise((resolve, reject) => {
    /** @param {string} reason */
    const fail = (reason) => {
      clearTimeout(timer);
      worker.terminate();
      reject(new Error(reason));
      // Too late to be an answer to the start: the worker died at work.
      listener({ type: "failed", message: reason });
      listener({ type: "trap", message: reason });
    };
    const timer = setTimeout(fail, PATIENCE, "the worker did not start");
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message || "the worker failed");
    };
    worker.onmessageerror = () => fail("a message could not be read");
    worker.onmessage = ({ data }) => {
      if (data.type !== "hello") {
        listener(data);
        return;
      }
      clearTimeout(timer);
      resolve({
        send: (message, transfer = []) => worker.postMessage(message, transfer),
        end: () => worker.terminate(),
      });
    };
  });
}

/** @param {Listener} listener @returns {Promise<Wire>} */
async function onThisThread(listener) {
  const { hostEngine } = await import("./host.js");
  let ended = false;
  const host = hostEngine((message) => {
    // As between threads: never within the call that caused it.
    queueMicrotask(() => {
      if (!ended) listener(message);
    });
  }, { slice: 10, gentle: true });
  return {
    send: (message) => host.receive(message),
    end: () => {
      ended = true;
      host.receive({ type: "close" });
    },
  };
}
