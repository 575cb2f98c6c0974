/**
 * @file What a page may say to a playground in a frame, and what is heard of it: every message is checked
 * against a description of its call before anything is done with it.
 *
 * A call is `{tealight: 1, id, call, args}`; its answer `{tealight: 1, id, ok}` or `{tealight: 1, id, error}`;
 * what the frame tells by itself `{tealight: 1, event, detail}`.
 */

/** The version of the protocol. */
export const VERSION = 1;

/** The longest text that a call may carry: that of a link. */
const LONGEST_TEXT = 1 << 16;
/** The longest name of a setting, and the longest id. */
const LONGEST_NAME = 64;
/** Most numbers in the value of a setting. */
const MOST_NUMBERS = 64;
/** Most bytes of a snapshot or of weights. */
const MOST_BYTES = 1 << 26;
/** Most steps in one call: about a day. */
const MOST_STEPS = 1e9;
/** Most rows of one sample. */
const MOST_ROWS = 10_000;

/**
 * An argument: its name, and what it must be. `check` returns what is allowed, in words, if the value is not.
 * @typedef {{name: string, optional?: boolean, check: (value: unknown) => string | null}} Argument
 */

/** @param {number} low @param {number} high */
const whole = (low, high) => (/** @type {unknown} */ value) =>
  Number.isSafeInteger(value) && Number(value) >= low && Number(value) <= high ? null : `a whole number from ${low} to ${high}`;

/** @param {number} most */
const text = (most) => (/** @type {unknown} */ value) => (typeof value === "string" && value.length <= most ? null : `a text of at most ${most} characters`);

/** @param {unknown} value */
const bytes = (value) => (value instanceof Uint8Array && value.length <= MOST_BYTES ? null : `a Uint8Array of at most ${MOST_BYTES} bytes`);

/** @param {unknown} value */
function setting(value) {
  if (typeof value === "number" || typeof value === "boolean") return null;
  if (typeof value === "string" && value.length <= LONGEST_TEXT) return null;
  if (Array.isArray(value) && value.length <= MOST_NUMBERS && value.every((x) => typeof x === "number")) return null;
  return `a number, true or false, a text of at most ${LONGEST_TEXT} characters, or a list of at most ${MOST_NUMBERS} numbers`;
}

/** The calls that there are, with their arguments: each is a method of the element. */
export const CALLS = /** @satisfies {Record<string, Argument[]>} */ ({
  play: [],
  pause: [],
  step: [{ name: "n", optional: true, check: whole(0, MOST_STEPS) }],
  reset: [],
  sample: [{ name: "n", optional: true, check: whole(1, MOST_ROWS) }],
  set: [{ name: "key", check: text(LONGEST_NAME) }, { name: "value", check: setting }],
  open: [{ name: "link", check: text(LONGEST_TEXT) }],
  state: [],
  snapshot: [],
  restore: [{ name: "bytes", check: bytes }],
  exportWeights: [],
  loadWeights: [{ name: "bytes", check: bytes }],
});

/** @typedef {keyof typeof CALLS} CallName */
/** @typedef {{id: number | string, call: CallName, args: unknown[]}} Call */

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isRecord(value) {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A short piece of what was said, for an answer. @param {unknown} value */
function quote(value) {
  if (typeof value === "string") return value.length > 40 ? `"${value.slice(0, 40)}…"` : `"${value}"`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : `(${value === null ? "null" : typeof value})`;
}

/**
 * Reads a message. What is not addressed to a playground gives null; what is, a call that can be made, or the
 * reason, in a sentence that names the field, why not.
 * @param {unknown} data
 * @returns {Call | {id: number | string | null, error: string} | null}
 */
export function readCall(data) {
  if (!isRecord(data) || !Object.hasOwn(data, "tealight")) return null;
  // Answers and events are not calls: a page that frames itself would answer itself for ever.
  if (Object.hasOwn(data, "ok") || Object.hasOwn(data, "error") || Object.hasOwn(data, "event")) return null;
  const { tealight, id, call, args = [], ...rest } = data;
  const known = (typeof id === "string" && id.length <= LONGEST_NAME) || Number.isSafeInteger(id);
  const refuse = (/** @type {string} */ error) => ({ id: known ? /** @type {number | string} */ (id) : null, error });
  if (tealight !== VERSION) return refuse(`tealight = ${quote(tealight)} is not spoken here: the version of these messages is ${VERSION}`);
  if (!known) return refuse(`id = ${quote(id)} is not allowed: it takes a whole number, or a text of at most ${LONGEST_NAME} characters`);
  const [more] = Object.keys(rest);
  if (more !== undefined) return refuse(`${quote(more)} is no field of a call: they are tealight, id, call and args`);
  if (typeof call !== "string" || !Object.hasOwn(CALLS, call)) return refuse(`call = ${quote(call)} is not known: there are ${Object.keys(CALLS).join(", ")}`);
  /** @type {Argument[]} */
  const wanted = CALLS[/** @type {CallName} */ (call)];
  if (!Array.isArray(args) || args.length > wanted.length) return refuse(`args is not allowed: ${call} takes a list of at most ${wanted.length}`);
  for (const [i, { name, optional, check }] of wanted.entries()) {
    const value = args[i];
    if (optional && value === undefined) continue;
    const allowed = check(value);
    if (allowed) return refuse(`args[${i}] (${name}) = ${quote(value)} is not allowed: it takes ${allowed}`);
  }
  return { id: /** @type {number | string} */ (id), call: /** @type {CallName} */ (call), args };
}
