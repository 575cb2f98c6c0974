/** @file The scores of a run against its steps, at whatever resolution fits a bounded number of evaluations. */

/** @import {Finding, Score} from "./protocol.js" */

/** Most evaluations kept; when there are more, every second one goes. */
export const CAPACITY = 240;

/** @typedef {{step: number, scores: Map<string, Score>, n: number}} Evaluation `n` counts the evaluations of the run. */

export class ScoreHistory {
  /** @type {Evaluation[]} */
  #kept = [];
  /** Every evaluation whose number is a multiple of this is kept; the newest always is. */
  #stride = 1;
  #capacity;
  /** What was found in the newest evaluation. @type {Finding[]} */
  findings = [];
  /** Why the run cannot be scored now; empty if it can. */
  failure = "";

  /** @param {number} [capacity] */
  constructor(capacity = CAPACITY) {
    this.#capacity = Math.max(2, capacity);
  }

  /**
   * Adds an evaluation; one of a step that is there already takes its place.
   * @param {number} step
   * @param {readonly Score[]} scores
   * @param {readonly Finding[]} [findings]
   */
  add(step, scores, findings = []) {
    const before = this.#kept.at(-1);
    const again = before?.step === step;
    const n = before ? before.n + (again ? 0 : 1) : 0;
    if (before && (again || before.n % this.#stride !== 0)) this.#kept.pop();
    this.#kept.push({ step, scores: new Map(scores.map((score) => [score.id, score])), n });
    this.findings = [...findings];
    this.failure = "";
    if (this.#kept.length > this.#capacity) {
      this.#stride *= 2;
      this.#kept = this.#kept.filter((evaluation) => evaluation.n % this.#stride === 0 || evaluation.n === n);
    }
  }

  /** Forgets what was scored after a step: the run went back to it. @param {number} step */
  back(step) {
    this.#kept = this.#kept.filter((evaluation) => evaluation.step <= step);
    this.findings = [];
    this.failure = "";
  }

  clear() {
    this.#kept = [];
    this.#stride = 1;
    this.findings = [];
    this.failure = "";
  }

  /** The newest evaluation. */
  get latest() {
    return this.#kept.at(-1);
  }

  get steps() {
    return this.#kept.map(({ step }) => step);
  }

  /** The values of one score, one for each of `steps`; null where it could not be computed. @param {string} id */
  values(id) {
    return this.#kept.map(({ scores }) => {
      const value = scores.get(id)?.value;
      return value !== undefined && Number.isFinite(value) ? value : null;
    });
  }
}
