//! Operations with a gradient of their own: one pass over memory each, on contiguous `f32`.
//!
//! A forward pass whose inputs have no graph records none and keeps nothing.

mod activate;
mod backward;
mod conv;
mod linear;
mod losses;
pub mod plain;
mod pool;
mod slices;
mod widen;

pub use activate::{activate, activate_derivative, softplus};
pub use backward::backward;
pub use conv::{conv_transpose2d, conv2d};
pub use linear::linear;
pub use losses::{bce_with_logits, gaussian_kl, gaussian_sample, squared_error};
pub use pool::{avg_pool2d, max_pool2d, upsample_nearest2d};
pub(crate) use slices::{storage_slice, storage_slice_mut, with_slice};
pub use widen::upsample_conv2d;
