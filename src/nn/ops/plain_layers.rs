//! The plain twins of the operations on classes, densities, norms and sequences: see [`super::plain`].

use crate::error::Result;
use candle_core::{D, Device, Tensor};

/// 1 in the class of each row, 0 elsewhere, in the type of `like`.
fn one_hot(targets: &[u32], classes: usize, like: &Tensor) -> Result<Tensor> {
    let ones = targets.iter().flat_map(|target| (0..classes).map(move |class| class == *target as usize));
    let ones: Vec<f32> = ones.map(|hit| if hit { 1.0 } else { 0.0 }).collect();
    Ok(Tensor::from_vec(ones, (targets.len(), classes), &Device::Cpu)?.to_dtype(like.dtype())?)
}

/// Twin of [`super::cross_entropy`].
pub fn cross_entropy(logits: &Tensor, targets: &[u32], weights: &[f32]) -> Result<Tensor> {
    let hits = one_hot(targets, logits.dim(1)?, logits)?;
    let weights = Tensor::new(weights, &Device::Cpu)?.to_dtype(logits.dtype())?;
    let log_probs = ((logits * hits)?.sum(1)? - logits.log_sum_exp(1)?)?;
    Ok((log_probs * weights)?.sum_all()?.neg()?)
}

/// Twin of [`super::embedding`].
pub fn embedding(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    Ok(one_hot(ids, table.dim(0)?, table)?.matmul(table)?)
}

/// Twin of [`super::gaussian_log_prob`].
pub fn gaussian_log_prob(mean: &Tensor, log_std: &Tensor, xs: &Tensor) -> Result<Tensor> {
    let distance = ((xs - mean)? * log_std.neg()?.exp()?)?;
    let terms = (distance.sqr()?.affine(-0.5, -0.5 * std::f64::consts::TAU.ln())? - log_std)?;
    Ok(terms.sum(1)?)
}

/// Twin of [`super::mixture_nll`].
pub fn mixture_nll(rows: &Tensor, low: f32, xs: &[f32]) -> Result<Tensor> {
    let k = rows.dim(1)? / 3;
    // (n) -> (n, 1)
    let xs = Tensor::new(xs, &Device::Cpu)?.to_dtype(rows.dtype())?.unsqueeze(1)?;
    let (logits, means, log_stds) = (rows.narrow(1, 0, k)?, rows.narrow(1, k, k)?, rows.narrow(1, 2 * k, k)?);
    let log_stds = log_stds.maximum(f64::from(low))?;
    let distance = xs.broadcast_sub(&means)?.broadcast_mul(&log_stds.neg()?.exp()?)?;
    let constant = -0.5 * std::f64::consts::TAU.ln();
    let terms = distance.sqr()?.affine(-0.5, constant)?.broadcast_add(&(&logits - log_stds)?)?;
    let normaliser = logits.log_sum_exp(1)?;
    Ok(terms.log_sum_exp(1)?.broadcast_sub(&normaliser)?.neg()?.mean_all()?)
}

/// (x − mean)/√(variance + ε) over the last dimension.
fn standardise(xs: &Tensor) -> Result<Tensor> {
    let centred = xs.broadcast_sub(&xs.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    Ok(centred.broadcast_div(&(variance + f64::from(super::norm::EPS))?.sqrt()?)?)
}

/// Twin of [`super::layer_norm`].
pub fn layer_norm(xs: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    Ok(standardise(xs)?.broadcast_mul(weight)?.broadcast_add(bias)?)
}

/// Twin of [`super::group_norm`].
pub fn group_norm(xs: &Tensor, weight: &Tensor, bias: &Tensor, groups: usize) -> Result<Tensor> {
    let (n, channels) = (xs.dim(0)?, xs.dim(1)?);
    // (n, channels, …) -> (n, groups, …) -> (n, channels, area)
    let cut = standardise(&xs.reshape((n, groups, ()))?)?.reshape((n, channels, ()))?;
    let [weight, bias] = [weight, bias].map(|x| x.reshape((1, channels, 1)));
    Ok(cut.broadcast_mul(&weight?)?.broadcast_add(&bias?)?.reshape(xs.shape())?)
}

/// Twin of [`super::attention`].
pub fn attention(packed: &Tensor, lengths: &[usize], heads: usize) -> Result<Tensor> {
    let (mut start, mut words) = (0, vec![packed.narrow(0, 0, 0)?.narrow(1, 0, packed.dim(1)? / 3)?]);
    for &length in lengths.iter().filter(|length| **length > 0) {
        words.push(attention_of_one(&packed.narrow(0, start, length)?, heads)?);
        start += length;
    }
    Ok(Tensor::cat(&words, 0)?)
}

/// The attention along one word.
fn attention_of_one(packed: &Tensor, heads: usize) -> Result<Tensor> {
    let (length, width) = packed.dims2()?;
    let width = width / (3 * heads);
    // (length, 3·heads·width) -> three of (heads, length, width)
    let parts = packed.reshape((length, 3, heads, width))?;
    let part = |i: usize| parts.narrow(1, i, 1)?.squeeze(1)?.transpose(0, 1)?.contiguous();
    let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
    let scores = (queries.matmul(&keys.transpose(1, 2)?.contiguous()?)? / (width as f64).sqrt())?;
    let seen = (0..length * length).map(|i| if i % length > i / length { -1e30_f64 } else { 0.0 });
    let mask = Tensor::from_vec(seen.collect::<Vec<_>>(), (length, length), &Device::Cpu)?;
    let scores = scores.broadcast_add(&mask.to_dtype(scores.dtype())?)?;
    let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
    // (heads, length, width) -> (length, heads·width)
    Ok(weights.matmul(&values)?.transpose(0, 1)?.reshape((length, heads * width))?)
}

/// Twin of [`super::gru`], from states of 0.
pub fn gru(inputs: &Tensor, weight: &Tensor, bias: &Tensor, counts: &[usize]) -> Result<Tensor> {
    let d = weight.dim(1)?;
    let mut state = Tensor::zeros((counts.first().copied().unwrap_or(0), d), inputs.dtype(), &Device::Cpu)?;
    let (mut start, mut states) = (0, vec![state.narrow(0, 0, 0)?]);
    for &count in counts.iter().filter(|count| **count > 0) {
        let (input, before) = (inputs.narrow(0, start, count)?, state.narrow(0, 0, count)?);
        let part = before.matmul(&weight.t()?)?.broadcast_add(bias)?;
        let cut = |x: &Tensor, i: usize| x.narrow(1, i * d, d);
        let gate = |i: usize| candle_nn::ops::sigmoid(&(cut(&input, i)? + cut(&part, i)?)?);
        let (r, z) = (gate(0)?, gate(1)?);
        let new = (cut(&input, 2)? + (r * cut(&part, 2)?)?)?.tanh()?;
        state = ((&new - (&z * &new)?)? + (z * before)?)?;
        states.push(state.clone());
        start += count;
    }
    Ok(Tensor::cat(&states, 0)?)
}

/// Twin of [`super::masked`].
pub fn masked(xs: &Tensor, mask: &[f32]) -> Result<Tensor> {
    let mask = Tensor::from_vec(mask.to_vec(), xs.shape(), &Device::Cpu)?.to_dtype(xs.dtype())?;
    Ok((xs * mask)?)
}
