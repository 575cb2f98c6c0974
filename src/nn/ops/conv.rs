//! Convolutions with bias and activation in one operation.

use super::activate::Ending;
use super::backward::gradient_of;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::kernels::conv::{Axis, Conv};
use crate::nn::kernels::gemm::Start;
use crate::nn::kernels::reduce::add_planes;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};

/// f(the windows of x times the weights, plus b): the cross-correlation that deep learning calls convolution.
///
/// No gradient is computed for an input that has no graph.
///
/// # Shapes
/// xs (n, inputs, height, width), weight (outputs, inputs, rows, columns), bias (outputs), or (n, outputs) with one
/// for each image
/// → (n, outputs, (height + 2·padding − rows)/stride + 1, (width + 2·padding − columns)/stride + 1)
///
/// # Errors
/// When the shapes differ from these, or no window fits.
pub fn conv2d(
    xs: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    padding: usize,
    activation: Activation,
) -> Result<Tensor> {
    let ((batch, channels, height, width), (outputs, inputs, rows, columns)) = (xs.dims4()?, weight.dims4()?);
    let axes = (Axis::new(height, rows, stride, padding), Axis::new(width, columns, stride, padding));
    ConvAct::apply(axes, (batch, inputs, outputs), channels == inputs, false, xs, weight, bias, activation)
}

/// f(the transpose of [`conv2d`] applied to x, plus b).
///
/// # Shapes
/// xs (n, inputs, height, width), weight (inputs, outputs, rows, columns), bias (outputs)
/// → (n, outputs, (height − 1)·stride + rows + output_padding − 2·padding, as many columns likewise),
/// with output_padding < stride
///
/// # Errors
/// When the shapes differ from these, or nothing would be left.
pub fn conv_transpose2d(
    xs: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    padding: usize,
    output_padding: usize,
    activation: Activation,
) -> Result<Tensor> {
    let ((batch, channels, height, width), (inputs, outputs, rows, columns)) = (xs.dims4()?, weight.dims4()?);
    let axis = |length, kernel| Axis::transposed(length, kernel, stride, padding, output_padding);
    let axes = (axis(height, rows), axis(width, columns));
    // What is the image to a convolution is the output here.
    ConvAct::apply(axes, (batch, outputs, inputs), channels == inputs, true, xs, weight, bias, activation)
}

pub(super) fn refused() -> crate::error::Error {
    candle_core::Error::Msg("a convolution's shapes do not fit together".into()).into()
}

struct ConvAct {
    conv: Conv,
    /// Whether x is the map and y the image.
    transposed: bool,
    ending: Ending,
}

impl ConvAct {
    #[expect(clippy::too_many_arguments, reason = "what two operations share; none has a default")]
    fn apply(
        (vertical, horizontal): (Option<Axis>, Option<Axis>),
        (batch, inputs, outputs): (usize, usize, usize),
        fits: bool,
        transposed: bool,
        xs: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let channels = if transposed { inputs } else { outputs };
        let fits =
            fits && bias.is_none_or(|bias| bias.dims() == [channels] || bias.dims() == [batch, channels]);
        let (true, Some(vertical), Some(horizontal)) = (fits, vertical, horizontal) else {
            return Err(refused());
        };
        let conv = Conv { batch, inputs, outputs, vertical, horizontal };
        let ending = Ending::new(activation, [xs, weight].into_iter().chain(bias));
        let op = Self { conv, transposed, ending };
        let (xs, weight) = (xs.contiguous()?, weight.contiguous()?);
        Ok(match bias {
            Some(bias) => xs.apply_op3(&weight, &bias.contiguous()?, op)?,
            None => xs.apply_op2(&weight, op)?,
        })
    }

    fn shape(&self) -> (usize, usize, usize, usize) {
        let Conv { batch, inputs, outputs, vertical, horizontal } = self.conv;
        if self.transposed {
            (batch, inputs, vertical.image, horizontal.image)
        } else {
            (batch, outputs, vertical.map, horizontal.map)
        }
    }

    fn forward(
        &self,
        xs: (&CpuStorage, &Layout),
        weight: (&CpuStorage, &Layout),
        bias: Option<(&CpuStorage, &Layout)>,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let bias = bias.map(|(storage, layout)| storage_slice(storage, layout)).transpose()?;
        let (xs, weight) = (storage_slice(xs.0, xs.1)?, storage_slice(weight.0, weight.1)?);
        let shape = Shape::from(self.shape());
        let mut ys = vec![0.0; shape.elem_count()];
        self.product(
            self.transposed,
            xs,
            weight,
            bias.map_or(Start::Zero, Start::Row),
            self.ending.low(),
            &mut ys,
        );
        self.ending.finish(&mut ys)?;
        output(ys, shape)
    }

    /// The convolution, or its transpose.
    fn product(&self, transposed: bool, xs: &[f32], weight: &[f32], start: Start, low: f32, ys: &mut [f32]) {
        if transposed {
            self.conv.spread(xs, weight, start, low, ys);
        } else {
            self.conv.windows(xs, weight, start, low, ys);
        }
    }

    fn backward(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        ys: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        with_slice(&gradient, |gradient| {
            self.ending.with_gradient(gradient, ys, |gradient| {
                let to_xs = gradient_of(xs, |out| {
                    with_slice(weight, |weight| {
                        let unbounded = f32::NEG_INFINITY;
                        self.product(!self.transposed, gradient, weight, Start::Sum, unbounded, out);
                    })
                })?;
                let to_weight = gradient_of(weight, |out| {
                    with_slice(xs, |xs| {
                        let (images, maps) = if self.transposed { (gradient, xs) } else { (xs, gradient) };
                        self.conv.add_weights(images, maps, out);
                    })
                })?;
                let to_bias = match bias {
                    Some(bias) => gradient_of(bias, |out| {
                        let (_, _, height, width) = self.shape();
                        add_planes(gradient, height * width, out);
                        Ok(())
                    })?,
                    None => None,
                };
                Ok((to_xs, to_weight, to_bias))
            })
        })?
    }
}

impl CustomOp2 for ConvAct {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward((xs, xs_layout), (weight, weight_layout), None)
    }

    fn bwd(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        ys: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let (to_xs, to_weight, _) = self.backward(xs, weight, None, ys, gradient)?;
        Ok((to_xs, to_weight))
    }
}

impl CustomOp3 for ConvAct {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward((xs, xs_layout), (weight, weight_layout), Some((bias, bias_layout)))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        ys: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        self.backward(xs, weight, Some(bias), ys, gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::{plain, upsample_conv2d};
    use crate::params::Choice;

    /// Which operation, with its settings.
    #[derive(Debug, Clone, Copy)]
    enum Kind {
        Conv { stride: usize, padding: usize },
        Transpose { stride: usize, padding: usize, extra: usize },
        Upsample { factor: usize, padding: usize },
    }

    fn op(kind: Kind, x: &[Tensor], activation: Activation) -> Result<Tensor> {
        let (xs, weight, bias) = (&x[0], &x[1], x.get(2));
        match kind {
            Kind::Conv { stride, padding } => conv2d(xs, weight, bias, stride, padding, activation),
            Kind::Transpose { stride, padding, extra } => {
                conv_transpose2d(xs, weight, bias, stride, padding, extra, activation)
            }
            Kind::Upsample { factor, padding } => {
                upsample_conv2d(xs, weight, bias, factor, padding, activation)
            }
        }
    }

    fn twin(kind: Kind, x: &[Tensor], activation: Activation) -> Result<Tensor> {
        let (xs, weight, bias) = (&x[0], &x[1], x.get(2));
        let zs = match kind {
            Kind::Conv { stride, padding } => plain::conv2d(xs, weight, bias, stride, padding)?,
            Kind::Transpose { stride, padding, extra } => {
                plain::conv_transpose2d(xs, weight, bias, stride, padding, extra)?
            }
            Kind::Upsample { factor, padding } => {
                plain::conv2d(&plain::upsample_nearest2d(xs, factor)?, weight, bias, 1, padding)?
            }
        };
        plain::activate(&zs, activation)
    }

    /// x, weight and bias for an image of `side` points and a window of `kernel`.
    fn inputs(kind: Kind, channels: [usize; 2], side: [usize; 2], kernel: usize, scale: f32) -> Vec<Tensor> {
        let [from, to] = channels;
        let weight = match kind {
            Kind::Transpose { .. } => [from, to, kernel, kernel],
            Kind::Conv { .. } | Kind::Upsample { .. } => [to, from, kernel, kernel],
        };
        let shapes: [&[usize]; 3] = [&[2, from, side[0], side[1]], &weight, &[to]];
        shapes.iter().zip(["x", "w", "b"]).map(|(shape, label)| normal(shape, scale, label)).collect()
    }

    fn kinds() -> Vec<(Kind, usize)> {
        let mut kinds = Vec::new();
        for kernel in [1, 3, 4, 5] {
            for stride in 1..=3 {
                for padding in 0..=2 {
                    kinds.push((Kind::Conv { stride, padding }, kernel));
                    let extra = (stride - 1).min(padding);
                    // The library knows no transposed convolution that takes away more than the window adds.
                    if 2 * padding < kernel {
                        kinds.push((Kind::Transpose { stride, padding, extra }, kernel));
                    }
                    if padding < kernel {
                        kinds.push((Kind::Upsample { factor: stride, padding }, kernel));
                    }
                }
            }
        }
        kinds
    }

    #[test]
    fn values_and_gradients_match_the_twins_and_differences() {
        let sizes = [([1, 1], [5, 7]), ([2, 3], [3, 6]), ([1, 9], [7, 4]), ([9, 1], [4, 4])];
        for (i, (kind, kernel)) in kinds().into_iter().enumerate() {
            let (channels, side) = sizes[i % sizes.len()];
            let activation = [Activation::Identity, Activation::Relu, Activation::Silu][i % 3];
            let mut inputs = inputs(kind, channels, side, kernel, 0.5);
            inputs.truncate(if i % 2 == 0 { 3 } else { 2 });
            let what = format!("{kind:?} {channels:?} {side:?} {kernel} {activation:?}");
            let shortest = side[0].min(side[1]);
            let fits = match kind {
                Kind::Conv { padding, .. } => shortest + 2 * padding >= kernel,
                Kind::Upsample { factor, padding } => factor * shortest + 2 * padding >= kernel,
                Kind::Transpose { .. } => true,
            };
            if !fits {
                assert!(op(kind, &inputs, activation).is_err(), "{what}");
                continue;
            }
            let (value, gradients) = backward(|x| op(kind, x, activation), &inputs);
            assert_close(&value, &to_f64(&twin(kind, &inputs, activation).unwrap()), 4e-6, &what);
            // The library's own backward pass knows no image with a remainder in one direction only.
            let expected = differences(|x| twin(kind, x, activation), &inputs);
            for (got, expected) in gradients.iter().zip(&expected) {
                assert_close(got, expected, 1e-5, &what);
            }
        }
    }

    #[test]
    fn larger_images_every_activation_and_extreme_values_match_the_twins() {
        let kinds = [
            Kind::Conv { stride: 2, padding: 1 },
            Kind::Transpose { stride: 2, padding: 1, extra: 1 },
            Kind::Upsample { factor: 2, padding: 1 },
        ];
        for id in Activation::IDS {
            let activation = Activation::from_id(id).unwrap();
            for (kind, scale) in kinds.into_iter().flat_map(|kind| [1e-18, 0.3, 1e4].map(|s| (kind, s))) {
                let inputs = inputs(kind, [9, 17], [14, 14], 3, scale);
                let what = format!("{id} {kind:?} {scale}");
                let (value, gradients) = backward(|x| op(kind, x, activation), &inputs);
                let (plain_value, plain_gradients) = backward(|x| twin(kind, x, activation), &inputs);
                assert_close(&value, &plain_value, 1e-5, &what);
                for (got, plain) in gradients.iter().zip(&plain_gradients) {
                    assert_close(got, plain, 2e-5, &what);
                }
            }
        }
    }

    #[test]
    fn each_image_may_have_a_bias_of_its_own() {
        for kind in [
            Kind::Conv { stride: 2, padding: 1 },
            Kind::Transpose { stride: 2, padding: 1, extra: 0 },
            Kind::Upsample { factor: 2, padding: 1 },
        ] {
            let mut inputs = inputs(kind, [3, 11], [6, 5], 3, 0.5);
            inputs[2] = normal(&[2, 11], 0.5, "biases");
            let (value, gradients) = backward(|x| op(kind, x, Activation::Silu), &inputs);
            let twin = |x: &[Tensor]| twin(kind, x, Activation::Silu);
            assert_close(&value, &to_f64(&twin(&inputs).unwrap()), 4e-6, "value");
            for (got, expected) in gradients.iter().zip(differences(twin, &inputs)) {
                assert_close(got, &expected, 1e-5, "gradient");
            }
            inputs[2] = normal(&[3, 11], 0.5, "biases");
            assert!(op(kind, &inputs, Activation::Silu).is_err());
        }
    }

    type Op<'a> = &'a dyn Fn(Kind, &[Tensor], Activation) -> Result<Tensor>;

    #[test]
    fn gradients_go_where_there_is_a_graph_and_are_gathered_from_every_use() {
        let kind = Kind::Conv { stride: 1, padding: 1 };
        let constants = inputs(kind, [3, 3], [5, 4], 3, 0.5);
        let vars: Vec<_> = constants.iter().map(|x| candle_core::Var::from_tensor(x).unwrap()).collect();
        for mask in 0..8 {
            let pick = |i: usize| if mask >> i & 1 == 1 { vars[i].as_tensor() } else { &constants[i] };
            let x = [pick(0).clone(), pick(1).clone(), pick(2).clone()];
            let y = op(kind, &x, Activation::Gelu).unwrap();
            assert_eq!(y.track_op(), mask > 0);
            let grads = super::super::backward(&y.sum_all().unwrap()).unwrap();
            for (i, input) in x.iter().enumerate() {
                assert_eq!(grads.get(input).is_some(), mask >> i & 1 == 1, "{mask} {i}");
            }
        }
        // A skip connection: down, up and joined with what it came from, with the same weights twice.
        let skip = |x: &[Tensor], f: Op| {
            let high = f(kind, x, Activation::Tanh)?;
            let low =
                f(Kind::Conv { stride: 2, padding: 1 }, &[high.clone(), x[1].clone()], Activation::Silu)?;
            let up = f(Kind::Upsample { factor: 2, padding: 1 }, &[low, x[1].clone()], Activation::Identity)?;
            let up = up.narrow(2, 0, 5)?;
            Ok((&up * &high)?.add(&high.sqr()?)?)
        };
        let (_, gradients) = backward(|x| skip(x, &op), &constants);
        for (got, expected) in gradients.iter().zip(differences(|x| skip(x, &twin), &constants)) {
            assert_close(got, &expected, 2e-5, "skip");
        }
    }

    #[test]
    fn views_and_empty_batches_are_fine_and_wrong_shapes_are_refused() {
        for kind in [
            Kind::Conv { stride: 2, padding: 1 },
            Kind::Transpose { stride: 2, padding: 1, extra: 0 },
            Kind::Upsample { factor: 2, padding: 1 },
        ] {
            let x = inputs(kind, [4, 4], [6, 5], 3, 1.0);
            let apply = |xs: &Tensor, weight: &Tensor, bias: &Tensor| {
                op(kind, &[xs.clone(), weight.clone(), bias.clone()], Activation::Relu)
            };
            let turn = |x: &Tensor| x.transpose(2, 3).unwrap();
            let got = apply(&turn(&x[0]), &turn(&x[1]), &x[2]).unwrap();
            let expected = turn(&apply(&x[0], &x[1], &x[2]).unwrap());
            assert_close(&to_f64(&got), &to_f64(&expected), 1e-6, "turned");
            let part = apply(&x[0].narrow(0, 1, 1).unwrap(), &x[1], &x[2]).unwrap();
            let all = apply(&x[0], &x[1], &x[2]).unwrap();
            assert_eq!(to_f64(&part), to_f64(&all.narrow(0, 1, 1).unwrap()));
            let none = apply(&x[0].narrow(0, 0, 0).unwrap(), &x[1], &x[2]).unwrap();
            assert_eq!(none.dims()[1..], all.dims()[1..]);
            assert!(apply(&x[0].narrow(1, 0, 3).unwrap(), &x[1], &x[2]).is_err());
            assert!(apply(&x[0], &x[1], &x[2].narrow(0, 0, 3).unwrap()).is_err());
            assert!(apply(&x[0], &x[2], &x[2]).is_err());
            assert!(apply(&x[2], &x[1], &x[2]).is_err());
        }
        let kind = Kind::Conv { stride: 1, padding: 0 };
        assert!(op(kind, &inputs(kind, [1, 1], [2, 2], 3, 1.0), Activation::Relu).is_err());
        let kind = Kind::Conv { stride: 0, padding: 0 };
        assert!(op(kind, &inputs(kind, [1, 1], [2, 2], 1, 1.0), Activation::Relu).is_err());
        let kind = Kind::Transpose { stride: 2, padding: 0, extra: 2 };
        assert!(op(kind, &inputs(kind, [1, 1], [2, 2], 3, 1.0), Activation::Relu).is_err());
        let kind = Kind::Upsample { factor: 2, padding: 3 };
        assert!(op(kind, &inputs(kind, [1, 1], [2, 2], 3, 1.0), Activation::Relu).is_err());
    }
}
