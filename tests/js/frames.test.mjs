/** @file How the page pulls frames, with pictures of the screen that come when the test says so. */
import assert from "node:assert/strict";
import test from "node:test";
import { Frames } from "../../www/ui/frames.js";

/** Frames of a stage that notes what reached it; `picture` is the screen's next one. */
function pulled() {
  const callbacks = [];
  globalThis.requestAnimationFrame = (callback) => callbacks.push(callback);
  globalThis.cancelAnimationFrame = () => {};
  const shown = [];
  const told = [];
  const client = { tell: (message) => told.push(message.type), credit: (buffer) => told.push(buffer ? "credit with a buffer" : "credit") };
  const frames = new Frames(
    { state: "ready", info: {}, generation: 1, client },
    { requests: () => [{ id: "real" }, { id: "samples" }], frame: (views, { step }) => shown.push([step, ...views.keys()]) },
    { frame: () => {} },
    { step: () => {}, failed: () => {} },
  );
  const picture = () => callbacks.splice(0).forEach((callback) => callback());
  return { frames, shown, told, picture };
}

const frame = (step, ...ids) => ({ type: "frame", step, sections: ids.map((id, i) => ({ id, shape: [1], offset: i, length: 1 })), failed: {}, buffer: new ArrayBuffer(64) });

test("of two frames before one picture of the screen, none is lost: what does not change comes only once", () => {
  const { frames, shown, told, picture } = pulled();
  frames.begin();
  picture();
  assert.deepEqual(told, ["views", "credit"]);
  frames.arrive(frame(1, "real", "samples"));
  frames.arrive(frame(5, "samples"));
  assert.deepEqual(shown, []);
  picture();
  assert.deepEqual(shown, [[1, "real", "samples"], [5, "samples"]]);
  assert.deepEqual(told.slice(2), ["credit with a buffer"]);
});

test("a frame of the session before is not shown in the next", () => {
  const { frames, shown, picture } = pulled();
  frames.begin();
  picture();
  frames.arrive(frame(9, "real"));
  frames.begin();
  picture();
  assert.deepEqual(shown, []);
});
