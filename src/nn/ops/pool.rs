//! Images made larger by repeating points, and smaller by the mean or the largest of blocks.

use super::backward::gradient_of;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::pool::{Blocks, add_at};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// Every point becomes a block of `factor` × `factor` points.
///
/// # Shapes
/// (n, channels, height, width) → (n, channels, factor·height, factor·width)
///
/// # Errors
/// When the shape is another, or `factor` is 0.
pub fn upsample_nearest2d(xs: &Tensor, factor: usize) -> Result<Tensor> {
    let (_, _, rows, columns) = xs.dims4()?;
    let (height, width) = (rows * factor, columns * factor);
    apply(xs, Blocks { rows, columns, height, width, size: factor }, Kind::Repeat)
}

/// The means of blocks of `size` × `size` points. Rows and columns that fill no block take no part.
///
/// # Shapes
/// (n, channels, height, width) → (n, channels, ⌊height/size⌋, ⌊width/size⌋)
///
/// # Errors
/// When the shape is another, or there is no block.
pub fn avg_pool2d(xs: &Tensor, size: usize) -> Result<Tensor> {
    apply(xs, blocks_of(xs, size)?, Kind::Mean)
}

/// The largest of each block of `size` × `size` points; the gradient goes to it, to the first of equals.
/// Rows and columns that fill no block take no part.
///
/// # Shapes
/// (n, channels, height, width) → (n, channels, ⌊height/size⌋, ⌊width/size⌋)
///
/// # Errors
/// When the shape is another, or there is no block.
pub fn max_pool2d(xs: &Tensor, size: usize) -> Result<Tensor> {
    apply(xs, blocks_of(xs, size)?, Kind::Largest)
}

fn blocks_of(xs: &Tensor, size: usize) -> Result<Blocks> {
    let (_, _, height, width) = xs.dims4()?;
    // No block at all is refused below.
    Ok(Blocks::of(height, width, size).unwrap_or(Blocks { rows: 0, columns: 0, height, width, size }))
}

fn apply(xs: &Tensor, blocks: Blocks, kind: Kind) -> Result<Tensor> {
    if blocks.size * blocks.rows * blocks.columns == 0 {
        return Err(candle_core::Error::Msg("an image is smaller than one block".into()).into());
    }
    Ok(xs.contiguous()?.apply_op1(Pool { blocks, kind, places: Mutex::new(Vec::new()) })?)
}

#[derive(Clone, Copy)]
enum Kind {
    Repeat,
    Mean,
    Largest,
}

struct Pool {
    blocks: Blocks,
    kind: Kind,
    /// Where the largest of each block is.
    places: Mutex<Vec<u32>>,
}

impl Pool {
    /// What a point of a block weighs in its mean.
    fn share(&self) -> f32 {
        1.0 / (self.blocks.size * self.blocks.size) as f32
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, channels, _, _) = layout.shape().dims4()?;
        let (height, width) = match self.kind {
            Kind::Repeat => (self.blocks.height, self.blocks.width),
            Kind::Mean | Kind::Largest => (self.blocks.rows, self.blocks.columns),
        };
        let (xs, mut ys) = (storage_slice(xs, layout)?, vec![0.0; n * channels * height * width]);
        match self.kind {
            Kind::Repeat => self.blocks.add_to_points(xs, 1.0, &mut ys),
            Kind::Mean => self.blocks.add_sums(xs, self.share(), &mut ys),
            Kind::Largest => {
                let Ok(mut places) = self.places.lock() else { bail!("the places are locked") };
                *places = self.blocks.largest(xs, &mut ys);
            }
        }
        output(ys, (n, channels, height, width))
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        gradient_of(xs, |out| {
            with_slice(&gradient, |gradient| {
                match self.kind {
                    Kind::Repeat => self.blocks.add_sums(gradient, 1.0, out),
                    Kind::Mean => self.blocks.add_to_points(gradient, self.share(), out),
                    Kind::Largest => {
                        let Ok(places) = self.places.lock() else { bail!("the places are locked") };
                        add_at(&places, gradient, out);
                    }
                }
                Ok(())
            })?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain;
    use candle_core::Device;

    type Op = fn(&Tensor, usize) -> Result<Tensor>;

    const OPS: [(&str, Op, Op); 3] = [
        ("upsample", upsample_nearest2d, plain::upsample_nearest2d),
        ("average", avg_pool2d, plain::avg_pool2d),
        ("max", max_pool2d, plain::max_pool2d),
    ];

    #[test]
    fn values_and_gradients_match_the_twins_and_differences() {
        for (name, op, twin) in OPS {
            for size in 1..=4 {
                for shape in [[1, 1, 4, 4], [2, 3, 7, 5], [3, 1, 4, 17], [1, 2, 8, 8]] {
                    let inputs = [normal(&shape, 1.0, name)];
                    let what = format!("{name} {size} {shape:?}");
                    // Weighed, so that the gradient is not the same everywhere; used twice, as by a skip.
                    let weigh = |ys: Tensor, xs: &Tensor| -> Result<Tensor> {
                        let weights = normal(ys.dims(), 1.0, "weights").to_dtype(ys.dtype())?;
                        Ok(((ys * weights)?.sum_all()? + xs.sqr()?.sum_all()?)?)
                    };
                    let plainly = |x: &[Tensor]| weigh(twin(&x[0], size)?, &x[0]);
                    let (value, gradient) = backward(|x| weigh(op(&x[0], size)?, &x[0]), &inputs);
                    assert_close(&value, &backward(plainly, &inputs).0, 2e-6, &what);
                    assert_close(&gradient[0], &differences(plainly, &inputs)[0], 1e-5, &what);
                    let expected = to_f64(&twin(&inputs[0], size).unwrap());
                    assert_close(&to_f64(&op(&inputs[0], size).unwrap()), &expected, 1e-6, &what);
                    let turned = inputs[0].transpose(2, 3).unwrap();
                    let expected = to_f64(&twin(&turned.contiguous().unwrap(), size).unwrap());
                    assert_close(&to_f64(&op(&turned, size).unwrap()), &expected, 1e-6, &what);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_an_empty_batch_is_fine() {
        let xs = normal(&[2, 3, 3, 5], 1.0, "x");
        for (name, op, _) in OPS {
            assert!(op(&xs, 0).is_err(), "{name}");
            assert!(op(&xs.flatten_all().unwrap(), 2).is_err(), "{name}");
            assert_eq!(op(&xs.narrow(0, 0, 0).unwrap(), 2).unwrap().dim(0).unwrap(), 0, "{name}");
        }
        assert!(avg_pool2d(&xs, 4).is_err() && max_pool2d(&xs, 4).is_err());
    }

    #[test]
    fn the_first_of_equals_gets_the_gradient_and_nan_is_the_largest() {
        let xs = Tensor::new(&[[[[1_f32, 3.0, f32::NAN], [3.0, 2.0, 9.0]]]], &Device::Cpu).unwrap();
        let (value, gradient) = backward(|x| max_pool2d(&x[0], 2), std::slice::from_ref(&xs));
        assert_eq!(value, [3.0]);
        assert_eq!(gradient[0], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        let xs = xs.narrow(3, 1, 2).unwrap();
        assert!(to_f64(&max_pool2d(&xs, 2).unwrap())[0].is_nan());
    }
}
