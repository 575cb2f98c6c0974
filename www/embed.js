/**
 * @file A playground in a frame: it answers the page around it, and tells it what happens and how high it is.
 *
 * Only the page that holds the frame is heard, and only what `messages.js` understands; reveal.js says when
 * the frame's slide is shown.
 */

import { readCall, VERSION } from "./messages.js";
import { messageOf } from "./protocol.js";

/**
 * @import {TealightPlayground} from "./tealight-playground.js"
 * @import {Call} from "./messages.js"
 */

/** What the page around is told. */
const EVENTS = ["ready", "goal", "score", "change", "error"];
/** Milliseconds between two reports of steps: the page around may hold many frames. */
const STEP_EVERY = 100;

/**
 * @param {TealightPlayground} playground
 * @param {{open: (link: string) => void}} page How this page follows a link.
 * @param {Window} [self]
 */
export function listenToHost(playground, { open }, self = window) {
  const { parent } = self;
  if (parent === self) return;
  /** @param {object} message @param {string} [to] @param {Transferable[]} [transfer] */
  const post = (message, to = "*", transfer = []) => parent.postMessage({ tealight: VERSION, ...message }, to, transfer);
  /** @param {string} event @param {unknown} detail */
  const tell = (event, detail) => post({ event, detail });

  let height = 0;
  const measure = () => Math.ceil(playground.getBoundingClientRect().bottom + self.scrollY);
  const tellHeight = () => {
    // Before there is a session the page has not yet its shape.
    if (!playground.embed || !playground.settled || measure() === height) return;
    height = measure();
    tell("setHeight", { height });
  };
  new ResizeObserver(tellHeight).observe(playground);
  playground.addEventListener("ready", tellHeight);

  for (const type of EVENTS) playground.addEventListener(type, (event) => tell(type, /** @type {CustomEvent} */ (event).detail));
  /** @type {unknown} */
  let step = null;
  let timer = 0;
  const tellStep = () => {
    timer = 0;
    if (step === null) return;
    tell("step", step);
    step = null;
    timer = self.setTimeout(tellStep, STEP_EVERY);
  };
  playground.addEventListener("step", (event) => {
    step = /** @type {CustomEvent} */ (event).detail;
    if (timer === 0) tellStep();
  });

  /** @param {Call} call @returns {unknown} */
  const perform = ({ call, args }) => {
    if (call === "open") return open(String(args[0]));
    if (call === "state") return { step: playground.steps, playing: playground.playing, link: playground.link, config: playground.config, height: measure() };
    return /** @type {(...args: unknown[]) => unknown} */ (playground[call]).apply(playground, args);
  };

  self.addEventListener("message", async ({ source, origin, data }) => {
    if (source !== parent) return;
    if (data === "slide:start" || data === "slide:stop") {
      playground.hold("slide", data === "slide:stop");
      return;
    }
    const read = readCall(data);
    if (!read) return;
    // An origin that is none cannot be addressed.
    const to = origin === "null" || origin === "" ? "*" : origin;
    if ("error" in read) {
      post({ id: read.id, error: read.error }, to);
      return;
    }
    const { id } = read;
    try {
      const ok = (await perform(read)) ?? null;
      const bytes = ok instanceof Uint8Array ? [ok.buffer] : [];
      post({ id, ok }, to, bytes);
    } catch (error) {
      post({ id, error: messageOf(error) }, to);
    }
  });
}
