//! The fully connected layer.

use crate::error::Result;
use crate::nn::{Activation, Init, Vars, ops};
use crate::rng::Rng;
use candle_core::Tensor;

/// x·Wᵀ + b.
#[derive(Debug, Clone)]
pub struct Linear {
    /// W: (outputs, inputs).
    pub weight: Tensor,
    /// b: (outputs).
    pub bias: Option<Tensor>,
}

impl Linear {
    /// Adds the variables `<name>.weight` and `<name>.bias` (zero) to `vars`.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        outputs: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let weight =
            vars.add(&format!("{name}.weight"), &[outputs, inputs], init.weights(outputs, inputs, rng))?;
        let bias = vars.add(&format!("{name}.bias"), &[outputs], vec![0.0; outputs])?;
        Ok(Self { weight, bias: Some(bias) })
    }

    /// x·Wᵀ + b.
    ///
    /// # Shapes
    /// (n, inputs) → (n, outputs)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        self.forward_act(xs, Activation::Identity)
    }

    /// f(x·Wᵀ + b), in one operation. No gradient is computed for an `xs` that has no graph.
    ///
    /// # Shapes
    /// (n, inputs) → (n, outputs)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn forward_act(&self, xs: &Tensor, activation: Activation) -> Result<Tensor> {
        ops::linear(xs, &self.weight, self.bias.as_ref(), activation)
    }

    /// The same layer without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { weight: self.weight.detach(), bias: self.bias.as_ref().map(Tensor::detach) }
    }
}
