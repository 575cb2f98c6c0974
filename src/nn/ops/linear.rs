//! f(x·Wᵀ + b).

use super::{activate, plain};
use crate::error::Result;
use crate::nn::Activation;
use candle_core::Tensor;

/// f(x·Wᵀ + b).
///
/// # Shapes
/// xs (n, inputs), weight (outputs, inputs), bias (outputs) → (n, outputs)
pub fn linear(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
    activate(&plain::linear(xs, weight, bias)?, activation)
}
