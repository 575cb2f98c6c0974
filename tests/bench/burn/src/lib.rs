//! The benchmark's workloads in burn, as its book writes models.

mod convolutional;
mod ddpm;
mod gan;
mod vae;

use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::tensor::Distribution;
use burn::tensor::activation::relu;

/// A model in training.
pub trait Workload {
    /// Takes one step; its loss.
    fn step(&mut self) -> f32;
}

/// The workload of this name on these rows.
pub fn workload(id: &str, rows: Vec<f32>) -> Option<Box<dyn Workload>> {
    let device = Device::flex().autodiff();
    Some(match id {
        "w1" => Box::new(vae::Training::new(rows, vae::Sizes::new(2, [64, 64], 2), 256, false, device)),
        "w2" => Box::new(gan::Training::new(rows, device)),
        "w3" => Box::new(vae::Training::new(rows, vae::Sizes::new(64, [128, 128], 8), 64, true, device)),
        "w4" => Box::new(vae::Training::new(rows, vae::Sizes::new(784, [256, 256], 16), 64, true, device)),
        "w5" => Box::new(ddpm::Training::new(rows, device)),
        "w6" => Box::new(convolutional::Training::new(rows, device)),
        _ => return None,
    })
}

/// The rows as a tensor that stays.
fn resident(rows: Vec<f32>, size: usize, device: &Device) -> Tensor<2> {
    let n = rows.len() / size;
    Tensor::from_data(TensorData::new(rows, [n, size]), device)
}

/// `n` whole numbers below `below`.
fn indices(n: usize, below: usize, device: &Device) -> Tensor<1, Int> {
    Tensor::<1>::random([n], Distribution::Uniform(0.0, below as f64), device).int()
}

/// `n` rows drawn with replacement.
fn batch(data: &Tensor<2>, n: usize) -> Tensor<2> {
    let [count, _] = data.dims();
    data.clone().select(0, indices(n, count, &data.device()))
}

fn normals(n: usize, d: usize, device: &Device) -> Tensor<2> {
    Tensor::random([n, d], Distribution::Normal(0.0, 1.0), device)
}

fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

/// Σ (x − y)², averaged over the batch.
fn squared_error(xs: Tensor<2>, ys: Tensor<2>) -> Tensor<1> {
    let [n, _] = xs.dims();
    (xs - ys).square().sum() / n as f32
}

/// ln(1 + eˣ) without overflow.
fn softplus(xs: Tensor<2>) -> Tensor<2> {
    relu(xs.clone()) + xs.abs().neg().exp().log1p()
}

/// Cross-entropy with logits, averaged over the batch. The library's own takes classes only.
fn bce_with_logits(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let [n, _] = logits.dims();
    (softplus(logits.clone()) - logits * targets).sum() / n as f32
}

/// KL(N(μ, e^{2s}) ‖ N(0, 1)), averaged over the batch.
fn gaussian_kl(mean: Tensor<2>, log_std: Tensor<2>) -> Tensor<1> {
    let [n, _] = mean.dims();
    let twice = log_std * 2.0;
    (twice.clone().exp() + mean.square() - 1.0 - twice).sum() * (0.5 / n as f32)
}

/// μ + e^s·ε
fn gaussian_sample(mean: Tensor<2>, log_std: Tensor<2>) -> Tensor<2> {
    let ([n, d], device) = (mean.dims(), mean.device());
    mean + log_std.exp() * normals(n, d, &device)
}

/// One update of Adam; the loss.
fn update<M: Module>(model: &mut Option<M>, optimizer: &mut ModuleOptimizer, loss: Tensor<1>) -> f32 {
    let value = loss.clone().into_scalar();
    if let Some(old) = model.take() {
        let gradients = GradientsParams::from_grads(loss.backward(), &old);
        *model = Some(optimizer.step(1e-3, old, gradients));
    }
    value
}

#[cfg(target_arch = "wasm32")]
mod page {
    use super::Workload;
    use wasm_bindgen::prelude::*;

    /// One workload, for the page.
    #[wasm_bindgen]
    pub struct Bench(Box<dyn Workload>);

    #[wasm_bindgen]
    impl Bench {
        /// The workload of this name on these rows.
        #[wasm_bindgen(constructor)]
        pub fn new(id: &str, rows: Vec<f32>) -> Result<Bench, JsError> {
            Ok(Self(super::workload(id, rows).ok_or_else(|| JsError::new("there is no such workload"))?))
        }

        /// Takes so many steps; the loss of the last.
        pub fn run(&mut self, steps: u32) -> f32 {
            (0..steps).fold(f32::NAN, |_, _| self.0.step())
        }
    }
}
