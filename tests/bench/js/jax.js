/** @file The workloads in jax-js: one compiled function a step, as its examples train. */
import { defaultDevice, init, jit, nn, numpy as np, lax, random, valueAndGrad } from "@jax-js/jax";

const [BETA1, BETA2, RATE] = [0.9, 0.999, 1e-3];

export async function start() {
  const devices = await init("wasm");
  if (!devices.includes("wasm")) throw new Error("jax-js has no wasm device here");
  defaultDevice("wasm");
}

/** Uniform in ±1/√inputs, for weights (inputs, outputs). */
function layer(inputs, outputs) {
  const bound = 1 / Math.sqrt(inputs);
  const values = Float32Array.from({ length: inputs * outputs }, () => bound * (2 * Math.random() - 1));
  return [np.array(values).reshape([inputs, outputs]), np.zeros([outputs])];
}

function kernel(inputs, outputs) {
  const bound = 1 / Math.sqrt(9 * inputs);
  const values = Float32Array.from({ length: 9 * inputs * outputs }, () => bound * (2 * Math.random() - 1));
  return [np.array(values).reshape([outputs, inputs, 3, 3]), np.zeros([outputs])];
}

const layers = (...sizes) => sizes.slice(1).map((outputs, i) => layer(sizes[i], outputs));
const linear = ([weight, bias], xs) => np.dot(xs, weight).add(bias);

/** Fully connected layers with ReLU between them. */
const mlp = (net, xs) => net.reduce((ys, it, i) => linear(it, i > 0 ? nn.relu(ys) : ys), xs);

/** Every array of a network, once more: functions take what they are given. */
const again = (net) => net.map((layer) => layer.map((it) => it.ref));

const squaredError = (xs, ys) => {
  const n = xs.shape[0];
  return np.square(xs.sub(ys)).sum().div(n);
};
/** ln(1 + eˣ) without overflow. */
const softplus = (xs) => nn.relu(xs.ref).add(np.log1p(np.exp(np.abs(xs).neg())));
const crossEntropy = (logits, targets) => {
  const n = logits.shape[0];
  return softplus(logits.ref).sub(logits.mul(targets)).sum().div(n);
};
const gaussianKl = (mean, logStd) => {
  const n = mean.shape[0];
  const twice = logStd.mul(2);
  return np.exp(twice.ref).add(np.square(mean)).sub(1).sub(twice).sum().mul(0.5 / n);
};

const batchOf = (data, key, n) => {
  const count = data.shape[0];
  return np.take(data, random.randint(key, { minval: 0, maxval: count, shape: [n] }), 0);
};

/** Two keys from one. */
function split(key) {
  const keys = random.split(key, 2);
  return [keys.ref.slice(0), keys.slice(1)];
}

/** A batch and one normal draw for each latent. */
const batchAndNormals = (n, latent) => (data, key) => {
  const [which, noise] = split(key);
  return [batchOf(data, which, n), random.normal(noise, [n, latent])];
};

/** Adam on a list of layers; `rate` and `spread` carry the corrections of the moments' bias. */
function adam(net, gradients, moments, rate, spread) {
  const next = { net: [], moments: [] };
  net.forEach((layer, i) => {
    const both = layer.map((p, j) => {
      const [m, v] = moments[i][j];
      const g = gradients[i][j];
      const m1 = m.mul(BETA1).add(g.ref.mul(1 - BETA1));
      const v1 = v.mul(BETA2).add(np.square(g).mul(1 - BETA2));
      const update = m1.ref.mul(rate.ref).div(np.sqrt(v1.ref).mul(spread.ref).add(1e-8));
      return [p.sub(update), [m1, v1]];
    });
    next.net.push(both.map(([p]) => p));
    next.moments.push(both.map(([, moments]) => moments));
  });
  rate.dispose();
  spread.dispose();
  return next;
}

const blank = (net) => net.map((layer) => layer.map((it) => [np.zeros(it.shape), np.zeros(it.shape)]));

/**
 * A model with one loss of its network and of what `draw` draws. Drawn outside of what is differentiated: inside, this
 * version's gradients do not belong to the draws of its values.
 */
function single(net, draw, loss) {
  const gradient = valueAndGrad(loss);
  const step = jit((net, moments, data, key, rate, spread) => {
    const [value, gradients] = gradient(again(net), ...draw(data, key));
    return [value, adam(net, gradients, moments, rate, spread)];
  });
  let state = { net, moments: blank(net) };
  return (data, key, rate, spread) => {
    const [value, next] = step(state.net, state.moments, data.ref, key, rate, spread);
    state = next;
    return value;
  };
}

function vae(size, hidden, latent, n, error) {
  const [first, last] = hidden;
  const net = [...layers(size, first, last), layer(last, latent), layer(last, latent), ...layers(latent, last, first, size)];
  return single(net, batchAndNormals(n, latent), (net, xs, eps) => {
    const features = nn.relu(mlp(net.slice(0, 2), xs.ref));
    const [mean, logStd] = [linear(net[2], features.ref), linear(net[3], features)];
    const z = mean.ref.add(np.exp(logStd.ref).mul(eps));
    return error(mlp(net.slice(4), z), xs).add(gaussianKl(mean, logStd));
  });
}

function gan(n) {
  const lossD = valueAndGrad((d, real, fake) => {
    const logits = mlp(d, np.concatenate([real, fake], 0));
    const [a, b] = [logits.ref.slice([0, n]), logits.slice([n, 2 * n])];
    return softplus(a.neg()).mean().add(softplus(b).mean());
  });
  const lossG = valueAndGrad((g, d, z) => softplus(mlp(d, mlp(g, z)).neg()).mean());
  const step = jit((g, d, momentsG, momentsD, data, key, rate, spread) => {
    const [which, noise] = split(key);
    const [first, second] = split(noise);
    const fake = mlp(again(g), random.normal(first, [n, 2]));
    const [valueD, gradientsD] = lossD(again(d), batchOf(data, which, n), fake);
    const nextD = adam(d, gradientsD, momentsD, rate.ref, spread.ref);
    const [valueG, gradientsG] = lossG(again(g), again(nextD.net), random.normal(second, [n, 2]));
    valueG.dispose();
    return [valueD, adam(g, gradientsG, momentsG, rate, spread), nextD];
  });
  const [g, d] = [layers(2, 64, 64, 2), layers(2, 64, 64, 1)];
  let [stateG, stateD] = [{ net: g, moments: blank(g) }, { net: d, moments: blank(d) }];
  return (data, key, rate, spread) => {
    const [value, nextG, nextD] = step(stateG.net, stateD.net, stateG.moments, stateD.moments, data.ref, key, rate, spread);
    [stateG, stateD] = [nextG, nextD];
    return value;
  };
}

function ddpm(n, times) {
  const table = (values, width) => np.array(values).reshape([times.count, width]);
  const [signal, spread, embedding] = [table(times.signal, 1), table(times.spread, 1), table(times.embedding, times.width)];
  const draw = (data, key) => {
    const [which, rest] = split(key);
    const [when, noise] = split(rest);
    const at = random.randint(when, { minval: 0, maxval: times.count, shape: [n] });
    const eps = random.normal(noise, [n, 2]);
    const kept = batchOf(data, which, n).mul(np.take(signal.ref, at.ref, 0));
    const noisy = kept.add(eps.ref.mul(np.take(spread.ref, at.ref, 0)));
    return [np.concatenate([noisy, np.take(embedding.ref, at, 0)], 1), eps];
  };
  return single(layers(2 + times.width, 128, 128, 128, 2), draw, (net, inputs, eps) => squaredError(mlp(net, inputs), eps));
}

const convolve = ([weight, bias], xs, stride) => {
  const outputs = weight.shape[0];
  return lax.convGeneralDilated(xs, weight, [stride, stride], [[1, 1], [1, 1]]).add(bias.reshape([1, outputs, 1, 1]));
};
const double = (xs) => np.repeat(np.repeat(xs, 2, 2), 2, 3);

function convolutional(n, latent) {
  const inner = 32 * 7 * 7;
  const net = [kernel(1, 16), kernel(16, 32), layer(inner, latent), layer(inner, latent), layer(latent, inner), kernel(32, 16), kernel(16, 1)];
  return single(net, batchAndNormals(n, latent), ([down0, down1, meanOf, logStdOf, widen, up0, up1], xs, eps) => {
    const maps = nn.relu(convolve(down0, xs.ref.reshape([n, 1, 28, 28]), 2));
    const features = nn.relu(convolve(down1, maps, 2)).reshape([n, inner]);
    const [mean, logStd] = [linear(meanOf, features.ref), linear(logStdOf, features)];
    const z = mean.ref.add(np.exp(logStd.ref).mul(eps));
    const wide = nn.relu(linear(widen, z)).reshape([n, 32, 7, 7]);
    const upper = nn.relu(convolve(up0, double(wide), 1));
    const logits = convolve(up1, double(upper), 1).reshape([n, 784]);
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
  const data = np.array(rows).reshape([rows.length / size, size]);
  let count = 0;
  return async (steps) => {
    let value;
    for (let i = 0; i < steps; i++) {
      count += 1;
      value?.dispose();
      const rate = RATE / (1 - BETA1 ** count);
      value = model(data, random.key(count), np.array(rate), np.array(1 / Math.sqrt(1 - BETA2 ** count)));
    }
    const [loss] = await value.data();
    return loss;
  };
}
