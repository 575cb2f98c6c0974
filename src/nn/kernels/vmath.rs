//! Elementary and activation functions of four values at a time.
//!
//! Every function keeps NaN and takes ±∞ to the limit. Errors are in units in the last place of the exact
//! result (ulp), the largest found over the whole range by the tests, which fail above the figure stated.
//! Results below 2.5e-38 may be 0: subnormal numbers are not produced by [`exp`].
//! Where a function is a small remainder of larger terms the absolute error is stated instead.

use super::simd::F4;

/// Below this eˣ is taken as 0 (2.45e-38 just above it).
const EXP_LOW: f32 = -86.6;
/// Above this eˣ is +∞.
const EXP_HIGH: f32 = 88.722_83;
/// Adding 1.5·2²³ leaves the nearest whole number in the low bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts: the first has 15 bits, so that its multiples are exact.
const LN_2: [f32; 2] = [0.693_145_75, 1.428_606_8e-6];

#[inline(always)]
fn c(x: f32) -> F4 {
    F4::splat(x)
}

/// p₀ + p₁x + p₂x² + …
#[inline(always)]
fn polynomial<const N: usize>(x: F4, coefficients: [f32; N]) -> F4 {
    coefficients.into_iter().rev().map(F4::splat).reduce(|sum, p| sum * x + p).unwrap_or(c(0.0))
}

/// x = n·ln 2 + r with |r| ≤ ln 2/2: returns e^r − 1 and 2ⁿ⁻¹, for x in [EXP_LOW, EXP_HIGH].
#[inline(always)]
fn exp_parts(x: F4) -> (F4, F4) {
    let rounded = x * c(std::f32::consts::LOG2_E) + c(ROUND);
    let n = rounded - c(ROUND);
    let r = (x - n * c(LN_2[0])) - n * c(LN_2[1]);
    // (e^r − 1 − r)/r², Chebyshev fit, 6.5e-8
    let p = polynomial(r, [0.5, 0.166_665_77, 0.041_666_554, 0.008_363_203, 0.001_392_621_3]);
    // The low bits of `rounded` hold n; 126 is the exponent's bias less 1, because 2¹²⁸ does not exist.
    (r + r * r * p, rounded.shift_bits_left::<23>(126 << 23))
}

/// eˣ: at most 1.1 ulp; 0 below −86.6.
#[inline(always)]
pub fn exp(x: F4) -> F4 {
    c(EXP_HIGH).below(x).select(c(f32::INFINITY), exp_low(x.at_most(c(EXP_HIGH))))
}

/// eˣ for x up to EXP_HIGH.
#[inline(always)]
fn exp_low(x: F4) -> F4 {
    let (small, half_power) = exp_parts(x.at_least(c(EXP_LOW)));
    let inside = (small + c(1.0)) * half_power * c(2.0);
    x.below(c(EXP_LOW)).select(c(0.0), inside)
}

/// eˣ − 1: at most 2 ulp, also near 0.
#[inline(always)]
pub fn exp_m1(x: F4) -> F4 {
    c(EXP_HIGH).below(x).select(c(f32::INFINITY), exp_m1_low(x.at_most(c(EXP_HIGH))))
}

/// eˣ − 1 for x up to EXP_HIGH.
#[inline(always)]
fn exp_m1_low(x: F4) -> F4 {
    // Below −20 it is −1 to the last bit.
    let (small, half_power) = exp_parts(x.at_least(c(-20.0)));
    // 2ⁿ(e^r − 1) + (2ⁿ − 1), of which every part but the last sum is exact or small
    (small * half_power + (half_power - c(0.5))) * c(2.0)
}

/// 2·artanh s for s² ≤ 1/9.
#[inline(always)]
fn twice_artanh(s: F4) -> F4 {
    let t = s * s;
    // (2 artanh s − 2s)/s³ in s², Chebyshev fit, 2.9e-7
    let p = polynomial(t, [0.666_666_4, 0.400_075_6, 0.282_366_2, 0.268_515]);
    s + s + s * t * p
}

/// ln x: at most 2 ulp, for normal x; −∞ at 0 and for subnormal x, NaN below 0.
#[inline(always)]
pub fn ln(x: F4) -> F4 {
    // x = 2ⁿ·m with m in [√½, √2)
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let (n, m) = x.split_exponent(ROOT_HALF);
    let s = (m - c(1.0)) / (m + c(1.0));
    let inside = n * c(LN_2[0]) + (n * c(LN_2[1]) + twice_artanh(s));
    let inside = x.below(c(f32::MIN_POSITIVE)).select(c(f32::NEG_INFINITY), inside);
    let inside = x.below(c(0.0)).select(c(f32::NAN), inside);
    // ∞ and NaN pass through.
    x.below(c(f32::INFINITY)).select(inside, x)
}

/// ln(1 + u) for u in [0, 1]: at most 2 ulp.
#[inline(always)]
fn ln_1p_unit(u: F4) -> F4 {
    twice_artanh(u / (u + c(2.0)))
}

/// sin 2πw for |w| ≤ ¼.
#[inline(always)]
fn sin_quarter(w: F4) -> F4 {
    // sin(2πw)/w in w², Chebyshev fit, 2.7e-8
    w * polynomial(w * w, [std::f32::consts::TAU, -41.341_68, 81.602_48, -76.581_17, 39.759_827])
}

/// sin 2πu and cos 2πu for u in [0, 1]: to 3e-7 absolutely.
#[inline(always)]
pub fn sin_cos_turns(u: F4) -> (F4, F4) {
    // Half a turn on, where both have the other sign.
    let v = u - c(0.5);
    let size = v.abs();
    let sin = sin_quarter(c(0.25) - (size - c(0.25)).abs());
    (v.below(c(0.0)).select(sin, -sin), sin_quarter(size - c(0.25)))
}

/// tanh x: at most 3 ulp.
#[inline(always)]
pub fn tanh(x: F4) -> F4 {
    // (1 − e^{−2|x|})/(1 + e^{−2|x|})
    let size = x.abs();
    let e = exp_m1_low(-(size + size));
    let size = e / (c(-2.0) - e);
    x.below(c(0.0)).select(-size, size)
}

/// σ(x) = 1/(1 + e⁻ˣ): at most 2.5 ulp in both tails; 0 below −86.6.
#[inline(always)]
pub fn sigmoid(x: F4) -> F4 {
    softplus_and_sigmoid(x).1
}

/// ln(1 + eˣ): at most 3 ulp; 0 below −86.6.
#[inline(always)]
pub fn softplus(x: F4) -> F4 {
    softplus_and_sigmoid(x).0
}

/// [`softplus`] and [`sigmoid`], with one exponential.
#[inline(always)]
pub fn softplus_and_sigmoid(x: F4) -> (F4, F4) {
    let e = exp_low(-x.abs());
    (x.at_least(c(0.0)) + ln_1p_unit(e), x.below(c(0.0)).select(e, c(1.0)) / (c(1.0) + e))
}

/// x·σ(x): at most 3 ulp; 0 below −86.6.
#[inline(always)]
pub fn silu(x: F4) -> F4 {
    // So that −∞·0 is 0; σ is 0 there already.
    x.at_least(c(-100.0)) * sigmoid(x)
}

/// silu′ and silu″.
#[inline(always)]
pub fn silu_slopes(x: F4) -> (F4, F4) {
    let (s, x) = (sigmoid(x), x.at_least(c(-100.0)).at_most(c(100.0)));
    let q = c(1.0) - s;
    (s * (c(1.0) + x * q), s * q * (c(2.0) + x * (q - s)))
}

/// √(2/π)·2: GELU is x·σ(2√(2/π)·(x + 0.044715·x³)).
const GELU_SCALE: f32 = 1.595_769;
const GELU_CUBIC: f32 = 0.044_715;

/// x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, without cancellation below 0:
/// to 3e-7 absolutely, or relatively above 1.
#[inline(always)]
pub fn gelu(x: F4) -> F4 {
    gelu_gate(x.at_least(c(-20.0)).at_most(c(20.0))) * x.at_least(c(-20.0))
}

#[inline(always)]
fn gelu_gate(x: F4) -> F4 {
    sigmoid(x * (c(GELU_SCALE) + c(GELU_SCALE * GELU_CUBIC) * (x * x)))
}

/// gelu′ and gelu″.
#[inline(always)]
pub fn gelu_slopes(x: F4) -> (F4, F4) {
    let x = x.at_least(c(-20.0)).at_most(c(20.0));
    let s = gelu_gate(x);
    let q = c(1.0) - s;
    let gate_slope = s * q;
    // v is the argument of σ.
    let v_slope = c(GELU_SCALE) + c(3.0 * GELU_SCALE * GELU_CUBIC) * (x * x);
    let v_curve = c(6.0 * GELU_SCALE * GELU_CUBIC) * x;
    let first = s + x * gate_slope * v_slope;
    let bend = v_curve + v_slope * v_slope * (q - s);
    (first, gate_slope * (v_slope + v_slope + x * bend))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 4001st float, a fine grid where things happen, and the places where a function changes its way.
    fn floats() -> impl Iterator<Item = f32> {
        let edges = [0.0, 1.0, EXP_LOW, EXP_HIGH, -20.0, 20.0, 0.625, 9.0, 100.0, f32::MIN_POSITIVE];
        let around = |x: f32| (-3..=3).map(move |i| f32::from_bits(x.to_bits().saturating_add_signed(i)));
        let both = edges.into_iter().flat_map(move |x| around(x).chain(around(-x))).filter(|x| x.is_finite());
        let grid = (-200_000..=200_000).map(|i| i as f32 * 5e-4);
        (0..=u32::MAX).step_by(4001).map(f32::from_bits).filter(|x| x.is_finite()).chain(grid).chain(both)
    }

    /// The distance in units in the last place of the exact value, where that is not subnormal.
    fn ulp(got: f32, exact: f64) -> f64 {
        let nearest = exact as f32;
        if nearest.is_infinite() {
            return if got == nearest { 0.0 } else { f64::INFINITY };
        }
        if exact.abs() < 2.5e-38 {
            return if f64::from(got).abs() <= 2.6e-38 { 0.0 } else { f64::INFINITY };
        }
        let unit = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(got) - exact).abs() / unit
    }

    fn worst(
        f: impl Fn(F4) -> F4,
        exact: impl Fn(f64) -> f64,
        error: impl Fn(f32, f64) -> f64,
    ) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        for x in floats() {
            let got = f(c(x)).to_array();
            assert!(got.iter().all(|y| y.to_bits() == got[0].to_bits() || y.is_nan()), "lanes differ at {x}");
            let error = error(got[0], exact(f64::from(x)));
            if error.is_nan() || error > worst.0 {
                worst = (if error.is_nan() { f64::INFINITY } else { error }, x);
            }
        }
        worst
    }

    fn gelu_exact(x: f64) -> f64 {
        x / (1.0 + (-2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).exp())
    }

    #[test]
    fn errors_stay_below_the_stated_figures() {
        let sigmoid_exact = |x: f64| 1.0 / (1.0 + (-x).exp());
        let softplus_exact = |x: f64| if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() };
        let within = |what: &str, (error, x): (f64, f32), bound: f64| {
            println!("{what}: {error:.3} at {x:e}");
            assert!(error <= bound, "{what}: {error} at {x:e}");
        };
        within("exp", worst(exp, f64::exp, ulp), 1.1);
        within("exp_m1", worst(exp_m1, f64::exp_m1, ulp), 2.0);
        let positive = |got: f32, exact: f64| if exact.is_nan() { 0.0 } else { ulp(got, exact) };
        within(
            "ln",
            worst(
                |x| ln(x.at_least(c(f32::MIN_POSITIVE))),
                |x| x.max(f64::from(f32::MIN_POSITIVE)).ln(),
                positive,
            ),
            2.0,
        );
        within("tanh", worst(tanh, f64::tanh, ulp), 3.0);
        within("sigmoid", worst(sigmoid, sigmoid_exact, ulp), 2.5);
        within("softplus", worst(softplus, softplus_exact, ulp), 3.0);
        let silu_error = |got: f32, exact: f64| {
            if exact.abs() < 2.5e-36 { f64::from(got.abs() > 2.5e-36) * 1e9 } else { ulp(got, exact) }
        };
        within("silu", worst(silu, |x| x * sigmoid_exact(x), silu_error), 3.0);
        let absolute = |got: f32, exact: f64| (f64::from(got) - exact).abs() / exact.abs().max(1.0);
        within("gelu", worst(gelu, gelu_exact, absolute), 3e-7);
    }

    #[test]
    fn turns_are_accurate_everywhere() {
        for i in 0..=1 << 20 {
            let u = i as f32 / (1 << 20) as f32;
            let (sin, cos) = sin_cos_turns(c(u));
            let (exact_sin, exact_cos) = (std::f64::consts::TAU * f64::from(u)).sin_cos();
            assert!((f64::from(sin.to_array()[0]) - exact_sin).abs() < 3e-7, "sin at {u}");
            assert!((f64::from(cos.to_array()[3]) - exact_cos).abs() < 3e-7, "cos at {u}");
        }
    }

    #[test]
    fn limits_and_nan_are_kept() {
        type Function = fn(F4) -> F4;
        let functions: [(&str, Function, [f32; 2]); 12] = [
            ("exp", exp, [0.0, f32::INFINITY]),
            ("exp_m1", exp_m1, [-1.0, f32::INFINITY]),
            ("ln", ln, [f32::NAN, f32::INFINITY]),
            ("tanh", tanh, [-1.0, 1.0]),
            ("sigmoid", sigmoid, [0.0, 1.0]),
            ("softplus", softplus, [0.0, f32::INFINITY]),
            ("silu", silu, [0.0, f32::INFINITY]),
            ("silu′", |x| silu_slopes(x).0, [0.0, 1.0]),
            ("silu″", |x| silu_slopes(x).1, [0.0, 0.0]),
            ("gelu", gelu, [0.0, f32::INFINITY]),
            ("gelu′", |x| gelu_slopes(x).0, [0.0, 1.0]),
            ("gelu″", |x| gelu_slopes(x).1, [0.0, 0.0]),
        ];
        for (name, f, limits) in functions {
            // Each lane on its own.
            let [low, nan, high, _] =
                f(F4::from_array(&[f32::NEG_INFINITY, f32::NAN, f32::INFINITY, 1.0])).to_array();
            assert!(nan.is_nan(), "{name} of NaN is {nan}");
            for (got, expected) in [low, high].into_iter().zip(limits) {
                assert!(
                    got == expected || (got.is_nan() && expected.is_nan()),
                    "{name}: {got}, not {expected}"
                );
            }
        }
        assert_eq!(ln(c(0.0)).to_array()[0], f32::NEG_INFINITY);
        assert!(ln(c(-1.0)).to_array()[0].is_nan());
    }
}
