//! W2: a generative adversarial network, one update of each network a step.

use super::{Workload, adam, batch, normals, resident, softplus, update};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Module, Sequential, VarBuilder, VarMap, linear, seq};

const BATCH: usize = 256;

pub struct Gan {
    data: Tensor,
    generator: Sequential,
    discriminator: Sequential,
    optimizer_g: AdamW,
    optimizer_d: AdamW,
}

fn network(outputs: usize) -> Result<(Sequential, AdamW)> {
    let vars = VarMap::new();
    let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
    let network = seq()
        .add(linear(2, 64, vb.pp("0"))?)
        .add_fn(Tensor::relu)
        .add(linear(64, 64, vb.pp("1"))?)
        .add_fn(Tensor::relu)
        .add(linear(64, outputs, vb.pp("2"))?);
    Ok((network, adam(&vars)?))
}

impl Gan {
    pub fn new(rows: Vec<f32>) -> Result<Self> {
        let ((generator, optimizer_g), (discriminator, optimizer_d)) = (network(2)?, network(1)?);
        Ok(Self { data: resident(rows, 2)?, generator, discriminator, optimizer_g, optimizer_d })
    }
}

impl Workload for Gan {
    fn step(&mut self) -> Result<Tensor> {
        let real = batch(&self.data, BATCH)?;
        let fake = self.generator.forward(&normals(BATCH, 2)?)?.detach();
        let real = softplus(&self.discriminator.forward(&real)?.neg()?)?.mean_all()?;
        let fake = softplus(&self.discriminator.forward(&fake)?)?.mean_all()?;
        let loss_d = (real + fake)?;
        update(&mut self.optimizer_d, &loss_d)?;

        let fake = self.generator.forward(&normals(BATCH, 2)?)?;
        let loss_g = softplus(&self.discriminator.forward(&fake)?.neg()?)?.mean_all()?;
        update(&mut self.optimizer_g, &loss_g)?;
        Ok(loss_d)
    }
}
