/**
 * @file Starts the wasm package and an engine over it: the part that a worker and the main thread share.
 */

import init, * as wasm from "../pkg/tealight.js";
import { Engine } from "./engine.js";
import { messageOf } from "./protocol.js";

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

/** On the main thread a timer's small delay is welcome: input and drawing come first. */
function afterTheFrame(/** @type {() => void} */ callback, /** @type {number} */ delay) {
  setTimeout(callback, Math.max(delay, 4));
}
