//! What every layer of a flow can do, and the networks that they are made of.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::{Activation, Init, Linear, Mlp, Vars};
use crate::rng::Rng;

/// An invertible map of a state, (n, d + 1), which adds its log-determinant to the last column.
pub(super) trait Layer {
    /// From the data's side to the base's.
    fn forward(&self, state: &Tensor) -> Result<Tensor>;
    /// From the base's side to the data's, without a graph.
    fn inverse(&self, state: &Tensor) -> Result<Tensor>;
    /// The same layer without a graph: it shares the storage, so it sees every later update.
    fn detached(&self) -> Box<dyn Layer>;
}

/// What the layers' networks have in common.
pub(super) struct Network<'a> {
    pub hidden: &'a [usize],
    pub activation: Activation,
}

impl Network<'_> {
    /// A network whose outputs start close to `start`.
    pub fn build(
        &self,
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        start: &[f32],
        rng: &mut Rng,
    ) -> Result<Mlp> {
        let mut layers = Vec::with_capacity(self.hidden.len() + 1);
        let mut width = inputs;
        for &next in self.hidden {
            let name = format!("{name}.{}", layers.len());
            // Biases spread like the weights: else each unit would bend at the same place, the data's mean.
            let bias = Init::KaimingUniform.weights(next, width, rng);
            let bias = bias.into_iter().step_by(width.max(1)).collect();
            layers.push(linear(vars, &name, width, Init::KaimingUniform, bias, rng)?);
            width = next;
        }
        // A hundredth of the usual scale: the layer starts close to the identity.
        let name = format!("{name}.{}", layers.len());
        layers.push(linear(vars, &name, width, Init::Scaled(0.01), start.to_vec(), rng)?);
        Ok(Mlp { layers, activation: self.activation, output: Activation::Identity })
    }
}

fn linear(
    vars: &mut Vars,
    name: &str,
    inputs: usize,
    init: Init,
    bias: Vec<f32>,
    rng: &mut Rng,
) -> Result<Linear> {
    let outputs = bias.len();
    let weights = init.weights(outputs, inputs, rng);
    let weight = vars.add(&format!("{name}.weight"), &[outputs, inputs], weights)?;
    let bias = vars.add(&format!("{name}.bias"), &[outputs], bias)?;
    Ok(Linear { weight, bias: Some(bias) })
}
