/** @file The workloads in TensorFlow.js, with fused layers where it has them and its own Adam. */
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";

/** @param {string} backend @param {string} base Where the wasm files are. */
export async function start(backend, base) {
  setWasmPaths(base);
  if (!(await tf.setBackend(backend).catch(() => false))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  await tf.ready();
  if (tf.getBackend() !== backend) throw new Error(`TensorFlow.js has no backend ${backend} here`);
}

const variable = (shape, inputs) => {
  const bound = 1 / Math.sqrt(inputs);
  return tf.variable(tf.randomUniform(shape, -bound, bound));
};
const layer = (inputs, outputs) => [variable([inputs, outputs], inputs), tf.variable(tf.zeros([outputs]))];
const kernel = (inputs, outputs) => [variable([3, 3, inputs, outputs], 9 * inputs), tf.variable(tf.zeros([outputs]))];
const layers = (...sizes) => sizes.slice(1).map((outputs, i) => layer(sizes[i], outputs));
const linear = ([b, bias], a, activation) => tf.fused.matMul({ a, b, bias, activation });

/** Fully connected layers with ReLU between them. */
const mlp = (net, xs) => net.reduce((ys, it, i) => linear(it, ys, i + 1 < net.length ? "relu" : "linear"), xs);

const squaredError = (xs, ys) => xs.sub(ys).square().sum().div(xs.shape[0]);
/** ln(1 + eˣ) without overflow. */
const softplus = (xs) => xs.relu().add(xs.abs().neg().exp().add(1).log());
const crossEntropy = (logits, targets) => softplus(logits).sub(logits.mul(targets)).sum().div(logits.shape[0]);
const gaussianKl = (mean, logStd) => {
  const twice = logStd.mul(2);
  return twice.exp().add(mean.square()).sub(1).sub(twice).sum().mul(0.5 / mean.shape[0]);
};
const indices = (n, below) => tf.tensor1d(Int32Array.from({ length: n }, () => Math.floor(below * Math.random())), "int32");
const batchOf = (data, n) => data.gather(indices(n, data.shape[0]));

/** A model with one loss. */
function single(net, loss) {
  const [optimizer, variables] = [tf.train.adam(1e-3, 0.9, 0.999, 1e-8), net.flat()];
  return (data) => optimizer.minimize(() => loss(data), true, variables);
}

function vae(size, [first, last], latent, n, error) {
  const [encoder, decoder] = [layers(size, first, last), layers(latent, last, first, size)];
  const [meanOf, logStdOf] = [layer(last, latent), layer(last, latent)];
  return single([...encoder, meanOf, logStdOf, ...decoder], (data) => {
    const xs = batchOf(data, n);
    const features = mlp(encoder, xs).relu();
    const [mean, logStd] = [linear(meanOf, features, "linear"), linear(logStdOf, features, "linear")];
    const z = mean.add(logStd.exp().mul(tf.randomNormal([n, latent])));
    return error(mlp(decoder, z), xs).add(gaussianKl(mean, logStd));
  });
}

function gan(n) {
  const [g, d] = [layers(2, 64, 64, 2), layers(2, 64, 64, 1)];
  const [optimizerG, optimizerD] = [0, 1].map(() => tf.train.adam(1e-3, 0.9, 0.999, 1e-8));
  return (data) => {
    const fake = mlp(g, tf.randomNormal([n, 2]));
    const lossD = optimizerD.minimize(
      () => softplus(mlp(d, batchOf(data, n)).neg()).mean().add(softplus(mlp(d, fake)).mean()), true, d.flat());
    optimizerG.minimize(() => softplus(mlp(d, mlp(g, tf.randomNormal([n, 2]))).neg()).mean(), false, g.flat());
    return lossD;
  };
}

function ddpm(n, times) {
  const net = layers(2 + times.width, 128, 128, 128, 2);
  const [signal, spread] = [tf.tensor2d(times.signal, [times.count, 1]), tf.tensor2d(times.spread, [times.count, 1])];
  const embedding = tf.tensor2d(times.embedding, [times.count, times.width]);
  return single(net, (data) => {
    const [at, eps] = [indices(n, times.count), tf.randomNormal([n, 2])];
    const noisy = batchOf(data, n).mul(signal.gather(at)).add(eps.mul(spread.gather(at)));
    return squaredError(mlp(net, tf.concat([noisy, embedding.gather(at)], 1)), eps);
  });
}

const convolve = ([filter, bias], x, strides) => tf.conv2d(x, filter, strides, strides === 2 ? [[0, 0], [1, 1], [1, 1], [0, 0]] : "same").add(bias);
const double = (xs) => tf.image.resizeNearestNeighbor(xs, [2 * xs.shape[1], 2 * xs.shape[2]]);

function convolutional(n, latent) {
  const inner = 7 * 7 * 32;
  const [down, up] = [[kernel(1, 16), kernel(16, 32)], [kernel(32, 16), kernel(16, 1)]];
  const [meanOf, logStdOf, widen] = [layer(inner, latent), layer(inner, latent), layer(latent, inner)];
  return single([...down, meanOf, logStdOf, widen, ...up], (data) => {
    const xs = batchOf(data, n);
    const maps = convolve(down[0], xs.reshape([n, 28, 28, 1]), 2).relu();
    const features = convolve(down[1], maps, 2).relu().reshape([n, inner]);
    const [mean, logStd] = [linear(meanOf, features, "linear"), linear(logStdOf, features, "linear")];
    const z = mean.add(logStd.exp().mul(tf.randomNormal([n, latent])));
    const wide = linear(widen, z, "relu").reshape([n, 7, 7, 32]);
    const upper = convolve(up[0], double(wide), 1).relu();
    const logits = convolve(up[1], double(upper), 1).reshape([n, 784]);
    return crossEntropy(logits, xs).add(gaussianKl(mean, logStd));
  });
}

/** @param {string} id @param {Float32Array} rows @param {{size: number, times: object}} shared */
export async function open(id, rows, { size, times }) {
  const model = {
    w1: () => vae(2, [64, 64], 2, 256, squaredError),
    w2: () => gan(256),
    w3: () => vae(64, [128, 128], 8, 64, crossEntropy),
    w4: () => vae(784, [256, 256], 16, 64, crossEntropy),
    w5: () => ddpm(256, times),
    w6: () => convolutional(32, 16),
  }[id]();
  const data = tf.tensor2d(rows, [rows.length / size, size]);
  return async (steps) => {
    let value;
    for (let i = 0; i < steps; i++) {
      value?.dispose();
      value = tf.tidy(() => model(data));
    }
    const [loss] = await value.data();
    value.dispose();
    return loss;
  };
}
