//! f(x·Wᵀ + b) in one operation.

use super::activate::Ending;
use super::backward::{gradient_from, gradient_of};
use super::slices::{constant, output, storage_slice, with_slice};
use crate::error::{Error, Result};
use crate::nn::Activation;
use crate::nn::kernels::gemm::{Start, View, product as matrix_product};
use crate::nn::kernels::reduce::add_rows;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor, bail};

/// f(x·Wᵀ + b).
///
/// No gradient is computed for an input that has no graph.
///
/// # Shapes
/// xs (n, inputs), weight (outputs, inputs), bias (outputs) → (n, outputs)
///
/// # Errors
/// When the shapes differ from these.
pub fn linear(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
    let (xs, weight) = (xs.contiguous()?, weight.contiguous()?);
    let op = LinearAct { ending: Ending::new(activation, [&xs, &weight].into_iter().chain(bias)) };
    Ok(match bias {
        Some(bias) => xs.apply_op3(&weight, &bias.contiguous()?, op)?,
        None => xs.apply_op2(&weight, op)?,
    })
}

/// A·B, without a graph.
///
/// # Shapes
/// (n, k) and (k, m) → (n, m)
///
/// # Errors
/// When the shapes differ from these.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let ((n, k), (depth, m)) = (a.dims2()?, b.dims2()?);
    if k != depth {
        return Err(Error::Config(format!("a product of {k} columns and {depth} rows")));
    }
    let (a, b) = (a.contiguous()?, b.contiguous()?);
    let mut out = vec![0.0; n * m];
    with_slice(&a, |a| {
        with_slice(&b, |b| {
            matrix_product(View::new(a, n, k), View::new(b, k, m), &mut out, Start::Zero, f32::NEG_INFINITY);
        })
    })??;
    Ok(constant(out, &(n, m).into())?)
}

struct LinearAct {
    ending: Ending,
}

impl LinearAct {
    fn forward(
        &self,
        xs: (&CpuStorage, &Layout),
        weight: (&CpuStorage, &Layout),
        bias: Option<(&CpuStorage, &Layout)>,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let ((n, inputs), (outputs, depth)) = (xs.1.shape().dims2()?, weight.1.shape().dims2()?);
        let bias = bias.map(|(storage, layout)| storage_slice(storage, layout)).transpose()?;
        if inputs != depth || bias.is_some_and(|bias| bias.len() != outputs) {
            bail!("a layer from {depth} to {outputs} got {inputs} inputs, or a bias of another length");
        }
        let xs = View::new(storage_slice(xs.0, xs.1)?, n, inputs);
        let weight = View::new(storage_slice(weight.0, weight.1)?, outputs, inputs);
        let mut ys = vec![0.0; n * outputs];
        matrix_product(xs, weight.t(), &mut ys, bias.map_or(Start::Zero, Start::Row), self.ending.low());
        self.ending.finish(&mut ys)?;
        output(ys, (n, outputs))
    }

    fn backward(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        ys: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((n, inputs), outputs) = (xs.dims2()?, weight.dim(0)?);
        let gradient = gradient.contiguous()?;
        with_slice(&gradient, |gradient| {
            self.ending.with_gradient(gradient, ys, |gradient| {
                let to_zs = View::new(gradient, n, outputs);
                let unbounded = f32::NEG_INFINITY;
                let to_xs = gradient_from(xs, |out, start| {
                    with_slice(weight, |weight| {
                        matrix_product(to_zs, View::new(weight, outputs, inputs), out, start, unbounded);
                    })
                })?;
                let to_weight = gradient_from(weight, |out, start| {
                    with_slice(xs, |xs| {
                        matrix_product(to_zs.t(), View::new(xs, n, inputs), out, start, unbounded)
                    })
                })?;
                let to_bias = match bias {
                    Some(bias) => gradient_of(bias, |out| {
                        add_rows(gradient, out);
                        Ok(())
                    })?,
                    None => None,
                };
                Ok((to_xs, to_weight, to_bias))
            })
        })?
    }
}

impl CustomOp2 for LinearAct {
    fn name(&self) -> &'static str {
        "linear"
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

impl CustomOp3 for LinearAct {
    fn name(&self) -> &'static str {
        "linear"
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
    use crate::nn::check::{assert_close, backward, differences, normal};
    use crate::nn::ops::plain;
    use crate::params::Choice;

    fn twin(x: &[Tensor], activation: Activation) -> Result<Tensor> {
        plain::activate(&plain::linear(&x[0], &x[1], x.get(2))?, activation)
    }

    fn inputs(n: usize, inputs: usize, outputs: usize, scale: f32) -> Vec<Tensor> {
        let shapes: [&[usize]; 3] = [&[n, inputs], &[outputs, inputs], &[outputs]];
        shapes.iter().zip(["x", "w", "b"]).map(|(shape, label)| normal(shape, scale, label)).collect()
    }

    #[test]
    fn values_and_gradients_match_the_twin_and_differences() {
        for id in Activation::IDS {
            let activation = Activation::from_id(id).unwrap();
            for (n, width, outputs) in [(1, 1, 1), (3, 7, 17), (17, 3, 2), (5, 2, 9), (4, 9, 1), (8, 4, 8)] {
                for scale in [1e-3, 0.5, 2.0] {
                    for bias in [true, false] {
                        let mut inputs = inputs(n, width, outputs, scale);
                        inputs.truncate(if bias { 3 } else { 2 });
                        let what = format!("{id} {n} {width} {outputs} {scale} {bias}");
                        let op = |x: &[Tensor]| linear(&x[0], &x[1], x.get(2), activation);
                        let (value, gradients) = backward(op, &inputs);
                        let (plain_value, plain_gradients) = backward(|x| twin(x, activation), &inputs);
                        assert_close(&value, &plain_value, 2e-6, &what);
                        let expected = differences(|x| twin(x, activation), &inputs);
                        for ((got, plain), expected) in gradients.iter().zip(&plain_gradients).zip(&expected)
                        {
                            assert_close(got, expected, 1e-5, &what);
                            assert_close(got, plain, 1e-5, &what);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_go_where_there_is_a_graph_and_nowhere_else() {
        let [x, w, b] = &inputs(3, 2, 4, 1.0)[..] else { panic!("three inputs") };
        let var = |x: &Tensor| candle_core::Var::from_tensor(x).unwrap();
        let (vx, vw, vb) = (var(x), var(w), var(b));
        for mask in 0..8 {
            let pick = |bit: usize, var: &Tensor, constant: &Tensor| {
                if mask & bit > 0 { var.clone() } else { constant.clone() }
            };
            let (x, w, b) = (pick(1, &vx, x), pick(2, &vw, w), pick(4, &vb, b));
            let y = linear(&x, &w, Some(&b), Activation::Silu).unwrap();
            assert_eq!(y.track_op(), mask > 0);
            let total = y.sum_all().unwrap();
            for grads in [super::super::backward(&total).unwrap(), total.backward().unwrap()] {
                for (bit, input) in [(1, &x), (2, &w), (4, &b)] {
                    assert_eq!(grads.get(input).is_some(), mask & bit > 0, "{mask} {bit}");
                }
            }
        }
    }

    #[test]
    fn a_product_is_that_of_its_definition_and_has_no_graph() {
        for (n, k, m) in [(1, 1, 1), (3, 7, 17), (5, 1, 4), (0, 3, 2)] {
            let (a, b) = (normal(&[n, k], 1.0, "a"), normal(&[k, m], 1.0, "b"));
            let got = product(&a, &b).unwrap();
            assert_close(
                &crate::nn::check::to_f64(&got),
                &crate::nn::check::to_f64(&a.matmul(&b).unwrap()),
                1e-6,
                "product",
            );
            assert!(!product(&a, candle_core::Var::from_tensor(&b).unwrap().as_tensor()).unwrap().track_op());
        }
        assert!(product(&normal(&[2, 3], 1.0, "a"), &normal(&[2, 3], 1.0, "b")).is_err());
    }

    #[test]
    fn a_layer_used_twice_or_also_by_the_library_gathers_all_gradients() {
        let op = |x: &[Tensor]| {
            let once = linear(&x[0], &x[1], Some(&x[2]), Activation::Tanh)?;
            let twice = linear(&once, &x[1], Some(&x[2]), Activation::Identity)?;
            Ok((twice.sum_all()? + x[1].sqr()?.sum_all()?)?)
        };
        let plainly = |x: &[Tensor]| {
            let once = twin(x, Activation::Tanh)?;
            let twice = plain::linear(&once, &x[1], Some(&x[2]))?;
            Ok((twice.sum_all()? + x[1].sqr()?.sum_all()?)?)
        };
        let inputs = inputs(5, 3, 3, 1.0);
        let (_, gradients) = backward(op, &inputs);
        for (got, expected) in gradients.iter().zip(differences(plainly, &inputs)) {
            assert_close(got, &expected, 1e-5, "used twice");
        }
    }

    #[test]
    fn views_and_empty_batches_are_fine_and_wrong_shapes_are_refused() {
        let [x, w, b] = &inputs(6, 3, 4, 1.0)[..] else { panic!("three inputs") };
        let all = linear(x, w, Some(b), Activation::Relu).unwrap();
        let part = linear(&x.narrow(0, 2, 3).unwrap(), w, Some(b), Activation::Relu).unwrap();
        let expected: Vec<Vec<f32>> = all.narrow(0, 2, 3).unwrap().to_vec2().unwrap();
        assert_eq!(part.to_vec2::<f32>().unwrap(), expected);
        let turned = x.t().unwrap().contiguous().unwrap().t().unwrap();
        let turned = linear(&turned, w, Some(b), Activation::Relu).unwrap();
        assert_eq!(turned.to_vec2::<f32>().unwrap(), all.to_vec2::<f32>().unwrap());
        let none = linear(&x.narrow(0, 0, 0).unwrap(), w, Some(b), Activation::Relu).unwrap();
        assert_eq!(none.dims(), [0, 4]);
        assert!(linear(w, w, Some(b), Activation::Relu).is_ok());
        assert!(linear(b, w, Some(b), Activation::Relu).is_err());
        assert!(linear(&w.t().unwrap(), w, Some(b), Activation::Relu).is_err());
        assert!(linear(x, w, Some(&b.narrow(0, 0, 2).unwrap()), Activation::Relu).is_err());
    }
}
