/** @file What has gone wrong with the run: a sentence with its numbers, the remedy at one press, and the reason. */

import { nearest, shown, specsByKey } from "../state.js";
import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { sentenceValues } from "./score-text.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, Config, Finding, Value} from "../protocol.js"
 * @import {ScoreHistory} from "../score-history.js"
 * @import {Translate} from "./texts.js"
 */

/**
 * What is said of one failure.
 * @typedef {{id: string, name: string, text: string, why: string, action: string, remedy: Config}} Notice
 */

/**
 * @typedef {object} Owner
 * @property {(remedy: Config) => void} apply
 * @property {() => void} openGallery
 */

/** What keeps a run that diverged from doing so again: a tenth of every learning rate. @param {Catalog} catalog @param {Config} config @returns {Config} */
export function gentler(catalog, config) {
  const specs = specsByKey(catalog, config);
  const rates = [...specs.values()].filter((spec) => spec.rate && spec.effect === "live" && shown(spec, config, specs));
  return Object.fromEntries(rates.map((spec) => [spec.key, nearest(spec, Number(config[spec.key]) / 10)]));
}

export class Findings {
  element = el("div", { class: "findings" });
  #owner;
  /** @type {Translate} */
  #t = (key) => key;
  // Read out when something is found, not whenever its numbers move.
  #live = el("p", { class: "unseen", role: "status" });
  #said = "";
  #rest = el("span", { class: "soft" });
  #gallery = el("button", { type: "button", class: "chip" });
  #resting = el("p", { class: "resting" }, [this.#rest, this.#gallery]);
  #name = el("b");
  #text = el("span");
  #apply = el("button", { type: "button", class: "pill remedy" });
  #why = el("button", { type: "button", class: "why", "aria-expanded": "false" });
  #next = el("button", { type: "button", class: "chip" });
  #reason = el("p", { class: "reason", hidden: true });
  #close = el("button", { type: "button", class: "icon-button" }, [iconOf("close")]);
  #banner;
  /** @type {ScoreHistory | null} */
  #history = null;
  #scoring = true;
  /** What the engine said when training could not go on, and what to do about it. @type {{message: string, remedy: Config} | null} */
  #stopped = null;
  /** Findings of this run that were sent away. @type {Set<string>} */
  #dismissed = new Set();
  /** The evaluation whose remedy was applied: what it had found is no news. @type {unknown} */
  #applied = null;
  /** The one that comes first, among several. */
  #first = "";
  /** Which of several is shown. */
  #at = 0;
  #shownId = "";

  /** @param {Owner} owner */
  constructor(owner) {
    this.#owner = owner;
    const sentence = el("p", {}, [this.#name, " ", this.#text]);
    const actions = el("div", { class: "actions" }, [this.#apply, this.#why, this.#next]);
    this.#banner = el("div", { class: "finding", role: "group", hidden: true }, [sentence, this.#close, actions, this.#reason]);
    this.element.append(this.#live, this.#resting, this.#banner);
    this.#gallery.addEventListener("click", () => owner.openGallery());
    this.#apply.addEventListener("click", () => this.#remedy());
    this.#next.addEventListener("click", () => {
      this.#at += 1;
      this.#show();
    });
    this.#why.addEventListener("click", () => this.#explain(this.#reason.hidden !== false));
    this.#close.addEventListener("click", () => {
      if (this.#shownId === "") this.#stopped = null;
      else this.#dismissed.add(this.#shownId);
      this.#show();
    });
  }

  /** @param {ScoreHistory} history @param {{scoring: boolean, busy: boolean}} how */
  show(history, { scoring, busy }) {
    if (history !== this.#history || !history.latest) {
      this.#dismissed.clear();
      this.#at = 0;
    }
    if (history !== this.#history) this.#first = "";
    if (history !== this.#history || busy) this.#stopped = null;
    this.#history = history;
    this.#scoring = scoring;
    this.#show();
  }

  /** What this run is about comes first. @param {string} id */
  prefer(id) {
    this.#first = id;
    this.#show();
  }

  /** Training could not go on. @param {string} message What the engine says. @param {Config} remedy */
  stopped(message, remedy) {
    this.#stopped = { message, remedy };
    this.#at = 0;
    this.#show();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    setText(this.#gallery, t("ui.gallery.open"));
    setText(this.#why, t("ui.findings.why"));
    // What is hidden has a name, too.
    setText(this.#apply, t("ui.findings.apply"));
    setText(this.#next, t("ui.findings.next", { at: 1, count: 1 }));
    this.#close.setAttribute("aria-label", t("ui.findings.dismiss"));
    this.#close.title = t("ui.findings.dismiss");
    this.#show();
  }

  /** Everything that is to be said now. @returns {Notice[]} */
  #notices() {
    const t = this.#t;
    const findings = this.#applied === this.#history?.latest ? [] : this.#history?.findings ?? [];
    const wanted = findings.filter(({ id }) => !this.#dismissed.has(id)).sort((a, b) => Number(b.id === this.#first) - Number(a.id === this.#first));
    const stopped = this.#stopped && this.#noticeOf("", "ui.findings.stopped.", { message: this.#stopped.message }, this.#stopped.remedy);
    return [...(stopped ? [stopped] : []), ...wanted.map(({ id, values, remedy }) => this.#noticeOf(id, `findings.${id}.`, sentenceValues(values), remedy))];
  }

  /** @param {string} id @param {string} texts What their keys begin with. @param {Record<string, string>} values @param {Config} remedy @returns {Notice} */
  #noticeOf(id, texts, values, remedy) {
    const t = this.#t;
    const text = t(`${texts}text`, values);
    const list = Object.entries(remedy).map(([key, value]) => t("ui.findings.setting", { name: textOr(t, `params.${key}.name`, key), value: this.#valueText(key, value) }));
    const sets = list.length > 0 ? t("ui.findings.sets", { list: list.join(t("ui.notice.separator")) }) : "";
    const why = [textOr(t, `${texts}why`, ""), sets].filter(Boolean).join(" ");
    return { id, name: textOr(t, `${texts}name`, id), text, why, action: list.length > 0 ? textOr(t, `${texts}remedy`, t("ui.findings.apply")) : "", remedy };
  }

  /** @param {string} key @param {Value} value */
  #valueText(key, value) {
    if (typeof value === "boolean") return this.#t(value ? "ui.settings.on" : "ui.settings.off");
    return typeof value === "string" ? textOr(this.#t, `choices.${key}.${value}`, value) : Array.isArray(value) ? value.join(" · ") : String(value);
  }

  #show() {
    const t = this.#t;
    const notices = this.#notices();
    const notice = notices[this.#at % Math.max(notices.length, 1)];
    // Where nothing is scored, nothing is looked for either.
    this.#resting.hidden = notice !== undefined || !this.#scoring;
    this.#banner.hidden = notice === undefined;
    this.element.classList.toggle("found", notice !== undefined);
    const latest = this.#history?.latest;
    setText(this.#rest, latest ? t("ui.findings.none", { step: latest.step.toLocaleString("en") }) : t("ui.findings.awaited"));
    if (notice) {
      const { id, name, text, why, action } = notice;
      if (id !== this.#shownId) this.#explain(false);
      this.#shownId = id;
      this.#banner.dataset.finding = id;
      this.#banner.setAttribute("aria-label", name);
      setText(this.#name, t("ui.findings.name", { name }));
      setText(this.#text, text);
      setText(this.#reason, why);
      if (action) setText(this.#apply, action);
      this.#apply.hidden = action === "";
      this.#why.hidden = why === "";
      this.#next.hidden = notices.length < 2;
      setText(this.#next, t("ui.findings.next", { at: 1 + (this.#at % notices.length), count: notices.length }));
    }
    this.#say(notices);
  }

  /** @param {Notice[]} notices */
  #say(notices) {
    const ids = notices.map(({ id, text }) => id || text).join();
    if (ids === this.#said) return;
    this.#said = ids;
    const t = this.#t;
    setText(this.#live, notices.map(({ name, text }) => `${t("ui.findings.name", { name })} ${text}`).join(" "));
  }

  /** @param {boolean} open */
  #explain(open) {
    this.#reason.hidden = !open;
    this.#why.setAttribute("aria-expanded", String(open));
  }

  #remedy() {
    const notice = this.#notices().find(({ id }) => id === this.#shownId);
    if (!notice) return;
    if (notice.id === "") this.#stopped = null;
    // With other settings, what was found may no longer be so: the next evaluation tells.
    this.#applied = this.#history?.latest;
    this.#show();
    this.#owner.apply(notice.remedy);
  }
}
