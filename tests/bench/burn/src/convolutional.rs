//! W6: a convolutional variational auto-encoder.

use super::{Workload, adam, batch, bce_with_logits, gaussian_kl, gaussian_sample, resident, update};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::interpolate::{Interpolate2d, Interpolate2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use burn::tensor::activation::relu;

const BATCH: usize = 32;
const SIDE: usize = 28;
const LATENT: usize = 16;
/// Values of the innermost feature maps: 32 of 7×7.
const INNER: usize = 32 * 7 * 7;

#[derive(Module, Debug)]
struct Vae {
    down: [Conv2d; 2],
    mean: Linear,
    log_std: Linear,
    widen: Linear,
    double: Interpolate2d,
    up: [Conv2d; 2],
}

impl Vae {
    fn new(device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let conv = |inputs, outputs, stride| {
            Conv2dConfig::new([inputs, outputs], [3, 3])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            down: [conv(1, 16, 2), conv(16, 32, 2)],
            mean: linear(INNER, LATENT),
            log_std: linear(INNER, LATENT),
            widen: linear(LATENT, INNER),
            double: Interpolate2dConfig::new().with_scale_factor(Some([2.0, 2.0])).init(),
            up: [conv(32, 16, 1), conv(16, 1, 1)],
        }
    }

    fn encode(&self, xs: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let xs = xs.reshape([BATCH, 1, SIDE, SIDE]);
        let features = self.down.iter().fold(xs, |xs, layer| relu(layer.forward(xs)));
        let features = features.reshape([BATCH, INNER]);
        (self.mean.forward(features.clone()), self.log_std.forward(features))
    }

    fn decode(&self, z: Tensor<2>) -> Tensor<2> {
        let inner = relu(self.widen.forward(z)).reshape([BATCH, 32, 7, 7]);
        let inner = relu(self.up[0].forward(self.double.forward(inner)));
        self.up[1].forward(self.double.forward(inner)).reshape([BATCH, SIDE * SIDE])
    }
}

pub struct Training {
    data: Tensor<2>,
    model: Option<Vae>,
    optimizer: ModuleOptimizer,
}

impl Training {
    pub fn new(rows: Vec<f32>, device: Device) -> Self {
        Self { data: resident(rows, SIDE * SIDE, &device), model: Some(Vae::new(&device)), optimizer: adam() }
    }
}

impl Workload for Training {
    fn step(&mut self) -> f32 {
        let Some(model) = &self.model else { return f32::NAN };
        let xs = batch(&self.data, BATCH);
        let (mean, log_std) = model.encode(xs.clone());
        let output = model.decode(gaussian_sample(mean.clone(), log_std.clone()));
        let loss = bce_with_logits(output, xs) + gaussian_kl(mean, log_std);
        update(&mut self.model, &mut self.optimizer, loss)
    }
}
