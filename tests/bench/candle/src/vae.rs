//! W1, W3 and W4: fully connected variational auto-encoders.

use super::{
    Workload, adam, batch, bce_with_logits, gaussian_kl, gaussian_sample, resident, squared_error, update,
};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Linear, Module, Sequential, VarBuilder, VarMap, linear, seq};

pub struct Vae {
    data: Tensor,
    batch: usize,
    bits: bool,
    encoder: Sequential,
    mean: Linear,
    log_std: Linear,
    decoder: Sequential,
    optimizer: AdamW,
}

impl Vae {
    pub fn new(
        rows: Vec<f32>,
        size: usize,
        [first, last]: [usize; 2],
        latent: usize,
        batch: usize,
        bits: bool,
    ) -> Result<Self> {
        let vars = VarMap::new();
        let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
        let encoder = seq()
            .add(linear(size, first, vb.pp("encoder.0"))?)
            .add_fn(Tensor::relu)
            .add(linear(first, last, vb.pp("encoder.1"))?)
            .add_fn(Tensor::relu);
        let mean = linear(last, latent, vb.pp("mean"))?;
        let log_std = linear(last, latent, vb.pp("log_std"))?;
        let decoder = seq()
            .add(linear(latent, last, vb.pp("decoder.0"))?)
            .add_fn(Tensor::relu)
            .add(linear(last, first, vb.pp("decoder.1"))?)
            .add_fn(Tensor::relu)
            .add(linear(first, size, vb.pp("decoder.2"))?);
        let optimizer = adam(&vars)?;
        Ok(Self { data: resident(rows, size)?, batch, bits, encoder, mean, log_std, decoder, optimizer })
    }
}

impl Workload for Vae {
    fn step(&mut self) -> Result<Tensor> {
        let xs = batch(&self.data, self.batch)?;
        let features = self.encoder.forward(&xs)?;
        let (mean, log_std) = (self.mean.forward(&features)?, self.log_std.forward(&features)?);
        let output = self.decoder.forward(&gaussian_sample(&mean, &log_std)?)?;
        let error = if self.bits { bce_with_logits(&output, &xs)? } else { squared_error(&output, &xs)? };
        let loss = (error + gaussian_kl(&mean, &log_std)?)?;
        update(&mut self.optimizer, &loss)?;
        Ok(loss)
    }
}
