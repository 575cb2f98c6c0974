/**
 * @file The record of a run: what it began with, what was changed on the way, and how both follow what the
 * engine reports. Together they are what a link needs to reproduce it.
 */

import { ALL_PHASES, PHASE } from "./protocol.js";
import { ScoreHistory } from "./score-history.js";
import { withEvent } from "./state.js";

/** @import {Config, Info, LiveEvent, Scored, Status, Value} from "./protocol.js" */

/** @type {Status} */
export const AT_REST = { step: 0, rate: 0, running: false, target: null };

/**
 * @typedef {object} Run
 * @property {Config} initial The configuration at step 0.
 * @property {Config} current With the live changes: what the controls show.
 * @property {LiveEvent[]} events The live changes, in the order of their steps.
 * @property {string} phase
 * @property {Info | null} info Null until the engine has a session of it.
 * @property {boolean} foreign Whether its weights came from elsewhere: no link can give them again.
 * @property {number} generation Tells its messages from those of other runs.
 * @property {ScoreHistory} scores
 */

/** @param {Config} config @param {LiveEvent[]} events @param {number} generation @returns {Run} */
export function newRun(config, events, generation) {
  return { initial: config, current: { ...config }, events, phase: ALL_PHASES, info: null, foreign: false, generation, scores: new ScoreHistory() };
}

/** The script of a run that begins in this phase. @param {string} phase @returns {LiveEvent[]} */
export function beginning(phase) {
  return phase === ALL_PHASES ? [] : [{ step: 0, key: PHASE, value: phase }];
}

/**
 * A setting was changed by hand.
 * @param {Run} run
 * @param {string} key
 * @param {Value} value
 * @param {{effect: "live" | "restart", step: number, info: Info}} answer
 */
export function changed(run, key, value, { effect, step, info }) {
  run.info = info;
  if (key === PHASE) run.phase = String(value);
  if (effect === "restart") {
    run.scores.clear();
    Object.assign(run, { initial: info.config, current: { ...info.config }, events: beginning(run.phase), foreign: false });
    return;
  }
  run.events = withEvent(run.events, { step, key, value });
  if (step === 0 && key !== PHASE) {
    // Nothing has been learned yet: it is as if the run had begun like this.
    run.initial = { ...run.initial, [key]: value };
    run.events = run.events.filter((event) => event.key !== key);
  }
}

/** A change of the script was made at its step. @param {Run} run @param {LiveEvent} event @param {Info} info */
export function played(run, { key, value }, info) {
  run.info = info;
  if (key === PHASE) run.phase = String(value);
  else run.current = { ...run.current, [key]: value };
}

/** An evaluation is complete. @param {Run} run @param {Scored} what */
export function scored({ scores }, { step, scores: values, findings, failed }) {
  if (failed === null) scores.add(step, values, findings);
  else Object.assign(scores, { failure: failed, findings: [] });
}

/** The session is at step 0 again, with the settings of now. @param {Run} run @param {Info} info */
export function rewound(run, info) {
  run.scores.clear();
  Object.assign(run, { info, initial: info.config, current: { ...info.config }, events: beginning(run.phase), foreign: false });
}

/** The session holds weights that did not come from this run's script. @param {Run} run @param {Info} info */
export function replaced(run, info) {
  run.scores.clear();
  Object.assign(run, { info, initial: info.config, current: { ...info.config }, events: [], foreign: true });
}

/** Another engine goes on with what an earlier run had reached. @param {Run} run @param {Run} before @param {Info} info */
export function resumed(run, before, info) {
  const { initial, events, scores, foreign } = before;
  scores.back(info.step);
  Object.assign(run, { info, initial, scores, foreign, events: events.filter(({ step }) => step <= info.step) });
}

/** The session went back to an earlier step, and to the settings that it had there. @param {Run} run @param {Info} info */
export function wentBack(run, info) {
  run.scores.back(info.step);
  run.events = run.events.filter(({ step }) => step <= info.step);
  // The phase is how the visitor holds the controls: the engine keeps it.
  const implied = run.events.findLast(({ key }) => key === PHASE)?.value ?? ALL_PHASES;
  if (implied !== run.phase) run.events = withEvent(run.events, { step: info.step, key: PHASE, value: run.phase });
  run.info = info;
  run.current = { ...info.config };
}

/** Whoever has a run shows it under these names. */
export class RunHolder {
  /** @type {Run} */
  run = newRun({}, [], 0);

  /** @param {Run} run */
  become(run) {
    this.run = run;
  }

  /** The configuration with the live changes: what the controls show. */
  get current() {
    return this.run.current;
  }
  /** The configuration at step 0: what the link holds beside the events. */
  get initial() {
    return this.run.initial;
  }
  get events() {
    return this.run.events;
  }
  get phase() {
    return this.run.phase;
  }
  get info() {
    return this.run.info;
  }
  get generation() {
    return this.run.generation;
  }
  get scores() {
    return this.run.scores;
  }
}
