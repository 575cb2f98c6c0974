//! Activation functions and losses over whole slices, as functions that are not generic.
//!
//! A generic function is compiled with the crate that calls it, and everything but this package is compiled
//! for size: a loop that takes a closure would be several times slower there.

use super::functions::{self, Function};
use super::maps::{map_both, map_in_place, sum_pairs, sum_pairs_into, update, zip};
use super::simd::F4;
use super::vmath;

/// A function of one value; see [`functions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Relu,
    LeakyRelu,
    Tanh,
    Silu,
    Gelu,
    Elu,
    Softplus,
    Sigmoid,
    Identity,
}

/// How many values are taken at once where a scratch pad is needed.
const STRETCH: usize = 256;

/// `$body` with `$F` standing for the function: each has loops of its own.
macro_rules! with_function {
    ($kind:expr, $F:ident => $body:expr) => {
        with_function!($kind, $F => $body;
            Relu LeakyRelu Tanh Silu Gelu Elu Softplus Sigmoid Identity)
    };
    ($kind:expr, $F:ident => $body:expr; $($name:ident)+) => {
        match $kind {
            $(Kind::$name => {
                type $F = functions::$name;
                $body
            })+
        }
    };
}

impl Kind {
    /// x ← f(x).
    #[inline(never)]
    pub fn apply(self, xs: &mut [f32]) {
        with_function!(self, F => map_in_place(xs, F::value));
    }

    /// Whether f′ is better kept than computed again from f.
    pub fn needs_slopes(self) -> bool {
        with_function!(self, F => !F::FROM_VALUE)
    }

    /// x ← f(x) and slopes ← f′(x).
    ///
    /// # Panics
    /// When the two are not equally long.
    #[inline(never)]
    pub fn apply_with_slopes(self, xs: &mut [f32], slopes: &mut [f32]) {
        // In one pass, so that both share their exponential.
        with_function!(self, F => map_both(xs, slopes, |x| (F::value(x), F::slope(x))));
    }

    /// out ← f′(x).
    ///
    /// # Panics
    /// When the two are not equally long.
    #[inline(never)]
    pub fn slopes(self, xs: &[f32], out: &mut [f32]) {
        assert_eq!(xs.len(), out.len());
        // The loops of another function with a scratch pad: loops of its own would be downloaded, too.
        let mut values = [0.0; STRETCH];
        for (xs, out) in xs.chunks(STRETCH).zip(out.chunks_mut(STRETCH)) {
            let values = &mut values[..xs.len()];
            values.copy_from_slice(xs);
            self.apply_with_slopes(values, out);
        }
    }

    /// out ← g·f′, from y = f(x).
    ///
    /// # Panics
    /// When the three are not equally long.
    #[inline(never)]
    pub fn times_slope_at_value(self, gradient: &[f32], ys: &[f32], out: &mut [f32]) {
        with_function!(self, F => zip(gradient, ys, out, |g, y| g * F::slope_at_value(y)));
    }

    /// sum ← sum + g·f′(x).
    ///
    /// # Panics
    /// When the three are not equally long.
    #[inline(never)]
    pub fn add_slope(self, xs: &[f32], gradient: &[f32], sum: &mut [f32]) {
        assert!(xs.len() == gradient.len() && xs.len() == sum.len());
        let mut slopes = [0.0; STRETCH];
        let parts = xs.chunks(STRETCH).zip(gradient.chunks(STRETCH)).zip(sum.chunks_mut(STRETCH));
        for ((xs, gradient), sum) in parts {
            let slopes = &mut slopes[..xs.len()];
            self.slopes(xs, slopes);
            add_product(gradient, slopes, sum);
        }
    }

    /// sum ← sum + g·f″(x).
    ///
    /// # Panics
    /// When the three are not equally long.
    #[inline(never)]
    pub fn add_curve(self, xs: &[f32], gradient: &[f32], sum: &mut [f32]) {
        with_function!(self, F => update(xs, gradient, sum, |x, g, sum| sum + g * F::curve(x)));
    }
}

/// out ← x·y.
///
/// # Panics
/// When the three are not equally long.
#[inline(never)]
pub fn multiply(xs: &[f32], ys: &[f32], out: &mut [f32]) {
    zip(xs, ys, out, |x, y| x * y);
}

/// x ← scale·x.
pub fn scale(scale: f32, xs: &mut [f32]) {
    xs.iter_mut().for_each(|x| *x *= scale);
}

/// sum ← sum + scale·x.
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn add_scaled(scale: f32, xs: &[f32], sum: &mut [f32]) {
    let scale = F4::splat(scale);
    update(xs, xs, sum, |x, _, sum| sum + scale * x);
}

/// sum ← sum + x·y.
///
/// # Panics
/// When the three are not equally long.
#[inline(never)]
pub fn add_product(xs: &[f32], ys: &[f32], sum: &mut [f32]) {
    update(xs, ys, sum, |x, y, sum| sum + x * y);
}

/// sum ← sum + scale·(x − y).
///
/// # Panics
/// When the three are not equally long.
#[inline(never)]
pub fn add_difference(scale: f32, xs: &[f32], ys: &[f32], sum: &mut [f32]) {
    let scale = F4::splat(scale);
    update(xs, ys, sum, |x, y, sum| sum + scale * (x - y));
}

/// Σ (x − y)².
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn squared_distance(xs: &[f32], ys: &[f32]) -> f64 {
    sum_pairs(xs, ys, |x, y| (x - y) * (x - y))
}

/// Σ ln(1 + eˣ) − x·t, the cross-entropy of bits t with logits x, in nats.
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn cross_entropy(logits: &[f32], targets: &[f32]) -> f64 {
    sum_pairs(logits, targets, |x, t| vmath::softplus(x) - x * t)
}

/// [`cross_entropy`], and slopes ← σ(x) − t, which shares its exponential.
///
/// # Panics
/// When the three are not equally long.
#[inline(never)]
pub fn cross_entropy_with_slopes(logits: &[f32], targets: &[f32], slopes: &mut [f32]) -> f64 {
    sum_pairs_into(logits, targets, slopes, |x, t| {
        let (value, slope) = vmath::softplus_and_sigmoid(x);
        (value - x * t, slope - t)
    })
}

/// ½ Σ (e²ˢ + μ² − 1) − s, the KL of N(μ, e²ˢ) from N(0, 1), in nats.
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn gaussian_kl(mean: &[f32], log_std: &[f32]) -> f64 {
    // e²ˢ − 1 − 2s is small near s = 0, where `exp_m1` keeps it exact.
    let half = F4::splat(0.5);
    sum_pairs(mean, log_std, |m, s| half * ((vmath::exp_m1(s + s) - (s + s)) + m * m))
}

/// sum ← sum + scale·(e²ˢ − 1), the KL's derivative by s.
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn add_gaussian_kl_slope(scale: f32, log_std: &[f32], sum: &mut [f32]) {
    let scale = F4::splat(scale);
    update(log_std, log_std, sum, |s, _, sum| sum + scale * vmath::exp_m1(s + s));
}

/// sum ← sum + eˢ·ε.
///
/// # Panics
/// When the three are not equally long.
#[inline(never)]
pub fn add_scaled_noise(log_std: &[f32], eps: &[f32], sum: &mut [f32]) {
    update(log_std, eps, sum, |s, e, sum| sum + vmath::exp(s) * e);
}
