/**
 * @file The workloads that every contender runs: f32, ReLU, Adam at 1e-3, the same sizes, batches, losses and rows.
 */
/**
 * `size` is the number of values a row, `check` the number of steps whose losses are looked at; in a `game` two
 * networks play against each other, and the loss is the discriminator's.
 */
export const workloads = [
  { id: "w1", title: "VAE on points", text: "VAE 2→64→64→(2+2)→64→64→2, batch 256, squared error + KL", size: 2, check: 100 },
  { id: "w2", title: "GAN on points", text: "GAN, G 2→64→64→2, D 2→64→64→1, batch 256, one update of D and one of G, non-saturating", size: 2, check: 100, game: true },
  { id: "w3", title: "VAE 8×8", text: "VAE 64→128→128→(8+8)→128→128→64, batch 64, cross-entropy + KL", size: 64, check: 100 },
  { id: "w4", title: "VAE 28×28", text: "VAE 784→256→256→(16+16)→256→256→784, batch 64, cross-entropy + KL", size: 784, check: 30 },
  { id: "w5", title: "DDPM on points", text: "DDPM, noise predictor (2+32)→128→128→128→2, batch 256, squared error", size: 2, check: 100 },
  { id: "w6", title: "conv VAE 28×28", text: "convolutional VAE 28×28: 1→16→32 (3×3, stride 2), 16+16, 32×7×7, (double, 3×3) 32→16→1, batch 32", size: 784, check: 30 },
];

/** Multiplications and additions in the matrix products of a W4 step: forward, and backward to weights and inputs. */
export const productsOfW4 = () => {
  const layers = [[784, 256], [256, 256], [256, 16], [256, 16], [16, 256], [256, 256], [256, 784]];
  const parameters = layers.reduce((sum, [inputs, outputs]) => sum + (inputs + 1) * outputs, 0);
  return { parameters, operations: 3 * 2 * parameters * 64 };
};

/** Numbers in [0, 1) that are the same in every run (xorshift32). @param {number} seed */
function random(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** 4,096 points of eight Gaussians on a circle, farther out than the prior reaches. */
function ring() {
  const draw = random(7);
  const point = () => {
    const [turn, radius, angle] = [Math.floor(8 * draw()), 0.1 * Math.sqrt(-2 * Math.log(1 - draw())), 2 * Math.PI * draw()];
    const at = (2 * Math.PI * turn) / 8;
    return [3 * Math.cos(at) + radius * Math.cos(angle), 3 * Math.sin(at) + radius * Math.sin(angle)];
  };
  return new Float32Array(Array.from({ length: 4096 }, point).flat());
}

/** The project's handwritten digits, 8×8 values in 0..=1, as the package gives them out. */
async function digits() {
  const { catalog, wasm } = await import("../js/wasm.mjs");
  const images = catalog.datasets.find(({ shape }) => shape.width === 8 && shape.height === 8);
  return new wasm.Source(JSON.stringify({ dataset: images.id }), 1024).rows(1024);
}

/** The digits at 28×28, bilinear. @param {Float32Array} small */
function enlarged(small) {
  const count = small.length / 64;
  const large = new Float32Array(count * 784);
  const between = Array.from({ length: 28 }, (_, i) => {
    const at = Math.min(7, Math.max(0, ((i + 0.5) * 8) / 28 - 0.5));
    const low = Math.min(6, Math.floor(at));
    return { low, part: at - low };
  });
  for (let image = 0; image < count; image++) {
    const pixel = (y, x) => small[image * 64 + y * 8 + x];
    for (let i = 0; i < 784; i++) {
      const [v, u] = [between[Math.floor(i / 28)], between[i % 28]];
      const row = (y) => (1 - u.part) * pixel(y, u.low) + u.part * pixel(y, u.low + 1);
      large[image * 784 + i] = (1 - v.part) * row(v.low) + v.part * row(v.low + 1);
    }
  }
  return large;
}

/** The rows of each size, as files name them. @returns {Promise<Record<number, Float32Array>>} */
export async function rows() {
  const small = await digits();
  return { 2: ring(), 64: small, 784: enlarged(small) };
}

/** What W5 knows of each of its times: √ᾱ, √(1 − ᾱ) for β from 1e-4 to 0.2, and sines and cosines. */
export function times() {
  const [count, width] = [100, 32];
  const table = { count, width, signal: [], spread: [], embedding: [] };
  let kept = 1;
  for (let t = 0; t < count; t++) {
    kept *= 1 - (1e-4 + ((0.2 - 1e-4) * t) / (count - 1));
    table.signal.push(Math.sqrt(kept));
    table.spread.push(Math.sqrt(1 - kept));
    const angles = Array.from({ length: width / 2 }, (_, i) => t * 10_000 ** (-i / (width / 2)));
    table.embedding.push(...angles.map(Math.sin), ...angles.map(Math.cos));
  }
  return table;
}
