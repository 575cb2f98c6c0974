/** @file The native command line and the page understand each other's files; exported weights sample the same in Python. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after, before } from "node:test";
import { root, which } from "../../tools/console.mjs";
import { writePrograms } from "../../tools/programs.mjs";
import { findPython } from "../../tools/setup.mjs";
import { readExperiment, writeExperiment } from "../../www/export/experiment-file.js";
import { replay } from "../bits/links.js";
import { catalog, wasm } from "./wasm.mjs";

const folder = mkdtempSync(path.join(os.tmpdir(), "tealight-native-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let program = "";

/** Builds the command line, or finds it built. */
before(() => {
  assert.ok(which("cargo"), 'the command line is built by cargo, which is not on the search path: see "npm run setup"');
  const args = ["build", "--locked", "--quiet", "--features", "cli", "--bin", "tealight", "--message-format", "json"];
  const { status, stdout, stderr } = spawnSync("cargo", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(status, 0, stderr);
  program = stdout.split("\n").filter((line) => line.includes('"executable":"')).map((line) => JSON.parse(line).executable).at(-1);
  assert.ok(program && existsSync(program), "cargo did not say what it built");
});

/** Runs the command line. */
function tealight(...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Trains natively and names the folder. */
function train(name, ...args) {
  const out = path.join(folder, name);
  const { status, stdout, stderr } = tealight("train", ...args, "--out", out);
  assert.equal(status, 0, stderr);
  return { out, stdout, stderr, file: (file) => readFileSync(path.join(out, file)) };
}

/** The last line of a table, as numbers. */
const lastRow = (csv) => csv.toString().trim().split("\n").at(-1).split(",").map(Number);

/** Whether two losses are those of one run that was computed in two orders. */
function close(a, b, what) {
  assert.ok(Math.abs(a - b) <= 5e-3 * (1 + Math.abs(b)), `${what}: ${a}, in the page ${b}`);
}

test("a link trains natively to where it gets in the page, and the page opens what was written", async () => {
  const link = "dataset=ring&model=gan&seed=5&events=10:phase:discriminator;20:phase:both;30:learningRateG:0.0005&step=60";
  const { out, file } = train("gan", "--link", `https://example.org/#${link}`);
  assert.deepEqual(readdirSync(out).sort(), ["experiment.json", "losses.csv", "samples.csv", "samples.png", "snapshot.safetensors", "weights.safetensors"]);
  const page = await replay(wasm, catalog, link);
  const [step, ...losses] = lastRow(file("losses.csv"));
  assert.equal(step, 60);
  page.losses.forEach((loss, i) => loss === null || close(losses[i], loss, link));

  const story = JSON.parse(file("experiment.json").toString());
  assert.equal(story.tealight, catalog.version);
  assert.equal(story.step, 60);
  assert.deepEqual(story.events.map(({ step, key }) => [step, key]), [[10, "phase"], [20, "phase"], [30, "learningRateG"]]);
  // The page reads this file, and writes the same one, which the command line reads.
  const written = writeExperiment(catalog, readExperiment(catalog, JSON.stringify(story)));
  assert.deepEqual(JSON.parse(written), story);
  const exported = path.join(folder, "exported.json");
  writeFileSync(exported, written);
  const again = train("exported", "--json", exported);
  assert.ok(again.file("snapshot.safetensors").equals(file("snapshot.safetensors")));

  // A session of something else takes the native snapshot, goes on, and gives it back.
  const session = new wasm.Session(JSON.stringify({ dataset: "digits", model: "vae" }));
  session.restore(file("snapshot.safetensors"));
  const info = JSON.parse(session.info());
  assert.equal(info.step, 60);
  assert.equal(info.config.learningRateG, 0.0005);
  session.loadWeights(file("weights.safetensors"));
  session.step(20);
  const ahead = session.snapshot();
  const values = JSON.parse(session.info()).losses.map(({ last }) => last);
  session.free();

  // The other way: the page's snapshot goes on natively, and both get to the same place.
  const saved = path.join(folder, "page.safetensors");
  writeFileSync(saved, page.snapshot);
  const on = train("resumed", "--resume", saved, "--link", link, "--steps", "80");
  assert.match(on.stdout, /step 60 to 80/);
  const [at, ...own] = lastRow(on.file("losses.csv"));
  assert.equal(at, 80);
  values.forEach((loss, i) => loss === null || close(own[i], loss, "resumed"));
  assert.ok(ahead.length > 1000);
});

test("views of a snapshot are the page's, and what is no view is refused before the work", async () => {
  const link = "dataset=moons&model=gmm&step=10";
  const { out } = train("views", "--link", link);
  const asked = [{ id: "density", grid: 8 }, { id: "losses" }];
  const { status, stdout, stderr } = tealight("view", "--snapshot", path.join(out, "snapshot.safetensors"), "--steps", "10", JSON.stringify(asked));
  assert.equal(status, 0, stderr);
  const { info, layout, values } = JSON.parse(stdout);
  const session = new wasm.Session(JSON.stringify({ dataset: "moons", model: "gmm" }));
  session.step(10);
  assert.deepEqual(layout, JSON.parse(session.prepare(JSON.stringify(asked))));
  const own = new Float32Array(layout.length);
  session.read(own);
  const page = JSON.parse(session.info());
  session.free();
  assert.deepEqual([info.step, info.config, info.extent], [10, page.config, page.extent]);
  values.forEach((x, i) => close(x, own[i], `value ${i}`));
  const refused = tealight("view", '[{"id":"weather"}]', "--steps", "1000000");
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /weather/);
});

test("a run that goes on from its own snapshot is the run that was never cut, bit for bit", () => {
  const link = "dataset=moons&model=vae&events=15:beta:3;25:learningRate:0.001";
  const whole = train("whole", "--link", link, "--steps", "40");
  train("part", "--link", link, "--steps", "20");
  const rest = train("rest", "--resume", path.join(folder, "part/snapshot.safetensors"), "--link", link, "--steps", "4e1");
  assert.ok(whole.file("snapshot.safetensors").equals(rest.file("snapshot.safetensors")));
  // The experiment beside the snapshot tells the story, if it is that of the snapshot.
  const told = train("told", "--json", path.join(folder, "whole/experiment.json"));
  assert.ok(whole.file("snapshot.safetensors").equals(told.file("snapshot.safetensors")));
  const alone = train("alone", "--resume", path.join(folder, "part/snapshot.safetensors"), "--steps", "24");
  assert.deepEqual(JSON.parse(alone.file("experiment.json").toString()).events.length, 1);
  const stray = path.join(folder, "stray.safetensors");
  writeFileSync(stray, whole.file("snapshot.safetensors"));
  const unknown = train("unknown", "--resume", stray, "--steps", "45");
  assert.match(unknown.stderr, /the run before this snapshot is not known/);
  assert.ok(!existsSync(path.join(unknown.out, "experiment.json")));
});

test("what is moved into its range is said, and what cannot be is refused with a sentence", () => {
  const { stderr } = train("moved", "--link", "dataset=ring&model=vae&beta=99&events=1:beta:-5", "--steps", "2");
  assert.match(stderr, /beta = 99 is not allowed here: 20 is used/);
  assert.match(stderr, /1:beta = -5 is not allowed here: 0 is used/);
  const bad = path.join(folder, "bad.json");
  const snapshot = path.join(folder, "moved/snapshot.safetensors");
  writeFileSync(bad, '{"tealight":"99.0.0","config":{}}');
  for (const [args, words] of [
    [["--steps", "2.5"], /a whole number/],
    [["--steps", "many"], /a number of steps is needed/],
    [["--json", bad], /bad\.json: tealight = 99\.0\.0 is newer/],
    [["--json", "nowhere.json"], /cannot read nowhere\.json/],
    [["--resume", bad], /bad\.json: this file cannot be used/],
    [["--resume", snapshot, "--steps", "1"], /is at step 2, beyond 1/],
    [["--resume", snapshot, "--link", "dataset=ring&model=vae"], /of another run: at step 2 it has beta = 0, and the experiment beta = 1/],
    [["--link", "dataset=ring", "--model", "gan"], /cannot be used with/],
    [["--model", "gan", "--set", "batchSize=0"], /batchSize = 0 is outside 1\.\.=1024/],
  ]) {
    const { status, stderr } = tealight("train", ...args, "--out", path.join(folder, "refused"));
    assert.notEqual(status, 0, args.join(" "));
    assert.match(stderr, words);
    assert.doesNotMatch(stderr, /panicked/);
  }
});

/** A Python with numpy and safetensors; that there is none is a failure, not a reason to skip. */
function python(...args) {
  const found = findPython();
  assert.ok(found, 'these tests need Python 3 with numpy and safetensors: run "node tools/setup.mjs --tests", or name one with TEALIGHT_PYTHON');
  return spawnSync(found, args, { cwd: folder, encoding: "utf8" });
}

const sampled = ["dataset=ring&model=vae", "dataset=digits&model=vae&conditional=true", "dataset=moons&model=vae&variance=fixed&activation=gelu",
  "dataset=ring&model=gan", "dataset=digits&model=gan&prior=uniform&conditional=true", "dataset=ring&model=gan&activation=elu&latentDim=3",
  "dataset=moons&model=diffusion", "dataset=moons&model=diffusion&sampler=ddpm&prediction=velocity&schedule=linear",
  "dataset=digits&model=diffusion&networkShape=32,32&conditional=true&samplingSteps=5", "dataset=moons&model=flow-matching",
  "dataset=digits&model=flow-matching&networkShape=32&solver=rk4&samplingSteps=3"];

test("exported weights give the exported samples in Python, without PyTorch", () => {
  for (const [i, link] of sampled.entries()) {
    const { out } = train(`python${i}`, "--link", link, "--steps", "30");
    const { status, stdout, stderr } = python(path.join(root, "examples/load_in_python.py"), path.join(out, "weights.safetensors"), path.join(out, "samples.csv"));
    assert.equal(status, 0, `${link}: ${stdout}${stderr}`);
    const far = Number(/at most (\S+) from/.exec(stdout)?.[1]);
    assert.ok(far <= 1e-4, `${link}: ${stdout}`);
  }
  const { status, stderr } = python(path.join(root, "examples/load_in_python.py"), path.join(folder, "gan/snapshot.safetensors"));
  assert.notEqual(status, 0);
  assert.match(stderr, /no weights that Tealight exported/);
});

test("the PyTorch programs parse, and rebuild what was exported, layer by layer", () => {
  const code = path.join(folder, "programs");
  writePrograms(code);
  const names = readdirSync(code).filter((name) => name.endsWith(".py")).sort();
  const links = [...sampled, "dataset=moons&model=flow", "dataset=moons&model=flow&tailBound=2", "dataset=digits&model=flow&flowLayers=3", "dataset=moons&model=flow&transform=autoregressive&networkShape=8",
    "dataset=moons&model=autoregressive", "dataset=digits&model=autoregressive&networkShape=32", "dataset=digits&model=autoregressive&cell=pixelCnn&width=5",
    "dataset=words&model=autoregressive&width=8", "dataset=words&model=autoregressive&cell=gru&width=8"];
  const seen = new Set();
  for (const [i, link] of links.entries()) {
    const model = /model=([\w-]+)/.exec(link)?.[1];
    const { out } = train(`code${i}`, "--link", link, "--steps", "2");
    const { status, stdout, stderr } = python(path.join(code, `${model}.py`), path.join(out, "weights.safetensors"), "--check");
    assert.equal(status, 0, `${link}: ${stderr}`);
    assert.match(stdout, /all as they should be/);
    seen.add(`${model}.py`);
  }
  assert.deepEqual([...seen].sort(), names);
  // Weights of something else, or of a variant that is not covered, are refused with a sentence.
  for (const [link, program, words] of [["dataset=digits&model=vae&net=conv&channels=2", "vae", /net = conv is not covered here/], ["dataset=ring&model=vae", "gan", /this program is for gan/]]) {
    const { out } = train("uncovered", "--link", link, "--steps", "1");
    const { status, stderr } = python(path.join(code, `${program}.py`), path.join(out, "weights.safetensors"), "--check");
    assert.equal(status, 1);
    assert.match(stderr, words);
  }
  // Each is one file that runs by itself: no part is left out, and there is one in Rust for each in Python.
  const rust = readdirSync(code).filter((name) => name.endsWith(".rs")).sort();
  assert.deepEqual(rust, names.map((name) => name.replace(/py$/, "rs")));
  for (const name of [...names, ...rust]) assert.doesNotMatch(readFileSync(path.join(code, name), "utf8"), /^(#|\/\/) include /m, name);
});
