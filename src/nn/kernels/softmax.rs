//! The cross-entropy of softmaxes with class numbers.

use super::maps::{load_rest, store_rest};
use super::simd::F4;
use super::vmath::{exp, ln};

/// The largest value, −∞ for none.
#[inline(always)]
fn largest(xs: &[f32]) -> f32 {
    let (fours, rest) = xs.as_chunks::<4>();
    let low = F4::splat(f32::NEG_INFINITY);
    let lanes = fours.iter().fold(low, |most, four| most.at_least(F4::from_array(four))).to_array();
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |most, &x| if x > most { x } else { most })
}

/// x ← e^(x − shift); returns the shift, which is the largest value, and the sum.
#[inline(always)]
fn exponentials(xs: &mut [f32]) -> (f32, f32) {
    let most = largest(xs);
    // Where everything is −∞ there is nothing to shift by.
    let shift = if most == f32::NEG_INFINITY { 0.0 } else { most };
    let (fours, rest) = xs.as_chunks_mut::<4>();
    let (by, mut sum) = (F4::splat(shift), F4::splat(0.0));
    for four in fours {
        let e = exp(F4::from_array(four) - by);
        e.write(four);
        sum = sum + e;
    }
    let mut total = sum.sum();
    if !rest.is_empty() {
        store_rest(exp(load_rest(rest) - by), rest);
        total = rest.iter().fold(total, |total, x| total + x);
    }
    (shift, total)
}

/// x ← scale·x.
#[inline(always)]
fn scale(xs: &mut [f32], scale: f32) {
    let (fours, rest) = xs.as_chunks_mut::<4>();
    for four in fours {
        (F4::from_array(four) * F4::splat(scale)).write(four);
    }
    for x in rest {
        *x *= scale;
    }
}

/// log softmax(row)[class] of each row, in nats.
///
/// # Panics
/// When there is not one class a row, or a class does not exist.
#[inline(never)]
pub fn log_probs(logits: &[f32], classes: usize, targets: &[u32], out: &mut [f32]) {
    assert!(logits.len() == targets.len() * classes && out.len() == targets.len());
    let mut aside = vec![0.0; classes];
    for ((row, &target), out) in logits.chunks(classes.max(1)).zip(targets).zip(out) {
        aside.copy_from_slice(row);
        let (shift, sum) = exponentials(&mut aside);
        *out = (row[target as usize] - shift) - ln(F4::splat(sum)).to_array()[0];
    }
}

/// −Σ weight·log softmax(row)[class], in nats, and the slopes weight·(softmax(row) − 1{class}).
///
/// # Panics
/// When there is not one class and one weight a row, or a class does not exist.
#[inline(never)]
pub fn cross_entropy(
    logits: &[f32],
    classes: usize,
    targets: &[u32],
    weights: &[f32],
    slopes: &mut [f32],
) -> f64 {
    assert!(logits.len() == targets.len() * classes && slopes.len() == logits.len());
    assert_eq!(weights.len(), targets.len());
    let size = classes.max(1);
    let rows = logits.chunks(size).zip(slopes.chunks_mut(size));
    let mut total = 0.0;
    for ((row, slopes), (&target, &weight)) in rows.zip(targets.iter().zip(weights)) {
        slopes.copy_from_slice(row);
        let (shift, sum) = exponentials(slopes);
        scale(slopes, weight / sum);
        let loss = ln(F4::splat(sum)).to_array()[0] - (row[target as usize] - shift);
        total += f64::from(weight) * f64::from(loss);
        slopes[target as usize] -= weight;
    }
    total
}
