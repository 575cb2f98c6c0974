//! Weights of which some are held at 0.

use super::backward::gradient_of;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::elementwise::{add_product, multiply};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use std::sync::Arc;

/// x·m, with a constant m of as many values.
///
/// # Shapes
/// any → the same
///
/// # Errors
/// When the mask is of another length.
pub fn masked(xs: &Tensor, mask: &Arc<[f32]>) -> Result<Tensor> {
    if xs.elem_count() != mask.len() {
        let text = format!("a mask of {} values for {:?}", mask.len(), xs.dims());
        return Err(candle_core::Error::Msg(text).into());
    }
    Ok(xs.contiguous()?.apply_op1(Masked(mask.clone()))?)
}

struct Masked(Arc<[f32]>);

impl CustomOp1 for Masked {
    fn name(&self) -> &'static str {
        "masked"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let xs = storage_slice(xs, layout)?;
        let mut ys = vec![0.0; xs.len()];
        multiply(xs, &self.0, &mut ys);
        output(ys, layout.shape())
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        gradient_of(xs, |out| with_slice(&gradient, |gradient| add_product(gradient, &self.0, out)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal};
    use crate::nn::ops::plain_layers;

    #[test]
    fn values_and_gradients_match_the_twin_and_differences() {
        for shape in [[1, 1], [3, 7], [17, 3]] {
            let mask: Arc<[f32]> = (0..shape[0] * shape[1]).map(|i| (i % 3) as f32).collect();
            let inputs = [normal(&shape, 1.0, "xs"), normal(&shape, 1.0, "weights")];
            let op = |x: &[Tensor]| Ok((masked(&x[0], &mask)? * &x[1])?);
            let twin = |x: &[Tensor]| Ok((plain_layers::masked(&x[0], &mask)? * &x[1])?);
            let (value, gradients) = backward(op, &inputs);
            assert_close(&value, &backward(twin, &inputs).0, 0.0, "value");
            for (got, expected) in gradients.iter().zip(differences(twin, &inputs)) {
                assert_close(got, &expected, 1e-6, "gradient");
            }
            assert!(gradients[0].iter().zip(&*mask).all(|(g, m)| *m != 0.0 || *g == 0.0));
            assert!(!masked(&inputs[0], &mask).unwrap().track_op());
        }
        assert!(masked(&normal(&[2, 2], 1.0, "xs"), &[1.0; 3].into()).is_err());
    }
}
