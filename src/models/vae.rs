//! The variational auto-encoder (Kingma & Welling 2014, <https://arxiv.org/abs/1312.6114>), fully connected.
//!
//! −ELBO = E_q[−log p(x|z)] + β KL(q(z|x) ‖ N(0, I)), summed over dimensions, averaged over the batch, in nats.

use candle_core::Tensor;

use super::{
    Bound, Density, Entry, Latent, Loss, Model, OptionDomains, Prior, Reconstruct, Rule, Step, first_rows,
    load_named_state, matrix, named_state,
};
use crate::choices;
use crate::data::{Domain, Shape, Split};
use crate::error::{Error, Result};
use crate::nn::{Activation, Decay, Init, Linear, Mlp, Optimizer, OptimizerKind, Vars, ops};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// The law of a data point given its latent.
    pub enum Decoder {
        /// N(decode(z), σ² I), one σ for all dimensions.
        Gaussian = "gaussian",
        /// Independent bits with logits decode(z); grey values count as probabilities.
        Bernoulli = "bernoulli",
    }
}

choices! {
    /// Where the Gaussian decoder's variance comes from.
    pub enum Variance {
        /// One scalar, trained with the weights.
        Learned = "learned",
        /// A setting.
        Fixed = "fixed",
    }
}

params! {
    /// Settings of the VAE.
    pub struct VaeParams {
        /// Widths of the encoder's hidden layers; the decoder mirrors them.
        network_shape("networkShape"): Vec<usize> = vec![64, 64], widths(6, 512), Restart;
        /// The hidden layers' nonlinearity.
        activation("activation"): Activation = Activation::Silu, choice::<Activation>(), Restart;
        /// Number of latent dimensions.
        latent_dim("latentDim"): usize = 2, integer(1, 64), Restart;
        /// The law of a data point given its latent.
        decoder("decoder"): Decoder = Decoder::Gaussian, choice::<Decoder>(), Restart;
        /// Whether the decoder's variance is trained or set.
        variance("variance"): Variance = Variance::Learned, choice::<Variance>(), Restart, when("decoder" in "gaussian");
        /// The decoder's variance when it is set.
        sigma2("sigma2"): f64 = 0.05, log(1e-4, 10.0), Live, when("variance" in "fixed");
        /// Weight of the KL term; 1 is the ELBO.
        beta("beta"): f64 = 1.0, linear(0.0, 20.0), Live;
        /// Steps over which the KL term's weight rises from 0.
        warmup("warmup"): usize = 0, integer(0, 5000), Live, advanced(true);
        /// Size of the update's step.
        learning_rate("learningRate"): f64 = 2e-3, log(1e-5, 1e-1), Live;
        /// Data points per step.
        batch_size("batchSize"): usize = 256, log_integer(1, 1024), Live;
        /// The rule that turns gradients into updates.
        optimizer("optimizer"): Rule = Rule::Adam, choice::<Rule>(), Live, advanced(true);
        /// How much of the last updates the direction keeps.
        momentum("momentum"): f64 = 0.9, linear(0.0, 0.99), Live, advanced(true);
        /// How the learning rate falls.
        decay("decay"): Decay = Decay::Constant, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rate has fallen to 0.
        decay_steps("decaySteps"): usize = 5000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

impl VaeParams {
    fn kind(&self) -> OptimizerKind {
        self.optimizer.kind(self.momentum, self.momentum)
    }
}

/// Encoder and decoder; with the weights tracked, or detached from the graph.
struct Net {
    trunk: Option<Mlp>,
    mean: Linear,
    log_std: Linear,
    decoder: Mlp,
    /// The Gaussian decoder's log σ² when it is trained, a scalar.
    log_sigma2: Option<Tensor>,
}

impl Net {
    fn new(params: &VaeParams, size: usize, vars: &mut Vars, rng: &mut Rng) -> Result<Self> {
        let (q, activation, init) = (params.latent_dim, params.activation, Init::KaimingUniform);
        let (trunk, features) = match params.network_shape.split_last() {
            None => (None, size),
            Some((&last, hidden)) => (
                Some(Mlp::new(vars, "encoder", size, hidden, last, activation, activation, init, rng)?),
                last,
            ),
        };
        let mean = Linear::new(vars, "encoder.mean", features, q, init, rng)?;
        // A tenth of the usual scale: posteriors start near the prior's width.
        let log_std = Linear::new(vars, "encoder.log_std", features, q, Init::Scaled(0.1), rng)?;
        let mirrored: Vec<usize> = params.network_shape.iter().rev().copied().collect();
        let output = Activation::Identity;
        let decoder = Mlp::new(vars, "decoder", q, &mirrored, size, activation, output, init, rng)?;
        let log_sigma2 = match (params.decoder, params.variance) {
            (Decoder::Gaussian, Variance::Learned) => Some(vars.add("decoder.log_sigma2", &[], vec![0.0])?),
            _ => None,
        };
        Ok(Self { trunk, mean, log_std, decoder, log_sigma2 })
    }

    /// The same weights without a graph.
    fn detached(&self) -> Self {
        Self {
            trunk: self.trunk.as_ref().map(Mlp::detached),
            mean: self.mean.detached(),
            log_std: self.log_std.detached(),
            decoder: self.decoder.detached(),
            log_sigma2: self.log_sigma2.as_ref().map(Tensor::detach),
        }
    }

    /// (n, size) to the posterior's mean and log standard deviation, (n, q) each.
    fn encode(&self, xs: &Tensor) -> Result<(Tensor, Tensor)> {
        let features = match &self.trunk {
            Some(trunk) => trunk.forward(xs)?,
            None => xs.clone(),
        };
        Ok((self.mean.forward(&features)?, self.log_std.forward(&features)?))
    }

    /// The terms of the −ELBO with this noise.
    fn elbo(&self, params: &VaeParams, xs: &Tensor, eps: &Tensor) -> Result<Elbo> {
        let (mean, log_std) = self.encode(xs)?;
        let z = ops::gaussian_sample(&mean, &log_std, eps)?;
        let output = self.decoder.forward(&z)?;
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
}

/// The terms of the −ELBO, scalars in nats, and the decoder's output they were computed from.
struct Elbo {
    reconstruction: Tensor,
    kl: Tensor,
    output: Tensor,
}

/// What [`Vae::evaluate`] measures, each averaged over the rows.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation {
    /// E_q[−log p(x|z)], in nats.
    pub reconstruction: f64,
    /// KL(q(z|x) ‖ p(z)), in nats.
    pub kl: f64,
    /// ‖x − decode(z)‖² with z drawn from the posterior.
    pub squared_error: f64,
}

/// A VAE with an encoder of two heads (mean and log standard deviation) and a mirrored decoder.
pub struct Vae {
    params: VaeParams,
    shape: Shape,
    vars: Vars,
    net: Net,
    optimizer: Optimizer,
}

impl Vae {
    /// A VAE for data of this shape, with fresh weights.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: VaeParams, shape: &Shape, seed: u32) -> Result<Self> {
        let mut vars = Vars::new();
        let net = Net::new(&params, shape.size(), &mut vars, &mut Rng::stream(seed, "init"))?;
        let optimizer = Optimizer::new(params.kind(), &vars);
        Ok(Self { params, shape: *shape, vars, net, optimizer })
    }

    /// β at this step: it rises linearly over the warm-up.
    fn beta(&self, index: u64) -> f64 {
        if self.params.warmup == 0 {
            return self.params.beta;
        }
        self.params.beta * ((index + 1) as f64 / self.params.warmup as f64).min(1.0)
    }

    /// log σ² of the Gaussian decoder.
    fn log_sigma2(&self) -> Result<f64> {
        match &self.net.log_sigma2 {
            Some(log_sigma2) => Ok(log_sigma2.to_scalar::<f32>()?.into()),
            None => Ok(self.params.sigma2.ln()),
        }
    }

    /// The terms of the −ELBO over a whole split, one latent draw a row.
    ///
    /// # Errors
    /// If the rows do not have this model's size.
    pub fn evaluate(&self, split: &Split, rng: &mut Rng) -> Result<Evaluation> {
        let n = split.len(&self.shape);
        let xs = first_rows(split, &self.shape, n)?;
        let q = self.params.latent_dim;
        let eps = matrix(rng.normals(n * q), n, q)?;
        let elbo = self.net.detached().elbo(&self.params, &xs, &eps)?;
        let squared_error = ops::squared_error(&self.mean_of(&elbo.output)?, &xs)?;
        let number = |scalar: Tensor| Ok::<f64, Error>(scalar.to_scalar::<f32>()?.into());
        Ok(Evaluation {
            reconstruction: number(elbo.reconstruction)?,
            kl: number(elbo.kl)?,
            squared_error: number(squared_error)?,
        })
    }

    /// The mean of p(x|z) from the decoder's output.
    fn mean_of(&self, output: &Tensor) -> Result<Tensor> {
        match self.params.decoder {
            Decoder::Bernoulli => Activation::Sigmoid.forward(output),
            Decoder::Gaussian => Ok(output.clone()),
        }
    }

    /// −log p(x|z) of each row, from the decoder's output, (n, size) each.
    fn row_errors(&self, output: &Tensor, xs: &Tensor) -> Result<Vec<f32>> {
        let rows = match self.params.decoder {
            // softplus(l) − x l is the cross-entropy with logits.
            Decoder::Bernoulli => (ops::softplus(output)? - (output * xs)?)?.sum(1)?,
            Decoder::Gaussian => {
                let log_sigma2 = self.log_sigma2()?;
                let constant = self.shape.size() as f64 / 2.0 * (std::f64::consts::TAU.ln() + log_sigma2);
                (output - xs)?.sqr()?.sum(1)?.affine(0.5 * (-log_sigma2).exp(), constant)?
            }
        };
        Ok(rows.to_vec1()?)
    }
}

impl Model for Vae {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let n = self.params.batch_size;
        let xs = step.batch(n)?;
        let eps = matrix(step.noise.normals(n * self.params.latent_dim), n, self.params.latent_dim)?;
        let elbo = self.net.elbo(&self.params, &xs, &eps)?;
        let (reconstruction, kl) = (elbo.reconstruction.to_scalar::<f32>()?, elbo.kl.to_scalar::<f32>()?);
        let beta = self.beta(step.index);
        let loss = (elbo.reconstruction + (elbo.kl * beta)?)?;
        let decay = self.params.decay.factor(step.index, self.params.decay_steps as u64);
        step.update(&mut self.optimizer, &self.vars, &loss, self.params.learning_rate * decay, "the −ELBO")?;
        Ok(vec![reconstruction + kl, reconstruction, kl])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        let effect = self.params.set(key, value)?;
        self.optimizer.set_kind(self.params.kind());
        Ok(effect)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        named_state("optimizer", &self.optimizer)
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        load_named_state("optimizer", &mut self.optimizer, state)
    }

    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let z = Prior::Normal.draw(n, self.params.latent_dim, rng)?;
        let mean = self.decode(&z)?;
        if self.shape.domain == Domain::Images || self.params.decoder == Decoder::Bernoulli {
            return Ok(mean);
        }
        let size = self.shape.size();
        let noise = (matrix(rng.normals(n * size), n, size)? * (0.5 * self.log_sigma2()?).exp())?;
        Ok((mean + noise)?)
    }

    fn latent(&self) -> Option<&dyn Latent> {
        Some(self)
    }

    fn reconstruct(&self) -> Option<&dyn Reconstruct> {
        Some(self)
    }

    fn density(&self) -> Option<&dyn Density> {
        Some(self)
    }
}

impl Latent for Vae {
    fn dim(&self) -> usize {
        self.params.latent_dim
    }

    fn prior(&self) -> Prior {
        Prior::Normal
    }

    fn decode(&self, z: &Tensor) -> Result<Tensor> {
        self.mean_of(&self.net.decoder.detached().forward(z)?)
    }

    fn encode(&self, xs: &Tensor) -> Result<Option<(Tensor, Tensor)>> {
        let (mean, log_std) = self.net.detached().encode(xs)?;
        Ok(Some((mean, log_std.exp()?)))
    }
}

impl Reconstruct for Vae {
    fn reconstruct(&self, xs: &Tensor) -> Result<Tensor> {
        self.decode(&self.net.detached().encode(xs)?.0)
    }
}

/// Latents drawn for each point when the density is estimated.
const IMPORTANCE_SAMPLES: usize = 16;

impl Density for Vae {
    fn bound(&self) -> Bound {
        Bound::Importance
    }

    /// log (1/k) Σ p(x, z_i) / q(z_i|x), z_i ~ q(z|x): a lower bound of log p(x) in expectation.
    fn log_prob(&self, xs: &Tensor, rng: &mut Rng) -> Result<Vec<f32>> {
        let n = xs.dim(0)?;
        let q = self.params.latent_dim;
        let net = self.net.detached();
        let (mean, log_std) = net.encode(xs)?;
        let mut log_weights: Vec<Vec<f32>> = Vec::with_capacity(IMPORTANCE_SAMPLES);
        for _ in 0..IMPORTANCE_SAMPLES {
            let eps = matrix(rng.normals(n * q), n, q)?;
            let z = ops::gaussian_sample(&mean, &log_std, &eps)?;
            let errors = self.row_errors(&net.decoder.forward(&z)?, xs)?;
            // log p(z) − log q(z|x) = Σ ½ (ε² − z²) + log σ; the normalising constants cancel.
            let ratio = ((eps.sqr()? - z.sqr()?)?.affine(0.5, 0.0)? + &log_std)?.sum(1)?.to_vec1::<f32>()?;
            log_weights.push(ratio.iter().zip(&errors).map(|(r, e)| r - e).collect());
        }
        Ok((0..n).map(|row| log_mean_exp(log_weights.iter().filter_map(|w| w.get(row).copied()))).collect())
    }
}

/// log of the mean of exp, without overflow; −∞ for nothing.
fn log_mean_exp(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let top = values.clone().fold(f32::NEG_INFINITY, f32::max);
    if !top.is_finite() {
        return top;
    }
    let (sum, n) = values.fold((0.0_f32, 0.0_f32), |(sum, n), v| (sum + (v - top).exp(), n + 1.0));
    top + (sum / n).ln()
}

/// The VAE in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "vae",
    badge: "explicit",
    domains: &[Domain::Points, Domain::Images],
    limits: |_, _| None,
    capabilities: &["latent", "reconstruct", "density"],
    specs: VaeParams::specs,
    defaults: |domain| match domain {
        Domain::Points | Domain::Sequences => Vec::new(),
        // 64–128–8–128–64 with tanh: 18.2 nats on the binarised digits by step 3,000.
        Domain::Images => vec![
            ("networkShape", Value::Widths(vec![128])),
            ("activation", Value::Text("tanh".into())),
            ("latentDim", Value::Number(8.0)),
            ("decoder", Value::Text("bernoulli".into())),
            ("batchSize", Value::Number(128.0)),
        ],
    },
    option_domains: &[OptionDomains { key: "decoder", option: "bernoulli", domains: &[Domain::Images] }],
    losses: &[
        Loss { id: "negativeElbo", unit: "nats" },
        Loss { id: "reconstruction", unit: "nats" },
        Loss { id: "kl", unit: "nats" },
    ],
    phases: &[],
    build: |values, data, seed| Ok(Box::new(Vae::new(VaeParams::from_values(values)?, &data.shape, seed)?)),
};
