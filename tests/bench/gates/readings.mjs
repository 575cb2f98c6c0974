/**
 * @file What a gate reads: a number made of what the exports give of a run, the same in the browser and natively.
 *
 * Where a number can be had by a way of its own, it is: masses are summed here, kernels and a machine's normaliser are
 * computed here from rows and weights, in double precision.
 */

/**
 * What is known of a run that ended.
 * @typedef {object} Found
 * @property {number} seconds From the making of the session to its last step.
 * @property {any} info
 * @property {{shape: number[], values: ArrayLike<number>}[]} views In the order of the requests.
 * @property {any[]} scores Empty unless asked for.
 * @property {Map<string, number[]>} weights Empty unless asked for.
 */

/** Which views a reading needs, as the page asks for them. @param {any} read @returns {any[]} */
function requestsOf(read) {
  if ("loss" in read || "rise" in read || "trace" in read) return [{ id: "losses" }];
  if ("mass" in read) return [{ id: "density", grid: read.mass }];
  if ("kernels" in read) return [{ id: "density", grid: read.kernels }, { id: "real", n: read.rows }];
  if ("classes" in read) return [{ id: "classes", n: read.classes }, { id: "real", n: read.rows }, { id: "realLabels", n: read.rows }];
  if ("machine" in read) return [{ id: "conditionals", n: read.machine }];
  if ("reconstruction" in read) return [{ id: "reconstruct", n: read.reconstruction }];
  return [];
}

/** What the gates of a run need of it: views, each once, scores and weights. @param {{read: any}[]} gates */
export function needsOf(gates) {
  const texts = new Set(gates.flatMap(({ read }) => requestsOf(read).map((request) => JSON.stringify(request))));
  const any = (/** @type {string} */ kind) => gates.some(({ read }) => kind in read);
  return { views: [...texts].map((text) => JSON.parse(text)), scores: any("score"), weights: any("weights") || any("machine") };
}

const sum = (/** @type {number[]} */ xs) => xs.reduce((total, x) => total + x, 0);
const softplus = (/** @type {number} */ x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Rows of so many values. @param {ArrayLike<number>} values @param {number} size */
function rowsOf(values, size) {
  return Array.from({ length: values.length / size }, (_, i) => Array.from({ length: size }, (_, j) => values[i * size + j]));
}

const squared = (/** @type {number[]} */ a, /** @type {number[]} */ b) => sum(a.map((x, i) => (x - b[i]) ** 2));

/** The centres of a grid's cells over the extent, as the view has them. @param {number[]} extent @param {number} grid */
function cellsOf([x0, x1, y0, y1], grid) {
  const at = (low, high, i) => low + ((high - low) * (i + 0.5)) / grid;
  return Array.from({ length: grid * grid }, (_, i) => [at(x0, x1, i % grid), at(y0, y1, Math.floor(i / grid))]);
}

/** A loss at the steps of the history. */
function lossOf({ info }, { shape: [, columns], values }, id) {
  const series = 1 + info.losses.findIndex((loss) => loss.id === id);
  if (series === 0) throw new Error(`there is no loss ${id}`);
  return Array.from({ length: columns }, (_, i) => ({ step: values[i], loss: values[series * columns + i] }));
}

/** The share of samples of each class that lie where rows of that class do. */
function shareOfClass({ info, views: [classes, real, labels] }, { within }) {
  const [count, n, size] = classes.shape;
  const rows = rowsOf(real.values, size);
  const rowLabels = Array.from(labels.values);
  const mean = (/** @type {number} */ label) => {
    const own = rows.filter((_, i) => rowLabels[i] === label);
    return own[0].map((_, j) => sum(own.map((row) => row[j])) / own.length);
  };
  const centres = within ? Array.from({ length: info.classes }, (_, label) => mean(label)) : [];
  const nearest = (sample) => {
    const distances = rows.map((row) => squared(row, sample));
    return rowLabels[distances.indexOf(Math.min(...distances))];
  };
  const right = rowsOf(classes.values, size).filter((sample, i) => {
    const asked = Math.floor(i / n);
    return within ? squared(sample, centres[asked]) < within ** 2 : nearest(sample) === asked;
  });
  return right.length / (count * n);
}

/** The mean of log p over rows of bits, of a machine with few hidden units: its normaliser is a sum over all their states. */
function machineLikelihood(weights, rows) {
  const w = rowsOf(weights.get("hidden.weight"), rows[0].length);
  const [c, b] = [weights.get("hidden.bias"), weights.get("visible.bias")];
  const given = (bits) => sum(c.map((x, j) => (bits >>> j & 1) * x)) + sum(b.map((x, i) => softplus(x + sum(w.map((row, j) => (bits >>> j & 1) * row[i])))));
  let [most, total] = [-Infinity, 0];
  for (let bits = 0; bits < 2 ** c.length; bits++) {
    const log = given(bits);
    total = log > most ? total * Math.exp(most - log) + 1 : total + Math.exp(log - most);
    most = Math.max(most, log);
  }
  const logZ = most + Math.log(total);
  const free = (row) => sum(row.map((x, i) => x * b[i])) + sum(w.map((to, j) => softplus(c[j] + sum(to.map((x, i) => x * row[i])))));
  return sum(rows.map((row) => free(row) - logZ)) / rows.length;
}

/** How far the log-density of the view is from that of kernels on the rows, at most, where there is any. */
function farFromKernels({ info: { extent }, views: [density, real] }, width) {
  const rows = rowsOf(real.values, 2);
  const scale = Math.log(rows.length * 2 * Math.PI * width ** 2);
  const errors = cellsOf(extent, density.shape[0]).map((cell, i) => {
    const exponents = rows.map((row) => -squared(row, cell) / (2 * width ** 2));
    const most = Math.max(...exponents);
    return Math.abs(most + Math.log(sum(exponents.map((x) => Math.exp(x - most)))) - scale - density.values[i]);
  });
  return Math.max(...errors);
}

/** Σ −log p of the real rows under independent coins with the reconstruction's chances, averaged over rows. */
function coinLoss({ shape: [, n, size], values }) {
  const losses = Array.from({ length: n * size }, (_, i) => {
    const chance = Math.min(Math.max(values[n * size + i], 1e-12), 1 - 1e-12);
    return values[i] >= 0.5 ? -Math.log(chance) : -Math.log1p(-chance);
  });
  return sum(losses) / n;
}

/**
 * The number that a gate is about.
 * @param {any} read @param {Found} found @param {any[]} requests What the views of `found` are.
 */
export function reading(read, found, requests) {
  const own = requestsOf(read).map((wanted) => found.views[requests.findIndex((request) => JSON.stringify(request) === JSON.stringify(wanted))]);
  const at = { ...found, views: own };
  if ("score" in read) {
    const score = found.scores.find(({ id }) => id === read.score);
    if (!score) throw new Error(`there is no score ${read.score}`);
    const { less, plus = 0, times = 1 } = read;
    return (score.value - (less ? score[less] : 0)) * times + plus;
  }
  if ("loss" in read) {
    const wanted = [read.loss].flat();
    const parts = wanted.map((id) => lossOf(at, own[0], id).filter(({ step }) => step > found.info.step - read.last).map(({ loss }) => loss));
    return sum(parts.map((part) => sum(part) / part.length));
  }
  if ("rise" in read) {
    const losses = lossOf(at, own[0], read.rise).map(({ loss }) => loss);
    return Math.max(...losses.slice(1).map((loss, i) => loss - losses[i]));
  }
  if ("trace" in read) {
    // The loss of a step is that of the model before it.
    const losses = new Map(lossOf(at, own[0], read.trace).map(({ step, loss }) => [step - 1, loss]));
    return Math.max(...Object.entries(read.is).map(([step, loss]) => Math.abs((losses.get(Number(step)) ?? NaN) - loss)));
  }
  if ("mass" in read) {
    const [x0, x1, y0, y1] = found.info.extent;
    return (sum(Array.from(own[0].values, Math.exp)) * (x1 - x0) * (y1 - y0)) / read.mass ** 2;
  }
  if ("kernels" in read) return farFromKernels(at, read.width);
  if ("classes" in read) return shareOfClass(at, read);
  if ("weights" in read) return Math.max(...(found.weights.get(read.weights) ?? [NaN]).map((x) => Math.abs(x - read.from)));
  if ("machine" in read) {
    const [, n, size] = own[0].shape;
    return machineLikelihood(found.weights, rowsOf(own[0].values, size).slice(0, n));
  }
  if ("reconstruction" in read) return coinLoss(own[0]);
  throw new Error(`what is ${JSON.stringify(read)}?`);
}

/**
 * What the exports give of a run, unpacked.
 * @param {{seconds: number, info: any, scores: any[], sections: {offset: number, shape: number[]}[], buffer: ArrayLike<number>, weights: Uint8Array}} given
 * @returns {Found}
 */
export function unpacked({ seconds, info, scores, sections, buffer, weights }) {
  const values = Array.from(buffer);
  const views = sections.map(({ offset, shape }) => ({ shape, values: values.slice(offset, offset + shape.reduce((all, n) => all * n, 1)) }));
  return { seconds, info, views, scores, weights: tensorsOf(weights) };
}

/** The tensors of a safetensors file, in single precision; none of no file. @param {Uint8Array} bytes */
function tensorsOf(bytes) {
  if (bytes.length === 0) return new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return new Map(Object.entries(header).filter(([name, { dtype }]) => name !== "__metadata__" && dtype === "F32").map(([name, { data_offsets: [from, to] }]) =>
    [name, Array.from({ length: (to - from) / 4 }, (_, i) => view.getFloat32(8 + length + from + 4 * i, true))]));
}
