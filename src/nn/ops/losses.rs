//! Losses in nats or squared units: summed over the features, averaged over the batch.

use super::plain;
use crate::error::Result;
use candle_core::Tensor;

/// −log p(targets | logits) of independent Bernoulli variables, in nats:
/// Σ max(x, 0) − x·t + ln(1 + e^−|x|).
/// No gradient flows to the targets.
///
/// # Shapes
/// two of (n, d) → ()
pub fn bce_with_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    plain::bce_with_logits(logits, targets)
}

/// Σ (x − y)².
///
/// # Shapes
/// two of (n, d) → ()
pub fn squared_error(xs: &Tensor, ys: &Tensor) -> Result<Tensor> {
    plain::squared_error(xs, ys)
}

/// KL(N(μ, e^{2s}) ‖ N(0, 1)) = ½ Σ (e^{2s} + μ² − 1) − s, in nats.
///
/// # Shapes
/// mean μ and log standard deviation s, both (n, k) → ()
pub fn gaussian_kl(mean: &Tensor, log_std: &Tensor) -> Result<Tensor> {
    plain::gaussian_kl(mean, log_std)
}

/// μ + e^s·ε: a draw from N(μ, e^{2s}) through which gradients flow to μ and s, not to ε.
///
/// # Shapes
/// three of (n, k) → (n, k)
pub fn gaussian_sample(mean: &Tensor, log_std: &Tensor, eps: &Tensor) -> Result<Tensor> {
    plain::gaussian_sample(mean, log_std, eps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};

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
                for scale in [1e-3, 1.0, 4.0] {
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
