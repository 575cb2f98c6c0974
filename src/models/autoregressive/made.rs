//! The masked auto-encoder for distribution estimation.

use candle_core::Tensor;
use std::sync::Arc;

use super::{Cell, Sampling, bit_log_probs};
use crate::error::Result;
use crate::models::matrix;
use crate::nn::kernels::elementwise::add_scaled;
use crate::nn::{Activation, Init, Linear, Vars, ops};
use crate::rng::Rng;

/// An MLP from all pixels to a logit for each, with connections cut so that a pixel's logit sees only the pixels
/// before it (Germain et al. 2015, <https://arxiv.org/abs/1502.03509>), in the natural order.
///
/// Without a hidden layer it is a logistic regression for each pixel on those before it.
pub struct Made {
    layers: Vec<Masked>,
    activation: Activation,
    size: usize,
}

/// A layer some of whose weights are held at 0.
struct Masked {
    layer: Linear,
    /// (outputs, inputs)
    mask: Arc<[f32]>,
}

impl Masked {
    fn forward(&self, xs: &Tensor, activation: Activation) -> Result<Tensor> {
        ops::linear(xs, &self.weight()?, self.layer.bias.as_ref(), activation)
    }

    /// The weights that count.
    fn weight(&self) -> Result<Tensor> {
        ops::masked(&self.layer.weight, &self.mask)
    }
}

impl Made {
    pub fn new(
        size: usize,
        hidden: &[usize],
        activation: Activation,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let pixels: Vec<usize> = (1..=size).collect();
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        // A unit of degree m may see the pixels 1 to m, and the pixel of degree m may be computed from units below m.
        let mut below = pixels.clone();
        for (i, width) in hidden.iter().map(Some).chain([None]).enumerate() {
            let (degrees, last) = match width {
                Some(width) => ((0..*width).map(|unit| unit % (size - 1).max(1) + 1).collect(), 0),
                None => (pixels.clone(), 1),
            };
            let sees = degrees.iter().flat_map(|to| below.iter().map(move |from| *to >= from + last));
            let mask = sees.map(|sees| if sees { 1.0 } else { 0.0 }).collect();
            let (name, init) = (format!("made.{i}"), Init::KaimingUniform);
            layers.push(Masked {
                layer: Linear::new(vars, &name, below.len(), degrees.len(), init, rng)?,
                mask,
            });
            below = degrees;
        }
        Ok(Self { layers, activation, size })
    }

    /// The same network without a graph.
    fn detached(&self) -> Self {
        let layer = |masked: &Masked| Masked { layer: masked.layer.detached(), mask: masked.mask.clone() };
        Self { layers: self.layers.iter().map(layer).collect(), ..*self }
    }

    /// The logit of each pixel, (n, size) → (n, size).
    fn logits(&self, xs: &Tensor) -> Result<Tensor> {
        let (mut xs, last) = (xs.clone(), self.layers.len().saturating_sub(1));
        for (i, layer) in self.layers.iter().enumerate() {
            xs = layer.forward(&xs, if i == last { Activation::Identity } else { self.activation })?;
        }
        Ok(xs)
    }
}

impl Cell for Made {
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.logits(xs)?.unsqueeze(2)?)
    }

    fn loss(&self, xs: &Tensor) -> Result<Tensor> {
        ops::bce_with_logits(&self.logits(xs)?, xs)
    }

    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>> {
        bit_log_probs(&self.detached().logits(xs)?, xs)
    }

    /// The first layer's sums are carried on from pixel to pixel, and of the last layer one row is computed.
    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor> {
        let net = self.detached();
        let mut pixels = vec![0.0; n * self.size];
        let Some((first, others)) = net.layers.split_first() else { return matrix(pixels, n, self.size) };
        // (outputs, inputs) -> (inputs, outputs): what each pixel adds to the sums.
        let adds = first.weight()?.t()?.contiguous()?.to_vec2::<f32>()?;
        let width = first.layer.weight.dim(0)?;
        let bias = first.layer.bias.as_ref().map(Tensor::to_vec1::<f32>).transpose()?.unwrap_or_default();
        let mut sums = bias.repeat(n);
        let mut weights = Vec::with_capacity(others.len());
        for layer in others {
            weights.push((layer.weight()?, layer.layer.bias.as_ref()));
        }
        for (i, add) in adds.iter().enumerate() {
            let logits = match weights.split_last() {
                None => sums.chunks_exact(width.max(1)).filter_map(|sums| sums.get(i).copied()).collect(),
                Some(((weight, bias), inner)) => {
                    let mut hidden = self.activation.forward(&matrix(sums.clone(), n, width)?)?;
                    for (weight, bias) in inner {
                        hidden = ops::linear(&hidden, weight, *bias, self.activation)?;
                    }
                    let bias = bias.map(|bias| bias.narrow(0, i, 1)).transpose()?;
                    let logits =
                        ops::linear(&hidden, &weight.narrow(0, i, 1)?, bias.as_ref(), Activation::Identity)?;
                    logits.flatten_all()?.to_vec1::<f32>()?
                }
            };
            let rows = pixels.chunks_exact_mut(self.size).zip(sums.chunks_exact_mut(width.max(1)));
            for ((row, sums), logit) in rows.zip(logits) {
                if let Some(pixel) = row.get_mut(i).filter(|_| sampling.flip(logit, rng)) {
                    *pixel = 1.0;
                    add_scaled(1.0, add, sums);
                }
            }
        }
        matrix(pixels, n, self.size)
    }
}
