//! The benchmark's workloads in stock candle-nn, as its examples are written.

mod convolutional;
mod ddpm;
mod gan;
mod vae;

use candle_core::{DType, Device, Result, Tensor, bail};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarMap};

/// A model in training.
pub trait Workload {
    /// Takes one step; its loss.
    fn step(&mut self) -> Result<Tensor>;
}

/// The workload of this name on these rows.
pub fn workload(id: &str, rows: Vec<f32>) -> Result<Box<dyn Workload>> {
    Ok(match id {
        "w1" => Box::new(vae::Vae::new(rows, 2, [64, 64], 2, 256, false)?),
        "w2" => Box::new(gan::Gan::new(rows)?),
        "w3" => Box::new(vae::Vae::new(rows, 64, [128, 128], 8, 64, true)?),
        "w4" => Box::new(vae::Vae::new(rows, 784, [256, 256], 16, 64, true)?),
        "w5" => Box::new(ddpm::Ddpm::new(rows)?),
        "w6" => Box::new(convolutional::Vae::new(rows)?),
        _ => bail!("there is no workload {id:?} here"),
    })
}

/// The rows as a tensor that stays.
fn resident(rows: Vec<f32>, size: usize) -> Result<Tensor> {
    let n = rows.len() / size;
    Tensor::from_vec(rows, (n, size), &Device::Cpu)
}

/// `n` whole numbers below `below`.
fn indices(n: usize, below: usize) -> Result<Tensor> {
    Tensor::rand(0_f32, below as f32, n, &Device::Cpu)?.to_dtype(DType::U32)
}

/// `n` rows drawn with replacement.
fn batch(data: &Tensor, n: usize) -> Result<Tensor> {
    data.index_select(&indices(n, data.dim(0)?)?, 0)
}

fn normals(n: usize, d: usize) -> Result<Tensor> {
    Tensor::randn(0_f32, 1.0, (n, d), &Device::Cpu)
}

/// Adam: AdamW without its decay.
fn adam(vars: &VarMap) -> Result<AdamW> {
    AdamW::new(vars.all_vars(), ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..ParamsAdamW::default() })
}

/// Σ (x − y)², averaged over the batch.
fn squared_error(xs: &Tensor, ys: &Tensor) -> Result<Tensor> {
    (xs - ys)?.sqr()?.sum_all()? / xs.dim(0)? as f64
}

/// ln(1 + eˣ) without overflow.
fn softplus(xs: &Tensor) -> Result<Tensor> {
    xs.relu()? + (xs.abs()?.neg()?.exp()? + 1.0)?.log()?
}

/// Cross-entropy with logits, averaged over the batch. The library's own takes logarithms of zero.
fn bce_with_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    (softplus(logits)? - (logits * targets)?)?.sum_all()? / logits.dim(0)? as f64
}

/// KL(N(μ, e^{2s}) ‖ N(0, 1)), averaged over the batch.
fn gaussian_kl(mean: &Tensor, log_std: &Tensor) -> Result<Tensor> {
    let terms = (((log_std * 2.0)?.exp()? + mean.sqr()?)? - 1.0)? - (log_std * 2.0)?;
    (terms?.sum_all()? * 0.5)? / mean.dim(0)? as f64
}

/// μ + e^s·ε
fn gaussian_sample(mean: &Tensor, log_std: &Tensor) -> Result<Tensor> {
    mean + (log_std.exp()? * normals(mean.dim(0)?, mean.dim(1)?)?)?
}

/// One update of Adam.
fn update(optimizer: &mut AdamW, loss: &Tensor) -> Result<()> {
    optimizer.step(&loss.backward()?)
}

#[cfg(target_arch = "wasm32")]
mod page {
    use super::Workload;
    use wasm_bindgen::prelude::*;

    fn failed(error: candle_core::Error) -> JsError {
        JsError::new(&error.to_string())
    }

    /// One workload, for the page.
    #[wasm_bindgen]
    pub struct Bench(Box<dyn Workload>);

    #[wasm_bindgen]
    impl Bench {
        /// The workload of this name on these rows.
        #[wasm_bindgen(constructor)]
        pub fn new(id: &str, rows: Vec<f32>) -> Result<Bench, JsError> {
            Ok(Self(super::workload(id, rows).map_err(failed)?))
        }

        /// Takes so many steps; the loss of the last.
        pub fn run(&mut self, steps: u32) -> Result<f32, JsError> {
            let mut loss = f32::NAN;
            for _ in 0..steps {
                loss = self.0.step().and_then(|loss| loss.to_scalar()).map_err(failed)?;
            }
            Ok(loss)
        }
    }
}
