/** @file One score: its value beside its floor, its curve, and on request what it can tell and what it cannot. */

import { el, icon, setText } from "../views/dom.js";
import { Sparkline } from "../views/sparkline.js";
import { besideText, markOf, scoreText, valueText } from "./score-text.js";
import { textOr } from "./texts.js";

/**
 * @import {Score, ScoreEntry} from "../protocol.js"
 * @import {ScoreHistory} from "../score-history.js"
 * @import {Palette} from "../views/palette.js"
 * @import {ScoreChart} from "../views/score-chart.js"
 * @import {Mark} from "./score-text.js"
 * @import {Translate} from "./texts.js"
 */

/** Which way is better. */
const ARROWS = { lower: " ↓", higher: " ↑", target: "" };
/** A shape for each mark: colour alone would not do. */
const SHAPES = /** @type {Record<Mark, string>} */ ({
  floor: "M4 10.5 8.3 15 16 5.5",
  near: "M3 11c2.4-4.4 5-3.6 7-1s4.6 3.4 7-1",
  far: "M5 5l10 10M15 5 5 15",
  beyond: "M10 3.5v8.5M10 15.8v.4",
  none: "M6.5 10h7",
});

export class ScoreRow {
  entry;
  element = el("li", { class: "score" });
  #button = el("button", { type: "button", class: "score-line", "aria-expanded": "false" });
  #mark = el("span", { class: "mark" });
  #name = el("span");
  #value = el("b");
  #unit = el("small");
  #floor = el("span");
  #rest = el("span", { class: "rest" });
  #spark = new Sparkline();
  #about = el("p");
  #verdict = el("p", { class: "verdict" });
  #how = el("p", { class: "soft" });
  #room = el("div");
  #detail;
  /** @type {Score | undefined} */
  #score;
  /** @type {Mark | ""} */
  #marked = "";
  #scored = false;

  /** @param {ScoreEntry} entry @param {() => void} toggle */
  constructor(entry, toggle) {
    this.entry = entry;
    this.element.dataset.score = entry.id;
    this.#detail = el("div", { class: "score-detail", hidden: true }, [this.#verdict, this.#room, this.#about, this.#how]);
    const title = el("span", { class: "score-name" }, [this.#name, el("span", { class: "soft" }, [ARROWS[entry.better]])]);
    const value = el("span", { class: "score-value" }, [this.#value, this.#unit]);
    const beside = el("span", { class: "score-beside" }, [this.#floor, this.#rest]);
    this.#button.append(this.#mark, title, value, beside, this.#spark.element);
    this.#button.addEventListener("click", toggle);
    this.element.append(this.#button, this.#detail);
  }

  /** Opens the row with the chart in it, or closes it. @param {ScoreChart | null} chart */
  expand(chart) {
    this.#detail.hidden = chart === null;
    this.#button.setAttribute("aria-expanded", String(chart !== null));
    if (chart) this.#room.append(chart.element);
  }

  get expanded() {
    return !this.#detail.hidden;
  }

  /**
   * @param {ScoreHistory} history
   * @param {Palette} palette
   * @param {Translate} t
   */
  show(history, palette, t) {
    this.#scored = history.latest !== undefined;
    this.#score = history.latest?.scores.get(this.entry.id);
    const mark = markOf(this.entry, this.#score);
    if (mark !== this.#marked) this.#mark.replaceChildren(icon(SHAPES[mark]));
    this.element.dataset.mark = this.#marked = mark;
    this.element.classList.toggle("without", this.#scored && !this.#score);
    this.element.classList.toggle("awaited", !this.#scored);
    this.draw(history, palette);
    this.setTexts(t);
  }

  /** @param {ScoreHistory} history @param {Palette} palette */
  draw(history, palette) {
    this.#spark.draw(palette, history.steps, history.values(this.entry.id), this.#score?.floor ?? null);
  }

  /** @param {Translate} t */
  setTexts(t) {
    const { entry } = this;
    const score = this.#score;
    const name = this.name(t);
    setText(this.#name, name);
    setText(this.#value, scoreText(entry, score));
    setText(this.#unit, score && entry.unit && entry.unit !== "share" && entry.unit !== "data" ? ` ${t(`units.${entry.unit}`)}` : "");
    const direction = entry.better === "target" ? t("ui.scores.better.target", { target: valueText(entry.target ?? NaN, entry.unit) }) : t(`ui.scores.better.${entry.better}`);
    const beside = this.lines(t).map(({ text }) => text);
    // The floor is never left out for want of room; what follows it may be. Before there is one, which way is good.
    const by = score?.by ? [textOr(t, `ui.scores.by.${score.by}`, score.by)] : [];
    const [first = this.#scored ? t("ui.scores.without") : entry.better === "target" ? t("ui.scores.target", { value: valueText(entry.target ?? NaN, entry.unit) }) : direction, ...rest] = score ? [...beside.slice(0, 1), ...by, ...beside.slice(1)] : [];
    setText(this.#floor, first);
    setText(this.#rest, rest.map((text) => ` · ${text}`).join(""));
    const verdict = t(score ? `ui.scores.mark.${markOf(entry, score)}` : this.#scored ? "ui.scores.withoutHelp" : "ui.scores.awaitedHelp");
    setText(this.#verdict, verdict);
    setText(this.#about, textOr(t, `scores.${entry.id}.about`, ""));
    const how = score?.by ? textOr(t, `ui.scores.how.${score.by}`, "") : "";
    const unit = entry.unit ? t("ui.scores.unit", { unit: textOr(t, `units.${entry.unit}`, entry.unit) }) : t("ui.scores.unitless");
    setText(this.#how, [direction, unit, how].filter(Boolean).join(" "));
    const label = [name, `${this.#value.textContent}${this.#unit.textContent}`, ...beside, ...by, score ? verdict : first].filter(Boolean).join("; ");
    this.#button.setAttribute("aria-label", label);
    this.#button.title = textOr(t, `scores.${entry.id}.about`, name);
  }

  /** @param {Translate} t */
  name(t) {
    return textOr(t, `scores.${this.entry.id}.name`, this.entry.id);
  }

  /** What the score stands beside: its floor, then what a perfect model would get where that is something else. @param {Translate} t */
  lines(t) {
    const { entry } = this;
    const score = this.#score;
    if (!score) return [];
    const aimed = entry.better === "target";
    const wanted = { floor: score.floor, ideal: aimed ? null : score.optimum ?? entry.target, target: aimed ? entry.target : null };
    const seen = new Set();
    /** @type {{value: number, text: string}[]} */
    const lines = [];
    for (const [id, value] of Object.entries(wanted)) {
      if (value === null) continue;
      const text = besideText(entry, score, value);
      // What is ideally 0 goes without saying, and so does the same number again.
      if (seen.has(text) || (id !== "floor" && value === 0)) continue;
      seen.add(text);
      lines.push({ value, text: t(`ui.scores.${id}`, { value: text }) });
    }
    return lines;
  }
}
