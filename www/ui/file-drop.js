/** @file Files as data: dropped anywhere on the page, or chosen; with a preview of what was understood. */

import { Lost } from "../client.js";
import { FileProblem, readFiles } from "../files.js";
import { messageOf } from "../protocol.js";
import { el, setText } from "../views/dom.js";
import { formatCount } from "../views/format.js";
import { drawThumbnail } from "../views/thumbnail.js";
import { iconOf } from "./icons.js";

/**
 * @import {DatasetEntry, Loaded} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Translate} from "./texts.js"
 */

/** Rows in the preview. */
const ROWS = 320;
/** Sides that images can be given, in pixels. */
const SIDES = [8, 16, 24, 28, 32];
/** The side of pictures where none is chosen: their own would be far too many pixels. */
const USUAL = 16;

/** @typedef {(kind: "error" | "info", text: string) => void} Say */
/** Opens a file that is no data; false if it may be. @typedef {(file: File) => Promise<boolean>} Bring */

export class FileDrop {
  element = el("div", { class: "file-drop" });
  #experiment;
  #say;
  #bring;
  /** @type {Translate} */
  #t = (key) => key;
  #input = el("input", { type: "file", multiple: true, hidden: true });
  #open = el("button", { type: "button", class: "pill" });
  #openText = el("span");
  #side = el("select");
  #sideName = el("span");
  #own = el("option", { value: "" });
  #hint = el("p", { class: "hint" });
  #summary = el("span");
  #progress = el("progress", { hidden: true });
  #canvas = el("canvas", { "aria-hidden": "true" });
  #thumb = el("button", { type: "button", class: "file-thumb", hidden: true }, [this.#canvas]);
  /** @type {Loaded | null} */
  #loaded = null;
  #name = "";
  #busy = false;

  /** @param {Experiment} experiment @param {Say} say @param {Bring} bring */
  constructor(experiment, say, bring) {
    this.#experiment = experiment;
    this.#say = say;
    this.#bring = bring;
    this.#open.append(iconOf("plus"), this.#openText);
    this.#side.append(this.#own, ...SIDES.map((side) => el("option", { value: String(side) }, [`${side} × ${side}`])));
    // Folded: the models, which everybody needs, should not be pushed out of sight.
    this.element.append(
      el("details", { class: "advanced" }, [
        el("summary", {}, [iconOf("more"), this.#summary]),
        el("div", { class: "row" }, [this.#open, el("label", {}, [this.#sideName, this.#side])]),
        this.#hint,
      ]),
      this.#progress, this.#thumb, this.#input,
    );
    this.#open.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => {
      void this.take([...(this.#input.files ?? [])]);
      // The same file again is a change, too.
      this.#input.value = "";
    });
    this.#thumb.addEventListener("click", () => this.#loaded && experiment.choose({ dataset: this.#loaded.dataset }));
  }

  /**
   * Takes what is dropped on an element.
   * @param {HTMLElement} target
   * @param {AbortSignal} signal
   */
  listen(target, signal) {
    const holds = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    target.addEventListener("dragover", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      target.classList.add("dropping");
    }, { signal });
    target.addEventListener("dragleave", (event) => {
      if (!(event.relatedTarget instanceof Node && target.contains(event.relatedTarget))) target.classList.remove("dropping");
    }, { signal });
    target.addEventListener("drop", (event) => {
      target.classList.remove("dropping");
      if (!holds(event)) return;
      event.preventDefault();
      void this.take([...(event.dataTransfer?.files ?? [])]);
    }, { signal });
  }

  /** Reads files and begins a run on them. @param {File[]} files */
  async take(files) {
    // What is dropped on a locked group is not for it.
    if (files.length === 0 || this.#busy || !this.#experiment.catalog || this.#open.matches(":disabled")) return;
    this.#busy = true;
    this.#open.disabled = true;
    this.#progress.hidden = false;
    const side = this.#side.value === "" ? null : Number(this.#side.value);
    const progress = (/** @type {number} */ done, /** @type {number} */ all) => Object.assign(this.#progress, { value: done, max: Math.max(all, 1) });
    try {
      if (files.length === 1 && (await this.#bring(files[0]))) return;
      const read = async () => ({ parts: await readFiles(files, { size: side ?? USUAL, progress }), size: side });
      const loaded = await this.#experiment.loadFiles(read, ROWS);
      this.#loaded = loaded;
      this.#name = files.length === 1 ? files[0].name : this.#t("ui.files.several", { name: files[0].name, count: files.length - 1 });
      this.#draw();
      this.#label();
      this.#say("info", this.#read(loaded));
    } catch (error) {
      if (!(error instanceof Lost)) this.#say("error", this.#reason(error));
    } finally {
      this.#busy = false;
      this.#open.disabled = false;
      this.#progress.hidden = true;
    }
  }

  /** @param {Loaded} loaded */
  #read({ rows, trainRows, heldOutRows, scaled }) {
    const t = this.#t;
    const parts = [t("ui.files.read", { name: this.#name, train: formatCount(trainRows), heldOut: formatCount(heldOutRows) })];
    // A single row is in both parts.
    if (rows > trainRows + heldOutRows) parts.push(t("ui.files.cut", { rows: formatCount(rows) }));
    if (scaled) parts.push(t("ui.files.scaled"));
    return parts.join(" ");
  }

  /** @param {unknown} error */
  #reason(error) {
    const reason = error instanceof FileProblem ? this.#t(`ui.files.${error.key}`, error.vars) : messageOf(error);
    return this.#t("ui.files.refused", { reason });
  }

  #draw() {
    if (!this.#loaded) return;
    this.#thumb.hidden = false;
    drawThumbnail(this.#canvas, this.#loaded, new Float32Array(this.#loaded.buffer));
  }

  /** @param {DatasetEntry} dataset */
  show(dataset) {
    this.#thumb.setAttribute("aria-pressed", String(dataset.file && dataset.id === this.#loaded?.dataset));
  }

  /** Draws the preview again, in the colours of now. */
  setTheme() {
    this.#draw();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    setText(this.#summary, t("ui.files.title"));
    setText(this.#openText, t("ui.files.open"));
    setText(this.#sideName, t("ui.files.side"));
    setText(this.#own, t("ui.files.own"));
    setText(this.#hint, t("ui.files.hint"));
    this.#progress.setAttribute("aria-label", t("ui.files.reading"));
    this.#label();
  }

  #label() {
    this.#thumb.title = this.#name;
    this.#thumb.setAttribute("aria-label", this.#name || this.#t("ui.files.open"));
  }
}
