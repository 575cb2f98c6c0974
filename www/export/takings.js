/** @file What can be taken away, each as a file of bytes. The dialog offers it; the element's methods may. */

import { program, programsFor } from "../code.js";
import { messageOf } from "../protocol.js";
import { arrived } from "../ui/sections.js";
import { textOr } from "../ui/texts.js";
import { datasetOf, modelOf, writeLink } from "../state.js";
import { formatCount } from "../views/format.js";
import { writeExperiment } from "./experiment-file.js";
import { canvasOf, composed, pngOf, RATIO } from "./pictures.js";
import { record } from "./recorder.js";
import { plainName, textFile } from "./save.js";
import { imageSheet, lossesCsv, pointsCsv, scoresCsv, wordsText } from "./tables.js";

/**
 * @import {Catalog, Config, Info} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Link} from "../state.js"
 * @import {LossChart} from "../views/losses.js"
 * @import {Stage} from "../views/stage.js"
 * @import {Translate} from "../ui/texts.js"
 * @import {Product} from "./save.js"
 */

/**
 * Where everything lies.
 * @typedef {object} Desk
 * @property {Experiment} experiment
 * @property {Stage} stage
 * @property {LossChart} chart
 * @property {() => Omit<Link, "lang" | "theme" | "hide" | "lock" | "embed">} link To what runs now.
 * @property {() => Translate} t
 */

/** The scores of a run, where there are any. @typedef {{steps: readonly number[], values: (id: string) => readonly (number | null)[]}} ScoreHistory */

/** Samples in a file, by domain, unless another number is asked for. @type {Record<string, number>} */
const SAMPLES = { points: 2000, images: 100, sequences: 200 };
/** The line under a film's picture, as shares of its width. */
const [LINE, LETTERS] = [0.075, 0.034];

const JSON_TYPE = "application/json";
const TENSORS = "application/octet-stream";

export class Takings {
  #desk;

  /** @param {Desk} desk */
  constructor(desk) {
    this.#desk = desk;
  }

  /** What runs, or an error for whoever asks before anything does. @returns {{catalog: Catalog, info: Info, current: Config, step: number}} */
  get #now() {
    const { catalog, info, current, status } = this.#desk.experiment;
    if (!catalog || !info) throw new Error(this.#desk.t()("ui.takeAway.nothing"));
    return { catalog, info, current, step: status.step };
  }

  get domain() {
    const { catalog, current } = this.#desk.experiment;
    return catalog ? datasetOf(catalog, current).domain : "points";
  }

  get usualSamples() {
    return SAMPLES[this.domain] ?? 100;
  }

  /** The endings of the programs that there are for the model. */
  get programs() {
    const { catalog, current } = this.#desk.experiment;
    return catalog ? programsFor(modelOf(catalog, current).id) : [];
  }

  /** @returns {ScoreHistory | null} */
  get #scores() {
    return /** @type {{scores?: ScoreHistory}} */ (this.#desk.experiment.run).scores ?? null;
  }

  get hasScores() {
    return (this.#scores?.steps.length ?? 0) > 0;
  }

  /** "vae-ring-1200" and an ending. @param {string} ending @param {string} [what] */
  #name(ending, what) {
    const { current, step } = this.#now;
    return `${[current.model, current.dataset, step, what].filter((part) => part !== undefined).map((part) => plainName(String(part))).join("-")}.${ending}`;
  }

  /** "VAE · Ring of Gaussians" */
  #title() {
    const t = this.#desk.t();
    const { catalog, current } = this.#now;
    const names = [["models", modelOf(catalog, current).id], ["datasets", datasetOf(catalog, current).id]];
    return names.map(([group, id]) => textOr(t, `${group}.${id}.name`, id).replaceAll("\u00ad", "")).join(" · ");
  }

  #words() {
    const { catalog, current, step } = this.#now;
    // To this very moment, whatever the run is about to do.
    const link = writeLink(catalog, { ...this.#desk.link(), step, play: false });
    return {
      title: this.#title(),
      subtitle: this.#desk.t()("ui.takeAway.subtitle", { step: formatCount(step), seed: String(current.seed) }),
      // A path on this computer is nobody else's business.
      link: `${/^https?:$/.test(location.protocol) ? location.href.split("#", 1)[0] : "Tealight "}#${link}`,
    };
  }

  /** The pictures of the view. @param {boolean} worded @returns {Promise<Product>} */
  async view(worded) {
    const name = this.#name("png");
    const { stage } = this.#desk;
    const canvas = composed(stage.pictures(RATIO), stage.palette, worded ? this.#words() : null);
    return { name, type: "image/png", bytes: await pngOf(canvas) };
  }

  /** The loss chart. @param {boolean} worded @returns {Promise<Product>} */
  async curves(worded) {
    const name = this.#name("png", "losses");
    const picture = await this.#desk.chart.picture(RATIO);
    if (!picture) throw new Error(this.#desk.t()("ui.takeAway.nothing"));
    const canvas = composed([{ canvas: picture.canvas, name: this.#desk.t()("ui.headings.losses"), caption: "", keys: picture.curves }], this.#desk.stage.palette, worded ? this.#words() : null);
    return { name, type: "image/png", bytes: await pngOf(canvas) };
  }

  /**
   * A film of the main picture.
   * @param {readonly number[]} steps
   * @param {number} width in pixels
   * @param {AbortSignal} signal
   * @param {(share: number) => void} progress
   * @returns {Promise<Product>}
   */
  async film(steps, width, signal, progress) {
    const { experiment, stage } = this.#desk;
    const { catalog } = this.#now;
    const t = this.#desk.t();
    const name = this.#name("gif");
    const title = this.#title();
    const { run } = experiment;
    const { file } = datasetOf(catalog, run.initial);
    const snapshot = run.foreign || file ? /** @type {Uint8Array} */ (await experiment.client.ask({ type: "snapshot" })) : null;
    const origin = { config: run.initial, events: run.events, snapshot, onwards: run.foreign };
    const studio = stage.studio();
    if (!studio) throw new Error(t("ui.takeAway.nothing"));
    const { Film } = await import("./film.js");
    const sheet = document.createElement("canvas");
    const g = sheet.getContext("2d", { willReadFrequently: true });
    /** @type {InstanceType<typeof Film> | null} */
    let film = null;
    try {
      await record(catalog, origin, {
        steps,
        requests: studio.requests(),
        signal,
        progress,
        frame: async (views, step, index) => {
          const { canvas } = studio.shoot(views, width);
          if (!g) throw new Error("no canvas");
          const line = Math.round(width * LINE);
          if (!film) {
            Object.assign(sheet, { width: canvas.width, height: canvas.height + line });
            film = new Film(sheet.width, sheet.height);
          }
          g.fillStyle = studio.palette.css("panel");
          g.fillRect(0, 0, sheet.width, sheet.height);
          g.drawImage(canvas, 0, 0);
          g.font = `${Math.round(width * LETTERS)}px system-ui, sans-serif`;
          g.textBaseline = "middle";
          g.fillStyle = studio.palette.css("ink");
          g.textAlign = "left";
          g.fillText(title, line / 3, canvas.height + line / 2);
          g.textAlign = "right";
          g.fillText(formatCount(step), sheet.width - line / 3, canvas.height + line / 2);
          film.add(g.getImageData(0, 0, sheet.width, sheet.height).data, index === steps.length - 1);
          // The page's turn.
          await new Promise((resolve) => setTimeout(resolve));
        },
      });
    } finally {
      studio.destroy();
    }
    if (!film) throw new Error(t("ui.takeAway.nothing"));
    return { name, type: "image/gif", bytes: /** @type {InstanceType<typeof Film>} */ (film).finish() };
  }

  /** @returns {Promise<Product>} */
  async losses() {
    const { info } = this.#now;
    const section = await this.#view({ id: "losses" });
    return textFile(this.#name("csv", "losses"), lossesCsv(info.losses.map(({ id }) => id), section), "text/csv");
  }

  /** @returns {Promise<Product>} */
  async scores() {
    const { catalog } = this.#now;
    const ids = /** @type {{scores?: {id: string}[]}} */ (/** @type {unknown} */ (catalog)).scores?.map(({ id }) => id) ?? [];
    const history = this.#scores;
    if (!history) throw new Error(this.#desk.t()("ui.takeAway.nothing"));
    return textFile(this.#name("csv", "scores"), scoresCsv(ids, history), "text/csv");
  }

  /** New samples of the model, as what they are. @param {number} n @returns {Promise<Product>} */
  async samples(n) {
    const { info } = this.#now;
    const section = await this.#view({ id: "samples", n });
    switch (info.shape.domain) {
      case "images":
        return { name: this.#name("png", "samples"), type: "image/png", bytes: await pngOf(canvasOf(imageSheet(section, info.shape))) };
      case "sequences":
        return textFile(this.#name("txt", "samples"), wordsText(section, info.alphabet), "text/plain");
      default:
        return textFile(this.#name("csv", "samples"), pointsCsv(section), "text/csv");
    }
  }

  /** @returns {Promise<Product>} */
  async experiment() {
    const { catalog } = this.#now;
    const { run, status } = this.#desk.experiment;
    return textFile(this.#name("json"), writeExperiment(catalog, { config: run.initial, events: run.events, step: status.step }), JSON_TYPE);
  }

  /** @returns {Promise<Product>} */
  async weights() {
    return { name: this.#name("safetensors", "weights"), type: TENSORS, bytes: await this.#desk.experiment.client.ask({ type: "weights" }) };
  }

  /** @returns {Promise<Product>} */
  async snapshot() {
    return { name: this.#name("safetensors", "snapshot"), type: TENSORS, bytes: await this.#desk.experiment.client.ask({ type: "snapshot" }) };
  }

  /** A program that rebuilds the model and loads its weights. @param {string} ending @returns {Promise<Product>} */
  async code(ending) {
    const { catalog, current } = this.#now;
    const { id } = modelOf(catalog, current);
    try {
      return textFile(`${plainName(id)}.${ending}`, await program(id, ending), "text/plain");
    } catch (error) {
      throw new Error(this.#desk.t()("ui.takeAway.code.missing", { message: messageOf(error) }));
    }
  }

  /** @param {import("../protocol.js").ViewRequest} request */
  async #view(request) {
    const { sections, buffer } = await this.#desk.experiment.client.views([request]);
    const section = arrived(sections, buffer).get(request.id);
    if (!section) throw new Error(this.#desk.t()("ui.takeAway.nothing"));
    return section;
  }
}
