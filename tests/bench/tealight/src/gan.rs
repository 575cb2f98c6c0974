//! W2: a generative adversarial network, one update of each network a step.

use crate::shared::{Source, Workload, adam, update};
use candle_core::Tensor;
use tealight::error::Result;
use tealight::models::adversarial::GanLoss;
use tealight::nn::{Activation, Init, Mlp, Optimizer, Vars};
use tealight::rng::Rng;

const BATCH: usize = 256;
const LOSS: GanLoss = GanLoss::NonSaturating;

/// A GAN in training.
pub struct Gan {
    source: Source,
    generator_vars: Vars,
    discriminator_vars: Vars,
    generator: Mlp,
    discriminator: Mlp,
    optimizer_g: Optimizer,
    optimizer_d: Optimizer,
}

impl Gan {
    /// With fresh weights.
    pub fn new(rows: Vec<f32>) -> Result<Self> {
        let (mut generator_vars, mut discriminator_vars) = (Vars::new(), Vars::new());
        let mut rng = Rng::stream(1, "init");
        let mut network = |vars: &mut Vars, outputs: usize| {
            let (relu, linear) = (Activation::Relu, Activation::Identity);
            Mlp::new(vars, "net", 2, &[64, 64], outputs, relu, linear, Init::KaimingUniform, &mut rng)
        };
        let generator = network(&mut generator_vars, 2)?;
        let discriminator = network(&mut discriminator_vars, 1)?;
        let (optimizer_g, optimizer_d) = (adam(&generator_vars), adam(&discriminator_vars));
        let source = Source::new(rows, 2);
        Ok(Self {
            source,
            generator_vars,
            discriminator_vars,
            generator,
            discriminator,
            optimizer_g,
            optimizer_d,
        })
    }
}

impl Workload for Gan {
    fn step(&mut self) -> Result<f32> {
        let real = self.source.batch(BATCH)?;
        let fake = self.generator.detached().forward(&self.source.normals(BATCH, 2)?)?;
        let logits = self.discriminator.forward(&Tensor::cat(&[&real, &fake], 0)?)?;
        let loss = LOSS.discriminator(&logits.narrow(0, 0, BATCH)?, &logits.narrow(0, BATCH, BATCH)?)?;
        let value = update(&mut self.optimizer_d, &self.discriminator_vars, &loss)?;

        let fake = self.generator.forward(&self.source.normals(BATCH, 2)?)?;
        let loss = LOSS.generator(&self.discriminator.detached().forward(&fake)?)?;
        update(&mut self.optimizer_g, &self.generator_vars, &loss)?;
        Ok(value)
    }
}
