//! The activation functions, with first derivatives that can themselves be differentiated.

use crate::choices;
use crate::error::Result;
use crate::nn::ops;
use candle_core::Tensor;

choices! {
    /// What a layer applies to each of its outputs.
    pub enum Activation {
        /// max(x, 0)
        Relu = "relu",
        /// x above 0, x/5 below.
        LeakyRelu = "leakyRelu",
        /// tanh x
        Tanh = "tanh",
        /// x·σ(x) (<https://arxiv.org/abs/1702.03118>)
        Silu = "silu",
        /// x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2 (<https://arxiv.org/abs/1606.08415>)
        Gelu = "gelu",
        /// x above 0, eˣ − 1 below (<https://arxiv.org/abs/1511.07289>)
        Elu = "elu",
        /// ln(1 + eˣ)
        Softplus = "softplus",
        /// σ(x) = 1/(1 + e⁻ˣ)
        Sigmoid = "sigmoid",
        /// x
        Identity = "linear",
    }
}

impl Activation {
    /// f(x), element by element, at any shape.
    pub fn forward(self, xs: &Tensor) -> Result<Tensor> {
        ops::activate(xs, self)
    }

    /// f′(x), element by element: a graph whose own gradient is f″(x).
    /// At the kinks of `relu` and `leakyRelu` it is the derivative from below.
    pub fn derivative(self, xs: &Tensor) -> Result<Tensor> {
        ops::activate_derivative(xs, self)
    }
}
