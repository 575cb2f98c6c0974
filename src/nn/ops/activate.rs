//! Activation functions, element by element.

use super::backward::gradient_of;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::kernels::elementwise::{Kind, multiply};
use crate::params::Choice;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// f(x), at any shape.
pub fn activate(xs: &Tensor, activation: Activation) -> Result<Tensor> {
    if activation == Activation::Identity {
        return Ok(xs.clone());
    }
    Ok(xs.contiguous()?.apply_op1(Value(activation))?)
}

/// f′(x), at any shape, with the gradient f″(x).
/// At the kinks of `relu` and `leakyRelu` it is the derivative from below.
pub fn activate_derivative(xs: &Tensor, activation: Activation) -> Result<Tensor> {
    Ok(xs.contiguous()?.apply_op1(Slope(activation))?)
}

/// ln(1 + eˣ), without overflow; −ln σ(x) is `softplus(−x)`.
pub fn softplus(xs: &Tensor) -> Result<Tensor> {
    activate(xs, Activation::Softplus)
}

fn kind(activation: Activation) -> Kind {
    match activation {
        Activation::Relu => Kind::Relu,
        Activation::LeakyRelu => Kind::LeakyRelu,
        Activation::Tanh => Kind::Tanh,
        Activation::Silu => Kind::Silu,
        Activation::Gelu => Kind::Gelu,
        Activation::Elu => Kind::Elu,
        Activation::Softplus => Kind::Softplus,
        Activation::Sigmoid => Kind::Sigmoid,
        Activation::Identity => Kind::Identity,
    }
}

/// x ← f(x), and f′(x).
pub(crate) fn value_and_slope(activation: Activation, xs: &mut [f32]) -> Vec<f32> {
    let mut slopes = vec![0.0; xs.len()];
    kind(activation).apply_with_slopes(xs, &mut slopes);
    slopes
}

/// The activation at the end of a layer's operation: what the forward pass keeps of it for the backward pass.
pub(super) struct Ending {
    activation: Activation,
    /// Whether there will be a backward pass.
    tracked: bool,
    /// f′ at each output, where it cannot be had from f.
    slopes: Mutex<Vec<f32>>,
}

impl Ending {
    /// The end of an operation on these inputs.
    pub(super) fn new<'a>(activation: Activation, inputs: impl IntoIterator<Item = &'a Tensor>) -> Self {
        let tracked = inputs.into_iter().any(Tensor::track_op);
        Self { activation, tracked, slopes: Mutex::new(Vec::new()) }
    }

    /// Where the product before it can be bounded from below, which is all that relu does.
    pub(super) fn low(&self) -> f32 {
        if self.activation == Activation::Relu { 0.0 } else { f32::NEG_INFINITY }
    }

    /// y ← f(y), after a product that was bounded by [`Ending::low`].
    pub(super) fn finish(&self, ys: &mut [f32]) -> candle_core::Result<()> {
        match self.activation {
            Activation::Relu | Activation::Identity => {}
            other if self.tracked && kind(other).needs_slopes() => {
                let Ok(mut slopes) = self.slopes.lock() else { bail!("a layer's slopes are locked") };
                *slopes = value_and_slope(other, ys);
            }
            other => kind(other).apply(ys),
        }
        Ok(())
    }

    /// [`Ending::finish`] after what was not bounded.
    pub(super) fn finish_unbounded(&self, ys: &mut [f32]) -> candle_core::Result<()> {
        if self.activation == Activation::Relu {
            kind(self.activation).apply(ys);
        }
        self.finish(ys)
    }

    /// Calls `f` with g·f′, the gradient before the activation.
    pub(super) fn with_gradient<R>(
        &self,
        gradient: &[f32],
        ys: &Tensor,
        f: impl FnOnce(&[f32]) -> candle_core::Result<R>,
    ) -> candle_core::Result<R> {
        if self.is_identity() {
            return f(gradient);
        }
        let mut scaled = vec![0.0; gradient.len()];
        with_slice(ys, |ys| self.scale(gradient, ys, &mut scaled))??;
        f(&scaled)
    }

    /// Whether it is relu, whose slope a product can apply.
    pub(super) fn is_relu(&self) -> bool {
        self.activation == Activation::Relu
    }

    /// Whether there is no activation.
    pub(super) fn is_identity(&self) -> bool {
        self.activation == Activation::Identity
    }

    /// scaled ← g·f′, the gradient before the activation, which gave `ys`.
    pub(super) fn scale(&self, gradient: &[f32], ys: &[f32], scaled: &mut [f32]) -> candle_core::Result<()> {
        let kind = kind(self.activation);
        if kind.needs_slopes() {
            let Ok(slopes) = self.slopes.lock() else { bail!("a layer's slopes are locked") };
            multiply(gradient, &slopes, scaled);
        } else {
            kind.times_slope_at_value(gradient, ys, scaled);
        }
        Ok(())
    }
}

struct Value(Activation);

impl CustomOp1 for Value {
    fn name(&self) -> &'static str {
        self.0.id()
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let mut ys = storage_slice(xs, layout)?.to_vec();
        kind(self.0).apply(&mut ys);
        output(ys, layout.shape())
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        gradient_of(xs, |out| {
            with_slice(xs, |xs| {
                with_slice(&gradient, |gradient| {
                    kind(self.0).add_slope(xs, gradient, out);
                })
            })?
        })
    }
}

struct Slope(Activation);

impl CustomOp1 for Slope {
    fn name(&self) -> &'static str {
        self.0.id()
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let xs = storage_slice(xs, layout)?;
        let mut slopes = vec![0.0; xs.len()];
        kind(self.0).slopes(xs, &mut slopes);
        output(slopes, layout.shape())
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        gradient_of(xs, |out| {
            with_slice(xs, |xs| {
                with_slice(&gradient, |gradient| {
                    kind(self.0).add_curve(xs, gradient, out);
                })
            })?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain;

    #[test]
    fn values_and_gradients_match_the_twins_and_differences() {
        for id in Activation::IDS {
            let activation = Activation::from_id(id).unwrap();
            for shape in [vec![1], vec![0], vec![3, 7], vec![17], vec![2, 3, 4]] {
                for scale in [1e-3, 1.0, 5.0] {
                    let inputs = [normal(&shape, scale, id)];
                    let what = format!("{id} {shape:?} {scale}");
                    let (value, gradient) = backward(|x| activate(&x[0], activation), &inputs);
                    let (plain_value, _) = backward(|x| plain::activate(&x[0], activation), &inputs);
                    assert_close(&value, &plain_value, 1e-6, &what);
                    let expected = differences(|x| plain::activate(&x[0], activation), &inputs);
                    assert_close(&gradient[0], &expected[0], 1e-5, &what);
                    let (slope, curve) = backward(|x| activate_derivative(&x[0], activation), &inputs);
                    assert_close(&slope, &expected[0], 1e-5, &what);
                    let expected = differences(|x| plain::activate_derivative(&x[0], activation), &inputs);
                    let flat = vec![0.0; expected[0].len()];
                    assert_close(
                        curve.first().filter(|c| !c.is_empty()).unwrap_or(&flat),
                        &expected[0],
                        1e-5,
                        &what,
                    );
                }
            }
        }
    }

    #[test]
    fn extremes_are_kept() {
        let xs = [f32::NEG_INFINITY, -1e30, -100.0, 0.0, 100.0, 1e30, f32::INFINITY, f32::NAN];
        let xs = Tensor::new(&xs, &candle_core::Device::Cpu).unwrap();
        let values = |id: &str| to_f64(&activate(&xs, Activation::from_id(id).unwrap()).unwrap());
        for id in Activation::IDS {
            assert!(values(id)[7].is_nan(), "{id}");
        }
        assert_eq!(values("relu")[..7], [0.0, 0.0, 0.0, 0.0, 100.0, f64::from(1e30_f32), f64::INFINITY]);
        assert_eq!(values("tanh")[..7], [-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0]);
        let sigmoid = values("sigmoid");
        assert_eq!((sigmoid[0], sigmoid[3], sigmoid[6]), (0.0, 0.5, 1.0));
        assert!(sigmoid[2] < 1e-43);
        let softplus = values("softplus");
        assert_eq!((softplus[1], softplus[4], softplus[6]), (0.0, 100.0, f64::INFINITY));
        assert_eq!(values("elu")[..3], [-1.0, -1.0, -1.0]);
    }
}
