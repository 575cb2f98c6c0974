//! W2: a generative adversarial network, one update of each network a step.

use super::{Workload, adam, batch, normals, resident, softplus, update};
use burn::nn::{Linear, LinearConfig};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use burn::tensor::activation::relu;

const BATCH: usize = 256;

#[derive(Module, Debug)]
struct Network {
    layers: [Linear; 3],
}

impl Network {
    fn new(outputs: usize, device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Self { layers: [linear(2, 64), linear(64, 64), linear(64, outputs)] }
    }

    fn forward(&self, xs: Tensor<2>) -> Tensor<2> {
        let [first, second, last] = &self.layers;
        last.forward(relu(second.forward(relu(first.forward(xs)))))
    }
}

pub struct Training {
    device: Device,
    data: Tensor<2>,
    generator: Option<Network>,
    discriminator: Option<Network>,
    optimizer_g: ModuleOptimizer,
    optimizer_d: ModuleOptimizer,
}

impl Training {
    pub fn new(rows: Vec<f32>, device: Device) -> Self {
        Self {
            data: resident(rows, 2, &device),
            generator: Some(Network::new(2, &device)),
            discriminator: Some(Network::new(1, &device)),
            optimizer_g: adam(),
            optimizer_d: adam(),
            device,
        }
    }
}

impl Workload for Training {
    fn step(&mut self) -> f32 {
        let (Some(generator), Some(discriminator)) = (&self.generator, &self.discriminator) else {
            return f32::NAN;
        };
        let fake = generator.forward(normals(BATCH, 2, &self.device)).detach();
        let real = softplus(discriminator.forward(batch(&self.data, BATCH)).neg()).mean();
        let loss_d = real + softplus(discriminator.forward(fake)).mean();
        let value = update(&mut self.discriminator, &mut self.optimizer_d, loss_d);

        let Some(discriminator) = &self.discriminator else { return f32::NAN };
        let fake = generator.forward(normals(BATCH, 2, &self.device));
        let loss_g = softplus(discriminator.forward(fake).neg()).mean();
        update(&mut self.generator, &mut self.optimizer_g, loss_g);
        value
    }
}
