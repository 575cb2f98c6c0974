//! The gated recurrent unit.

use crate::error::Result;
use crate::nn::{Init, Linear, Vars, ops};
use crate::rng::Rng;
use candle_core::Tensor;

/// A gated recurrent unit (Cho et al. 2014, <https://arxiv.org/abs/1406.1078>), the reset gate applied after the
/// state's product: see [`ops::gru`].
#[derive(Debug, Clone)]
pub struct Gru {
    /// The inputs' part of the gates: (3·width, inputs) and (3·width).
    pub input: Linear,
    /// The state's part: (3·width, width).
    pub weight: Tensor,
    /// Its bias: (3·width).
    pub bias: Tensor,
}

impl Gru {
    /// Adds the variables `<name>.input.weight`, `<name>.input.bias`, `<name>.state.weight` and
    /// `<name>.state.bias` to `vars`; the biases are zero.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        width: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let input = Linear::new(vars, &format!("{name}.input"), inputs, 3 * width, init, rng)?;
        let weight = init.weights(3 * width, width, rng);
        let weight = vars.add(&format!("{name}.state.weight"), &[3 * width, width], weight)?;
        let bias = vars.add(&format!("{name}.state.bias"), &[3 * width], vec![0.0; 3 * width])?;
        Ok(Self { input, weight, bias })
    }

    /// The states of sequences after each step, from `initial` or from 0; so many of them take each step, the first
    /// of those that took the one before.
    ///
    /// No gradient flows to the initial states.
    ///
    /// # Shapes
    /// xs (Σ counts, inputs), step after step; initial (the first count, width) → (Σ counts, width)
    ///
    /// # Errors
    /// When the shapes differ from these, or a count is larger than the one before it.
    pub fn forward(&self, xs: &Tensor, counts: &[usize], initial: Option<&Tensor>) -> Result<Tensor> {
        ops::gru(&self.input.forward(xs)?, &self.weight, &self.bias, counts, initial)
    }

    /// The same unit without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { input: self.input.detached(), weight: self.weight.detach(), bias: self.bias.detach() }
    }
}
