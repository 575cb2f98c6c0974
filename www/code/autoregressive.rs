//! The autoregressive model that Tealight trained, in Rust with candle.
//!
//! Put this file into `src/main.rs` of a new crate with this in its Cargo.toml:
//!
//! ```toml
//! [dependencies]
//! candle-core = "0.11"
//! candle-nn = "0.11"
//! serde_json = "1"
//! ```
//!
//! and run `cargo run --release -- weights.safetensors`: it reads the configuration and the weights that Tealight's
//! page or command line exported, rebuilds the model and draws the samples that the page shows into samples.csv.

use std::collections::HashMap;
use std::error::Error;

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module};
use serde_json::Value as Json;

const MODEL: &str = "autoregressive";

/// A class from softmax(logits/temperature) over the largest few (0: over all).
fn pick(logits: &[f32], file: &File, rng: &mut Rng) -> Result<usize> {
    let (temperature, few) = (file.number("temperature")?, file.whole("topK")?);
    let mut order: Vec<usize> = (0..logits.len()).collect();
    if few > 0 && few < order.len() {
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
        order.truncate(few);
        order.sort_unstable();
    }
    let top = order.iter().map(|class| f64::from(logits[*class])).fold(f64::NEG_INFINITY, f64::max);
    let weight = |class: usize| ((f64::from(logits[class]) - top) / temperature).exp();
    let mut left = rng.uniform_wide() * order.iter().map(|class| weight(*class)).sum::<f64>();
    let picked = order.iter().find(|class| {
        left -= weight(**class);
        left < 0.0
    });
    Ok(picked.or(order.last()).copied().unwrap_or(0))
}

fn tensor(values: Vec<f32>, n: usize) -> Result<Tensor> {
    let width = values.len() / n.max(1);
    Ok(Tensor::from_vec(values, (n, width), &Device::Cpu)?)
}

/// Points: for each coordinate a mixture of Gaussians from those before it.
fn mixture(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    let (size, k, least) = (file.size(), file.whole("components")?, file.constants("leastLogStd"));
    let mut rows = vec![Vec::new(); n];
    for (i, least) in least.iter().enumerate().take(size) {
        let laws = match i {
            0 => vec![file.tensor("first", &[1, 3 * k])?.to_vec2::<f32>()?.remove(0); n],
            _ => {
                let mut widths = vec![i];
                widths.extend(file.widths());
                widths.push(3 * k);
                let net = file.layers(&format!("coordinate{i}"), &widths, file.text("activation")?, "linear")?;
                net.forward(&tensor(rows.concat(), n)?)?.to_vec2::<f32>()?
            }
        };
        let noise = rng.normals(1, n)?.to_vec2::<f32>()?.remove(0);
        for ((row, law), noise) in rows.iter_mut().zip(laws).zip(noise) {
            let component = pick(&law[..k], file, rng)?;
            let (mean, log_std) = (law[k + component], law[2 * k + component].max(*least));
            let width = f64::from(log_std).exp() * file.number("temperature")?.sqrt();
            row.push(mean + width as f32 * noise);
        }
    }
    tensor(rows.concat(), n)
}

/// Images: a logit for each pixel from those before it, by a network whose other weights are 0 (MADE).
fn made(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    let (size, temperature) = (file.size(), file.number("temperature")?);
    let mut widths = vec![size];
    widths.extend(file.widths());
    widths.push(size);
    let mut net = file.layers("made", &widths, file.text("activation")?, "linear")?;
    let (mut before, last) = ((1..=size).collect::<Vec<_>>(), net.layers.len() - 1);
    for (i, layer) in net.layers.iter_mut().enumerate() {
        let outputs = layer.weight().dim(0)?;
        let after: Vec<usize> = match i == last {
            true => (1..=size).collect(),
            false => (0..outputs).map(|unit| unit % (size - 1).max(1) + 1).collect(),
        };
        let sees = |to: usize, from: usize| to >= from + usize::from(i == last);
        let mask = after.iter().flat_map(|to| before.iter().map(move |from| f32::from(u8::from(sees(*to, *from)))));
        let mask = Tensor::from_vec(mask.collect::<Vec<_>>(), layer.weight().shape(), &Device::Cpu)?;
        *layer = Linear::new((layer.weight() * mask)?, layer.bias().cloned());
        before = after;
    }
    let mut rows = vec![0_f32; n * size];
    for i in 0..size {
        let logits = net.forward(&tensor(rows.clone(), n)?)?.narrow(1, i, 1)?.flatten_all()?.to_vec1::<f32>()?;
        for (row, logit) in rows.chunks_mut(size).zip(logits) {
            let odds = 1.0 + (-f64::from(logit) / temperature).exp();
            row[i] = if rng.uniform_wide() * odds < 1.0 { 1.0 } else { 0.0 };
        }
    }
    tensor(rows, n)
}

/// (x − mean)/√(variance + ε)·w + b over each row.
fn norm(file: &File, name: &str, xs: &Tensor) -> Result<Tensor> {
    let width = xs.dim(1)?;
    let centred = xs.broadcast_sub(&xs.mean_keepdim(1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(1)? + 1e-5)?.sqrt()?;
    let weight = file.tensor(&format!("{name}.weight"), &[width])?;
    let bias = file.tensor(&format!("{name}.bias"), &[width])?;
    Ok(centred.broadcast_div(&deviation)?.broadcast_mul(&weight)?.broadcast_add(&bias)?)
}

/// The rows of a table.
fn rows_of(file: &File, name: &str, count: usize, width: usize, ids: &[u32]) -> Result<Tensor> {
    let table = file.tensor(&format!("{name}.weight"), &[count, width])?;
    Ok(table.index_select(&Tensor::new(ids, &Device::Cpu)?, 0)?)
}

/// Words: the logits of the next token after those so far, by blocks of attention and MLP.
fn transformer(file: &File, n: usize, ids: &[u32]) -> Result<Tensor> {
    let (heads, vocabulary) = (file.whole("heads")?, file.shape("vocabulary"));
    let (width, length) = (file.whole("width")?.next_multiple_of(heads), ids.len() / n);
    let places: Vec<u32> = (0..length as u32).cycle().take(ids.len()).collect();
    let positions = rows_of(file, "positions", file.shape("width"), width, &places)?;
    let mut xs = (rows_of(file, "tokens", vocabulary + 1, width, ids)? + positions)?;
    for block in 0..file.whole("blocks")? {
        let name = |part: &str| format!("blocks.{block}.{part}");
        let packed = file.linear(&name("attention.packed"), width, 3 * width)?;
        // (n·length, 3·width) → three of (n, heads, length, width/heads)
        let packed = packed.forward(&norm(file, &name("norm1"), &xs)?)?.reshape((n, length, 3, heads, width / heads))?;
        let part = |i: usize| packed.narrow(2, i, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
        let scores = (queries.matmul(&keys.transpose(2, 3)?.contiguous()?)? / ((width / heads) as f64).sqrt())?;
        let hidden = (0..length * length).map(|i| if i % length > i / length { -1e30_f32 } else { 0.0 });
        let mask = Tensor::from_vec(hidden.collect::<Vec<_>>(), (length, length), &Device::Cpu)?;
        let weights = candle_nn::ops::softmax(&scores.broadcast_add(&mask)?, 3)?;
        let seen = weights.matmul(&values)?.transpose(1, 2)?.reshape((n * length, width))?;
        xs = (&xs + file.linear(&name("attention.output"), width, width)?.forward(&seen)?)?;
        let inner = file.linear(&name("mlp.0"), width, 4 * width)?.forward(&norm(file, &name("norm2"), &xs)?)?;
        xs = (&xs + file.linear(&name("mlp.1"), 4 * width, width)?.forward(&inner.gelu()?)?)?;
    }
    let last = norm(file, "norm", &xs)?.reshape((n, length, width))?.narrow(1, length - 1, 1)?.squeeze(1)?;
    Ok(file.linear("head", width, vocabulary)?.forward(&last.contiguous()?)?)
}

/// Words: the same by a gated recurrent unit, all tokens so far one after another.
fn gru(file: &File, n: usize, ids: &[u32]) -> Result<Tensor> {
    let (width, vocabulary, length) = (file.whole("width")?, file.shape("vocabulary"), ids.len() / n);
    let (input, state) = (file.linear("gru.input", width, 3 * width)?, file.linear("gru.state", width, 3 * width)?);
    let mut h = Tensor::zeros((n, width), candle_core::DType::F32, &Device::Cpu)?;
    for at in 0..length {
        let tokens: Vec<u32> = ids.chunks(length).map(|word| word[at]).collect();
        let i = input.forward(&rows_of(file, "tokens", vocabulary + 1, width, &tokens)?)?;
        let s = state.forward(&h)?;
        let gate = |k: usize| -> Result<Tensor> {
            Ok(candle_nn::ops::sigmoid(&(i.narrow(1, k * width, width)? + s.narrow(1, k * width, width)?)?)?)
        };
        let (r, z) = (gate(0)?, gate(1)?);
        let new = (i.narrow(1, 2 * width, width)? + (r * s.narrow(1, 2 * width, width)?)?)?.tanh()?;
        h = ((&new - (&z * &new)?)? + (z * h)?)?;
    }
    Ok(file.linear("head", width, vocabulary)?.forward(&h)?)
}

/// Words, token by token. The token that no word holds stands before each; token 0 ends a word.
fn words(file: &File, n: usize, rng: &mut Rng, logits: fn(&File, usize, &[u32]) -> Result<Tensor>) -> Result<Tensor> {
    let (size, start) = (file.size(), file.shape("vocabulary") as u32);
    let mut ids = vec![vec![start]; n];
    let mut open = vec![true; n];
    while ids.iter().any(|word| word.len() <= size) && open.contains(&true) {
        let laws = logits(file, n, &ids.concat())?.to_vec2::<f32>()?;
        for ((word, open), law) in ids.iter_mut().zip(&mut open).zip(laws) {
            // Every word has its draw, so that the end of one does not shift another.
            let token = pick(&law, file, rng)? as u32;
            word.push(if *open { token } else { 0 });
            *open &= token != 0;
        }
    }
    let word = |ids: &Vec<u32>| (1..=size).map(|i| ids.get(i).map_or(0.0, |id| *id as f32)).collect::<Vec<f32>>();
    tensor(ids.iter().flat_map(word).collect(), n)
}

/// Rows drawn value by value.
fn sample(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    match file.text("cell")? {
        "mixture" => mixture(file, n, rng),
        "made" => made(file, n, rng),
        "transformer" => words(file, n, rng, transformer),
        "gru" => words(file, n, rng, gru),
        cell => Err(format!("cell = {cell} is not covered here: mixture, made, gru and transformer are").into()),
    }
}

// --- what every program of this kind has in common ---------------------------------------------------------------

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The page's generator: xoshiro128++ (Blackman & Vigna 2021), one stream for each purpose.
struct Rng([u32; 4]);

#[allow(dead_code)]
impl Rng {
    fn stream(seed: u32, label: &str) -> Self {
        // FNV-1a keeps the labels apart, splitmix64 spreads the sum over the state.
        let hash = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut mix = hash ^ u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = || {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let (a, b) = (next(), next());
        Self([a as u32 | 1, (a >> 32) as u32, b as u32, (b >> 32) as u32])
    }

    /// The next 32 random bits.
    fn bits(&mut self) -> u32 {
        let s = &mut self.0;
        let out = s[0].wrapping_add(s[3]).rotate_left(7).wrapping_add(s[0]);
        let t = s[1] << 9;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(11);
        out
    }

    /// Uniform on [0, 1), 24 bits.
    fn uniform(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 16_777_216.0
    }

    /// Uniform on [0, 1), 53 bits.
    fn uniform_wide(&mut self) -> f64 {
        let high = u64::from(self.bits() >> 5);
        ((high << 26) | u64::from(self.bits() >> 6)) as f64 / 9_007_199_254_740_992.0
    }

    /// Standard normal draws (Box–Muller, both halves), (n, d).
    fn normals(&mut self, n: usize, d: usize) -> Result<Tensor> {
        let mut out = Vec::with_capacity(n * d + 1);
        while out.len() < n * d {
            let (first, second) = (f64::from(1.0 - self.uniform()), f64::from(self.uniform()));
            let radius = (-2.0 * first.max(f64::from(f32::MIN_POSITIVE)).ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * second).sin_cos();
            out.extend([(radius * cos) as f32, (radius * sin) as f32]);
        }
        out.truncate(n * d);
        Ok(Tensor::from_vec(out, (n, d), &Device::Cpu)?)
    }
}

/// A file of weights that the page or the command line exported.
struct File {
    config: Json,
    data: Json,
    tensors: HashMap<String, Tensor>,
}

#[allow(dead_code)]
impl File {
    fn read(path: &str) -> Result<Self> {
        let bytes = std::fs::read(path)?;
        // Eight bytes of length, then a header of JSON, whose metadata hold two texts of JSON.
        let length = bytes.get(..8).ok_or("the file is too short")?.try_into().map(u64::from_le_bytes)?;
        let header = bytes.get(8..8 + length as usize).ok_or("the file is cut off")?;
        let header: Json = serde_json::from_slice(header)?;
        let entry = |key: &str| -> Result<Json> {
            let text = header["__metadata__"][key].as_str();
            Ok(serde_json::from_str(text.ok_or("these are no weights that Tealight exported")?)?)
        };
        let (config, data) = (entry("tealight")?, entry("tealight.data")?);
        if config["model"] != MODEL {
            return Err(format!("these are weights of the model {}; this program is for {MODEL}", config["model"]).into());
        }
        Ok(Self { config, data, tensors: candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)? })
    }

    fn number(&self, key: &str) -> Result<f64> {
        Ok(self.config[key].as_f64().ok_or_else(|| format!("the configuration has no number {key}"))?)
    }

    fn whole(&self, key: &str) -> Result<usize> {
        Ok(self.number(key)? as usize)
    }

    fn text(&self, key: &str) -> Result<&str> {
        Ok(self.config[key].as_str().ok_or_else(|| format!("the configuration has no {key}"))?)
    }

    fn widths(&self) -> Vec<usize> {
        let list = self.config["networkShape"].as_array().into_iter().flatten();
        list.filter_map(|width| width.as_u64().map(|width| width as usize)).collect()
    }

    /// Values of a row.
    fn size(&self) -> usize {
        ["channels", "height", "width"].iter().map(|key| self.shape(key)).product()
    }

    fn shape(&self, key: &str) -> usize {
        self.data["shape"][key].as_u64().unwrap_or(0) as usize
    }

    fn domain(&self) -> &str {
        self.data["shape"]["domain"].as_str().unwrap_or_default()
    }

    /// What the model took from the data.
    fn constants(&self, name: &str) -> Vec<f32> {
        let list = self.data["constants"][name].as_array().into_iter().flatten();
        list.filter_map(|x| x.as_f64().map(|x| x as f32)).collect()
    }

    /// A tensor of this name and shape.
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.tensors.get(name).ok_or_else(|| format!("the file has no {name}"))?;
        if tensor.dims() != shape {
            return Err(format!("{name} should be {shape:?}, and is {:?}", tensor.dims()).into());
        }
        Ok(tensor.clone())
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
        let weight = self.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Linear::new(weight, Some(self.tensor(&format!("{name}.bias"), &[outputs])?)))
    }

    /// Fully connected layers of these widths, one activation between them and another at the end.
    fn layers(&self, name: &str, widths: &[usize], between: &str, end: &str) -> Result<Layers> {
        let pairs = widths.windows(2).enumerate();
        let layers = pairs.map(|(i, pair)| self.linear(&format!("{name}.{i}"), pair[0], pair[1]));
        Ok(Layers { layers: layers.collect::<Result<_>>()?, between: between.into(), end: end.into() })
    }

    /// A class for each of n samples, as often as among the training rows; none where the model is told none.
    fn draw_classes(&self, n: usize, rng: &mut Rng) -> Vec<usize> {
        let shares = self.constants("classShares");
        let mut draw = || {
            let mut rest = rng.uniform();
            let found = shares.iter().position(|share| {
                rest -= share;
                rest < 0.0
            });
            found.unwrap_or(shares.len().saturating_sub(1))
        };
        (0..if shares.is_empty() { 0 } else { n }).map(|_| draw()).collect()
    }

    /// Rows with their class beside them: 1 in the class's place, 0 in the others.
    fn beside(&self, rows: &Tensor, labels: &[usize]) -> Result<Tensor> {
        let (n, classes) = (rows.dim(0)?, self.constants("classShares").len());
        if classes == 0 {
            return Ok(rows.clone());
        }
        let mut places = vec![0_f32; n * classes];
        for (row, label) in places.chunks_mut(classes).zip(labels) {
            row[*label] = 1.0;
        }
        Ok(Tensor::cat(&[rows, &Tensor::from_vec(places, (n, classes), &Device::Cpu)?], 1)?)
    }

    /// Rows as CSV; words as lines.
    fn write(&self, path: &str, rows: &Tensor) -> Result<()> {
        let rows = rows.to_vec2::<f32>()?;
        let mut lines = Vec::with_capacity(rows.len() + 1);
        if self.domain() == "sequences" {
            let letters: Vec<char> = self.data["alphabet"].as_str().unwrap_or_default().chars().collect();
            let letter = |token: &f32| letters.get((*token as usize).checked_sub(1)?).copied();
            lines.extend(rows.iter().map(|row| row.iter().filter_map(letter).collect::<String>()));
        } else {
            let name = if self.domain() == "images" { "pixel" } else { "x" };
            lines.push((1..=self.size()).map(|i| format!("{name}{i}")).collect::<Vec<_>>().join(","));
            lines.extend(rows.iter().map(|row| row.iter().map(f32::to_string).collect::<Vec<_>>().join(",")));
        }
        Ok(std::fs::write(path, lines.join("\n") + "\n")?)
    }
}

struct Layers {
    layers: Vec<Linear>,
    between: String,
    end: String,
}

impl Layers {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let mut xs = xs.contiguous()?;
        for (i, layer) in self.layers.iter().enumerate() {
            let last = i + 1 == self.layers.len();
            xs = activation(if last { &self.end } else { &self.between }, &layer.forward(&xs)?)?;
        }
        Ok(xs)
    }
}

/// The nonlinearity of this name.
fn activation(name: &str, xs: &Tensor) -> Result<Tensor> {
    Ok(match name {
        "relu" => xs.relu()?,
        "leakyRelu" => candle_nn::ops::leaky_relu(xs, 0.2)?,
        "tanh" => xs.tanh()?,
        "silu" => xs.silu()?,
        "gelu" => xs.gelu()?,
        "elu" => xs.elu(1.0)?,
        "softplus" => (xs.relu()? + (xs.abs()?.neg()?.exp()? + 1.0)?.log()?)?,
        "sigmoid" => candle_nn::ops::sigmoid(xs)?,
        "linear" => xs.clone(),
        other => return Err(format!("there is no activation {other}").into()),
    })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give a file of weights, and how many samples to draw if you like")?;
    let file = File::read(&path)?;
    let usual = if file.domain() == "points" { 2000 } else { 100 };
    let n = arguments.next().map_or(Ok(usual), |n| n.parse())?;
    // The page draws its samples from this stream: the same noise gives the same samples.
    let rows = sample(&file, n, &mut Rng::stream(file.number("seed")? as u32, "views"))?;
    file.write("samples.csv", &rows)?;
    println!("wrote {n} samples to samples.csv");
    Ok(())
}
