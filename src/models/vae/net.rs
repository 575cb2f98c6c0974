//! The VAE's encoder and decoder, and the terms of its bounds.

use candle_core::Tensor;

use super::{Decoder, VaeParams, Variance};
use crate::data::Shape;
use crate::error::Result;
use crate::models::condition::Condition;
use crate::models::network::{Expand, NetKind, image};
use crate::nn::{Activation, ConvEncoder, Init, Linear, Mlp, Vars, ops};
use crate::rng::Rng;

/// What the encoder's two heads stand on.
enum Trunk {
    /// The data themselves.
    None,
    Mlp(Mlp),
    Conv(ConvEncoder),
}

/// Encoder and decoder; with the weights tracked, or detached from the graph.
pub(super) struct Net {
    condition: Condition,
    /// How many values tell the encoder whether a row is of a class: a plane for convolutions.
    area: usize,
    trunk: Trunk,
    mean: Linear,
    log_std: Linear,
    decoder: Expand,
    /// The Gaussian decoder's log σ² when it is trained, a scalar.
    pub(super) log_sigma2: Option<Tensor>,
}

/// The terms of the −ELBO, scalars in nats, and the decoder's output they were computed from.
pub(super) struct Elbo {
    pub(super) reconstruction: Tensor,
    pub(super) kl: Tensor,
    pub(super) output: Tensor,
}

/// log p(x, z) − log q(z|x) for one latent a row, in two terms of shape (n), in nats.
pub(super) struct LogWeight {
    /// log p(z) − log q(z|x)
    pub(super) ratio: Tensor,
    /// −log p(x|z)
    pub(super) error: Tensor,
}

impl Net {
    pub(super) fn new(
        params: &VaeParams,
        shape: &Shape,
        condition: Condition,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let (q, activation, init) = (params.latent_dim, params.activation, Init::KaimingUniform);
        let classes = condition.classes();
        let mut area = 1;
        let (trunk, features) = match (params.net, params.network_shape.split_last()) {
            (NetKind::Conv, _) => {
                let [channels, height, width] = image(shape);
                area = height * width;
                let widths = [params.channels, 2 * params.channels];
                let input = [channels + classes, height, width];
                let trunk = ConvEncoder::new(vars, "encoder", input, &widths, activation, init, rng)?;
                let features = trunk.features();
                (Trunk::Conv(trunk), features)
            }
            (NetKind::Mlp, None) => (Trunk::None, shape.size() + classes),
            (NetKind::Mlp, Some((&last, hidden))) => {
                let inputs = shape.size() + classes;
                let trunk =
                    Mlp::new(vars, "encoder", inputs, hidden, last, activation, activation, init, rng)?;
                (Trunk::Mlp(trunk), last)
            }
        };
        let mean = Linear::new(vars, "encoder.mean", features, q, init, rng)?;
        // A tenth of the usual scale: posteriors start near the prior's width.
        let log_std = Linear::new(vars, "encoder.log_std", features, q, Init::Scaled(0.1), rng)?;
        let mirrored: Vec<usize> = params.network_shape.iter().rev().copied().collect();
        let decoder = Expand::new(
            params.net,
            vars,
            "decoder",
            q + classes,
            &mirrored,
            params.channels,
            shape,
            activation,
            Activation::Identity,
            init,
            rng,
        )?;
        let log_sigma2 = match (params.decoder, params.variance) {
            (Decoder::Gaussian, Variance::Learned) => Some(vars.add("decoder.log_sigma2", &[], vec![0.0])?),
            _ => None,
        };
        Ok(Self { condition, area, trunk, mean, log_std, decoder, log_sigma2 })
    }

    /// The same weights without a graph.
    pub(super) fn detached(&self) -> Self {
        Self {
            condition: self.condition.clone(),
            area: self.area,
            trunk: match &self.trunk {
                Trunk::None => Trunk::None,
                Trunk::Mlp(net) => Trunk::Mlp(net.detached()),
                Trunk::Conv(net) => Trunk::Conv(net.detached()),
            },
            mean: self.mean.detached(),
            log_std: self.log_std.detached(),
            decoder: self.decoder.detached(),
            log_sigma2: self.log_sigma2.as_ref().map(Tensor::detach),
        }
    }

    /// (n, size) and the classes to the posterior's mean and log standard deviation, (n, q) each.
    pub(super) fn encode(&self, xs: &Tensor, labels: &[u32]) -> Result<(Tensor, Tensor)> {
        let xs = self.condition.beside(xs, labels, self.area)?;
        let features = match &self.trunk {
            Trunk::None => xs,
            Trunk::Mlp(net) => net.forward(&xs)?,
            Trunk::Conv(net) => net.forward(&xs)?,
        };
        Ok((self.mean.forward(&features)?, self.log_std.forward(&features)?))
    }

    /// (n, q) and the classes to the decoder's output, (n, size).
    pub(super) fn decode(&self, z: &Tensor, labels: &[u32]) -> Result<Tensor> {
        self.decoder.forward(&self.condition.beside(z, labels, 1)?)
    }

    /// The terms of the −ELBO with this noise.
    pub(super) fn elbo(&self, params: &VaeParams, xs: &Tensor, labels: &[u32], eps: &Tensor) -> Result<Elbo> {
        let (mean, log_std) = self.encode(xs, labels)?;
        let z = ops::gaussian_sample(&mean, &log_std, eps)?;
        let output = self.decode(&z, labels)?;
        let reconstruction = match params.decoder {
            Decoder::Bernoulli => ops::bce_with_logits(&output, xs)?,
            Decoder::Gaussian => {
                let sse = ops::squared_error(&output, xs)?;
                let half_d = xs.dim(1)? as f64 / 2.0;
                let ln_2pi = std::f64::consts::TAU.ln();
                match &self.log_sigma2 {
                    Some(log_sigma2) => {
                        let scaled = (sse * log_sigma2.neg()?.exp()?)?;
                        ((scaled * 0.5)? + log_sigma2.affine(half_d, half_d * ln_2pi)?)?
                    }
                    None => sse.affine(0.5 / params.sigma2, half_d * (ln_2pi + params.sigma2.ln()))?,
                }
            }
        };
        Ok(Elbo { reconstruction, kl: ops::gaussian_kl(&mean, &log_std)?, output })
    }

    /// The importance weights of the latents that this noise makes of the posteriors.
    pub(super) fn log_weight(
        &self,
        params: &VaeParams,
        xs: &Tensor,
        labels: &[u32],
        (mean, log_std): (&Tensor, &Tensor),
        eps: &Tensor,
    ) -> Result<LogWeight> {
        let z = ops::gaussian_sample(mean, log_std, eps)?;
        let output = self.decode(&z, labels)?;
        // log p(z) − log q(z|x) = Σ ½ (ε² − z²) + log σ; the normalising constants cancel.
        let ratio = ((eps.sqr()? - z.sqr()?)?.affine(0.5, 0.0)? + log_std)?.sum(1)?;
        let error = match params.decoder {
            // softplus(l) − x l is the cross-entropy with logits.
            Decoder::Bernoulli => (ops::softplus(&output)? - (output * xs)?)?.sum(1)?,
            Decoder::Gaussian => {
                let squares = (output - xs)?.sqr()?.sum(1)?;
                let half_d = xs.dim(1)? as f64 / 2.0;
                let ln_2pi = std::f64::consts::TAU.ln();
                match &self.log_sigma2 {
                    Some(log_sigma2) => squares
                        .broadcast_mul(&log_sigma2.neg()?.exp()?.affine(0.5, 0.0)?)?
                        .broadcast_add(&log_sigma2.affine(half_d, half_d * ln_2pi)?)?,
                    None => squares.affine(0.5 / params.sigma2, half_d * (ln_2pi + params.sigma2.ln()))?,
                }
            }
        };
        Ok(LogWeight { ratio, error })
    }
}
