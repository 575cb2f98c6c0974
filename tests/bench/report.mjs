/**
 * @file What the benchmark prints, writes to `bench/results.json`, and puts into the README.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Sentence, heading, root, say } from "../../tools/console.mjs";
import { median } from "./compare.mjs";
import { productsOfW4, workloads } from "./workloads.mjs";

const digits = (ms) => (ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2));

/** @param {import("./compare.mjs").Result[]} results */
const finder = (results) => (contender, workload) => {
  const found = results.find((it) => it.contender === contender && it.workload === workload);
  return found && found.rounds.length > 0 ? median(found.rounds) : null;
};

/**
 * How many times Tealight's step another takes: the median of the rounds' own ratios, because a machine that others use
 * is quicker in one round than in the next, for all contenders alike.
 * @param {import("./compare.mjs").Result[]} results
 */
const comparer = (results) => (contender, workload) => {
  const roundsOf = (id) => results.find((it) => it.contender === id && it.workload === workload)?.rounds ?? [];
  const [own, other] = [roundsOf("tealight"), roundsOf(contender)];
  const ratios = own.slice(0, other.length).map((ms, round) => other[round] / ms);
  return ratios.length > 0 ? median(ratios) : null;
};

/** W4's rate against the roof: both in GFLOP/s, and the share. */
function roofShare(results, roof) {
  const ms = finder(results)("tealight", "w4");
  if (ms === null || roof.length === 0) return null;
  const rate = productsOfW4().operations / ms / 1e6;
  return { rate, roof: median(roof), share: rate / median(roof) };
}

/** Prints medians with the smallest and the largest round, and each as a multiple of Tealight's. */
export function print({ results, roof, chosen, only }) {
  const ratio = comparer(results);
  const columns = workloads.filter(({ id }) => only.includes(id));
  const line = (title, cells, width) => say(`${title.padEnd(30)}${cells.map((cell) => cell.padStart(width)).join("")}`);
  heading("A step costs so many times Tealight's");
  line("", columns.map(({ id }) => id.toUpperCase()), 9);
  for (const { id, title } of chosen) {
    line(title, columns.map((column) => {
      const times = ratio(id, column.id);
      return times === null ? "–" : `${times.toFixed(2)}×`;
    }), 9);
  }
  heading("Milliseconds per step: median (smallest–largest round)");
  line("", columns.map(({ id }) => id.toUpperCase()), 22);
  for (const { id, title } of chosen) {
    line(title, columns.map((column) => {
      const rounds = results.find((it) => it.contender === id && it.workload === column.id)?.rounds ?? [];
      if (rounds.length === 0) return "–";
      return `${digits(median(rounds))} (${digits(Math.min(...rounds))}–${digits(Math.max(...rounds))})`;
    }), 22);
  }
  const share = roofShare(results, roof);
  if (!share) return;
  heading("W4 against the roof");
  say(`${share.rate.toFixed(1)} GFLOP/s, counting 3 · 2 · parameters · batch a step; the roof is ${share.roof.toFixed(1)}: ${(100 * share.share).toFixed(0)} %`);
}

/** @param {object} report What `compare` found, and what is known of the machine. */
export function write(report) {
  const folder = path.join(root, "bench");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "results.json");
  writeFileSync(file, `${JSON.stringify(report, (_, value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value), 1)}\n`);
  say(`Every round is in ${path.relative(root, file)}.`);
}

/** The README's table, ratios first. */
function markdown({ results, roof, chosen, bytes, machine, memory, starts }) {
  const [find, ratio] = [finder(results), comparer(results)];
  const kilobytes = (count) => (count ? `${Math.round(count / 1000)} KB` : "");
  const own = ["**Tealight**, ms a step", ...workloads.map(({ id }) => {
    const ms = find("tealight", id);
    return ms === null ? "–" : `**${digits(ms)}**`;
  }), kilobytes(bytes.tealight)];
  const others = chosen.filter(({ id }) => id !== "tealight" && workloads.some((workload) => find(id, workload.id) !== null));
  const table = others.map(({ id, title }) => [title, ...workloads.map((workload) => {
    const [times, ms] = [ratio(id, workload.id), find(id, workload.id)];
    return times && ms ? `${times.toFixed(1)}× (${digits(ms)})` : "–";
  }), kilobytes(bytes[id])]);
  const head = ["", ...workloads.map(({ id, title }) => `${id.toUpperCase()} ${title}`), "gzip"];
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const share = roofShare(results, roof);
  const rounds = Math.max(...results.map((result) => result.rounds.length));
  const mib = (count) => `${(count / 2 ** 20).toFixed(1)} MiB`;
  return [
    "How many times Tealight's step each takes, with its milliseconds:",
    "",
    row(head), `|${"---|".repeat(head.length)}`, row(own), ...table.map(row),
    "",
    `Medians of ${rounds} interleaved rounds of one run, of the times and of each round's ratios: ${machine.cpu}, ${machine.browser}, one thread, ${machine.gpu}.`,
    ...(share ? [`W4 at 3 · 2 · parameters · batch a step is ${share.rate.toFixed(1)} GFLOP/s, though what belongs to zeros of relu is not computed; a loop of multiplications and additions in registers reaches ${share.roof.toFixed(1)}.`] : []),
    ...(starts ? [`From the address to the first finished step of training: ${Math.round(median(starts))} ms.`] : []),
    ...(memory ? [`Memory of W1 after 5,000 and 50,000 steps: ${mib(memory.steps.after5000)} and ${mib(memory.steps.after50000)}; after 5 and 50 sessions: ${mib(memory.sessions.after5)} and ${mib(memory.sessions.after50)}.`] : []),
    "",
  ].join("\n");
}

/** Puts the table between the README's markers. */
export function intoReadme(report) {
  const file = path.join(root, "README.md");
  const text = readFileSync(file, "utf8");
  const [start, end] = ["<!-- bench -->\n", "<!-- /bench -->"];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Sentence(`README.md has no ${start.trim()} … ${end}`);
  writeFileSync(file, text.slice(0, from + start.length) + markdown(report) + text.slice(to));
  say("README.md has the new table.");
}
