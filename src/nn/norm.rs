//! Layers that bring what passes to mean 0 and variance 1, then scale and shift it.

use crate::error::Result;
use crate::nn::{Activation, Vars, ops};
use candle_core::Tensor;

/// Normalises each row (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>).
#[derive(Debug, Clone)]
pub struct LayerNorm {
    /// The factor of each feature: (width).
    pub weight: Tensor,
    /// The term of each feature: (width).
    pub bias: Tensor,
}

impl LayerNorm {
    /// Adds the variables `<name>.weight` (one) and `<name>.bias` (zero) to `vars`.
    pub fn new(vars: &mut Vars, name: &str, width: usize) -> Result<Self> {
        let (weight, bias) = affine(vars, name, width)?;
        Ok(Self { weight, bias })
    }

    /// (x − mean)/√(variance + ε)·w + b over each row.
    ///
    /// # Shapes
    /// (…, width) → (…, width)
    ///
    /// # Errors
    /// When `xs` has another width.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        ops::layer_norm(xs, &self.weight, &self.bias)
    }

    /// The same layer without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { weight: self.weight.detach(), bias: self.bias.detach() }
    }
}

/// Normalises groups of channels of each image (Wu & He 2018, <https://arxiv.org/abs/1803.08494>).
#[derive(Debug, Clone)]
pub struct GroupNorm {
    /// The factor of each channel: (channels).
    pub weight: Tensor,
    /// The term of each channel: (channels).
    pub bias: Tensor,
    /// Into how many equal groups the channels are cut.
    pub groups: usize,
}

impl GroupNorm {
    /// Adds the variables `<name>.weight` (one) and `<name>.bias` (zero) to `vars`.
    pub fn new(vars: &mut Vars, name: &str, channels: usize, groups: usize) -> Result<Self> {
        let (weight, bias) = affine(vars, name, channels)?;
        Ok(Self { weight, bias, groups })
    }

    /// f((x − mean)/√(variance + ε)·w + b), mean and variance over each group of channels, in one operation.
    ///
    /// # Shapes
    /// (n, channels, …) → (n, channels, …)
    ///
    /// # Errors
    /// When `xs` has other channels, or they are not so many equal groups.
    pub fn forward_act(&self, xs: &Tensor, activation: Activation) -> Result<Tensor> {
        ops::group_norm(xs, &self.weight, &self.bias, self.groups, activation)
    }

    /// The same layer without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { weight: self.weight.detach(), bias: self.bias.detach(), groups: self.groups }
    }
}

fn affine(vars: &mut Vars, name: &str, width: usize) -> Result<(Tensor, Tensor)> {
    let weight = vars.add(&format!("{name}.weight"), &[width], vec![1.0; width])?;
    Ok((weight, vars.add(&format!("{name}.bias"), &[width], vec![0.0; width])?))
}
