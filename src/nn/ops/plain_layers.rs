//! The plain twins of the operations on classes, densities, norms and sequences: see [`super::plain`].

use super::IGNORED;
use crate::error::Result;
use candle_core::{D, Device, Tensor};

/// 1 in the class of each row, 0 elsewhere, in the type of `like`.
fn one_hot(targets: &[u32], classes: usize, like: &Tensor) -> Result<Tensor> {
    let ones = targets.iter().flat_map(|target| (0..classes).map(move |class| class == *target as usize));
    let ones: Vec<f32> = ones.map(|hit| if hit { 1.0 } else { 0.0 }).collect();
    Ok(Tensor::from_vec(ones, (targets.len(), classes), &Device::Cpu)?.to_dtype(like.dtype())?)
}

/// Twin of [`super::cross_entropy`].
pub fn cross_entropy(logits: &Tensor, targets: &[u32], batch: usize) -> Result<Tensor> {
    let hits = one_hot(targets, logits.dim(1)?, logits)?;
    let counted: Vec<f32> = targets.iter().map(|t| if *t == IGNORED { 0.0 } else { 1.0 }).collect();
    let counted = Tensor::new(counted, &Device::Cpu)?.to_dtype(logits.dtype())?;
    let normaliser = (logits.log_sum_exp(1)? * counted)?.sum_all()?;
    Ok(((normaliser - (logits * hits)?.sum_all()?)? / batch.max(1) as f64)?)
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
pub fn attention(packed: &Tensor, length: usize, heads: usize, causal: bool) -> Result<Tensor> {
    let (rows, width) = packed.dims2()?;
    let (n, width) = (rows / length, width / (3 * heads));
    // (n·length, 3·heads·width) -> three of (n, heads, length, width)
    let parts = packed.reshape((n, length, 3, heads, width))?;
    let part = |i: usize| parts.narrow(2, i, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
    let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
    let scores = (queries.matmul(&keys.transpose(2, 3)?.contiguous()?)? / (width as f64).sqrt())?;
    let seen = (0..length * length).map(|i| if causal && i % length > i / length { -1e30_f64 } else { 0.0 });
    let mask = Tensor::from_vec(seen.collect::<Vec<_>>(), (length, length), &Device::Cpu)?;
    let scores = scores.broadcast_add(&mask.to_dtype(scores.dtype())?)?;
    let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
    // (n, heads, length, width) -> (n·length, heads·width)
    Ok(weights.matmul(&values)?.transpose(1, 2)?.reshape((rows, heads * width))?)
}

/// Twin of [`super::gru`], from states of 0.
pub fn gru(inputs: &Tensor, weight: &Tensor, bias: &Tensor, n: usize) -> Result<Tensor> {
    let d = weight.dim(1)?;
    let mut state = Tensor::zeros((n, d), inputs.dtype(), &Device::Cpu)?;
    let mut states = Vec::new();
    for step in 0..inputs.dim(0)? / n {
        let input = inputs.narrow(0, step * n, n)?;
        let part = state.matmul(&weight.t()?)?.broadcast_add(bias)?;
        let cut = |x: &Tensor, i: usize| x.narrow(1, i * d, d);
        let gate = |i: usize| candle_nn::ops::sigmoid(&(cut(&input, i)? + cut(&part, i)?)?);
        let (r, z) = (gate(0)?, gate(1)?);
        let new = (cut(&input, 2)? + (r * cut(&part, 2)?)?)?.tanh()?;
        state = ((&new - (&z * &new)?)? + (z * state)?)?;
        states.push(state.clone());
    }
    Ok(Tensor::cat(&states, 0)?)
}

/// Twin of [`super::masked`].
pub fn masked(xs: &Tensor, mask: &[f32]) -> Result<Tensor> {
    let mask = Tensor::from_vec(mask.to_vec(), xs.shape(), &Device::Cpu)?.to_dtype(xs.dtype())?;
    Ok((xs * mask)?)
}
