//! Normalisation to mean 0 and variance 1, with a factor and a term of its own for each feature or channel.

use super::activate::Ending;
use super::backward::gradient_of;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::kernels::norm::{self, Groups, Moments};
use crate::nn::kernels::reduce::add_rows;
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// What is added to the variance, so that a row of equal values gives zeros.
pub const EPS: f32 = 1e-5;

/// (x − mean)/√(variance + ε)·w + b over each row (<https://arxiv.org/abs/1607.06450>).
///
/// # Shapes
/// xs (…, d), weight w (d), bias b (d) → (…, d)
///
/// # Errors
/// When the shapes differ from these, or d is 0.
pub fn layer_norm(xs: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    normalise(xs, weight, bias, None, Activation::Identity)
}

/// f((x − mean)/√(variance + ε)·w + b), mean and variance over each of the equal groups that the channels are cut
/// into, w and b for each channel (<https://arxiv.org/abs/1803.08494>), f the activation.
///
/// # Shapes
/// xs (n, channels, …), weight w (channels), bias b (channels) → (n, channels, …)
///
/// # Errors
/// When the shapes differ from these, or the channels are not so many equal groups.
pub fn group_norm(
    xs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    groups: usize,
    activation: Activation,
) -> Result<Tensor> {
    normalise(xs, weight, bias, Some(groups), activation)
}

fn normalise(
    xs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    groups: Option<usize>,
    activation: Activation,
) -> Result<Tensor> {
    let (channels, terms) = (weight.dims1()?, bias.dims1()?);
    let dims = xs.dims();
    let (own, groups) = match groups {
        None => (dims.last().copied(), None),
        Some(count) => {
            let area = dims.iter().skip(2).product();
            let together = channels.checked_div(count).filter(|together| together * count == channels);
            let groups = together.map(|together| Groups { channels, together, area });
            (dims.get(1).copied().filter(|_| groups.is_some()), groups)
        }
    };
    let empty = channels == 0 || groups.is_some_and(|groups| groups.area == 0);
    if own != Some(channels) || terms != channels || empty {
        let text = format!("a normalisation of {channels} channels got {dims:?}");
        return Err(candle_core::Error::Msg(text).into());
    }
    let ending = Ending::new(activation, [xs, weight, bias]);
    let op = Norm { groups, moments: Mutex::new(Vec::new()), ending };
    Ok(xs.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)?)
}

struct Norm {
    /// How images are cut; rows are normalised if there is nothing here.
    groups: Option<Groups>,
    moments: Mutex<Vec<Moments>>,
    ending: Ending,
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "norm"
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
        let (weight, bias) = (storage_slice(weight, weight_layout)?, storage_slice(bias, bias_layout)?);
        let xs = storage_slice(xs, xs_layout)?;
        let size = self.groups.map_or(weight.len(), |groups| groups.together * groups.area);
        let Ok(mut moments) = self.moments.lock() else { bail!("a normalisation's moments are locked") };
        *moments = vec![Moments::default(); xs.len() / size.max(1)];
        let mut ys = vec![0.0; xs.len()];
        match &self.groups {
            None => norm::rows(xs, weight, bias, EPS, &mut ys, &mut moments),
            Some(groups) => groups.forward(xs, weight, bias, EPS, &mut ys, &mut moments),
        }
        self.ending.finish_unbounded(&mut ys)?;
        output(ys, xs_layout.shape())
    }

    fn bwd(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        ys: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let Ok(moments) = self.moments.lock() else { bail!("a normalisation's moments are locked") };
        with_slice(&gradient, |g| {
            self.ending.with_gradient(g, ys, |g| {
                with_slice(xs, |values| {
                    let sums = self.groups.map(|groups| groups.sums(values, &moments, g)).unwrap_or_default();
                    let to_xs = gradient_of(xs, |out| {
                        with_slice(weight, |weight| match &self.groups {
                            None => norm::rows_to_input(values, weight, &moments, g, out),
                            Some(groups) => groups.to_input(values, weight, &moments, (g, &sums), out),
                        })
                    })?;
                    let to_weight = gradient_of(weight, |out| {
                        match &self.groups {
                            None => norm::rows_to_weight(values, &moments, g, out),
                            Some(groups) => groups.to_channels(&sums, true, out),
                        }
                        Ok(())
                    })?;
                    let to_bias = gradient_of(bias, |out| {
                        match &self.groups {
                            None => add_rows(g, out),
                            Some(groups) => groups.to_channels(&sums, false, out),
                        }
                        Ok(())
                    })?;
                    Ok((to_xs, to_weight, to_bias))
                })?
            })
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::{plain, plain_layers};
    use candle_core::Device;

    fn inputs(shape: &[usize], channels: usize, scale: f32) -> Vec<Tensor> {
        let shapes: [&[usize]; 4] = [shape, &[channels], &[channels], shape];
        shapes.iter().zip(["xs", "w", "b", "g"]).map(|(shape, label)| normal(shape, scale, label)).collect()
    }

    /// Value and gradient of `op` against `twin`, their results weighted so that no gradient cancels.
    fn compare(
        op: impl Fn(&[Tensor]) -> Result<Tensor>,
        twin: impl Fn(&[Tensor]) -> Result<Tensor>,
        inputs: &[Tensor],
        what: &str,
    ) {
        let weighted = |f: &dyn Fn(&[Tensor]) -> Result<Tensor>, x: &[Tensor]| Ok((f(x)? * &x[3])?);
        let (value, gradients) = backward(|x| weighted(&op, x), inputs);
        assert_close(&value, &backward(|x| weighted(&twin, x), inputs).0, 2e-6, what);
        let expected = differences(|x| weighted(&twin, x), inputs);
        for (i, (got, expected)) in gradients.iter().zip(&expected).enumerate() {
            assert_close(got, expected, 2e-5, &format!("{what} ∂{i}"));
        }
    }

    #[test]
    fn layer_norm_matches_the_twin_and_differences() {
        for d in [2, 3, 4, 7, 17, 32] {
            for shape in [vec![1, d], vec![7, d], vec![3, 2, d]] {
                for scale in [0.1, 1.0, 3.0] {
                    compare(
                        |x| layer_norm(&x[0], &x[1], &x[2]),
                        |x| plain_layers::layer_norm(&x[0], &x[1], &x[2]),
                        &inputs(&shape, d, scale),
                        &format!("{shape:?} {scale}"),
                    );
                }
            }
        }
    }

    #[test]
    fn group_norm_matches_the_twin_and_differences() {
        for (n, channels, groups, h, w) in [
            (1, 2, 1, 1, 1),
            (3, 6, 3, 1, 1),
            (2, 4, 2, 3, 3),
            (2, 3, 3, 2, 2),
            (1, 4, 1, 1, 7),
            (2, 2, 2, 4, 4),
        ] {
            for scale in [0.1, 1.0, 3.0] {
                for activation in [Activation::Identity, Activation::Silu, Activation::Tanh] {
                    compare(
                        |x| group_norm(&x[0], &x[1], &x[2], groups, activation),
                        |x| {
                            let ys = plain_layers::group_norm(&x[0], &x[1], &x[2], groups)?;
                            plain::activate(&ys, activation)
                        },
                        &inputs(&[n, channels, h, w], channels, scale),
                        &format!("{n} {channels} in {groups}, {h} × {w}, {scale} {activation:?}"),
                    );
                }
            }
        }
    }

    #[test]
    fn relu_after_a_normalisation_has_no_values_below_zero() {
        let x = inputs(&[2, 4, 3, 3], 4, 1.0);
        let plainly = to_f64(&group_norm(&x[0], &x[1], &x[2], 2, Activation::Identity).unwrap());
        let bounded: Vec<f64> = plainly.iter().map(|y| y.max(0.0)).collect();
        assert!(bounded != plainly);
        assert_eq!(to_f64(&group_norm(&x[0], &x[1], &x[2], 2, Activation::Relu).unwrap()), bounded);
    }

    #[test]
    fn equal_values_give_the_bias_and_large_ones_are_exact() {
        for (d, value) in [(1, 3.0), (3, 1e4), (7, -1e4), (17, 1e4), (32, 0.1)] {
            let xs = Tensor::full(value as f32, (2, d), &Device::Cpu).unwrap();
            let [w, b] = [normal(&[d], 1.0, "w"), normal(&[d], 1.0, "b")];
            let (got, gradients) = backward(|x| layer_norm(&x[0], &x[1], &x[2]), &[xs, w, b.clone()]);
            assert_close(&got, &[to_f64(&b), to_f64(&b)].concat(), 0.0, "constant rows");
            assert!(gradients.iter().flatten().all(|g| g.is_finite()));
            let xs = Tensor::full(value as f32, (2, d, 3), &Device::Cpu).unwrap();
            let ones = Tensor::ones(d, candle_core::DType::F32, &Device::Cpu).unwrap();
            let got = to_f64(&group_norm(&xs, &ones, &ones, 1, Activation::Identity).unwrap());
            assert_close(&got, &vec![1.0; 6 * d], 0.0, "constant groups");
        }
        let xs = (0..9).map(|i| 1e4 + i as f32).collect::<Vec<_>>();
        let near = (0..9).map(|i| i as f32).collect::<Vec<_>>();
        let [xs, near] = [xs, near].map(|xs| Tensor::from_vec(xs, (1, 9), &Device::Cpu).unwrap());
        let ones = Tensor::ones(9, candle_core::DType::F32, &Device::Cpu).unwrap();
        let [far, near] = [xs, near].map(|xs| to_f64(&layer_norm(&xs, &ones, &ones).unwrap()));
        assert_close(&far, &near, 1e-6, "shifted far away");
    }

    #[test]
    fn gradients_go_where_there_is_a_graph_and_what_does_not_fit_is_refused() {
        let x = inputs(&[4, 6], 6, 1.0);
        assert!(!layer_norm(&x[0], &x[1], &x[2]).unwrap().track_op());
        let w = candle_core::Var::from_tensor(&x[1]).unwrap();
        let grads = layer_norm(&x[0], &w, &x[2]).unwrap().sum_all().unwrap().backward().unwrap();
        assert!(grads.get(&w).is_some() && grads.get(&x[0]).is_none() && grads.get(&x[2]).is_none());
        assert!(layer_norm(&x[0].t().unwrap(), &x[1], &x[2]).is_err());
        assert!(layer_norm(&x[0], &x[1], &normal(&[5], 1.0, "b")).is_err());
        for groups in [0, 4, 7] {
            assert!(group_norm(&x[0], &x[1], &x[2], groups, Activation::Relu).is_err());
        }
        assert!(group_norm(&x[1], &x[1], &x[2], 1, Activation::Relu).is_err());
        let none = layer_norm(&x[0].narrow(0, 0, 0).unwrap(), &x[1], &x[2]).unwrap();
        assert_eq!(none.dims(), [0, 6]);
        let turned = x[0].t().unwrap().contiguous().unwrap().t().unwrap();
        let [turned, straight] = [&turned, &x[0]].map(|xs| to_f64(&layer_norm(xs, &x[1], &x[2]).unwrap()));
        assert_eq!(turned, straight);
    }
}
