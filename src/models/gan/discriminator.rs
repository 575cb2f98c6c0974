//! The discriminator: what it looks at, and the network that judges it.
//!
//! Beside a row it may be told the class (conditional), and how far the rows of its batch lie apart (minibatch
//! standard deviation); it may judge several rows at once (PacGAN); its layers may be spectrally normalised.

use candle_core::Tensor;

use super::GanParams;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::models::condition::Condition;
use crate::models::network::{NetKind, image};
use crate::models::{first_rows, matrix};
use crate::nn::penalty::Critic;
use crate::nn::{Activation, ConvCritic, Init, Mlp, Vars, spectral};
use crate::rng::Rng;

/// How much a spectrally normalised discriminator may stretch in all.
///
/// One that stretches nothing sees hardly any difference between points that lie a tenth apart.
const SPECTRAL_GAIN: f64 = 10.0;

/// Power iterations on the initial weights; a step adds one.
const FIRST_ITERATIONS: usize = 10;

/// A network from what the discriminator looks at to logits.
#[derive(Clone)]
enum Net {
    Mlp(Mlp),
    Conv(ConvCritic),
}

impl Net {
    fn detached(&self) -> Self {
        match self {
            Self::Mlp(net) => Self::Mlp(net.detached()),
            Self::Conv(net) => Self::Conv(net.detached()),
        }
    }

    fn critic(&self) -> &dyn Critic {
        match self {
            Self::Mlp(net) => net,
            Self::Conv(net) => net,
        }
    }

    /// Every layer's weight, from the input's side on.
    fn weights_mut(&mut self) -> Vec<&mut Tensor> {
        match self {
            Self::Mlp(net) => net.layers.iter_mut().map(|layer| &mut layer.weight).collect(),
            Self::Conv(net) => {
                let convolutions = net.trunk.layers.iter_mut().map(|layer| &mut layer.weight);
                convolutions.chain([&mut net.head.weight]).collect()
            }
        }
    }
}

/// A discriminator, its weights tracked.
pub(super) struct Discriminator {
    net: Net,
    condition: Condition,
    /// How many rows it judges at once.
    pub(super) pack: usize,
    /// How many values a row has.
    size: usize,
    /// How many values a thing beside a row has: a plane for convolutions.
    area: usize,
    /// [`spread`] of the training rows, if it is told that of its batch.
    usual_spread: Option<f32>,
    /// The left singular vector of each layer so far, (1, outputs); none without spectral normalisation.
    singular: Vec<Tensor>,
}

/// The standard deviation of each value over the batch, averaged over the values: a scalar.
/// (Karras et al. 2018, <https://arxiv.org/abs/1710.10196>.)
fn spread(xs: &Tensor) -> Result<Tensor> {
    let centred = xs.broadcast_sub(&xs.mean_keepdim(0)?)?;
    Ok((centred.sqr()?.mean(0)? + 1e-8)?.sqrt()?.mean_all()?)
}

impl Discriminator {
    /// Adds the variables `discriminator.<layer>.weight` and `discriminator.<layer>.bias` to `vars`.
    pub(super) fn new(
        params: &GanParams,
        data: &Data,
        condition: Condition,
        init: Init,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let (size, pack, name) = (data.shape.size(), params.pack, "discriminator");
        let beside = condition.classes() + usize::from(params.minibatch_std);
        let activation = params.activation_d;
        let mut area = 1;
        let mut net = match params.net {
            NetKind::Mlp => {
                let (inputs, hidden) = (pack * (size + beside), &params.network_shape_d);
                let output = Activation::Identity;
                Net::Mlp(Mlp::new(vars, name, inputs, hidden, 1, activation, output, init, rng)?)
            }
            NetKind::Conv => {
                let [channels, height, width] = image(&data.shape);
                area = height * width;
                let input = [pack * (channels + beside), height, width];
                let widths = [params.channels, 2 * params.channels];
                Net::Conv(ConvCritic::new(vars, name, input, &widths, activation, init, rng)?)
            }
        };
        let usual_spread = match params.minibatch_std {
            true => {
                let rows = data.train.len(&data.shape).min(4096);
                Some(spread(&first_rows(&data.train, &data.shape, rows)?)?.to_scalar()?)
            }
            false => None,
        };
        let mut singular = Vec::new();
        if params.spectral_norm {
            for weight in net.weights_mut() {
                let outputs = weight.dim(0)?;
                let mut u = matrix(rng.normals(outputs), 1, outputs)?;
                for _ in 0..FIRST_ITERATIONS {
                    u = spectral::power_iteration(weight, &u)?.0;
                }
                singular.push(u);
            }
        }
        Ok(Self { net, condition, pack, size, area, usual_spread, singular })
    }

    /// A network of ours with the weights that it judges with.
    fn effective(&self, mut net: Net) -> Result<Net> {
        let count = self.singular.len();
        for (i, (weight, u)) in net.weights_mut().into_iter().zip(&self.singular).enumerate() {
            let gain = if i + 1 == count { SPECTRAL_GAIN } else { 1.0 };
            *weight = spectral::normalised(weight, u, gain)?;
        }
        Ok(net)
    }

    /// A power iteration on every layer that is normalised.
    pub(super) fn iterate(&mut self) -> Result<()> {
        for (weight, u) in self.net.weights_mut().into_iter().zip(&mut self.singular) {
            *u = spectral::power_iteration(weight, u)?.0;
        }
        Ok(())
    }

    /// What the network looks at: rows, their classes, and how far the batch lies apart.
    ///
    /// # Shapes
    /// (n, size) → (n/pack, pack·(size + what is beside it)); n is a multiple of the pack
    pub(super) fn inputs(&self, xs: &Tensor, labels: &[u32]) -> Result<Tensor> {
        let spread = self.usual_spread.map(|_| spread(xs)).transpose()?;
        let rows = self.columns(xs, labels, spread.as_ref())?;
        if self.pack == 1 {
            return Ok(rows);
        }
        let (n, width) = rows.dims2()?;
        // (n, d) -> (n/pack, pack·d)
        Ok(rows.reshape((n / self.pack, self.pack * width))?)
    }

    /// Rows and what is beside them, (n, size + …).
    fn columns(&self, xs: &Tensor, labels: &[u32], spread: Option<&Tensor>) -> Result<Tensor> {
        let rows = self.condition.beside(xs, labels, self.area)?;
        let Some(spread) = spread else { return Ok(rows) };
        let plane = spread.reshape((1, 1))?.broadcast_as((xs.dim(0)?, self.area))?.contiguous()?;
        Ok(Tensor::cat(&[&rows, &plane], 1)?)
    }

    /// 1 where an input is data and 0 beside it, (1, inputs); nothing where all are.
    ///
    /// Penalties are on slopes in the data: the class and the batch's spread are held fixed.
    pub(super) fn mask(&self) -> Result<Option<Tensor>> {
        let beside = (self.condition.classes() + usize::from(self.usual_spread.is_some())) * self.area;
        if beside == 0 {
            return Ok(None);
        }
        let row = [vec![1.0; self.size], vec![0.0; beside]].concat().repeat(self.pack);
        let width = row.len();
        Ok(Some(matrix(row, 1, width)?))
    }

    /// Logits, (packs, 1), tracked in the weights.
    pub(super) fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        self.effective(self.net.clone())?.critic().value(inputs)
    }

    /// Logits whose gradient goes to the inputs and to no weight.
    pub(super) fn forward_detached(&self, inputs: &Tensor) -> Result<Tensor> {
        self.effective(self.net.detached())?.critic().value(inputs)
    }

    /// Calls `f` with the network, tracked in the weights.
    pub(super) fn with_critic<R>(&self, f: impl FnOnce(&dyn Critic) -> Result<R>) -> Result<R> {
        f(self.effective(self.net.clone())?.critic())
    }

    /// The logit of each row alone: as a whole pack of itself, of the class that suits it best, in a batch as
    /// wide as the data.
    ///
    /// # Shapes
    /// (n, size) → n
    pub(super) fn judge(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let n = xs.dim(0)?;
        let spread = self.usual_spread.map(|spread| Tensor::new(spread, xs.device())).transpose()?;
        let mut best: Vec<f32> = vec![f32::NEG_INFINITY; n];
        for class in 0..self.condition.classes().max(1) {
            let rows = self.columns(xs, &vec![class as u32; n], spread.as_ref())?;
            let packs = if self.pack == 1 { rows } else { Tensor::cat(&vec![&rows; self.pack], 1)? };
            let logits: Vec<f32> = self.forward_detached(&packs)?.flatten_all()?.to_vec1()?;
            best.iter_mut().zip(logits).for_each(|(best, logit)| *best = best.max(logit));
        }
        Ok(best)
    }

    /// The singular vectors by name, for a snapshot.
    pub(super) fn state(&self) -> Vec<(String, Vec<f32>)> {
        let values = |u: &Tensor| u.flatten_all().and_then(|u| u.to_vec1()).unwrap_or_default();
        self.singular.iter().enumerate().map(|(i, u)| (format!("spectral/{i}"), values(u))).collect()
    }

    /// Takes back what [`Discriminator::state`] gave.
    pub(super) fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        let mut found = Vec::with_capacity(self.singular.len());
        for (i, u) in self.singular.iter().enumerate() {
            let name = format!("spectral/{i}");
            let values = state.iter().find(|(key, _)| *key == name).map(|(_, values)| values.clone());
            let values = values.filter(|values| values.len() == u.elem_count());
            let values =
                values.ok_or_else(|| Error::File(format!("\"{name}\" is missing or of another length")))?;
            found.push(Tensor::from_vec(values, u.shape(), u.device())?);
        }
        self.singular = found;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal};

    #[test]
    fn the_spread_of_a_batch_and_its_gradient_match_differences() {
        let xs = normal(&[6, 3], 1.0, "xs");
        let (value, gradients) = backward(|x| spread(&x[0]), std::slice::from_ref(&xs));
        let rows: Vec<Vec<f32>> = xs.to_vec2().unwrap();
        let deviation = |d: usize| {
            let mean = rows.iter().map(|row| f64::from(row[d])).sum::<f64>() / 6.0;
            (rows.iter().map(|row| (f64::from(row[d]) - mean).powi(2)).sum::<f64>() / 6.0).sqrt()
        };
        assert_close(&value, &[(deviation(0) + deviation(1) + deviation(2)) / 3.0], 1e-5, "spread");
        let expected = differences(|x| spread(&x[0]), &[xs]);
        assert_close(&gradients[0], &expected[0], 1e-5, "gradient");
    }
}
