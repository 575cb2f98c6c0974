/**
 * @file For pages that hold playgrounds in frames: gives each frame the height that its content needs, and
 * lets scripts talk to it. As a classic script it is `window.tealight`.
 *
 *     <script src="…/tealight-host.js"></script>
 *     const frame = tealight.connect(document.querySelector("iframe"));
 *     frame.addEventListener("goal", (event) => console.log(event.detail.step));
 *     await frame.set("seed", 7);
 */

import { CALLS, VERSION } from "./messages.js";

/** The heights that a frame may ask for, in pixels: what says more is not believed. */
const HEIGHTS = [100, 10_000];

/** @param {MessageEvent} event @returns {Record<string, any> | null} */
function heard({ data }) {
  return typeof data === "object" && data !== null && data.tealight === VERSION ? data : null;
}

/** Follows what frames say of their height, from now on. @param {Document} page */
function follow(page) {
  const { defaultView: self } = page;
  if (!self) return;
  self.addEventListener("message", (event) => {
    const data = heard(event);
    const height = Number(data?.event === "setHeight" ? data.detail?.height : data?.ok?.height);
    if (!(height >= HEIGHTS[0] && height <= HEIGHTS[1])) return;
    for (const frame of page.querySelectorAll("iframe")) {
      // Only a frame itself says how high it is.
      if (frame.contentWindow === event.source) frame.height = String(Math.ceil(height));
    }
  });
  // Those that were there before this script have already said it.
  const ask = () => {
    for (const frame of page.querySelectorAll("iframe")) {
      if (/[#&]embed=true/.test(frame.src)) frame.contentWindow?.postMessage({ tealight: VERSION, id: "height", call: "state" }, "*");
    }
  };
  if (page.readyState === "loading") page.addEventListener("DOMContentLoaded", ask);
  else ask();
}

/** A playground in a frame: its calls are methods that answer with promises, its events are events. */
export class TealightFrame extends EventTarget {
  #frame;
  #id = 0;
  /** @type {Map<string, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #pending = new Map();

  /** @param {HTMLIFrameElement} frame */
  constructor(frame) {
    super();
    this.#frame = frame;
    frame.ownerDocument.defaultView?.addEventListener("message", (event) => {
      const data = heard(event);
      if (!data || event.source !== frame.contentWindow) return;
      if (typeof data.event === "string") {
        this.dispatchEvent(new CustomEvent(data.event, { detail: data.detail }));
        return;
      }
      const pending = this.#pending.get(data.id);
      this.#pending.delete(data.id);
      if (typeof data.error === "string") pending?.reject(new Error(data.error));
      else pending?.resolve(data.ok);
    });
    for (const call of Object.keys(CALLS)) {
      Object.defineProperty(this, call, { value: (/** @type {unknown[]} */ ...args) => this.call(call, ...args) });
    }
  }

  /** Asks for a call, and waits for its answer. @param {string} call @param {unknown[]} args @returns {Promise<any>} */
  call(call, ...args) {
    const id = `call-${++this.#id}`;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      // A sandboxed frame has no origin that could be addressed; the frame is the address.
      this.#frame.contentWindow?.postMessage({ tealight: VERSION, id, call, args }, "*");
    });
  }
}

/** @param {HTMLIFrameElement} frame */
export function connect(frame) {
  return new TealightFrame(frame);
}

if (typeof document !== "undefined") follow(document);
