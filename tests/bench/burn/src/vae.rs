//! W1, W3 and W4: fully connected variational auto-encoders.

use super::{
    Workload, adam, batch, bce_with_logits, gaussian_kl, gaussian_sample, resident, squared_error, update,
};
use burn::nn::{Linear, LinearConfig};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use burn::tensor::activation::relu;

pub struct Sizes {
    data: usize,
    hidden: [usize; 2],
    latent: usize,
}

impl Sizes {
    pub fn new(data: usize, hidden: [usize; 2], latent: usize) -> Self {
        Self { data, hidden, latent }
    }
}

#[derive(Module, Debug)]
struct Vae {
    encoder: [Linear; 2],
    mean: Linear,
    log_std: Linear,
    decoder: [Linear; 3],
}

impl Vae {
    fn new(sizes: &Sizes, device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let [first, last] = sizes.hidden;
        Self {
            encoder: [linear(sizes.data, first), linear(first, last)],
            mean: linear(last, sizes.latent),
            log_std: linear(last, sizes.latent),
            decoder: [linear(sizes.latent, last), linear(last, first), linear(first, sizes.data)],
        }
    }

    fn encode(&self, xs: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let features = self.encoder.iter().fold(xs, |xs, layer| relu(layer.forward(xs)));
        (self.mean.forward(features.clone()), self.log_std.forward(features))
    }

    fn decode(&self, z: Tensor<2>) -> Tensor<2> {
        let [first, second, last] = &self.decoder;
        last.forward(relu(second.forward(relu(first.forward(z)))))
    }
}

pub struct Training {
    data: Tensor<2>,
    batch: usize,
    bits: bool,
    model: Option<Vae>,
    optimizer: ModuleOptimizer,
}

impl Training {
    pub fn new(rows: Vec<f32>, sizes: Sizes, batch: usize, bits: bool, device: Device) -> Self {
        let model = Some(Vae::new(&sizes, &device));
        Self { data: resident(rows, sizes.data, &device), batch, bits, model, optimizer: adam() }
    }
}

impl Workload for Training {
    fn step(&mut self) -> f32 {
        let Some(model) = &self.model else { return f32::NAN };
        let xs = batch(&self.data, self.batch);
        let (mean, log_std) = model.encode(xs.clone());
        let output = model.decode(gaussian_sample(mean.clone(), log_std.clone()));
        let error = if self.bits { bce_with_logits(output, xs) } else { squared_error(output, xs) };
        update(&mut self.model, &mut self.optimizer, error + gaussian_kl(mean, log_std))
    }
}
