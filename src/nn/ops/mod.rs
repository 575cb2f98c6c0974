//! Operations with a gradient of their own: one pass over memory each, on contiguous `f32`.
//!
//! A forward pass whose inputs have no graph records none and keeps nothing.

mod activate;
mod attention;
mod backward;
mod classes;
mod conv;
mod density;
mod flow;
mod layer;
mod linear;
mod live;
mod losses;
mod mask;
mod norm;
mod perceptron;
pub mod plain;
pub mod plain_flow;
pub mod plain_layers;
mod pool;
mod recurrent;
mod scratch;
mod slices;
mod widen;

pub(crate) use activate::value_and_slope;
pub use activate::{activate, activate_derivative, softplus};
pub use attention::{Growing, attention};
pub use backward::{Gradients, backward, gradients};
pub use classes::{class_log_probs, cross_entropy, embedding};
pub use conv::{conv_transpose2d, conv2d};
pub use density::{gaussian_log_prob, gaussian_nll, mixture_log_prob, mixture_nll};
pub use flow::{Couple, columns, flow_nll, uncouple};
pub use linear::{linear, product};
pub use losses::{bce_with_logits, gaussian_kl, gaussian_sample, squared_error};
pub use mask::masked;
pub use norm::{group_norm, layer_norm};
pub use perceptron::{Stage, perceptron};
pub use pool::{avg_pool2d, max_pool2d, upsample_nearest2d};
pub use recurrent::gru;
pub(crate) use slices::{storage_slice, storage_slice_mut, with_slice};
pub use widen::upsample_conv2d;
