//! W5: a diffusion model's noise predictor on points.

use crate::shared::{Source, Workload, adam, matrix, update};
use tealight::error::Result;
use tealight::nn::{Activation, Init, Mlp, Optimizer, Vars, ops};
use tealight::rng::Rng;

const BATCH: usize = 256;
const STEPS: usize = 100;
const EMBEDDING: usize = 32;

/// A DDPM in training.
pub struct Ddpm {
    source: Source,
    vars: Vars,
    network: Mlp,
    optimizer: Optimizer,
    /// For each time √ᾱ, √(1 − ᾱ) and the time's embedding.
    times: Vec<(f32, f32, [f32; EMBEDDING])>,
}

impl Ddpm {
    /// With fresh weights.
    pub fn new(rows: Vec<f32>) -> Result<Self> {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(1, "init"));
        let (relu, linear, init) = (Activation::Relu, Activation::Identity, Init::KaimingUniform);
        let hidden = [128; 3];
        let network =
            Mlp::new(&mut vars, "network", 2 + EMBEDDING, &hidden, 2, relu, linear, init, &mut rng)?;
        let optimizer = adam(&vars);
        Ok(Self { source: Source::new(rows, 2), vars, network, optimizer, times: times() })
    }
}

/// β from 1e-4 to 0.2, linear; sines and cosines at frequencies from 1 down to 1/10,000.
fn times() -> Vec<(f32, f32, [f32; EMBEDDING])> {
    let mut kept = 1.0_f64;
    (0..STEPS)
        .map(|t| {
            kept *= 1.0 - (1e-4 + (0.2 - 1e-4) * t as f64 / (STEPS - 1) as f64);
            let half = EMBEDDING / 2;
            let angle = |i: usize| t as f64 * 10_000_f64.powf(-(i as f64) / half as f64);
            let embedding = std::array::from_fn(|i| {
                if i < half { angle(i).sin() as f32 } else { angle(i - half).cos() as f32 }
            });
            (kept.sqrt() as f32, (1.0 - kept).sqrt() as f32, embedding)
        })
        .collect()
}

impl Workload for Ddpm {
    fn step(&mut self) -> Result<f32> {
        let (rows, eps) = (self.source.draw(BATCH), self.source.noise.normals(BATCH * 2));
        let mut inputs = Vec::with_capacity(BATCH * (2 + EMBEDDING));
        for (row, eps) in rows.as_chunks().0.iter().zip(eps.as_chunks().0) {
            let ([x, y], [u, v]): (&[f32; 2], &[f32; 2]) = (row, eps);
            let time = self.source.noise.below(STEPS as u32) as usize;
            if let Some((signal, spread, embedding)) = self.times.get(time) {
                inputs.extend([signal * x + spread * u, signal * y + spread * v]);
                inputs.extend(embedding);
            }
        }
        let predicted = self.network.forward(&matrix(inputs, BATCH, 2 + EMBEDDING)?)?;
        let loss = ops::squared_error(&predicted, &matrix(eps, BATCH, 2)?)?;
        update(&mut self.optimizer, &self.vars, &loss)
    }
}
