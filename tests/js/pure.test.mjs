/** @file The page's arithmetic: drawn points, scales, curves. */
import assert from "node:assert/strict";
import test from "node:test";
import { nextWidth, numberText, placeOf, placesOf } from "../../www/ui/scale.js";
import { Drawing, alongSegment, scatter } from "../../www/views/drawing.js";
import { formatCount, formatNumber, formatTick } from "../../www/views/format.js";
import { HIGH, LIMIT, LOW, decodePoints, encodePoints } from "../../www/views/points-codec.js";
import { fieldAt, quantile, ticks, tileColumns } from "../../www/views/scales.js";
import { allPositive, robustRange, smooth, withGaps } from "../../www/views/series.js";
import { catalog, random, wasm } from "./wasm.mjs";

const near = (a, b, tolerance = 1e-9) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test("drawn points survive the way into a text and back, to half a grid step", () => {
  const draw = random(1);
  const points = Array.from({ length: 200 }, () => LOW + (HIGH - LOW) * draw());
  const back = decodePoints(encodePoints(points));
  assert.equal(back.length, points.length);
  back.forEach((x, i) => near(x, points[i], (HIGH - LOW) / 4095 / 2 + 1e-12));
  assert.equal(encodePoints(back), encodePoints(points));
  assert.equal(encodePoints([LOW, LOW]), "AAAA");
  assert.equal(encodePoints([HIGH, HIGH]), "____");
  assert.equal(encodePoints([99, -99]), encodePoints([HIGH, LOW]));
  assert.equal(encodePoints(new Array(4 * LIMIT).fill(0)).length, 4 * LIMIT);
});

test("a broken drawing gives the points before the break", () => {
  const text = encodePoints([0, 0, 1, 1, 2, 2]);
  assert.equal(decodePoints(text.slice(0, 9)).length, 4);
  assert.equal(decodePoints(`${text.slice(0, 4)}!!!!${text}`).length, 2);
  assert.deepEqual(decodePoints(""), []);
  assert.deepEqual(decodePoints("🕯🕯🕯🕯"), []);
});

test("Rust reads drawn points as the page wrote them", () => {
  const dataset = catalog.datasets.find(({ drawable }) => drawable);
  const spec = dataset.params.find(({ kind }) => kind === "text");
  const draw = random(2);
  const points = decodePoints(encodePoints(Array.from({ length: 80 }, () => LOW + (HIGH - LOW) * draw())));
  const config = JSON.stringify({ dataset: dataset.id, [spec.key]: encodePoints(points) });
  const rows = new wasm.Source(config, 2000).rows(2000);
  const places = new Set();
  for (let i = 0; i < points.length; i += 2) places.add(`${points[i].toFixed(4)} ${points[i + 1].toFixed(4)}`);
  let same = 0;
  for (let i = 0; i < rows.length; i += 2) same += Number(places.has(`${rows[i].toFixed(4)} ${rows[i + 1].toFixed(4)}`));
  const jitter = dataset.params.find(({ kind, default: value }) => kind === "linear" && value > 0);
  if (jitter) {
    // The data set spreads its points a little: each row is near a drawn one.
    for (let i = 0; i < rows.length; i += 2) {
      let best = Infinity;
      for (let j = 0; j < points.length; j += 2) best = Math.min(best, Math.hypot(rows[i] - points[j], rows[i + 1] - points[j + 1]));
      assert.ok(best < 8 * jitter.default, `row ${i / 2} is ${best} away from every drawn point`);
    }
  } else {
    assert.equal(same, rows.length / 2);
  }
});

test("a drawing can be taken back and done again", () => {
  const drawing = new Drawing();
  drawing.add(1, 1);
  assert.ok(drawing.commit());
  assert.ok(!drawing.commit(), "nothing changed");
  drawing.add(2, 2);
  drawing.commit();
  drawing.erase(1, 1, 0.1);
  drawing.commit();
  assert.deepEqual(drawing.points, [2, 2]);
  drawing.undo();
  assert.deepEqual(drawing.points, [1, 1, 2, 2]);
  drawing.undo();
  drawing.redo();
  assert.deepEqual(drawing.points, [1, 1, 2, 2]);
  drawing.clear();
  drawing.commit();
  assert.ok(!drawing.canRedo);
  drawing.undo();
  assert.equal(drawing.count, 2);
  assert.ok(!drawing.add(99, 0) && !drawing.add(NaN, 0), "outside the square");
});

test("a stroke is equally dense however its segments are cut", () => {
  const whole = alongSegment(0, 0, 1, 0, 0.1, 0).places.map(([x]) => x);
  const cut = [];
  let rest = 0;
  for (let i = 0; i < 7; i++) {
    const part = alongSegment(i / 7, 0, (i + 1) / 7, 0, 0.1, rest);
    cut.push(...part.places.map(([x]) => x));
    rest = part.rest;
  }
  assert.ok(Math.abs(cut.length - whole.length) <= 1);
  for (let i = 1; i < cut.length; i++) near(cut[i] - cut[i - 1], 0.1, 1e-9);
});

test("spray is normal around the nozzle", () => {
  const draw = random(9);
  const xs = Array.from({ length: 20_000 }, () => scatter(1, 2, 0.5, draw));
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  near(mean(xs.map(([x]) => x)), 1, 0.02);
  near(mean(xs.map(([, y]) => (y - 2) ** 2)), 0.25, 0.015);
});

test("a slider reaches both ends, rises, and finds every place again", () => {
  for (const { params } of [...catalog.datasets, ...catalog.models]) {
    for (const spec of params.filter(({ kind }) => ["linear", "log", "integer"].includes(kind))) {
      const places = placesOf(spec);
      assert.equal(places[0], spec.low, spec.key);
      assert.equal(places.at(-1), spec.high, spec.key);
      assert.ok(places.length <= 400, `${spec.key} has ${places.length} places`);
      places.forEach((x, i) => {
        assert.ok(i === 0 || x > places[i - 1], `${spec.key}: ${places[i - 1]}, ${x}`);
        assert.equal(placeOf(spec, places, x), i, `${spec.key}: ${x}`);
        if (spec.kind === "integer") assert.ok(Number.isInteger(x));
      });
      // The default may lie between two places, but not beyond half a step of one on the slider's scale.
      const at = places[placeOf(spec, places, spec.default)];
      assert.ok(spec.default === 0 || Math.abs(at - spec.default) <= 0.3 * Math.abs(spec.default), `${spec.key}: ${spec.default} is shown at ${at}`);
    }
  }
});

test("numbers of settings are short and exact", () => {
  assert.equal(numberText(0.1 + 0.2), "0.3");
  assert.equal(numberText(0.00001), "1e-5");
  assert.equal(numberText(0), "0");
  assert.equal(nextWidth(64, 1), 128);
  assert.equal(nextWidth(64, -1), 32);
  assert.equal(nextWidth(50, 1), 64);
  assert.equal(nextWidth(1, -1), 1);
});

test("numbers for people", () => {
  assert.equal(formatCount(1234567), "1,234,567");
  assert.equal(formatNumber(-0.001), "0.00");
  assert.equal(formatNumber(-1.5), "−1.50");
  assert.equal(formatNumber(NaN), "–");
  assert.equal(formatTick(20_000), "20k");
});

test("ticks are round, inside, and few", () => {
  for (const [low, high] of [[0, 1], [-3.3, 3.3], [1e-7, 3e-7], [-1e6, 5e6], [0.1, 0.3]]) {
    const marks = ticks(low, high);
    assert.ok(marks.length >= 2 && marks.length <= 11, `${marks}`);
    for (const mark of marks) assert.ok(mark >= low - 1e-9 * (high - low) && mark <= high + 1e-9 * (high - low));
  }
  assert.deepEqual(ticks(1, 1), []);
  assert.deepEqual(ticks(0, Infinity), []);
});

test("a field is read bilinearly between its cells' centres", () => {
  const extent = [0, 2, 0, 2];
  const values = [0, 1, 2, 3];
  near(fieldAt(values, 2, extent, 0.5, 0.5), 0);
  near(fieldAt(values, 2, extent, 1.5, 1.5), 3);
  near(fieldAt(values, 2, extent, 1, 1), 1.5);
  assert.ok(Number.isNaN(fieldAt(values, 2, extent, 3, 1)));
});

test("quantiles leave out what is no number", () => {
  assert.equal(quantile([NaN, 3, 1, Infinity, 2], 0.5), 2);
  assert.equal(quantile([1, 2, 3], 1, 2), 3);
  assert.ok(Number.isNaN(quantile([NaN], 0.5)));
  assert.equal(tileColumns(16), 4);
});

test("curves: gaps stay gaps, a constant stays itself, references come into view", () => {
  assert.deepEqual(withGaps([9, 1, NaN, 3], 1, 3, []), [1, null, 3]);
  const flat = smooth([2, null, 2, 2], 10, []);
  assert.equal(flat[1], null);
  near(flat[3], 2);
  const [low, high] = robustRange([Array.from({ length: 100 }, (_, i) => 1 + i / 100)], { references: [2.2, 50] });
  assert.ok(low < 1.1 && high > 2.2 && high < 50);
  assert.equal(robustRange([[null]]), null);
  assert.ok(allPositive([[1, null, 2]]) && !allPositive([[1, 0]]) && !allPositive([[null]]));
});
