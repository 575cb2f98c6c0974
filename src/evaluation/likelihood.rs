//! The held-out loss: by the model's density, or by kernels on its samples.

use crate::error::Result;
use crate::metrics::bandwidth::{Kernels, deviation};
use crate::models::{Model, matrix};
use crate::nn::kernels::mixture::log_sum_exp;
use crate::rng::Rng;

/// The narrowest kernel on samples, as a share of the real rows' deviation.
const NARROWEST: f64 = 1e-3;

/// log p of (n, size) rows under the model's density, in nats; nothing if it has none.
///
/// `normalizer` are the logarithms of its normaliser's parts; none, and it is computed if it takes one.
///
/// # Errors
/// If the rows do not have the model's size.
pub fn log_probs(
    model: &dyn Model,
    normalizer: &[f64],
    rows: &[f32],
    size: usize,
    rng: &mut Rng,
) -> Result<Vec<f32>> {
    let Some(density) = model.density() else { return Ok(Vec::new()) };
    let xs = matrix(rows.to_vec(), rows.len() / size.max(1), size)?;
    let Some(weights) = density.normalizer().filter(|_| !normalizer.is_empty()) else {
        return density.log_prob(&xs, rng);
    };
    let log_z: f64 = log_sum_exp(normalizer, normalizer.len()).iter().sum();
    Ok(weights.log_weight(&xs)?.into_iter().map(|weight| (weight - log_z) as f32).collect())
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
