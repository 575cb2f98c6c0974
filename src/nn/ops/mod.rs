//! Operations with a gradient of their own.

mod activate;
mod linear;
mod losses;
pub mod plain;

pub use activate::{activate, activate_derivative, softplus};
pub use linear::linear;
pub use losses::{bce_with_logits, gaussian_kl, gaussian_sample, squared_error};
