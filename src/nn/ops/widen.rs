//! The convolution of an image whose points are repeated.

use super::backward::gradient_of;
use super::conv::{conv_transpose2d, refused};
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::kernels::widen::{add_widened, add_widened_gradient};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// [`conv2d`] with stride 1 of x made `factor` times as high and wide by repeating every point.
///
/// It is computed as a transposed convolution of x itself, whose window has the sums of the weights that meet
/// the same point: with factor 2 and windows of 3 × 3, in 4/9 of the multiplications.
///
/// # Shapes
/// xs (n, inputs, height, width), weight (outputs, inputs, size, size), bias (outputs)
/// → (n, outputs, factor·height + 2·padding − size + 1, factor·width + 2·padding − size + 1)
///
/// # Errors
/// When the shapes differ from these, or the padding is not less than the size.
pub fn upsample_conv2d(
    xs: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    factor: usize,
    padding: usize,
    activation: Activation,
) -> Result<Tensor> {
    let (outputs, inputs, size, other) = weight.dims4()?;
    let (true, true, Some(padding)) = (size == other, factor > 0, (size.max(1) - 1).checked_sub(padding))
    else {
        return Err(refused());
    };
    let weight = weight.contiguous()?.apply_op1(Widened { outputs, inputs, size, factor })?;
    conv_transpose2d(xs, &weight, bias, factor, padding, 0, activation)
}

/// The window whose transposed convolution is a convolution of repeated points.
struct Widened {
    outputs: usize,
    inputs: usize,
    size: usize,
    factor: usize,
}

impl CustomOp1 for Widened {
    fn name(&self) -> &'static str {
        "widened"
    }

    fn cpu_fwd(&self, weight: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let wide = self.size + self.factor - 1;
        let mut out = vec![0.0; self.outputs * self.inputs * wide * wide];
        let channels = (self.outputs, self.inputs);
        add_widened(storage_slice(weight, layout)?, channels, self.size, self.factor, &mut out);
        output(out, (self.inputs, self.outputs, wide, wide))
    }

    fn bwd(&self, weight: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        gradient_of(weight, |out| {
            let channels = (self.outputs, self.inputs);
            with_slice(&gradient, |gradient| {
                add_widened_gradient(gradient, channels, self.size, self.factor, out);
            })
        })
    }
}
