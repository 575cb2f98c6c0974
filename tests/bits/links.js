/** @file Links replayed as the page replays them; the same file runs in Node and in browsers. */
import { Engine } from "../../www/engine.js";
import { readLink } from "../../www/state.js";
import { digestOfSnapshot } from "./runs.js";

/**
 * What a link leads to: the session's digest at the link's step, its last losses, and its snapshot.
 * @param {any} wasm @param {import("../../www/protocol.js").Catalog} catalog @param {string} link
 */
export async function replay(wasm, catalog, link) {
  const { config, events, step } = readLink(catalog, link);
  /** @type {(() => void)[]} */
  const later = [];
  /** @type {Uint8Array | null} */
  let snapshot = null;
  /** @type {string[]} */
  const errors = [];
  const post = (/** @type {any} */ message) => {
    if (message.type === "reply" && message.id === 2) snapshot = message.value;
    if (["error", "stopped", "trap"].includes(message.type)) errors.push(message.message);
  };
  // A slice is as long as it takes: where it ends must not matter.
  const engine = new Engine(wasm, post, { slice: 5, later: (callback) => later.push(callback) });
  engine.handle({ type: "open", id: 1, config, events, target: step ?? 0, play: false, generation: 1 });
  for (let next = later.shift(); next; next = later.shift()) next();
  engine.handle({ type: "snapshot", id: 2 });
  engine.handle({ type: "close" });
  if (errors.length > 0 || !snapshot) throw new Error(`${link}: ${errors.join("; ") || "no snapshot"}`);
  const session = new wasm.Session(JSON.stringify({ dataset: config.dataset, model: config.model }));
  session.restore(snapshot);
  const info = JSON.parse(session.info());
  session.free();
  const losses = info.losses.map((/** @type {{last: number | null}} */ { last }) => last);
  return { digest: await digestOfSnapshot(snapshot), step: info.step, losses, snapshot };
}
