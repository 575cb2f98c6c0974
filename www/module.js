/**
 * @file The wasm module, compiled once a page: every playground on it gets the same one, and so does every
 * engine that is started again.
 */

/**
 * What a self-contained build carries: the classic worker's source, and the wasm and the package's other files as
 * base64 of gzip.
 * @typedef {{worker: string, wasm: string, supplies: Record<string, string>}} Inline
 */

/** One module for each page that this script runs in. @type {Promise<WebAssembly.Module | ArrayBuffer | null> | null} */
let module = null;

/** @returns {Inline | null} */
export function inlined() {
  return /** @type {{__tealightInline?: Inline}} */ (globalThis).__tealightInline ?? null;
}

/**
 * The module. Where the page itself may not compile or fetch it: its bytes, or null for an engine that finds
 * it by itself, as a worker may have a policy of its own.
 */
export function compiled() {
  module ??= make();
  return module;
}

async function make() {
  const inline = inlined();
  if (!inline) return WebAssembly.compileStreaming(fetch(new URL("./tealight_bg.wasm", import.meta.url))).catch(() => null);
  const bytes = await unpack(inline.wasm);
  return WebAssembly.compile(bytes).catch(() => bytes);
}

/**
 * What a self-contained build carries packed.
 * @param {string} base64
 * @returns {Promise<ArrayBuffer>}
 */
export async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
