/** @file The controls that settings are made of: one function per kind, each generated from its declaration. */

import { nearest, same, textOf } from "../state.js";
import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { numberText, placeOf, placesOf } from "./scale.js";
import { textOr } from "./texts.js";
import { widthsEditor } from "./widths.js";

/**
 * @import {Spec, Value} from "../protocol.js"
 * @import {Clamp} from "../state.js"
 * @import {Translate} from "./texts.js"
 */

/**
 * What a control tells its owner.
 * @typedef {object} Owner
 * @property {(key: string, value: Value) => void} change
 * @property {(clamps: Clamp[]) => void} clamped A typed value was moved to the nearest allowed one.
 */

/**
 * The part of a control that differs by kind.
 * @typedef {object} Field
 * @property {HTMLElement[]} head What stands beside the name.
 * @property {HTMLElement[]} body What stands below it.
 * @property {(value: Value) => void} show
 * @property {(t: Translate, name: string) => void} [setTexts]
 */

/** One setting: its name, its help, its field, and the way back to the default. */
export class Control {
  element = el("div", { class: "setting" });
  spec;
  #field;
  #name = el("button", { type: "button", class: "name", "aria-expanded": "false" });
  #reset = el("button", { type: "button", class: "reset icon-button" }, [iconOf("reset")]);
  #help = el("p", { class: "help", hidden: true });
  /** @type {Value | undefined} */
  #value;

  /** @param {Spec} spec @param {Owner} owner */
  constructor(spec, owner) {
    this.spec = spec;
    this.#field = fieldOf(spec, owner);
    this.element.dataset.key = spec.key;
    this.element.dataset.effect = spec.effect;
    const row = el("div", { class: "row" }, [this.#name, this.#reset, ...this.#field.head]);
    this.element.append(row, ...this.#field.body, this.#help);
    this.#name.addEventListener("click", () => {
      this.#help.hidden = !this.#help.hidden;
      this.#name.setAttribute("aria-expanded", String(!this.#help.hidden));
    });
    const reset = () => owner.change(spec.key, spec.default);
    this.#reset.addEventListener("click", () => {
      reset();
      // It hides: the focus stays at the setting.
      this.#name.focus();
    });
    for (const part of this.#field.body) if (part.matches("input[type=range]")) part.addEventListener("dblclick", reset);
  }

  /** @param {Value} value */
  show(value) {
    if (same(value, this.#value)) return;
    this.#value = value;
    this.#field.show(value);
    this.#reset.classList.toggle("invisible", same(value, this.spec.default));
  }

  /** @param {Translate} t */
  setTexts(t) {
    const name = textOr(t, `params.${this.spec.key}.name`, this.spec.key);
    const help = textOr(t, `params.${this.spec.key}.help`, this.spec.doc);
    const effect = this.spec.effect === "live" ? t("ui.settings.live") : t("ui.settings.restart");
    setText(this.#name, name);
    setText(this.#help, `${help} ${effect}`);
    this.#name.title = help;
    const back = t("ui.settings.reset", { name, value: this.#defaultText(t) });
    this.#reset.title = back;
    this.#reset.setAttribute("aria-label", back);
    this.#field.setTexts?.(t, name);
  }

  /** @param {Translate} t */
  #defaultText(t) {
    const { key, kind, default: value } = this.spec;
    if (kind === "choice") return textOr(t, `choices.${key}.${value}`, String(value));
    if (kind === "flag") return t(value ? "ui.settings.on" : "ui.settings.off");
    if (kind === "widths") return textOf(value).replaceAll(",", " · ") || t("ui.settings.noLayers");
    return typeof value === "number" ? numberText(value) : String(value);
  }
}

/** @param {Spec} spec @param {Owner} owner @returns {Field} */
function fieldOf(spec, owner) {
  switch (spec.kind) {
    case "choice":
      return (spec.options?.length ?? 0) <= 3 ? segments(spec, owner) : menu(spec, owner);
    case "flag":
      return toggle(spec, owner);
    case "widths":
      return widthsEditor(spec, owner);
    case "text":
      return textBox(spec, owner);
    default:
      return slider(spec, owner);
  }
}

/** A slider, with the number beside it to type. @param {Spec} spec @param {Owner} owner @returns {Field} */
function slider(spec, owner) {
  const places = placesOf(spec);
  const range = el("input", { type: "range", min: "0", max: String(places.length - 1), step: "1" });
  const entry = el("input", { type: "text", class: "entry", inputmode: spec.kind === "integer" ? "numeric" : "decimal", autocomplete: "off", spellcheck: "false" });
  /** @type {Value} */
  let value = spec.default;
  const preview = () => {
    const next = places[Number(range.value)];
    entry.value = numberText(next);
    range.setAttribute("aria-valuetext", entry.value);
    fill(range);
    return next;
  };
  range.addEventListener("input", () => {
    const next = preview();
    // A setting that rebuilds the model waits until the slider is let go.
    if (spec.effect === "live") owner.change(spec.key, next);
  });
  range.addEventListener("change", () => owner.change(spec.key, preview()));
  entry.addEventListener("change", () => {
    const typed = entry.value.trim().replace("−", "-");
    const got = typed === "" ? NaN : Number(typed);
    // What is no number at all leaves the value as it was.
    const used = Number.isNaN(got) ? value : nearest(spec, got);
    if (used !== got) owner.clamped([{ key: spec.key, got: typed, used: textOf(used) }]);
    show(used);
    owner.change(spec.key, used);
  });
  entry.addEventListener("focus", () => entry.select());
  entry.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const place = placeOf(spec, places, Number(value)) + (event.key === "ArrowUp" ? 1 : -1);
    owner.change(spec.key, places[Math.min(Math.max(place, 0), places.length - 1)]);
  });
  /** @param {Value} next */
  function show(next) {
    value = next;
    range.value = String(placeOf(spec, places, Number(next)));
    entry.value = numberText(Number(next));
    range.setAttribute("aria-valuetext", entry.value);
    fill(range);
  }
  return {
    head: [entry],
    body: [range],
    show,
    setTexts(_t, name) {
      range.setAttribute("aria-label", name);
      entry.setAttribute("aria-label", name);
    },
  };
}

/** Colours the part of the track before the thumb. @param {HTMLInputElement} range */
function fill(range) {
  range.style.setProperty("--fill", `${(100 * Number(range.value)) / Math.max(Number(range.max), 1)}%`);
}

/** A few options side by side. @param {Spec} spec @param {Owner} owner @returns {Field} */
function segments(spec, owner) {
  const group = el("div", { class: "segments", role: "radiogroup" });
  const options = (spec.options ?? []).map((id) => {
    const input = el("input", { type: "radio", name: spec.key, value: id });
    const text = el("span");
    input.addEventListener("change", () => input.checked && owner.change(spec.key, id));
    group.append(el("label", {}, [input, text]));
    return { id, input, text };
  });
  return {
    head: [],
    body: [group],
    show: (value) => options.forEach(({ id, input }) => (input.checked = id === value)),
    setTexts(t, name) {
      group.setAttribute("aria-label", name);
      for (const { id, text } of options) setText(text, textOr(t, `choices.${spec.key}.${id}`, id));
    },
  };
}

/** Many options. @param {Spec} spec @param {Owner} owner @returns {Field} */
function menu(spec, owner) {
  const select = el("select");
  const options = (spec.options ?? []).map((id) => el("option", { value: id }));
  select.append(...options);
  select.addEventListener("change", () => owner.change(spec.key, select.value));
  return {
    head: [],
    body: [el("div", { class: "menu" }, [select, iconOf("more")].map((node) => /** @type {Node} */ (node)))],
    show: (value) => (select.value = String(value)),
    setTexts(t, name) {
      select.setAttribute("aria-label", name);
      for (const option of options) setText(option, textOr(t, `choices.${spec.key}.${option.value}`, option.value));
    },
  };
}

/** Yes or no. @param {Spec} spec @param {Owner} owner @returns {Field} */
function toggle(spec, owner) {
  const input = el("input", { type: "checkbox", role: "switch", class: "switch" });
  input.addEventListener("change", () => owner.change(spec.key, input.checked));
  return {
    head: [input],
    body: [],
    show: (value) => (input.checked = value === true),
    setTexts: (_t, name) => input.setAttribute("aria-label", name),
  };
}

/** Free text, of one line or several. @param {Spec} spec @param {Owner} owner @returns {Field} */
function textBox(spec, owner) {
  const input = spec.lines
    ? el("textarea", { class: "text", rows: "6", autocomplete: "off", spellcheck: "false" })
    : el("input", { type: "text", class: "text", autocomplete: "off", spellcheck: "false" });
  input.addEventListener("change", () => {
    const used = nearest(spec, input.value);
    if (used !== input.value) owner.clamped([{ key: spec.key, got: input.value, used: textOf(used) }]);
    input.value = String(used);
    owner.change(spec.key, used);
  });
  return {
    head: [],
    body: [input],
    show: (value) => (input.value = String(value)),
    setTexts: (_t, name) => input.setAttribute("aria-label", name),
  };
}
