//! The autoregressive model that Tealight trained, in Rust with candle.
//!
// include parts/head.rs
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

// include parts/common.rs
