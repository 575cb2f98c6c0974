//! What the workloads share: batches, noise, the update.

use candle_core::{Device, Tensor};
use tealight::error::{Error, Result};
use tealight::nn::{self, Optimizer, OptimizerKind, Update, Vars};
use tealight::rng::Rng;

/// A model in training.
pub trait Workload {
    /// Takes one step; its loss.
    ///
    /// # Errors
    /// If the tensor library fails, or the loss is no longer finite.
    fn step(&mut self) -> Result<f32>;
}

/// The data, and the random streams that a session has.
pub struct Source {
    rows: Vec<f32>,
    size: usize,
    /// The stream that chooses batches.
    pub batches: Rng,
    /// The stream of latents and noise.
    pub noise: Rng,
}

impl Source {
    /// Rows of `size` values.
    pub fn new(rows: Vec<f32>, size: usize) -> Self {
        Self { rows, size, batches: Rng::stream(1, "batches"), noise: Rng::stream(1, "noise") }
    }

    /// `n` rows drawn with replacement, one after the other.
    pub fn draw(&mut self, n: usize) -> Vec<f32> {
        let (size, count) = (self.size, (self.rows.len() / self.size) as u32);
        let mut xs = Vec::with_capacity(n * size);
        for _ in 0..n {
            let start = self.batches.below(count) as usize * size;
            xs.extend_from_slice(self.rows.get(start..start + size).unwrap_or_default());
        }
        xs
    }

    /// `n` rows drawn with replacement, (n, size).
    pub fn batch(&mut self, n: usize) -> Result<Tensor> {
        matrix(self.draw(n), n, self.size)
    }

    /// Standard normal draws, (n, d).
    pub fn normals(&mut self, n: usize, d: usize) -> Result<Tensor> {
        matrix(self.noise.normals(n * d), n, d)
    }
}

/// An (n, d) tensor of these values.
pub fn matrix(values: Vec<f32>, n: usize, d: usize) -> Result<Tensor> {
    Ok(Tensor::from_vec(values, (n, d), &Device::Cpu)?)
}

/// Adam as every contender uses it.
pub fn adam(vars: &Vars) -> Optimizer {
    Optimizer::new(OptimizerKind::adam(0.9), vars)
}

/// Applies the update that `loss` asks for; the loss.
pub fn update(optimizer: &mut Optimizer, vars: &Vars, loss: &Tensor) -> Result<f32> {
    let value = loss.to_scalar::<f32>()?;
    let gradients = nn::gradients(loss)?;
    match optimizer.step(vars, &gradients, 1e-3)? {
        Update::Applied if value.is_finite() => Ok(value),
        _ => Err(Error::Config("the loss is not finite".into())),
    }
}
