//! W6: a convolutional variational auto-encoder.

use crate::shared::{Source, Workload, adam, update};
use tealight::error::Result;
use tealight::nn::conv::Conv2d;
use tealight::nn::{Activation, Init, Linear, Optimizer, Vars, ops};
use tealight::rng::Rng;

const BATCH: usize = 32;
const SIDE: usize = 28;
const LATENT: usize = 16;
/// Values of the innermost feature maps: 32 of 7×7.
const INNER: usize = 32 * 7 * 7;

/// A convolutional VAE in training.
pub struct ConvVae {
    source: Source,
    vars: Vars,
    down: [Conv2d; 2],
    mean: Linear,
    log_std: Linear,
    widen: Linear,
    up: [Conv2d; 2],
    optimizer: Optimizer,
}

impl ConvVae {
    /// With fresh weights.
    pub fn new(rows: Vec<f32>) -> Result<Self> {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(1, "init"));
        let init = Init::KaimingUniform;
        let mut conv = |vars: &mut Vars, name: &str, inputs, outputs, stride| {
            Conv2d::new(vars, name, inputs, outputs, 3, stride, 1, init, &mut rng)
        };
        let down = [conv(&mut vars, "down.0", 1, 16, 2)?, conv(&mut vars, "down.1", 16, 32, 2)?];
        let up = [conv(&mut vars, "up.0", 32, 16, 1)?, conv(&mut vars, "up.1", 16, 1, 1)?];
        let mean = Linear::new(&mut vars, "mean", INNER, LATENT, init, &mut rng)?;
        let log_std = Linear::new(&mut vars, "log_std", INNER, LATENT, init, &mut rng)?;
        let widen = Linear::new(&mut vars, "widen", LATENT, INNER, init, &mut rng)?;
        let optimizer = adam(&vars);
        let source = Source::new(rows, SIDE * SIDE);
        Ok(Self { source, vars, down, mean, log_std, widen, up, optimizer })
    }
}

impl Workload for ConvVae {
    fn step(&mut self) -> Result<f32> {
        let (relu, linear) = (Activation::Relu, Activation::Identity);
        let [down_0, down_1] = &self.down;
        let [up_0, up_1] = &self.up;
        let xs = self.source.batch(BATCH)?;
        let eps = self.source.normals(BATCH, LATENT)?;
        let features = down_0.forward_act(&xs.reshape((BATCH, 1, SIDE, SIDE))?, relu)?;
        let features = down_1.forward_act(&features, relu)?.reshape((BATCH, INNER))?;
        let (mean, log_std) = (self.mean.forward(&features)?, self.log_std.forward(&features)?);
        let z = ops::gaussian_sample(&mean, &log_std, &eps)?;
        let inner = self.widen.forward_act(&z, relu)?.reshape((BATCH, 32, 7, 7))?;
        let inner = up_0.forward_upsampled(&inner, 2, relu)?;
        let output = up_1.forward_upsampled(&inner, 2, linear)?.reshape((BATCH, SIDE * SIDE))?;
        let loss = (ops::bce_with_logits(&output, &xs)? + ops::gaussian_kl(&mean, &log_std)?)?;
        update(&mut self.optimizer, &self.vars, &loss)
    }
}
