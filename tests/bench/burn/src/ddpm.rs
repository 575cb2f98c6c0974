//! W5: a diffusion model's noise predictor on points.

use super::{Workload, adam, batch, indices, normals, resident, squared_error, update};
use burn::nn::{Linear, LinearConfig};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use burn::tensor::activation::relu;

const BATCH: usize = 256;
const STEPS: usize = 100;
const EMBEDDING: usize = 32;

#[derive(Module, Debug)]
struct Network {
    layers: [Linear; 4],
}

impl Network {
    fn new(device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Self { layers: [linear(2 + EMBEDDING, 128), linear(128, 128), linear(128, 128), linear(128, 2)] }
    }

    fn forward(&self, xs: Tensor<2>) -> Tensor<2> {
        let [first, second, third, last] = &self.layers;
        last.forward(relu(third.forward(relu(second.forward(relu(first.forward(xs)))))))
    }
}

pub struct Training {
    device: Device,
    data: Tensor<2>,
    /// √ᾱ and √(1 − ᾱ) of each time, [steps, 1].
    signal: Tensor<2>,
    spread: Tensor<2>,
    /// [steps, embedding]
    embedding: Tensor<2>,
    model: Option<Network>,
    optimizer: ModuleOptimizer,
}

impl Training {
    pub fn new(rows: Vec<f32>, device: Device) -> Self {
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
        Self {
            data: resident(rows, 2, &device),
            signal: resident(signal, 1, &device),
            spread: resident(spread, 1, &device),
            embedding: resident(embedding, EMBEDDING, &device),
            model: Some(Network::new(&device)),
            optimizer: adam(),
            device,
        }
    }
}

impl Workload for Training {
    fn step(&mut self) -> f32 {
        let Some(model) = &self.model else { return f32::NAN };
        let at = indices(BATCH, STEPS, &self.device);
        let eps = normals(BATCH, 2, &self.device);
        let noisy = batch(&self.data, BATCH) * self.signal.clone().select(0, at.clone())
            + eps.clone() * self.spread.clone().select(0, at.clone());
        let inputs = Tensor::cat(vec![noisy, self.embedding.clone().select(0, at)], 1);
        let loss = squared_error(model.forward(inputs), eps);
        update(&mut self.model, &mut self.optimizer, loss)
    }
}
