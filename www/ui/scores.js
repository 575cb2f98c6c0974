/** @file The scores of the run: a row for each that the catalogue has for these data. */

import { ScoreHistory } from "../score-history.js";
import { el, setText } from "../views/dom.js";
import { Palette } from "../views/palette.js";
import { ScoreChart } from "../views/score-chart.js";
import { iconOf } from "./icons.js";
import { ScoreRow } from "./score-row.js";
import { valueText } from "./score-text.js";

/**
 * @import {Catalog} from "../protocol.js"
 * @import {Translate} from "./texts.js"
 */

/** Rows that are always in sight; one or two more are not worth a fold. */
const SHOWN = 6;

export class Scores {
  element = el("div", { class: "scores" });
  #step = el("p", { class: "scores-step soft" });
  #usual = el("ul");
  #more = el("ul");
  #summary = el("span");
  #details = el("details", { class: "advanced" }, [el("summary", {}, [iconOf("more"), this.#summary]), this.#more]);
  #palette;
  #chart;
  /** @type {Translate} */
  #t;
  /** @type {ScoreRow[]} */
  #rows = [];
  /** @type {ScoreRow | null} */
  #open = null;
  #ids = "";
  /** What the rows show now. @type {unknown} */
  #shown;
  #history = new ScoreHistory();

  /** @param {HTMLElement} root @param {{t: Translate}} options */
  constructor(root, { t }) {
    this.#t = t;
    this.element.append(this.#step, this.#usual, this.#details);
    root.append(this.element);
    this.#palette = new Palette(this.element);
    this.#chart = new ScoreChart(this.#palette, (step, value) => this.#t("ui.scores.at", { step, value }));
  }

  /** @param {Catalog} catalog @param {string} domain */
  setDomain({ scores }, domain) {
    const entries = scores.filter(({ domains }) => domains.includes(domain));
    const ids = entries.map(({ id }) => id).join();
    if (ids === this.#ids) return;
    this.#ids = ids;
    const open = this.#open?.entry.id;
    this.#open = null;
    this.#rows = entries.map((entry) => {
      const row = new ScoreRow(entry, () => this.#toggle(row));
      return row;
    });
    const shown = entries.length > SHOWN + 2 ? SHOWN : entries.length;
    this.#usual.replaceChildren(...this.#rows.slice(0, shown).map(({ element }) => element));
    this.#more.replaceChildren(...this.#rows.slice(shown).map(({ element }) => element));
    this.#details.hidden = shown === entries.length;
    this.#shown = null;
    this.setTexts(this.#t);
    const again = this.#rows.find(({ entry }) => entry.id === open);
    if (again) this.#toggle(again);
  }

  /** @param {ScoreHistory} history */
  show(history) {
    this.#history = history;
    this.#showStep();
    const shown = history.latest ?? history;
    if (shown === this.#shown) return;
    this.#shown = shown;
    for (const row of this.#rows) row.show(history, this.#palette, this.#t);
    this.#showChart();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    for (const row of this.#rows) row.show(this.#history, this.#palette, t);
    setText(this.#summary, t("ui.scores.more", { count: this.#more.children.length }));
    this.#showChart();
    this.#showStep();
  }

  setTheme() {
    this.#palette.refresh();
    for (const row of this.#rows) row.draw(this.#history, this.#palette);
    this.#chart.redraw();
  }

  destroy() {
    this.#chart.destroy();
    this.element.remove();
  }

  /** One row at a time is open. @param {ScoreRow} row */
  #toggle(row) {
    const opening = !row.expanded;
    this.#open?.expand(null);
    this.#open = opening ? row : null;
    if (opening) row.expand(this.#chart);
    this.#showChart();
  }

  #showChart() {
    const row = this.#open;
    if (!row) return;
    const { steps } = this.#history;
    const values = this.#history.values(row.entry.id);
    this.#chart.element.hidden = values.every((value) => value === null);
    const lines = row.lines(this.#t);
    const format = (/** @type {number} */ value) => valueText(value, row.entry.unit);
    const last = values.findLast((value) => value !== null) ?? NaN;
    const label = this.#t("ui.scores.chart", { name: row.name(this.#t), value: format(last), count: steps.length });
    this.#chart.show({ steps, values, lines, format, label: [label, ...lines.map(({ text }) => text)].join("; ") });
  }

  #showStep() {
    const { latest, failure } = this.#history;
    const t = this.#t;
    setText(this.#step, failure ? t("ui.scores.failed", { message: failure }) : latest ? t("ui.scores.step", { step: latest.step.toLocaleString("en") }) : t("ui.scores.awaited"));
  }
}
