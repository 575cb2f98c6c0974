/** @file The dialog "Take away": pictures, films, numbers, the model and programs for it; and the way back. */

import { linkIn } from "../export/bring-in.js";
import { Takings } from "../export/takings.js";
import { framesAt, Cancelled } from "../export/recorder.js";
import { save } from "../export/save.js";
import { messageOf } from "../protocol.js";
import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";

/**
 * @import {Desk} from "../export/takings.js"
 * @import {Product} from "../export/save.js"
 * @import {Translate} from "./texts.js"
 */

/** Widths of a film, in pixels. */
const WIDTHS = [320, 480, 640];
const USUAL_WIDTH = 480;
/** Frames that a film has unless it is told otherwise. */
const USUAL_FRAMES = 60;
/** The most samples of one file. */
const MOST_SAMPLES = 10_000;

/**
 * @typedef {object} Back The way in.
 * @property {(files: File[]) => void} take
 * @property {(hash: string) => void} openLink
 */

export class TakeAway {
  element = el("dialog", { class: "help-dialog take-away", "aria-labelledby": "take-away-title" });
  #takings;
  #desk;
  #back;
  /** @type {Translate} */
  #t = (key) => key;
  /** @type {AbortController | null} */
  #work = null;
  #shown = "";
  #worded = el("input", { type: "checkbox", checked: true });
  #from = number("from");
  #to = number("to");
  #every = number("every");
  #width = el("select", {}, WIDTHS.map((width) => el("option", { value: String(width) }, [`${width} px`])));
  #count = el("output");
  #samples = number("samples");
  #link = el("input", { type: "text", class: "text", autocomplete: "off", spellcheck: "false", inputmode: "url" });
  #input = el("input", { type: "file", multiple: true, hidden: true });
  #progress = el("progress", { max: "1" });
  #cancel = el("button", { type: "button", class: "pill" });
  #working = el("div", { class: "row working", hidden: true }, [this.#progress, this.#cancel]);
  #result = el("div", { class: "result", role: "status", "aria-live": "polite" });

  /** @param {Desk} desk @param {Back} back */
  constructor(desk, back) {
    this.#desk = desk;
    this.#back = back;
    this.#takings = new Takings(desk);
    this.#width.value = String(USUAL_WIDTH);
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    this.element.addEventListener("close", () => this.#work?.abort());
    this.#cancel.addEventListener("click", () => this.#work?.abort());
    for (const input of [this.#from, this.#to, this.#every]) input.addEventListener("input", () => this.#showCount());
    this.#input.addEventListener("change", () => {
      this.#back.take([...(this.#input.files ?? [])]);
      this.#input.value = "";
      this.element.close();
    });
    this.#link.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#openLink();
    });
  }

  open() {
    if (this.element.open) return;
    const { status, run } = this.#desk.experiment;
    // A run that goes on from a file can be shown from there on only.
    const from = run.foreign ? status.step : 0;
    const to = run.foreign ? status.step + 1000 : Math.max(status.step, 1);
    Object.assign(this.#from, { value: String(from), disabled: run.foreign });
    this.#to.value = String(to);
    this.#every.value = String(Math.max(1, Math.round((to - from) / (USUAL_FRAMES - 1))));
    this.#samples.value = String(this.#takings.usualSamples);
    this.#showCount();
    this.#build();
    this.element.showModal();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.#shown = "";
    setText(this.#cancel, t("ui.takeAway.cancel"));
    this.#progress.setAttribute("aria-label", t("ui.takeAway.working"));
    this.#showCount();
    if (this.element.open) this.#build();
  }

  /** Lays out what there is to take for the model and data of now. */
  #build() {
    const t = this.#t;
    const takings = this.#takings;
    const programs = takings.programs;
    const signature = [t("lang"), takings.domain, programs, takings.hasScores].join();
    if (signature === this.#shown) return;
    this.#shown = signature;
    const text = (/** @type {string} */ key) => t(`ui.takeAway.${key}`);
    const close = el("button", { type: "button", class: "icon-button", "aria-label": t("ui.close"), title: t("ui.close") }, [iconOf("close")]);
    close.addEventListener("click", () => this.element.close());
    /** @param {string} id @param {string} label @param {(signal: AbortSignal) => Promise<Product>} make */
    const button = (id, label, make) => {
      const node = el("button", { type: "button", class: "pill", "data-take": id }, [label]);
      node.addEventListener("click", () => void this.#make(make));
      return node;
    };
    const field = (/** @type {string} */ key, /** @type {HTMLElement} */ input) => el("label", { class: "field" }, [el("span", {}, [text(key)]), input]);
    const group = (/** @type {string} */ id, /** @type {Node[]} */ ...parts) => [el("h3", {}, [text(`${id}.title`)]), ...parts];
    const row = (/** @type {Node[]} */ ...parts) => el("div", { class: "row" }, parts);
    const hint = (/** @type {string} */ key) => el("p", { class: "soft" }, [text(key)]);

    const choose = el("button", { type: "button", class: "pill" }, [iconOf("plus"), el("span", {}, [text("bring.choose")])]);
    choose.addEventListener("click", () => this.#input.click());
    const open = el("button", { type: "button", class: "pill" }, [text("bring.open")]);
    open.addEventListener("click", () => this.#openLink());
    this.#link.placeholder = text("bring.link");
    this.#link.setAttribute("aria-label", text("bring.link"));

    this.element.replaceChildren(el("div", { class: "sheet" }, [
      el("header", {}, [el("h2", { id: "take-away-title" }, [text("title")]), close]),
      ...group("pictures",
        row(
          button("view", text("pictures.view"), () => takings.view(this.#worded.checked)),
          button("curves", text("pictures.curves"), () => takings.curves(this.#worded.checked)),
          el("label", { class: "check" }, [this.#worded, el("span", {}, [text("pictures.words")])]),
        )),
      ...group("film",
        row(field("film.from", this.#from), field("film.to", this.#to), field("film.every", this.#every), field("film.width", this.#width)),
        row(button("film", text("film.make"), (signal) => this.#film(signal)), this.#count),
        hint("film.hint")),
      ...group("numbers",
        row(
          button("losses", text("numbers.losses"), () => takings.losses()),
          ...(takings.hasScores ? [button("scores", text("numbers.scores"), () => takings.scores())] : []),
          button("samples", text(`numbers.samples.${takings.domain}`), () => takings.samples(whole(this.#samples, 1, MOST_SAMPLES))),
          field("numbers.count", this.#samples),
        )),
      ...group("model",
        row(
          button("experiment", text("model.experiment"), () => takings.experiment()),
          button("weights", text("model.weights"), () => takings.weights()),
          button("snapshot", text("model.snapshot"), () => takings.snapshot()),
        ),
        hint("model.hint")),
      ...(programs.length > 0 ? group("code", row(...programs.map((ending) => button(`code-${ending}`, text(`code.${ending}`), () => takings.code(ending)))), hint("code.hint")) : []),
      this.#working,
      this.#result,
      ...group("bring", row(choose, this.#link, open), hint("bring.hint"), this.#input),
    ]));
  }

  /** The frames of the film as it is asked for. */
  get #frames() {
    const from = whole(this.#from, 0, Number.MAX_SAFE_INTEGER);
    return framesAt(from, Math.max(from, whole(this.#to, 0, Number.MAX_SAFE_INTEGER)), whole(this.#every, 1, Number.MAX_SAFE_INTEGER));
  }

  #showCount() {
    setText(this.#count, this.#t("ui.takeAway.film.count", { count: this.#frames.length }));
  }

  /** @param {AbortSignal} signal */
  #film(signal) {
    return this.#takings.film(this.#frames, Number(this.#width.value), signal, (share) => (this.#progress.value = share));
  }

  /** Makes one file, hands it over, and shows what it was. @param {(signal: AbortSignal) => Promise<Product>} make */
  async #make(make) {
    if (this.#work) return;
    const work = new AbortController();
    this.#work = work;
    this.#progress.removeAttribute("value");
    this.#working.hidden = false;
    this.#result.replaceChildren();
    this.#working.scrollIntoView({ block: "nearest" });
    try {
      const product = await make(work.signal);
      if (work.signal.aborted) throw new Cancelled();
      save(product);
      this.#show(product);
    } catch (error) {
      const text = error instanceof Cancelled ? this.#t("ui.takeAway.cancelled") : this.#t("ui.takeAway.failed", { message: messageOf(error) });
      this.#result.replaceChildren(el("p", { class: error instanceof Cancelled ? "soft" : "bad" }, [text]));
      this.#result.scrollIntoView({ block: "nearest" });
    } finally {
      this.#work = null;
      this.#working.hidden = true;
    }
  }

  /** Where downloads are forbidden, a picture can still be copied from here. @param {Product} product */
  #show(product) {
    const again = el("button", { type: "button", class: "pill" }, [this.#t("ui.takeAway.again")]);
    again.addEventListener("click", () => save(product));
    const size = `${(product.bytes.length / 1000).toFixed(product.bytes.length < 10_000 ? 1 : 0)} KB`;
    const said = el("div", { class: "row" }, [el("b", {}, [this.#t("ui.takeAway.saved", { name: product.name, size })]), again]);
    if (!product.type.startsWith("image/")) {
      this.#result.replaceChildren(said);
      this.#result.scrollIntoView({ block: "nearest" });
      return;
    }
    const url = URL.createObjectURL(new Blob([product.bytes], { type: product.type }));
    const image = el("img", { alt: product.name, src: url });
    image.addEventListener("load", () => {
      URL.revokeObjectURL(url);
      this.#result.scrollIntoView({ block: "nearest" });
    });
    this.#result.replaceChildren(said, image);
  }

  #openLink() {
    const hash = linkIn(this.#link.value);
    if (hash === null) {
      this.#result.replaceChildren(el("p", { class: "bad" }, [this.#t("ui.takeAway.bring.noLink")]));
      return;
    }
    this.#link.value = "";
    this.element.close();
    this.#back.openLink(hash);
  }
}

/** @param {string} name */
function number(name) {
  return el("input", { type: "text", class: "entry", name, inputmode: "numeric", autocomplete: "off" });
}

/** The whole number in a field, brought into its range. @param {HTMLInputElement} input @param {number} low @param {number} high */
function whole(input, low, high) {
  const typed = Number(input.value.replace(/[\s,]/g, ""));
  return Math.min(Math.max(Number.isFinite(typed) ? Math.round(typed) : low, low), high);
}
