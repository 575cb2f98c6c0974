//! Log-densities of Gaussians and of mixtures of them, in nats.

use super::backward::gradient_of;
use super::slices::{output, same_shape, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::density::{self, By};
use crate::nn::kernels::elementwise::add_scaled;
use crate::nn::kernels::reduce;
use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// −log p(x) of independent N(μ, e²ˢ): ½ Σ (x − μ)²e⁻²ˢ + 2s + ln 2π over everything, averaged over the batch.
///
/// # Shapes
/// mean μ, log standard deviation s and xs, all (n, d) → ()
pub fn gaussian_nll(mean: &Tensor, log_std: &Tensor, xs: &Tensor) -> Result<Tensor> {
    gaussian(mean, log_std, xs, true)
}

/// log p(x) of independent N(μ, e²ˢ), summed over each row.
///
/// # Shapes
/// mean μ, log standard deviation s and xs, all (n, d) → (n)
pub fn gaussian_log_prob(mean: &Tensor, log_std: &Tensor, xs: &Tensor) -> Result<Tensor> {
    gaussian(mean, log_std, xs, false)
}

fn gaussian(mean: &Tensor, log_std: &Tensor, xs: &Tensor, loss: bool) -> Result<Tensor> {
    same_shape("gaussian_log_prob", mean, log_std)?;
    same_shape("gaussian_log_prob", mean, xs)?;
    let op = Gaussian { loss };
    Ok(mean.contiguous()?.apply_op3(&log_std.contiguous()?, &xs.contiguous()?, op)?)
}

/// −log Σ wₖ N(x; μₖ, e²ˢᵏ), averaged over the batch. No gradient flows to the xs.
///
/// An s below `low` counts as `low`: without a bound, a component could close in on one point for ever.
///
/// # Shapes
/// rows [logits of w | μ | s] (n, 3·K), or (1, 3·K) for all; n values → ()
///
/// # Errors
/// When the rows are not of three equal parts, or not as many as the values.
pub fn mixture_nll(rows: &Tensor, low: f32, xs: &[f32]) -> Result<Tensor> {
    let components = check(rows, xs)?;
    let tracked = rows.track_op();
    let op = Mixture { xs: xs.to_vec(), components, low, tracked, slopes: Mutex::new(Vec::new()) };
    Ok(rows.contiguous()?.apply_op1(op)?)
}

/// log Σ wₖ N(x; μₖ, e²ˢᵏ) of each x, without a graph. An s below `low` counts as `low`.
///
/// # Shapes
/// rows [logits of w | μ | s] (n, 3·K), or (1, 3·K) for all; n values → n
///
/// # Errors
/// When the rows are not of three equal parts, or not as many as the values.
pub fn mixture_log_prob(rows: &Tensor, low: f32, xs: &[f32]) -> Result<Vec<f32>> {
    let components = check(rows, xs)?;
    let mut out = vec![0.0; xs.len()];
    with_slice(&rows.contiguous()?, |rows| density::mixture(rows, components, low, xs, &mut out, &mut []))?;
    Ok(out)
}

/// The number of components, if everything fits.
fn check(rows: &Tensor, xs: &[f32]) -> Result<usize> {
    let (n, width) = rows.dims2()?;
    if width == 0 || width % 3 != 0 || (n != xs.len() && n != 1) {
        let text = format!("{} values for {n} mixtures of {width} numbers", xs.len());
        return Err(candle_core::Error::Msg(text).into());
    }
    Ok(width / 3)
}

struct Gaussian {
    /// Whether the result is minus the batch's mean instead of one number a row.
    loss: bool,
}

impl CustomOp3 for Gaussian {
    fn name(&self) -> &'static str {
        "gaussian_log_prob"
    }

    fn cpu_fwd(
        &self,
        mean: &CpuStorage,
        mean_layout: &Layout,
        log_std: &CpuStorage,
        log_std_layout: &Layout,
        xs: &CpuStorage,
        xs_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, d) = mean_layout.shape().dims2()?;
        let (mean, log_std) = (storage_slice(mean, mean_layout)?, storage_slice(log_std, log_std_layout)?);
        let mut terms = vec![0.0; mean.len()];
        density::gaussian(mean, log_std, storage_slice(xs, xs_layout)?, &mut terms);
        if self.loss {
            return output(vec![(-reduce::sum(&terms) / n.max(1) as f64) as f32], ());
        }
        let mut rows = vec![0.0; n];
        for (sum, terms) in rows.iter_mut().zip(terms.chunks(d.max(1))) {
            *sum = reduce::sum(terms) as f32;
        }
        output(rows, n)
    }

    fn bwd(
        &self,
        mean: &Tensor,
        log_std: &Tensor,
        xs: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (n, d) = mean.dims2()?;
        let gradient: Vec<f32> = if self.loss {
            vec![(-f64::from(gradient.to_scalar::<f32>()?) / n.max(1) as f64) as f32; n * d]
        } else {
            with_slice(&gradient.contiguous()?, |rows| {
                rows.iter().flat_map(|row| std::iter::repeat_n(*row, d)).collect()
            })?
        };
        with_slice(mean, |means| {
            with_slice(log_std, |log_stds| {
                with_slice(xs, |values| {
                    let to = |input: &Tensor, by: By| {
                        gradient_of(input, |out| {
                            density::add_gaussian_slopes(by, means, log_stds, values, &gradient, out);
                            Ok(())
                        })
                    };
                    Ok((to(mean, By::Mean)?, to(log_std, By::LogStd)?, to(xs, By::Value)?))
                })
            })
        })???
    }
}

struct Mixture {
    xs: Vec<f32>,
    components: usize,
    low: f32,
    tracked: bool,
    /// The derivative of Σ log p, which shares its exponentials with the value.
    slopes: Mutex<Vec<f32>>,
}

impl CustomOp1 for Mixture {
    fn name(&self) -> &'static str {
        "mixture_nll"
    }

    fn cpu_fwd(&self, rows: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let rows = storage_slice(rows, layout)?;
        let mut out = vec![0.0; self.xs.len()];
        let Ok(mut slopes) = self.slopes.lock() else { bail!("a loss's slopes are locked") };
        *slopes = vec![0.0; if self.tracked { rows.len() } else { 0 }];
        density::mixture(rows, self.components, self.low, &self.xs, &mut out, &mut slopes);
        output(vec![(-reduce::sum(&out) / self.xs.len().max(1) as f64) as f32], ())
    }

    fn bwd(&self, rows: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let scale = (-f64::from(gradient.to_scalar::<f32>()?) / self.xs.len().max(1) as f64) as f32;
        gradient_of(rows, |out| {
            let Ok(slopes) = self.slopes.lock() else { bail!("a loss's slopes are locked") };
            add_scaled(scale, &slopes, out);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain_layers;
    use crate::rng::Rng;
    use candle_core::Device;

    #[test]
    fn gaussians_match_the_twin_and_differences() {
        for shape in [[1, 1], [3, 7], [7, 3], [17, 2], [2, 17], [5, 16]] {
            for scale in [1e-3, 0.5, 1.5] {
                let inputs: Vec<Tensor> =
                    ["mean", "log_std", "xs"].iter().map(|label| normal(&shape, scale, label)).collect();
                let what = format!("{shape:?} {scale}");
                let twin = |x: &[Tensor]| plain_layers::gaussian_log_prob(&x[0], &x[1], &x[2]);
                let loss_twin = |x: &[Tensor]| Ok((twin(x)?.neg()?.mean_all())?);
                let op = |x: &[Tensor]| gaussian_log_prob(&x[0], &x[1], &x[2]);
                let loss = |x: &[Tensor]| gaussian_nll(&x[0], &x[1], &x[2]);
                // Rows that count differently, so that each must get its own share of the gradient.
                let counts: Vec<f64> = (0..shape[0]).map(|i| 1.0 + i as f64).collect();
                let weighted = |rows: Tensor| {
                    let counts = Tensor::new(&counts[..], &Device::Cpu)?.to_dtype(rows.dtype())?;
                    Ok((rows * counts)?)
                };
                let cases = [
                    (backward(|x| weighted(op(x)?), &inputs), backward(|x| weighted(twin(x)?), &inputs)),
                    (backward(loss, &inputs), backward(loss_twin, &inputs)),
                ];
                let exact = [differences(|x| weighted(twin(x)?), &inputs), differences(loss_twin, &inputs)];
                for (((value, got), (plain_value, plain)), exact) in cases.iter().zip(&exact) {
                    assert_close(value, plain_value, 2e-6, &what);
                    for ((got, plain), exact) in got.iter().zip(plain).zip(exact) {
                        assert_close(got, plain, 1e-5, &what);
                        assert_close(got, exact, 1e-5, &what);
                    }
                }
            }
        }
    }

    #[test]
    fn mixtures_match_the_twin_and_differences() {
        for n in [1, 3, 7, 17] {
            for components in [1, 3, 4, 7, 8, 17] {
                for (rows, low) in [(1, -9.0), (n, -9.0), (n, 0.0)] {
                    let xs = Rng::stream(4, "xs").normals(n);
                    let inputs = [normal(&[rows, 3 * components], 1.0, "rows")];
                    let what = format!("{n} values, {rows} rows of {components}, {low}");
                    let twin = |x: &[Tensor]| plain_layers::mixture_nll(&x[0], low, &xs);
                    let (value, gradients) = backward(|x| mixture_nll(&x[0], low, &xs), &inputs);
                    assert_close(&value, &backward(twin, &inputs).0, 1e-6, &what);
                    assert_close(&gradients[0], &differences(twin, &inputs)[0], 1e-5, &what);
                    let each = mixture_log_prob(&inputs[0], low, &xs).unwrap();
                    let mean = each.iter().map(|x| -f64::from(*x)).sum::<f64>() / n as f64;
                    assert_close(&[mean], &value, 1e-6, &what);
                }
            }
        }
    }

    #[test]
    fn extremes_stay_exact() {
        // One component is far away and one has all the weight: neither overflows.
        let rows = Tensor::new(&[[1e4_f32, -1e4, 0.0, 1e4, 0.0, 0.0]], &Device::Cpu).unwrap();
        let (value, gradients) = backward(|x| mixture_nll(&x[0], -9.0, &[0.5]), &[rows]);
        let exact = 0.125 + 0.5 * std::f64::consts::TAU.ln();
        assert_close(&value, &[exact], 1e-6, "value");
        assert_close(&gradients[0], &[0.0, 0.0, -0.5, 0.0, 0.75, 0.0], 1e-6, "gradient");
        let far = [0.0_f32, 0.0, 1e4].map(|x| Tensor::new(&[[x]], &Device::Cpu).unwrap());
        let (value, gradients) = backward(|x| gaussian_nll(&x[0], &x[1], &x[2]), &far);
        assert_close(&value, &[5e7 + exact - 0.125], 1e-7, "far");
        let slopes: Vec<f64> = gradients.concat();
        assert_close(&slopes, &[-1e4, 1.0 - 1e8, 1e4], 1e-7, "far");
    }

    #[test]
    fn what_has_no_graph_gets_none_and_what_does_not_fit_is_refused() {
        let [a, b] = [normal(&[2, 3], 1.0, "a"), normal(&[3, 2], 1.0, "b")];
        assert!(!gaussian_log_prob(&a, &a, &a).unwrap().track_op());
        assert!(!mixture_nll(&a, -9.0, &[0.0; 2]).unwrap().track_op());
        assert!(gaussian_nll(&a, &b, &a).is_err() && gaussian_nll(&a, &a, &b).is_err());
        assert!(mixture_nll(&b, -9.0, &[0.0; 3]).is_err() && mixture_nll(&a, -9.0, &[0.0; 3]).is_err());
        let turned = gaussian_log_prob(&b.t().unwrap(), &a, &a).unwrap();
        let straight = gaussian_log_prob(&b.t().unwrap().contiguous().unwrap(), &a, &a).unwrap();
        assert_eq!(to_f64(&turned), to_f64(&straight));
    }
}
