//! W5: a diffusion model's noise predictor on points.

use super::{Workload, adam, batch, indices, normals, resident, squared_error, update};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Module, Sequential, VarBuilder, VarMap, linear, seq};

const BATCH: usize = 256;
const STEPS: usize = 100;
const EMBEDDING: usize = 32;

pub struct Ddpm {
    data: Tensor,
    /// √ᾱ and √(1 − ᾱ) of each time, (steps, 1).
    signal: Tensor,
    spread: Tensor,
    /// (steps, embedding)
    embedding: Tensor,
    network: Sequential,
    optimizer: AdamW,
}

impl Ddpm {
    pub fn new(rows: Vec<f32>) -> Result<Self> {
        let vars = VarMap::new();
        let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
        let network = seq()
            .add(linear(2 + EMBEDDING, 128, vb.pp("0"))?)
            .add_fn(Tensor::relu)
            .add(linear(128, 128, vb.pp("1"))?)
            .add_fn(Tensor::relu)
            .add(linear(128, 128, vb.pp("2"))?)
            .add_fn(Tensor::relu)
            .add(linear(128, 2, vb.pp("3"))?);
        let (mut signal, mut spread, mut embedding) = (Vec::new(), Vec::new(), Vec::new());
        let mut kept = 1.0_f64;
        for t in 0..STEPS {
            kept *= 1.0 - (1e-4 + (0.2 - 1e-4) * t as f64 / (STEPS - 1) as f64);
            signal.push(kept.sqrt() as f32);
            spread.push((1.0 - kept).sqrt() as f32);
            let half = EMBEDDING / 2;
            let angle = |i: usize| t as f64 * 10_000_f64.powf(-(i as f64) / half as f64);
            embedding.extend((0..half).map(|i| angle(i).sin() as f32));
            embedding.extend((0..half).map(|i| angle(i).cos() as f32));
        }
        Ok(Self {
            data: resident(rows, 2)?,
            signal: resident(signal, 1)?,
            spread: resident(spread, 1)?,
            embedding: resident(embedding, EMBEDDING)?,
            network,
            optimizer: adam(&vars)?,
        })
    }
}

impl Workload for Ddpm {
    fn step(&mut self) -> Result<Tensor> {
        let (xs, eps, at) = (batch(&self.data, BATCH)?, normals(BATCH, 2)?, indices(BATCH, STEPS)?);
        let signal = xs.broadcast_mul(&self.signal.index_select(&at, 0)?)?;
        let noisy = (signal + eps.broadcast_mul(&self.spread.index_select(&at, 0)?)?)?;
        let inputs = Tensor::cat(&[noisy, self.embedding.index_select(&at, 0)?], 1)?;
        let loss = squared_error(&self.network.forward(&inputs)?, &eps)?;
        update(&mut self.optimizer, &loss)?;
        Ok(loss)
    }
}
