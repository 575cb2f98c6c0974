//! Softmax over rows, and the cross-entropy with class numbers.

use super::maps::{load_rest, store_rest};
use super::simd::F4;
use super::vmath::{exp, ln};

/// The class of a row that is left out.
pub const IGNORED: u32 = u32::MAX;

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

/// x ← eˣ/Σ eˣ; all 0 where every value is −∞.
#[inline(always)]
fn normalise(xs: &mut [f32]) {
    let (_, sum) = exponentials(xs);
    scale(xs, if sum == 0.0 { 0.0 } else { 1.0 / sum });
}

/// Softmax of every row of `columns` values, in place. A row of −∞ becomes zeros.
#[inline(never)]
pub fn rows(xs: &mut [f32], columns: usize) {
    for row in xs.chunks_mut(columns.max(1)) {
        normalise(row);
    }
}

/// Softmax of the first i + 1 values of row i of a square matrix, in place; the others become 0.
#[inline(never)]
pub fn triangle(xs: &mut [f32], columns: usize) {
    for (i, row) in xs.chunks_mut(columns.max(1)).enumerate() {
        let (seen, unseen) = row.split_at_mut((i + 1).min(columns));
        normalise(seen);
        unseen.fill(0.0);
    }
}

/// g ← y·(g − Σ y·g) for every row: the gradient by what y is the softmax of.
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn rows_backward(ys: &[f32], gradient: &mut [f32], columns: usize) {
    assert_eq!(ys.len(), gradient.len());
    for (ys, gs) in ys.chunks(columns.max(1)).zip(gradient.chunks_mut(columns.max(1))) {
        let (y_fours, y_rest) = ys.as_chunks::<4>();
        let (g_fours, g_rest) = gs.as_chunks_mut::<4>();
        let pairs = y_fours.iter().zip(g_fours.iter());
        let sum = pairs.fold(F4::splat(0.0), |sum, (y, g)| sum + F4::from_array(y) * F4::from_array(g));
        let dot = y_rest.iter().zip(g_rest.iter()).fold(sum.sum(), |dot, (y, g)| dot + y * g);
        for (y, g) in y_fours.iter().zip(g_fours) {
            (F4::from_array(y) * (F4::from_array(g) - F4::splat(dot))).write(g);
        }
        for (y, g) in y_rest.iter().zip(g_rest) {
            *g = y * (*g - dot);
        }
    }
}

/// log softmax(row)[class] of each row, in nats; 0 where the class is [`IGNORED`].
///
/// # Panics
/// When there is not one class a row, or a class does not exist.
#[inline(never)]
pub fn log_probs(logits: &[f32], classes: usize, targets: &[u32], out: &mut [f32]) {
    assert!(logits.len() == targets.len() * classes && out.len() == targets.len());
    let mut aside = vec![0.0; classes];
    for ((row, &target), out) in logits.chunks(classes.max(1)).zip(targets).zip(out) {
        *out = 0.0;
        if target != IGNORED {
            aside.copy_from_slice(row);
            let (shift, sum) = exponentials(&mut aside);
            *out = (row[target as usize] - shift) - ln(F4::splat(sum)).to_array()[0];
        }
    }
}

/// −Σ log softmax(row)[class], in nats, and the slopes softmax(row) − 1{class}.
/// A row whose class is [`IGNORED`] adds nothing, and has slopes of 0.
///
/// # Panics
/// When there is not one class a row, or a class does not exist.
#[inline(never)]
pub fn cross_entropy(logits: &[f32], classes: usize, targets: &[u32], slopes: &mut [f32]) -> f64 {
    assert!(logits.len() == targets.len() * classes && slopes.len() == logits.len());
    let size = classes.max(1);
    let mut total = 0.0;
    for ((row, &target), slopes) in logits.chunks(size).zip(targets).zip(slopes.chunks_mut(size)) {
        if target == IGNORED {
            slopes.fill(0.0);
            continue;
        }
        slopes.copy_from_slice(row);
        let (shift, sum) = exponentials(slopes);
        scale(slopes, 1.0 / sum);
        total += f64::from(ln(F4::splat(sum)).to_array()[0] - (row[target as usize] - shift));
        slopes[target as usize] -= 1.0;
    }
    total
}
