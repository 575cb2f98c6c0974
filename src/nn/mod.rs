//! Layers, optimisers, and the operations that they are made of.
//!
//! Nothing here knows of models, data sets or sessions.
//! Everything is `f32` on the CPU, row-major; a batch `xs` has the shape (n, d).
//! The operations in [`ops`] replace those of candle whose gradient is wrong, missing or slow; each has a
//! plain twin that the tests compare it with, in value and in gradient.

pub mod activation;
pub mod conv;
pub mod conv_net;
pub mod double;
pub mod ema;
pub mod embedding;
pub mod gru;
pub mod init;
pub use tealight_kernels as kernels;
pub mod linear;
pub mod mlp;
pub mod norm;
pub mod ode;
pub mod ops;
pub mod optim;
pub mod penalty;
pub mod schedule;
pub mod spectral;
pub mod tensor_file;
pub mod transformer;
pub mod vars;

pub use activation::Activation;
pub use conv::{Conv2d, ConvTranspose2d};
pub use conv_net::{ConvCritic, ConvDecoder, ConvEncoder};
pub use double::DoubleVars;
pub use ema::Ema;
pub use embedding::Embedding;
pub use gru::Gru;
pub use init::Init;
pub use linear::Linear;
pub use mlp::Mlp;
pub use norm::{GroupNorm, LayerNorm};
pub use ode::Solver;
pub use ops::{Gradients, backward, gradients};
pub use optim::{Optimizer, OptimizerKind, Update};
pub use schedule::Decay;
pub use transformer::{CausalAttention, TransformerBlock};
pub use vars::Vars;

#[cfg(test)]
pub(crate) mod check;
