/**
 * @file The worker: starts the wasm package and hands every message to the engine.
 *
 * Bundled as a classic script: loaded by URL, or from a Blob where the page's own addresses are of no use.
 */

import { hostEngine } from "./host.js";

/**
 * The little of a worker's global scope that is needed here.
 * @typedef {object} Scope
 * @property {(message: any, transfer?: Transferable[]) => void} postMessage
 * @property {((event: MessageEvent) => void) | null} onmessage
 * @property {((event: MessageEvent) => void) | null} onmessageerror
 */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
const host = hostEngine((message, transfer = []) => scope.postMessage(message, transfer), { slice: 15, gentle: false });
scope.onmessage = (event) => host.receive(event.data);
// A module that was compiled elsewhere may not be readable here.
scope.onmessageerror = () => scope.postMessage({ type: "failed", message: "a message could not be read" });
scope.postMessage({ type: "hello" });
