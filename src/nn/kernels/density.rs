//! Log-densities of Gaussians and of their mixtures, with their slopes.

use super::maps::{load_at, load_rest, store_at, store_rest};
use super::simd::F4;
use super::vmath::{exp, ln};

/// ½ ln 2π
const HALF_LN_TAU: f32 = 0.918_938_5;

/// log N(x; μ, e²ˢ) of each value, in nats.
///
/// # Panics
/// When the four are not equally long.
#[inline(never)]
pub fn gaussian(mean: &[f32], log_std: &[f32], xs: &[f32], out: &mut [f32]) {
    assert!(mean.len() == xs.len() && log_std.len() == xs.len() && out.len() == xs.len());
    let value = |m: F4, s: F4, x: F4| {
        let u = (x - m) * exp(-s);
        -(F4::splat(0.5) * u * u + (s + F4::splat(HALF_LN_TAU)))
    };
    let ((m_fours, m_rest), (s_fours, s_rest)) = (mean.as_chunks::<4>(), log_std.as_chunks::<4>());
    let ((x_fours, x_rest), (out_fours, out_rest)) = (xs.as_chunks::<4>(), out.as_chunks_mut::<4>());
    for (((m, s), x), out) in m_fours.iter().zip(s_fours).zip(x_fours).zip(out_fours) {
        value(F4::from_array(m), F4::from_array(s), F4::from_array(x)).write(out);
    }
    store_rest(value(load_rest(m_rest), load_rest(s_rest), load_rest(x_rest)), out_rest);
}

/// What a density is differentiated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The mean μ.
    Mean,
    /// The logarithm of the standard deviation, s.
    LogStd,
    /// The value x.
    Value,
}

/// Adds g·∂ log N(x; μ, e²ˢ) to `out`.
///
/// # Panics
/// When the five are not equally long.
#[inline(never)]
pub fn add_gaussian_slopes(
    by: By,
    mean: &[f32],
    log_std: &[f32],
    xs: &[f32],
    gradient: &[f32],
    out: &mut [f32],
) {
    assert!(mean.len() == xs.len() && log_std.len() == xs.len());
    assert!(gradient.len() == xs.len() && out.len() == xs.len());
    let slope = |m: F4, s: F4, x: F4| {
        let inverse = exp(-s);
        let u = (x - m) * inverse;
        match by {
            By::Mean => u * inverse,
            By::Value => -(u * inverse),
            By::LogStd => u * u - F4::splat(1.0),
        }
    };
    let ((m_fours, m_rest), (s_fours, s_rest)) = (mean.as_chunks::<4>(), log_std.as_chunks::<4>());
    let ((x_fours, x_rest), (g_fours, g_rest)) = (xs.as_chunks::<4>(), gradient.as_chunks::<4>());
    let (out_fours, out_rest) = out.as_chunks_mut::<4>();
    let fours = m_fours.iter().zip(s_fours).zip(x_fours).zip(g_fours).zip(out_fours);
    for ((((m, s), x), g), out) in fours {
        let slope = slope(F4::from_array(m), F4::from_array(s), F4::from_array(x));
        (F4::from_array(out) + F4::from_array(g) * slope).write(out);
    }
    let slope = slope(load_rest(m_rest), load_rest(s_rest), load_rest(x_rest));
    store_rest(load_rest(out_rest) + load_rest(g_rest) * slope, out_rest);
}

/// log Σ wₖ N(x; μₖ, e²ˢᵏ) of each x, in nats, from rows [logits of w | μ | s] of one mixture for every x, or of
/// one for all. A log standard deviation below `low` counts as `low`.
/// Adds to `slopes` the derivative of the sum by the rows, unless it is empty.
///
/// # Shapes
/// rows (n, 3·K) or (1, 3·K), xs and out (n)
///
/// # Panics
/// When the sizes do not fit together.
#[inline(never)]
pub fn mixture(rows: &[f32], components: usize, low: f32, xs: &[f32], out: &mut [f32], slopes: &mut [f32]) {
    let width = 3 * components;
    let one = rows.len() == width;
    assert!(components > 0 && (one || rows.len() == xs.len() * width) && out.len() == xs.len());
    assert!(slopes.is_empty() || slopes.len() == rows.len());
    let (size, low) = (components.next_multiple_of(4), F4::splat(low));
    // For each component, padded to whole vectors: its weight's and its own share, and the distance in deviations.
    let (mut prior, mut share, mut distance) = (vec![0.0; size], vec![0.0; size], vec![0.0; size]);
    for (i, (x, out)) in xs.iter().zip(out).enumerate() {
        let from = if one { 0 } else { i * width };
        let row = &rows[from..from + width];
        let (logits, rest) = row.split_at(components);
        let (means, log_stds) = rest.split_at(components);
        prior.fill(f32::NEG_INFINITY);
        share.fill(f32::NEG_INFINITY);
        for at in (0..components).step_by(4) {
            let (logit, s) = (load_at(logits, at), load_at(log_stds, at).at_least(low));
            let u = (F4::splat(*x) - load_at(means, at)) * exp(-s);
            store_at(u, &mut distance, at);
            store_at(logit, &mut prior[..components], at);
            store_at(logit - s - F4::splat(0.5) * u * u, &mut share[..components], at);
        }
        *out = (normalise(&mut share) - normalise(&mut prior)) - HALF_LN_TAU;
        if slopes.is_empty() {
            continue;
        }
        let (to_logits, rest) = slopes[from..from + width].split_at_mut(components);
        let (to_means, to_log_stds) = rest.split_at_mut(components);
        for at in (0..components).step_by(4) {
            let [r, w, u] = [&share, &prior, &distance].map(|xs| load_at(xs, at));
            let s = load_at(log_stds, at);
            let inverse = exp(-s.at_least(low));
            let add = |out: &mut [f32], slope: F4| store_at(load_at(out, at) + slope, out, at);
            add(to_logits, r - w);
            add(to_means, r * u * inverse);
            add(to_log_stds, s.below(low).select(F4::splat(0.0), r * (u * u - F4::splat(1.0))));
        }
    }
}

/// x ← eˣ/Σ eˣ for whole vectors; returns ln Σ eˣ.
#[inline(always)]
fn normalise(xs: &mut [f32]) -> f32 {
    let (fours, _) = xs.as_chunks_mut::<4>();
    let most = fours.iter().flatten().fold(f32::NEG_INFINITY, |most, &x| if x > most { x } else { most });
    let shift = F4::splat(if most == f32::NEG_INFINITY { 0.0 } else { most });
    let mut sum = F4::splat(0.0);
    for four in &mut *fours {
        let e = exp(F4::from_array(four) - shift);
        e.write(four);
        sum = sum + e;
    }
    let total = sum.sum();
    for four in fours {
        (F4::from_array(four) / F4::splat(total)).write(four);
    }
    shift.to_array()[0] + ln(F4::splat(total)).to_array()[0]
}
