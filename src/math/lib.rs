//! Elementary functions that are the same natively and on the web.
//!
//! Natively they are those of the crate `libm`. The standard library for the web is built on a copy of it, which is
//! used there.

#[cfg(not(target_arch = "wasm32"))]
pub use libm::*;

#[cfg(target_arch = "wasm32")]
pub use web::*;

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
        round = round, sin = sin, sinh = sinh, sqrt = sqrt, tan = tan, tanh = tanh, trunc = trunc,
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
