//! Spectral normalisation (Miyato et al. 2018, <https://arxiv.org/abs/1802.05957>): W/σ₁, so that a layer
//! stretches nothing.

use crate::error::Result;
use crate::nn::ops::product;
use crate::nn::penalty::off_zero;
use candle_core::Tensor;

/// x/‖x‖; a vector of zeros stays one.
fn unit(xs: &Tensor) -> Result<Tensor> {
    let length = off_zero(&xs.sqr()?.sum_all()?.sqrt()?)?;
    Ok(xs.broadcast_div(&length)?)
}

/// A layer's weight as a matrix of (outputs, inputs of one output).
fn matrix(weight: &Tensor) -> Result<Tensor> {
    Ok(weight.flatten_from(1)?)
}

/// One step of the power iteration, v ← Wᵀu/‖·‖ and u ← Wv/‖·‖: the new u, and the estimate uᵀWv of σ₁.
///
/// # Shapes
/// weight (outputs, …), u (1, outputs) → (1, outputs)
///
/// # Errors
/// When the shapes differ from these.
pub fn power_iteration(weight: &Tensor, u: &Tensor) -> Result<(Tensor, f32)> {
    let weight = matrix(&weight.detach())?;
    let v = unit(&product(u, &weight)?)?;
    // (1, inputs) · (inputs, outputs) -> (1, outputs)
    let image = product(&v, &weight.t()?)?;
    let sigma = image.sqr()?.sum_all()?.sqrt()?.to_scalar()?;
    Ok((unit(&image)?, sigma))
}

/// gain·W/σ with σ = uᵀWv, v = Wᵀu/‖·‖: a graph in W, with u and v held fixed.
///
/// # Shapes
/// weight (outputs, …), u (1, outputs) → weight's
///
/// # Errors
/// When the shapes differ from these.
pub fn normalised(weight: &Tensor, u: &Tensor, gain: f64) -> Result<Tensor> {
    let v = unit(&product(u, &matrix(&weight.detach())?)?)?;
    // (outputs, 1) · (1, inputs) -> (outputs, inputs)
    let direction = product(&u.t()?, &v)?.reshape(weight.shape())?;
    let sigma = (weight * direction)?.sum_all()?.affine(1.0 / gain, 0.0)?;
    Ok(weight.broadcast_div(&sigma)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use candle_core::Device;

    /// W[i][j] = sin(1 + 3i + 7j + ij), 8 × 6.
    fn formula() -> Tensor {
        let at = |i: usize, j: usize| (1.0 + (3 * i + 7 * j + i * j) as f64).sin() as f32;
        let values: Vec<f32> = (0..8).flat_map(|i| (0..6).map(move |j| at(i, j))).collect();
        Tensor::from_vec(values, (8, 6), &Device::Cpu).unwrap()
    }

    #[test]
    fn power_iteration_converges_to_the_largest_singular_value() {
        let weight = formula();
        let mut u = Tensor::ones((1, 8), candle_core::DType::F32, &Device::Cpu).unwrap();
        let mut values = Vec::new();
        for _ in 0..60 {
            let (next, sigma) = power_iteration(&weight, &u).unwrap();
            u = next;
            values.push(f64::from(sigma));
        }
        // tests/reference/c_gan.json, spectral_norm: power iteration from ones, and the SVD's σ₁.
        for (steps, expected) in [(1, 2.147172), (5, 2.550466), (20, 2.553248), (60, 2.553278)] {
            assert!((values[steps - 1] - expected).abs() < 2e-6, "{steps}: {}", values[steps - 1]);
        }
        let normalised = normalised(&weight, &u, 3.0).unwrap();
        let (_, sigma) = power_iteration(&normalised, &u).unwrap();
        assert!((sigma - 3.0).abs() < 1e-5, "{sigma}");
    }

    #[test]
    fn the_gradient_goes_through_the_norm_too() {
        // At the singular vectors, holding them fixed changes nothing to first order: the whole of W/σ₁(W).
        let weight = formula();
        let iterate = |weight: &Tensor| {
            (0..120).try_fold(normal(&[1, 8], 1.0, "u"), |u, _| Ok(power_iteration(weight, &u)?.0))
        };
        let u: Result<Tensor> = iterate(&weight);
        let (u, mix) = (u.unwrap(), normal(&[8, 6], 1.0, "mix"));
        let op = |x: &[Tensor]| Ok((normalised(&x[0], &u, 2.0)? * &mix)?);
        let (_, gradients) = backward(op, std::slice::from_ref(&weight));
        let exact = |x: &[Tensor]| {
            let as_f64 = |x: &Tensor| x.to_dtype(candle_core::DType::F64);
            let (weight, mut v) = (&x[0], as_f64(&normal(&[6, 1], 1.0, "v"))?);
            for _ in 0..120 {
                let w = weight.t()?.matmul(&weight.matmul(&v)?)?;
                v = w.broadcast_div(&w.sqr()?.sum_all()?.sqrt()?)?;
            }
            let sigma = weight.matmul(&v)?.sqr()?.sum_all()?.sqrt()?;
            Ok((weight.broadcast_div(&sigma)? * as_f64(&mix)?)?.affine(2.0, 0.0)?)
        };
        assert_close(&gradients[0], &differences(exact, &[weight])[0], 1e-4, "W/σ₁");
        let kernel = normal(&[4, 3, 2, 2], 1.0, "kernel");
        let u = normal(&[1, 4], 1.0, "u");
        assert_eq!(normalised(&kernel, &u, 1.0).unwrap().dims(), [4, 3, 2, 2]);
        assert!(to_f64(&normalised(&kernel, &u, 1.0).unwrap()).iter().all(|x| x.is_finite()));
    }
}
