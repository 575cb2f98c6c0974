//! Losses in nats or squared units: summed over the features, averaged over the batch.

use super::backward::gradient_of;
use super::slices::{constant, output, same_shape, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::elementwise;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// −log p(targets | logits) of independent Bernoulli variables, in nats:
/// Σ max(x, 0) − x·t + ln(1 + e^−|x|).
/// No gradient flows to the targets.
///
/// # Shapes
/// two of (n, d) → ()
pub fn bce_with_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    same_shape("bce_with_logits", logits, targets)?;
    let op = Bce { tracked: logits.track_op(), slopes: Mutex::new(Vec::new()) };
    Ok(logits.contiguous()?.apply_op2(&targets.contiguous()?, op)?)
}

/// Σ (x − y)².
///
/// # Shapes
/// two of (n, d) → ()
pub fn squared_error(xs: &Tensor, ys: &Tensor) -> Result<Tensor> {
    same_shape("squared_error", xs, ys)?;
    Ok(xs.contiguous()?.apply_op2(&ys.contiguous()?, SquaredError)?)
}

/// KL(N(μ, e^{2s}) ‖ N(0, 1)) = ½ Σ (e^{2s} + μ² − 1) − s, in nats.
///
/// # Shapes
/// mean μ and log standard deviation s, both (n, k) → ()
pub fn gaussian_kl(mean: &Tensor, log_std: &Tensor) -> Result<Tensor> {
    same_shape("gaussian_kl", mean, log_std)?;
    Ok(mean.contiguous()?.apply_op2(&log_std.contiguous()?, GaussianKl)?)
}

/// μ + e^s·ε: a draw from N(μ, e^{2s}) through which gradients flow to μ and s, not to ε.
///
/// # Shapes
/// three of (n, k) → (n, k)
pub fn gaussian_sample(mean: &Tensor, log_std: &Tensor, eps: &Tensor) -> Result<Tensor> {
    same_shape("gaussian_sample", mean, log_std)?;
    same_shape("gaussian_sample", mean, eps)?;
    Ok(mean.contiguous()?.apply_op3(&log_std.contiguous()?, &eps.contiguous()?, GaussianSample)?)
}

/// The size of the batch that a loss averages over.
fn batch(shape: &Shape) -> f64 {
    shape.dims().first().copied().unwrap_or(1).max(1) as f64
}

/// A sum over everything as the mean over the batch.
fn mean(sum: f64, shape: &Shape) -> candle_core::Result<(CpuStorage, Shape)> {
    output(vec![(sum / batch(shape)) as f32], ())
}

/// The gradient of the mean from that of the sum.
fn scale(gradient: &Tensor, shape: &Shape) -> candle_core::Result<f32> {
    Ok((f64::from(gradient.to_scalar::<f32>()?) / batch(shape)) as f32)
}

/// Calls `f` with the values of both.
fn with_slices<R>(a: &Tensor, b: &Tensor, f: impl FnOnce(&[f32], &[f32]) -> R) -> candle_core::Result<R> {
    with_slice(a, |a| with_slice(b, |b| f(a, b)))?
}

struct Bce {
    /// Whether there will be a backward pass.
    tracked: bool,
    /// σ(x) − t, which shares its exponential with the value.
    slopes: Mutex<Vec<f32>>,
}

impl CustomOp2 for Bce {
    fn name(&self) -> &'static str {
        "bce_with_logits"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        targets: &CpuStorage,
        targets_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (xs, ts) = (storage_slice(logits, layout)?, storage_slice(targets, targets_layout)?);
        if !self.tracked {
            return mean(elementwise::cross_entropy(xs, ts), layout.shape());
        }
        let Ok(mut slopes) = self.slopes.lock() else { bail!("a loss's slopes are locked") };
        *slopes = vec![0.0; xs.len()];
        mean(elementwise::cross_entropy_with_slopes(xs, ts, &mut slopes), layout.shape())
    }

    fn bwd(
        &self,
        logits: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let scale = scale(gradient, logits.shape())?;
        let Ok(mut slopes) = self.slopes.lock() else { bail!("a loss's slopes are locked") };
        if logits.is_variable() || !logits.track_op() {
            let add = |out: &mut [f32]| {
                elementwise::add_scaled(scale, &slopes, out);
                Ok(())
            };
            return Ok((gradient_of(logits, add)?, None));
        }
        // They become the gradient: another pass over as much memory is saved.
        if slopes.len() != logits.elem_count() {
            bail!("the gradient of a loss is had once");
        }
        let mut slopes = std::mem::take(&mut *slopes);
        elementwise::scale(scale, &mut slopes);
        Ok((Some(constant(slopes, logits.shape())?), None))
    }
}

struct SquaredError;

impl CustomOp2 for SquaredError {
    fn name(&self) -> &'static str {
        "squared_error"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        ys: &CpuStorage,
        ys_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (xs, ys) = (storage_slice(xs, xs_layout)?, storage_slice(ys, ys_layout)?);
        mean(elementwise::squared_distance(xs, ys), xs_layout.shape())
    }

    fn bwd(
        &self,
        xs: &Tensor,
        ys: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let twice = 2.0 * scale(gradient, xs.shape())?;
        let to = |input: &Tensor, sign: f32| {
            gradient_of(input, |out| {
                with_slices(xs, ys, |xs, ys| elementwise::add_difference(sign * twice, xs, ys, out))
            })
        };
        Ok((to(xs, 1.0)?, to(ys, -1.0)?))
    }
}

struct GaussianKl;

impl CustomOp2 for GaussianKl {
    fn name(&self) -> &'static str {
        "gaussian_kl"
    }

    fn cpu_fwd(
        &self,
        mu: &CpuStorage,
        mu_layout: &Layout,
        log_std: &CpuStorage,
        log_std_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (mu, log_std) = (storage_slice(mu, mu_layout)?, storage_slice(log_std, log_std_layout)?);
        mean(elementwise::gaussian_kl(mu, log_std), mu_layout.shape())
    }

    fn bwd(
        &self,
        mu: &Tensor,
        log_std: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let scale = scale(gradient, mu.shape())?;
        let to_mu = gradient_of(mu, |out| with_slice(mu, |mu| elementwise::add_scaled(scale, mu, out)))?;
        let to_log_std = gradient_of(log_std, |out| {
            with_slice(log_std, |s| elementwise::add_gaussian_kl_slope(scale, s, out))
        })?;
        Ok((to_mu, to_log_std))
    }
}

struct GaussianSample;

impl CustomOp3 for GaussianSample {
    fn name(&self) -> &'static str {
        "gaussian_sample"
    }

    fn cpu_fwd(
        &self,
        mu: &CpuStorage,
        mu_layout: &Layout,
        log_std: &CpuStorage,
        log_std_layout: &Layout,
        eps: &CpuStorage,
        eps_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let mut out = storage_slice(mu, mu_layout)?.to_vec();
        let (log_std, eps) = (storage_slice(log_std, log_std_layout)?, storage_slice(eps, eps_layout)?);
        elementwise::add_scaled_noise(log_std, eps, &mut out);
        output(out, mu_layout.shape())
    }

    fn bwd(
        &self,
        mu: &Tensor,
        log_std: &Tensor,
        eps: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let to_mu = if mu.is_variable() {
            gradient_of(mu, |out| with_slice(&gradient, |g| elementwise::add_scaled(1.0, g, out)))?
        } else {
            mu.track_op().then(|| gradient.clone())
        };
        let to_log_std = gradient_of(log_std, |out| {
            // out is 0, or holds what another use has left: the product is made aside.
            let mut product = vec![0.0; out.len()];
            with_slices(log_std, eps, |s, e| elementwise::add_scaled_noise(s, e, &mut product))?;
            with_slice(&gradient, |g| elementwise::add_product(&product, g, out))
        })?;
        Ok((to_mu, to_log_std, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain;

    type Loss = fn(&[Tensor]) -> Result<Tensor>;

    /// Name, operation, plain twin, which inputs get a gradient.
    fn losses() -> [(&'static str, Loss, Loss, &'static [bool]); 4] {
        [
            (
                "bce",
                |x| bce_with_logits(&x[0], &x[1]),
                |x| plain::bce_with_logits(&x[0], &x[1]),
                &[true, false],
            ),
            (
                "squared",
                |x| squared_error(&x[0], &x[1]),
                |x| plain::squared_error(&x[0], &x[1]),
                &[true, true],
            ),
            ("kl", |x| gaussian_kl(&x[0], &x[1]), |x| plain::gaussian_kl(&x[0], &x[1]), &[true, true]),
            (
                "sample",
                |x| gaussian_sample(&x[0], &x[1], &x[2]),
                |x| plain::gaussian_sample(&x[0], &x[1], &x[2]),
                &[true, true, false],
            ),
        ]
    }

    #[test]
    fn values_and_gradients_match_the_twins_and_differences() {
        for (name, op, twin, tracked) in losses() {
            for shape in [[1, 1], [3, 7], [17, 3], [5, 16], [1, 33]] {
                for scale in [1e-3, 1.0, 2.0] {
                    let inputs: Vec<Tensor> =
                        (0..tracked.len()).map(|i| normal(&shape, scale, &format!("{i}"))).collect();
                    let (value, gradients) = backward(op, &inputs);
                    let (plain_value, plain_gradients) = backward(twin, &inputs);
                    assert_close(&value, &plain_value, 2e-6, name);
                    let expected = differences(twin, &inputs);
                    for (i, &tracked) in tracked.iter().enumerate() {
                        let what = format!("{name} {shape:?} {scale} ∂{i}");
                        if tracked {
                            assert_close(&gradients[i], &expected[i], 1e-5, &what);
                            assert_close(&gradients[i], &plain_gradients[i], 1e-5, &what);
                        } else {
                            assert!(gradients[i].iter().all(|g| *g == 0.0), "{what}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn extreme_logits_stay_finite_and_exact() {
        let logits = Tensor::new(&[[1000_f32, -1000.0, 1000.0, -1000.0]], &candle_core::Device::Cpu).unwrap();
        let targets = Tensor::new(&[[1_f32, 0.0, 0.0, 1.0]], &candle_core::Device::Cpu).unwrap();
        assert_eq!(to_f64(&bce_with_logits(&logits, &targets).unwrap()), [2000.0]);
        let (_, gradients) = backward(|x| bce_with_logits(&x[0], &x[1]), &[logits, targets]);
        assert_eq!(gradients[0], [0.0, 0.0, 1.0, -1.0]);
    }
}
