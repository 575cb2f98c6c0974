//! The held-out loss: by the model's density, or by kernels on its samples.

use crate::error::Result;
use crate::metrics::bandwidth::{Kernels, deviation};
use crate::models::{Model, matrix};
use crate::rng::Rng;

/// The narrowest kernel on samples, as a share of the real rows' deviation.
const NARROWEST: f64 = 1e-3;

/// log p of (n, size) rows under the model's density, in nats; nothing if it has none.
///
/// # Errors
/// If the rows do not have the model's size.
pub fn log_probs(model: &dyn Model, rows: &[f32], size: usize, rng: &mut Rng) -> Result<Vec<f32>> {
    match model.density() {
        Some(density) => density.log_prob(&matrix(rows.to_vec(), rows.len() / size.max(1), size)?, rng),
        None => Ok(Vec::new()),
    }
}

/// The mean of −log p, in nats a row; `None` without rows, or where one has no density.
pub fn mean_loss(logs: &[f32]) -> Option<f64> {
    let mean = -logs.iter().map(|log| f64::from(*log)).sum::<f64>() / logs.len() as f64;
    mean.is_finite().then_some(mean)
}

/// The mean −log p of the real rows under kernels on the samples, in nats.
pub fn kernel_loss(samples: &[f32], real: &[f32], size: usize) -> Option<f64> {
    Kernels::fit(samples, size, NARROWEST * deviation(real, size))?.loss(real)
}
