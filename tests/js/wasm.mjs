/** @file The built package, loaded in Node as the page loads it in a worker. */
import { readFileSync } from "node:fs";
import * as wasm from "../../pkg/tealight.js";

const file = (/** @type {string} */ name) => readFileSync(new URL(`../../pkg/${name}`, import.meta.url));
wasm.initSync({ module: file("tealight_bg.wasm") });

export { wasm };

/** @type {import("../../www/protocol.js").Catalog} */
export const catalog = JSON.parse(wasm.catalog());
for (const { name } of catalog.supplies) wasm.provide(name, file(name));

/** Every pair of a model and a data set that it accepts and that needs no file. */
export const pairs = catalog.models.flatMap((model) =>
  catalog.datasets.filter(({ id, file }) => !file && !(id in model.misfits)).map((dataset) => ({ model, dataset })),
);

/** Numbers in [0, 1) that are the same in every run (xorshift32). @param {number} seed */
export function random(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** An allowed value of a setting, drawn at random. */
export function anyValue(spec, draw) {
  const { low = 0, high = 1 } = spec;
  switch (spec.kind) {
    case "flag":
      return draw() < 0.5;
    case "choice":
      return spec.options[Math.floor(draw() * spec.options.length)];
    case "integer":
      return low + Math.floor(draw() * (high - low + 1));
    case "widths":
      return Array.from({ length: Math.floor(draw() * (spec.layers + 1)) }, () => 1 + Math.floor(draw() * spec.width));
    case "text": {
      if (spec.lines) return Array.from({ length: 1 + Math.floor(draw() * 9) }, () => (1000 * draw()).toFixed(3)).join("\n");
      const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      return Array.from({ length: 4 * Math.floor(draw() * 20) }, () => letters[Math.floor(draw() * 64)]).join("");
    }
    default:
      return spec.kind === "log" ? low * (high / low) ** draw() : low + draw() * (high - low);
  }
}
