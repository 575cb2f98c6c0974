/**
 * @file Who is compared: each contender's page, or its native program.
 */
import { contenderFolder } from "./build.mjs";

/**
 * @typedef {object} Contender
 * @property {string} id
 * @property {string} title
 * @property {"rust" | "js" | "native" | "torch"} kind
 * @property {string} [script] The module of a page.
 * @property {string[]} [args] What the module's `start` is given.
 * @property {boolean} [gpu] Whether it computes on a GPU, or a program that imitates one.
 */

/** @type {Contender[]} */
export const contenders = [
  { id: "tealight", title: "Tealight", kind: "rust", script: "/page/rust.js", args: ["/tealight/"] },
  { id: "candle", title: "candle-nn 0.11.1", kind: "rust", script: "/page/rust.js", args: ["/candle/"] },
  { id: "burn", title: "burn 0.22.1, flex", kind: "rust", script: "/page/rust.js", args: ["/burn/"] },
  { id: "jax-js", title: "jax-js, wasm", kind: "js", script: "/jax/jax.js", args: [] },
  { id: "tfjs-wasm", title: "TensorFlow.js, wasm", kind: "js", script: "/tfjs/tfjs.js", args: ["wasm", "/tfjs/"] },
  { id: "tfjs-cpu", title: "TensorFlow.js, cpu", kind: "js", script: "/tfjs/tfjs.js", args: ["cpu", "/tfjs/"] },
  { id: "tfjs-webgl", title: "TensorFlow.js, webgl", kind: "js", script: "/tfjs/tfjs.js", args: ["webgl", "/tfjs/"], gpu: true },
  { id: "tfjs-webgpu", title: "TensorFlow.js, webgpu", kind: "js", script: "/tfjs/tfjs.js", args: ["webgpu", "/tfjs/"], gpu: true },
  { id: "native", title: "Tealight, native", kind: "native" },
  { id: "torch", title: "PyTorch, native, one thread", kind: "torch" },
];

/** What the contenders that were chosen need built. @param {Contender[]} chosen */
export const foldersOf = (chosen) =>
  new Set(chosen.flatMap(({ args = [] }) => args.filter((arg) => arg.startsWith("/")).map(contenderFolder)).concat(
    chosen.some(({ id }) => id === "jax-js") ? ["jax"] : []));
