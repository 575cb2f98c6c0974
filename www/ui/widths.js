/** @file The editor of layer widths: one number per layer, and buttons to add and remove the last one. */

import { nearest, textOf } from "../state.js";
import { el } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { nextWidth } from "./scale.js";

/**
 * @import {Spec} from "../protocol.js"
 * @import {Field, Owner} from "./controls.js"
 * @import {Translate} from "./texts.js"
 */

/** The width of a first layer, where there is none to copy. */
const FIRST = 64;

/** @param {Spec} spec @param {Owner} owner @returns {Field} */
export function widthsEditor(spec, owner) {
  /** @type {number[]} */
  let widths = [];
  let name = spec.key;
  /** @type {Translate} */
  let t = (key) => key;
  const list = el("div", { class: "widths", role: "group" });
  const empty = el("span", { class: "soft" });
  const remove = el("button", { type: "button", class: "icon-button" }, [iconOf("minus")]);
  const add = el("button", { type: "button", class: "icon-button" }, [iconOf("plus")]);

  /** @param {number[]} next */
  const change = (next) => {
    const used = /** @type {number[]} */ (nearest(spec, next));
    if (textOf(used) !== textOf(next)) owner.clamped([{ key: spec.key, got: textOf(next), used: textOf(used) }]);
    owner.change(spec.key, used);
  };
  remove.addEventListener("click", () => change(widths.slice(0, -1)));
  add.addEventListener("click", () => change([...widths, Math.min(widths.at(-1) ?? FIRST, spec.width ?? FIRST)]));

  /** @param {number} index */
  function entryOf(index) {
    const entry = el("input", { type: "text", class: "entry", inputmode: "numeric", autocomplete: "off" });
    entry.addEventListener("change", () => {
      const typed = Number(entry.value);
      if (entry.value.trim() === "" || Number.isNaN(typed)) entry.value = String(widths[index]);
      else change(widths.with(index, typed));
    });
    entry.addEventListener("focus", () => entry.select());
    entry.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
      event.preventDefault();
      const width = nextWidth(widths[index], event.key === "ArrowUp" ? 1 : -1);
      change(widths.with(index, Math.min(Math.max(width, 1), spec.width ?? width)));
    });
    return entry;
  }

  function label() {
    list.setAttribute("aria-label", name);
    empty.textContent = t("ui.settings.noLayers");
    remove.title = t("ui.settings.removeLayer");
    add.title = t("ui.settings.addLayer");
    remove.setAttribute("aria-label", `${name}: ${remove.title}`);
    add.setAttribute("aria-label", `${name}: ${add.title}`);
    list.querySelectorAll("input").forEach((entry, i) => entry.setAttribute("aria-label", t("ui.settings.layer", { name, n: i + 1 })));
  }

  return {
    head: [remove, add],
    body: [list],
    show(value) {
      const next = /** @type {number[]} */ (value);
      if (next.length !== widths.length || list.childElementCount === 0) {
        const entries = next.map((_, i) => entryOf(i));
        list.replaceChildren(...(entries.length > 0 ? entries.flatMap((entry, i) => (i > 0 ? [el("span", { class: "soft", "aria-hidden": "true" }, ["·"]), entry] : [entry])) : [empty]));
      }
      widths = [...next];
      list.querySelectorAll("input").forEach((entry, i) => (entry.value = String(widths[i])));
      remove.disabled = widths.length === 0;
      add.disabled = widths.length >= (spec.layers ?? Infinity);
      label();
    },
    setTexts(translate, newName) {
      t = translate;
      name = newName;
      label();
    },
  };
}
