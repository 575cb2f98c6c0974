//! Elementary functions that are the same natively and on the web.
//!
//! Natively they are those of the crate `libm`. The standard library for the web is built on a copy of it, which is
//! used there.

#[cfg(not(target_arch = "wasm32"))]
pub use libm::*;

#[cfg(target_arch = "wasm32")]
pub use web::*;

#[cfg(not(target_arch = "wasm32"))]
use libm as system;
#[cfg(target_arch = "wasm32")]
use web as system;

/// An angle near 0 with the same sine and cosine, to within 10⁻¹⁶ of what |x| is. What exact reduction takes from there
/// on, a long table and much code, nobody needs: the package leaves it out (tools/slim.mjs).
fn turned(x: f64) -> f64 {
    // There the standard library's own reduction becomes another one, at 2²⁰·π/2.
    if x.abs() < 1.6e6 {
        return x;
    }
    let turns = x / std::f64::consts::TAU;
    (turns - turns.floor()) * std::f64::consts::TAU
}

/// sin x
pub fn sin(x: f64) -> f64 {
    system::sin(turned(x))
}

/// cos x
pub fn cos(x: f64) -> f64 {
    system::cos(turned(x))
}

/// sin x and cos x
pub fn sincos(x: f64) -> (f64, f64) {
    system::sincos(turned(x))
}

#[cfg(target_arch = "wasm32")]
mod web {
    // The standard library has none of these.
    pub use libm::{erfc, tgamma};

    /// Functions of one number under the names that `libm` gives them.
    macro_rules! functions {
        ($($name:ident = $method:ident),* $(,)?) => {$(
            #[doc = concat!("`", stringify!($name), "` in double precision.")]
            pub fn $name(x: f64) -> f64 {
                x.$method()
            }
        )*};
    }

    functions! {
        acos = acos, acosh = acosh, asin = asin, atan = atan, ceil = ceil, cos = cos, cosh = cosh, exp = exp,
        expm1 = exp_m1, fabs = abs, floor = floor, log = ln, log1p = ln_1p, log2 = log2, rint = round_ties_even,
        round = round, sin = sin, sinh = sinh, sqrt = sqrt, tanh = tanh, trunc = trunc,
    }

    /// The angle of (x, y) in −π..=π.
    pub fn atan2(y: f64, x: f64) -> f64 {
        y.atan2(x)
    }

    /// eˣ in single precision.
    pub fn expf(x: f32) -> f32 {
        x.exp()
    }

    /// √(x² + y²), without overflow.
    pub fn hypot(x: f64, y: f64) -> f64 {
        x.hypot(y)
    }

    /// The natural logarithm in single precision.
    pub fn logf(x: f32) -> f32 {
        x.ln()
    }

    /// x to the power y.
    pub fn pow(x: f64, y: f64) -> f64 {
        x.powf(y)
    }

    /// The sine and the cosine.
    pub fn sincos(x: f64) -> (f64, f64) {
        x.sin_cos()
    }

    /// The square root in single precision.
    pub fn sqrtf(x: f32) -> f32 {
        x.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_of_any_size_have_a_sine_and_a_cosine() {
        for (x, tolerance) in [(0.5, 1e-15), (-1.5e6, 1e-15), (1.7e6, 1e-9), (-3.3e9, 1e-6)] {
            let (sine, cosine) = sincos(x);
            assert_eq!((sine, cosine), (sin(x), cos(x)));
            assert!(
                (sine - libm::sin(x)).abs() < tolerance && (cosine - libm::cos(x)).abs() < tolerance,
                "{x}"
            );
        }
        for x in [f64::MAX, f64::MIN_POSITIVE, 1e300] {
            assert!(sin(x).abs() <= 1.0 && cos(x).abs() <= 1.0);
        }
        assert!(sin(f64::INFINITY).is_nan() && cos(f64::NAN).is_nan());
    }
}
