//! W6: a convolutional variational auto-encoder.

use super::{Workload, adam, batch, bce_with_logits, gaussian_kl, gaussian_sample, resident, update};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Conv2d, Conv2dConfig, Linear, Module, VarBuilder, VarMap, conv2d, linear};

const BATCH: usize = 32;
const SIDE: usize = 28;
const LATENT: usize = 16;
/// Values of the innermost feature maps: 32 of 7×7.
const INNER: usize = 32 * 7 * 7;

pub struct Vae {
    data: Tensor,
    down: [Conv2d; 2],
    mean: Linear,
    log_std: Linear,
    widen: Linear,
    up: [Conv2d; 2],
    optimizer: AdamW,
}

impl Vae {
    pub fn new(rows: Vec<f32>) -> Result<Self> {
        let vars = VarMap::new();
        let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
        let conv = |inputs, outputs, stride, name: &str| {
            conv2d(inputs, outputs, 3, Conv2dConfig { padding: 1, stride, ..Default::default() }, vb.pp(name))
        };
        Ok(Self {
            data: resident(rows, SIDE * SIDE)?,
            down: [conv(1, 16, 2, "down.0")?, conv(16, 32, 2, "down.1")?],
            mean: linear(INNER, LATENT, vb.pp("mean"))?,
            log_std: linear(INNER, LATENT, vb.pp("log_std"))?,
            widen: linear(LATENT, INNER, vb.pp("widen"))?,
            up: [conv(32, 16, 1, "up.0")?, conv(16, 1, 1, "up.1")?],
            optimizer: adam(&vars)?,
        })
    }
}

impl Workload for Vae {
    fn step(&mut self) -> Result<Tensor> {
        let [down_0, down_1] = &self.down;
        let [up_0, up_1] = &self.up;
        let xs = batch(&self.data, BATCH)?;
        let features = down_0.forward(&xs.reshape((BATCH, 1, SIDE, SIDE))?)?.relu()?;
        let features = down_1.forward(&features)?.relu()?.flatten_from(1)?;
        let (mean, log_std) = (self.mean.forward(&features)?, self.log_std.forward(&features)?);
        let inner = self.widen.forward(&gaussian_sample(&mean, &log_std)?)?.relu()?;
        let inner = inner.reshape((BATCH, 32, 7, 7))?.upsample_nearest2d(14, 14)?;
        let inner = up_0.forward(&inner)?.relu()?.upsample_nearest2d(SIDE, SIDE)?;
        let output = up_1.forward(&inner)?.flatten_from(1)?;
        let loss = (bce_with_logits(&output, &xs)? + gaussian_kl(&mean, &log_std)?)?;
        update(&mut self.optimizer, &loss)?;
        Ok(loss)
    }
}
