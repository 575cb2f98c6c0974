/**
 * @file Decides when the session is scored, and does it in parts.
 *
 * While training, scores may take {@link SHARE} of the time: what a part takes too much is waited for, and what the
 * pause between two evaluations leaves over is spent when the next one begins, but never more than a slice at once.
 * The first scores of a session are lent more, so that they come soon; those after them wait until it is paid back.
 * When training has come to rest, the step that it rests at is scored once, in slices between which the mail is read.
 */

import { isTrap, messageOf, missingFile } from "./protocol.js";

/** @import {Scored, WasmSession} from "./protocol.js" */

/**
 * The share of the training time that scores may take: with what cannot be seen from here (caches that are cold after
 * a part, the page's own drawing) it stays below a twentieth.
 */
const SHARE = 0.03;
/** Most milliseconds that are saved up: those of a pause. */
const MOST_SAVED = 30;
/** Milliseconds that a new session has in advance, for all floors, which are computed once. */
const ADVANCE = 60;
/**
 * The share of the training time that scores may take until the first ones are there. What goes beyond {@link SHARE}
 * is lent, …
 */
const EARLY = 0.125;
/** … and within so many milliseconds … */
const SETTLING = 20_000;
/** … no more than makes so many milliseconds together with the share: then they stay below a twentieth, too. */
const MOST_SETTLING = 900;
/** Milliseconds of training before the first scores, and from the end of one evaluation to the next. */
const PAUSE = 1000;
/** Milliseconds of training before a file that did not arrive is asked for again. */
const LATER = 30_000;
/** Most milliseconds of training that one look at the clock counts: it may be the first since a pause. */
const LONGEST = 100;

export class Scoring {
  /** Whether the page shows scores. */
  on = false;
  #now;
  #want;
  /** The file of the package that scores wait for. @type {string | null} */
  #awaited = null;
  /** The step of the evaluation that is under way. @type {number | null} */
  #step = null;
  /** The last step that was scored. */
  #scored = 0;
  /** Milliseconds that may be spent while training; below 0 if more was. */
  #saved = ADVANCE;
  /** Milliseconds that were lent to the first evaluation; null once it has ended. @type {number | null} */
  #lent = 0;
  /** Milliseconds of training before the first scores were there. */
  #waited = 0;
  /** Milliseconds of training since the last evaluation. */
  #trained = 0;
  #looked = 0;

  /** @param {() => number} now @param {(file: string) => void} want Asks for a file of the package. */
  constructor(now, want) {
    this.#now = now;
    this.#want = want;
  }

  /** Something other than a step changed the session: what was found of it no longer holds. */
  touch() {
    this.#step = null;
    this.#scored = 0;
  }

  /** Another session begins. */
  clear() {
    this.touch();
    this.#trained = 0;
    this.#saved = ADVANCE;
    this.#lent = 0;
    this.#waited = 0;
  }

  /** Whether a session at rest has yet to be scored; one that has learned nothing is not. @param {WasmSession} session */
  wanted(session) {
    return this.on && this.#awaited === null && session.steps() > 0 && session.steps() !== this.#scored;
  }

  /**
   * A file is there, or `problem` says why it is not: then there are no scores for now.
   * @param {string} file
   * @param {string} problem
   * @param {WasmSession} session
   * @returns {Scored | null}
   */
  arrived(file, problem, session) {
    if (this.#awaited !== file) return null;
    this.#awaited = null;
    if (problem === "") return null;
    const step = session.steps();
    this.#end(step);
    this.#trained = PAUSE - LATER;
    return { step, scores: [], findings: [], failed: problem };
  }

  /**
   * Works as long as there is time: `slice` milliseconds at rest, a small share while training.
   * @param {WasmSession} session
   * @param {boolean} training
   * @param {number} slice
   * @returns {Scored | null} What an evaluation came to, if one ended.
   */
  work(session, training, slice) {
    const start = this.#now();
    const elapsed = Math.min(start - this.#looked, LONGEST);
    this.#looked = start;
    if (!this.wanted(session)) return null;
    if (training) {
      if (this.#saved < MOST_SAVED) this.#saved = Math.min(this.#saved + SHARE * elapsed, MOST_SAVED);
      this.#lend(elapsed);
      this.#trained += elapsed;
      if (this.#saved <= 0 || (this.#step === null && this.#trained < PAUSE)) return null;
    } else if (this.#step !== session.steps()) {
      this.#step = null;
    }
    const limit = training ? Math.min(this.#saved, slice) : slice;
    let spent = 0;
    /** @type {Scored | null} */
    let scored = null;
    do {
      scored = this.#part(session);
      spent = this.#now() - start;
    } while (!scored && this.#awaited === null && spent < limit);
    if (training) this.#saved -= spent;
    return scored;
  }

  /** Lets the first evaluation have more than its share of what was trained. @param {number} elapsed */
  #lend(elapsed) {
    if (this.#lent === null) return;
    this.#waited += elapsed;
    // Where nothing more can be lent, the share pays back.
    const most = MOST_SETTLING - SHARE * Math.min(this.#waited, SETTLING);
    const more = Math.min((EARLY - SHARE) * elapsed, most - this.#lent);
    this.#lent += more;
    this.#saved += more;
  }

  /** Does one part. @param {WasmSession} session @returns {Scored | null} */
  #part(session) {
    const step = this.#step ?? session.steps();
    try {
      if (this.#step === null) {
        session.beginScores();
        this.#step = step;
        return null;
      }
      const result = JSON.parse(session.scorePart());
      if (!result.done) return null;
      this.#end(step);
      return { step: result.step, scores: result.scores, findings: result.findings, failed: null };
    } catch (error) {
      if (isTrap(error)) throw error;
      this.#awaited = missingFile(error);
      if (this.#awaited !== null) {
        this.#step = null;
        this.#want(this.#awaited);
        return null;
      }
      this.#end(step);
      return { step, scores: [], findings: [], failed: messageOf(error) };
    }
  }

  /** @param {number} step */
  #end(step) {
    this.#step = null;
    this.#scored = step;
    this.#trained = 0;
    this.#saved -= this.#lent ?? 0;
    this.#lent = null;
  }
}
