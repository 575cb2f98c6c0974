/**
 * @file Starts the wasm package and an engine over it: the part that a worker and the main thread share.
 */

import init, * as wasm from "../pkg/tealight.js";
import { Engine } from "./engine.js";
import { messageOf } from "./protocol.js";

/** Milliseconds that the page has for itself between two slices. */
const PAUSE = 4;

/** @import {Message, Request, StartMessage, StartRequest} from "./protocol.js" */

/**
 * @param {(message: Message | StartMessage, transfer?: Transferable[]) => void} post
 * @param {{slice: number, gentle: boolean}} options `gentle` leaves time for the page between slices.
 */
export function hostEngine(post, { slice, gentle }) {
  /** @type {Engine | null} */
  let engine = null;

  /** @param {StartRequest} request */
  async function start(request) {
    try {
      // Without bytes, the package's own loader finds the file beside itself.
      await init(request.wasm ? { module_or_path: request.wasm } : undefined);
      engine = new Engine(wasm, post, { slice, later: gentle ? afterTheFrame : afterTheMail() });
      post({ type: "started" });
    } catch (error) {
      post({ type: "failed", message: messageOf(error) });
    }
  }

  return {
    /** @param {Request | StartRequest} message */
    receive(message) {
      if (message.type === "start") void start(message);
      else engine?.handle(message);
    },
  };
}

/**
 * Calls back after the messages that wait. A message channel, because timers in a row are delayed by 4 ms:
 * https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timers
 */
function afterTheMail() {
  const { port1, port2 } = new MessageChannel();
  /** @type {(() => void)[]} */
  const waiting = [];
  port1.onmessage = () => waiting.shift()?.();
  return (/** @type {() => void} */ callback, /** @type {number} */ delay) => {
    if (delay > 0) {
      setTimeout(callback, delay);
      return;
    }
    waiting.push(callback);
    port2.postMessage(null);
  };
}

/** The slices that wait on the main thread. @type {(() => void)[]} */
const turns = [];

/**
 * On the main thread a timer's small delay is welcome: input and drawing come first. Engines on one page take
 * turns, with that delay between any two slices, however many they are.
 * @param {() => void} callback
 * @param {number} delay
 */
function afterTheFrame(callback, delay) {
  if (delay > 0) setTimeout(() => wait(callback), delay);
  else wait(callback);
}

/** @param {() => void} callback */
function wait(callback) {
  turns.push(callback);
  if (turns.length === 1) setTimeout(next, PAUSE);
}

function next() {
  try {
    turns[0]?.();
  } finally {
    turns.shift();
    if (turns.length > 0) setTimeout(next, PAUSE);
  }
}
