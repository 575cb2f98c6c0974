/** @file The page's side of scores: their history, how they are written, and how they stand to their floor. */
import assert from "node:assert/strict";
import test from "node:test";
import { newRun, resumed, rewound, wentBack } from "../../www/run.js";
import { CAPACITY, ScoreHistory } from "../../www/score-history.js";
import { markOf, scoreText, sentenceValues, valueText } from "../../www/ui/score-text.js";

const score = (value, more = {}) => ({ id: "a", value, floor: null, optimum: null, by: null, ...more });
const lower = { id: "a", unit: "nats", better: "lower", target: null, domains: [] };
const ratio = { id: "a", unit: "", better: "target", target: 1, domains: [] };
const share = { id: "a", unit: "share", better: "higher", target: null, domains: [] };
const distance = { id: "a", unit: "data", better: "lower", target: 0, domains: [] };
const modes = { id: "a", unit: "", better: "higher", target: null, domains: [] };

test("a history of any length stays bounded and keeps its first and its newest evaluation, evenly spaced between", () => {
  const history = new ScoreHistory(8);
  for (let i = 0; i <= 1000; i++) {
    history.add(10 * i, [score(i)]);
    const { steps } = history;
    assert.ok(steps.length <= 8, `${steps.length} evaluations`);
    assert.equal(steps[0], 0);
    assert.equal(steps.at(-1), 10 * i);
    assert.deepEqual(history.values("a"), steps.map((step) => step / 10));
    // All but the newest are equally far apart, and less than half of the room is never left.
    const gaps = new Set(steps.slice(1, -1).map((step, k) => step - steps[k]));
    assert.ok(gaps.size <= 1, steps.join());
    if (i > 16) assert.ok(steps.length > 4, steps.join());
  }
  assert.ok(CAPACITY >= 100);
});

test("an evaluation of the same step takes the place of the one before; a score that is not there is a gap", () => {
  const history = new ScoreHistory();
  history.add(5, [score(1)], [{ id: "f", values: {}, remedy: {} }]);
  history.add(5, [score(2)]);
  assert.deepEqual(history.steps, [5]);
  assert.deepEqual(history.values("a"), [2]);
  assert.deepEqual(history.findings, []);
  history.add(6, [score(3, { id: "b" })]);
  history.add(7, [score(NaN)]);
  assert.deepEqual(history.values("a"), [2, null, null]);
  assert.deepEqual(history.values("b"), [null, 3, null]);
});

test("the history follows its run: back to a step, to the beginning, or to another engine", () => {
  const run = newRun({}, [], 1);
  const info = { step: 20, config: {} };
  for (const step of [10, 20, 30]) run.scores.add(step, [score(step)], [{ id: "f", values: {}, remedy: {} }]);
  wentBack(run, info);
  assert.deepEqual(run.scores.steps, [10, 20]);
  assert.deepEqual(run.scores.findings, []);
  run.scores.add(40, [score(4)]);
  const next = newRun({}, [], 2);
  resumed(next, run, info);
  assert.deepEqual(next.scores.steps, [10, 20]);
  rewound(next, { step: 0, config: {} });
  assert.deepEqual(next.scores.steps, []);
  assert.equal(next.scores.latest, undefined);
});

test("a score is as good as its floor within chance, near it, or far from it", () => {
  const nats = { floor: 1.702, optimum: 1.698 };
  assert.equal(markOf(lower, score(1.73, nats)), "floor");
  assert.equal(markOf(lower, score(1.85, nats)), "near");
  assert.equal(markOf(lower, score(2.4, nats)), "far");
  // The floor's own distance from the optimum is the size of chance.
  assert.equal(markOf(distance, score(0.04, { floor: 0.031, optimum: 0 })), "floor");
  assert.equal(markOf(distance, score(0.09, { floor: 0.031, optimum: 0 })), "near");
  assert.equal(markOf(distance, score(0.212, { floor: 0.031, optimum: 0 })), "far");
  assert.equal(markOf(share, score(0.97, { floor: 0.98 })), "floor");
  assert.equal(markOf(share, score(0.4, { floor: 0.98 })), "far");
});

test("where there is a target, too much is as bad as too little", () => {
  for (const side of [-1, 1]) {
    assert.equal(markOf(ratio, score(1 + 0.01 * side, { floor: 1.005 })), "floor");
    assert.equal(markOf(ratio, score(1 + 0.08 * side, { floor: 1.005 })), "near");
    assert.equal(markOf(ratio, score(1 + 0.5 * side, { floor: 1.005 })), "far");
  }
});

test("what beats the data's own law is marked, and so is what has nothing to be compared with", () => {
  assert.equal(markOf(lower, score(1.2, { floor: 1.702, optimum: 1.698 })), "beyond");
  assert.equal(markOf(share, score(0.99, { floor: 0.979, optimum: 0.969 })), "floor");
  assert.equal(markOf(lower, score(1.2)), "none");
  assert.equal(markOf(lower, undefined), "none");
  assert.equal(markOf(lower, score(NaN, { floor: 1 })), "none");
});

test("one cluster missed is not as good as the data, however many there are", () => {
  for (const count of [8, 25]) {
    const all = { floor: count, optimum: count };
    assert.equal(markOf(modes, score(count, all)), "floor");
    assert.notEqual(markOf(modes, score(count - 1, all)), "floor");
    assert.equal(markOf(modes, score(1, all)), "far");
  }
});

test("scores are written as people read them", () => {
  assert.equal(scoreText(modes, score(6, { floor: 8, optimum: 8 })), "6 / 8");
  assert.equal(scoreText(share, score(0.9141)), "91.4 %");
  assert.equal(scoreText(lower, score(1.85231)), "1.852");
  assert.equal(scoreText(ratio, score(1)), "1.000");
  assert.equal(scoreText(lower, undefined), "–");
  assert.equal(scoreText(lower, score(NaN)), "–");
  assert.equal(valueText(-0.00031, ""), "−0.00031");
  assert.equal(valueText(0, "data"), "0.000");
  assert.equal(valueText(-3.2e-7, ""), "−3.2e−7");
});

test("the numbers of a sentence are short, and counts stay counts", () => {
  assert.deepEqual(sentenceValues({ missed: 2, share: 0.98765, rate: 0.001, step: 12000, low: -1.23456, word: "x" }),
    { missed: "2", share: "0.988", rate: "0.001", step: "12,000", low: "−1.23", word: "x" });
});
