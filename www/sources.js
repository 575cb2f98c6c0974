/** @file Where the engine's data come from: a configuration that generates them, or files that were read. */

/** @import {Config, Loaded, Preview, Request, WasmModule, WasmSession, WasmSource} from "./protocol.js" */

export class Sources {
  #wasm;
  /** The data of the last files, and what their data set is called. @type {{dataset: string, source: WasmSource} | null} */
  #file = null;

  /** @param {WasmModule} wasm */
  constructor(wasm) {
    this.#wasm = wasm;
  }

  /** A fresh session, on the files' rows where the configuration names them. @param {Config} config @returns {WasmSession} */
  session(config) {
    const text = JSON.stringify(config);
    const { Session } = this.#wasm;
    return this.#file?.dataset === config.dataset ? Session.on(text, this.#file.source) : new Session(text);
  }

  /** @param {Config} config @param {number} n @returns {Preview} */
  preview(config, n) {
    const source = new this.#wasm.Source(JSON.stringify(config), n);
    try {
      return { ...JSON.parse(source.info()), buffer: source.rows(n).buffer };
    } finally {
      source.free();
    }
  }

  /**
   * Makes a data set of files; the session goes on as it was.
   * @param {Extract<Request, {type: "load"}>} message
   * @returns {Loaded}
   */
  load({ parts, size, n }) {
    const loader = new this.#wasm.Loader(JSON.stringify({ size }));
    try {
      for (const part of parts) {
        if ("rgba" in part) loader.addImage(part.name, part.rgba, part.width, part.height);
        else loader.add(part.name, part.bytes);
      }
    } catch (error) {
      loader.free();
      throw error;
    }
    // This frees the loader, whatever comes of it.
    const source = loader.finish();
    const info = JSON.parse(source.info());
    this.#file?.source.free();
    this.#file = { dataset: info.dataset, source };
    return { ...info, buffer: source.rows(n).buffer };
  }
}
