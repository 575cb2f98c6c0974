//! Activation functions with their first and second derivatives.

use super::simd::F4;
use super::vmath::{exp, exp_m1, gelu, gelu_slopes, sigmoid, silu, silu_slopes, softplus, tanh};

/// f, f′ and f″ of four values at a time.
pub trait Function {
    /// Whether [`Function::slope_at_value`] is known.
    const FROM_VALUE: bool = true;

    /// f(x)
    fn value(x: F4) -> F4;
    /// f′(x); at a kink, the derivative from below.
    fn slope(x: F4) -> F4;
    /// f″(x); at a kink, 0.
    fn curve(x: F4) -> F4;
    /// f′(x) from y = f(x), where y determines it cheaply and well.
    fn slope_at_value(y: F4) -> F4;
}

#[inline(always)]
fn c(x: f32) -> F4 {
    F4::splat(x)
}

/// `above` where x > 0, else `below`.
#[inline(always)]
fn by_sign(x: F4, above: F4, below: F4) -> F4 {
    c(0.0).below(x).select(above, below)
}

/// max(x, 0)
pub struct Relu;
/// x above 0, x/5 below.
pub struct LeakyRelu;
/// tanh x
pub struct Tanh;
/// x·σ(x)
pub struct Silu;
/// See [`gelu`].
pub struct Gelu;
/// x above 0, eˣ − 1 below.
pub struct Elu;
/// ln(1 + eˣ)
pub struct Softplus;
/// 1/(1 + e⁻ˣ)
pub struct Sigmoid;
/// x
pub struct Identity;

impl Function for Relu {
    #[inline(always)]
    fn value(x: F4) -> F4 {
        x.at_least(c(0.0))
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        by_sign(x, c(1.0), c(0.0))
    }
    #[inline(always)]
    fn curve(_: F4) -> F4 {
        c(0.0)
    }
    #[inline(always)]
    fn slope_at_value(y: F4) -> F4 {
        Self::slope(y)
    }
}

impl Function for LeakyRelu {
    #[inline(always)]
    fn value(x: F4) -> F4 {
        by_sign(x, x, x * c(0.2))
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        by_sign(x, c(1.0), c(0.2))
    }
    #[inline(always)]
    fn curve(_: F4) -> F4 {
        c(0.0)
    }
    #[inline(always)]
    fn slope_at_value(y: F4) -> F4 {
        Self::slope(y)
    }
}

impl Function for Tanh {
    #[inline(always)]
    fn value(x: F4) -> F4 {
        tanh(x)
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        Self::slope_at_value(tanh(x))
    }
    #[inline(always)]
    fn curve(x: F4) -> F4 {
        let y = tanh(x);
        c(-2.0) * y * Self::slope_at_value(y)
    }
    #[inline(always)]
    fn slope_at_value(y: F4) -> F4 {
        c(1.0) - y * y
    }
}

impl Function for Silu {
    const FROM_VALUE: bool = false;

    #[inline(always)]
    fn value(x: F4) -> F4 {
        silu(x)
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        silu_slopes(x).0
    }
    #[inline(always)]
    fn curve(x: F4) -> F4 {
        silu_slopes(x).1
    }
    #[inline(always)]
    fn slope_at_value(_: F4) -> F4 {
        c(f32::NAN)
    }
}

impl Function for Gelu {
    const FROM_VALUE: bool = false;

    #[inline(always)]
    fn value(x: F4) -> F4 {
        gelu(x)
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        gelu_slopes(x).0
    }
    #[inline(always)]
    fn curve(x: F4) -> F4 {
        gelu_slopes(x).1
    }
    #[inline(always)]
    fn slope_at_value(_: F4) -> F4 {
        c(f32::NAN)
    }
}

impl Function for Elu {
    #[inline(always)]
    fn value(x: F4) -> F4 {
        by_sign(x, x, exp_m1(x.at_most(c(0.0))))
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        exp(x.at_most(c(0.0)))
    }
    #[inline(always)]
    fn curve(x: F4) -> F4 {
        by_sign(x, c(0.0), exp(x.at_most(c(0.0))))
    }
    #[inline(always)]
    fn slope_at_value(y: F4) -> F4 {
        c(1.0) + y.at_most(c(0.0))
    }
}

impl Function for Softplus {
    #[inline(always)]
    fn value(x: F4) -> F4 {
        softplus(x)
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        sigmoid(x)
    }
    #[inline(always)]
    fn curve(x: F4) -> F4 {
        Sigmoid::slope(x)
    }
    #[inline(always)]
    fn slope_at_value(y: F4) -> F4 {
        // σ(x) = 1 − e^−y
        -exp_m1(-y)
    }
}

impl Function for Sigmoid {
    #[inline(always)]
    fn value(x: F4) -> F4 {
        sigmoid(x)
    }
    #[inline(always)]
    fn slope(x: F4) -> F4 {
        Self::slope_at_value(sigmoid(x))
    }
    #[inline(always)]
    fn curve(x: F4) -> F4 {
        let y = sigmoid(x);
        Self::slope_at_value(y) * (c(1.0) - (y + y))
    }
    #[inline(always)]
    fn slope_at_value(y: F4) -> F4 {
        y * (c(1.0) - y)
    }
}

impl Function for Identity {
    #[inline(always)]
    fn value(x: F4) -> F4 {
        x
    }
    #[inline(always)]
    fn slope(_: F4) -> F4 {
        c(1.0)
    }
    #[inline(always)]
    fn curve(_: F4) -> F4 {
        c(0.0)
    }
    #[inline(always)]
    fn slope_at_value(_: F4) -> F4 {
        c(1.0)
    }
}
