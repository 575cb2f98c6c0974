/** @file Trains what it is told by the built package, as the page's own worker does, and posts what the exports give of it. */
import init, * as wasm from "../../../pkg/tealight.js";
import { train } from "./train.js";

self.onmessage = async ({ data }) => {
  try {
    await init();
    for (const { name } of JSON.parse(wasm.catalog()).supplies) {
      const file = await fetch(new URL(`../../../pkg/${name}`, import.meta.url));
      wasm.provide(name, new Uint8Array(await file.arrayBuffer()));
    }
    self.postMessage(train(wasm, data));
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
self.postMessage("ready");
