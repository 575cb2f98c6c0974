//! W1, W3 and W4: fully connected variational auto-encoders.

use crate::shared::{Source, Workload, adam, update};
use tealight::error::Result;
use tealight::nn::{Activation, Init, Linear, Mlp, Optimizer, Vars, ops};
use tealight::rng::Rng;

/// The sizes and the likelihood of a VAE.
pub struct Sizes {
    data: usize,
    hidden: [usize; 2],
    latent: usize,
    batch: usize,
    /// Cross-entropy with logits, else the squared error.
    bits: bool,
}

/// W1
pub const POINTS: Sizes = Sizes { data: 2, hidden: [64, 64], latent: 2, batch: 256, bits: false };
/// W3
pub const DIGITS: Sizes = Sizes { data: 64, hidden: [128, 128], latent: 8, batch: 64, bits: true };
/// W4
pub const IMAGES: Sizes = Sizes { data: 784, hidden: [256, 256], latent: 16, batch: 64, bits: true };

/// A VAE in training.
pub struct Vae {
    sizes: &'static Sizes,
    source: Source,
    vars: Vars,
    encoder: Mlp,
    mean: Linear,
    log_std: Linear,
    decoder: Mlp,
    optimizer: Optimizer,
}

impl Vae {
    /// With fresh weights.
    pub fn new(rows: Vec<f32>, sizes: &'static Sizes) -> Result<Self> {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(1, "init"));
        let (relu, linear, init) = (Activation::Relu, Activation::Identity, Init::KaimingUniform);
        let Sizes { data, hidden: [first, last], latent, .. } = *sizes;
        let encoder = Mlp::new(&mut vars, "encoder", data, &[first], last, relu, relu, init, &mut rng)?;
        let mean = Linear::new(&mut vars, "mean", last, latent, init, &mut rng)?;
        let log_std = Linear::new(&mut vars, "log_std", last, latent, init, &mut rng)?;
        let decoder =
            Mlp::new(&mut vars, "decoder", latent, &[last, first], data, relu, linear, init, &mut rng)?;
        let optimizer = adam(&vars);
        Ok(Self { sizes, source: Source::new(rows, data), vars, encoder, mean, log_std, decoder, optimizer })
    }
}

impl Workload for Vae {
    fn step(&mut self) -> Result<f32> {
        let n = self.sizes.batch;
        let xs = self.source.batch(n)?;
        let eps = self.source.normals(n, self.sizes.latent)?;
        let features = self.encoder.forward(&xs)?;
        let (mean, log_std) = (self.mean.forward(&features)?, self.log_std.forward(&features)?);
        let output = self.decoder.forward(&ops::gaussian_sample(&mean, &log_std, &eps)?)?;
        let error = if self.sizes.bits { ops::bce_with_logits } else { ops::squared_error }(&output, &xs)?;
        let loss = (error + ops::gaussian_kl(&mean, &log_std)?)?;
        update(&mut self.optimizer, &self.vars, &loss)
    }
}
