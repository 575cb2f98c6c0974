//! Gradient penalties on a critic, whose own gradient is exact.
//!
//! candle's gradients cannot be differentiated again, and say nothing when one tries.
//! For g = ∂D/∂x and a function φ of its length, ∂φ(‖g‖)/∂θ = φ′(‖g‖)·∂(J·v)/∂θ with v = g/‖g‖ held fixed,
//! and J·v is a graph in the weights ([`Critic::jvp`]).

use crate::error::Result;
use crate::nn::Mlp;
use candle_core::{D, Tensor};

/// A network with one output whose slope can be penalised.
pub trait Critic {
    /// (n, inputs) → (n, 1)
    fn value(&self, xs: &Tensor) -> Result<Tensor>;
    /// ∂D/∂x at each row, (n, inputs), without a graph.
    fn input_gradient(&self, xs: &Tensor) -> Result<Tensor>;
    /// J(x)·v at each row, (n, 1), as a graph in the weights.
    fn jvp(&self, xs: &Tensor, vs: &Tensor) -> Result<Tensor>;
}

impl Critic for Mlp {
    fn value(&self, xs: &Tensor) -> Result<Tensor> {
        self.forward(xs)
    }
    fn input_gradient(&self, xs: &Tensor) -> Result<Tensor> {
        self.input_gradient(xs)
    }
    fn jvp(&self, xs: &Tensor, vs: &Tensor) -> Result<Tensor> {
        self.jvp(xs, vs)
    }
}

/// ∂D/∂x, where `mask` (1, inputs) is 0 without what is held fixed.
fn slope(critic: &dyn Critic, xs: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    let gradient = critic.input_gradient(xs)?;
    Ok(match mask {
        Some(mask) => gradient.broadcast_mul(mask)?,
        None => gradient,
    })
}

/// E (‖∂D/∂x‖ − 1)², the penalty of WGAN-GP (<https://arxiv.org/abs/1704.00028>), over the x where `mask` is 1.
/// Its value is exact, and its gradient as exact as the critic's [`Critic::jvp`].
///
/// # Shapes
/// xs (n, inputs), mask (1, inputs), the critic's output (n, 1) → ()
pub fn one_centred(critic: &dyn Critic, xs: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    let gradient = slope(critic, xs, mask)?;
    // (n, inputs) → (n, 1); a vanishing gradient has no direction, so its length is kept off 0
    let length = off_zero(&gradient.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)?;
    let excess = (&length - 1.0)?;
    let along = critic.jvp(xs, &gradient.broadcast_div(&length)?)?;
    with_value(&(&excess * 2.0)?.mul(&along)?, &excess.sqr()?)
}

/// E ‖∂D/∂x‖², over the x where `mask` is 1; half of it times γ is the penalty R1
/// (<https://arxiv.org/abs/1801.04406>).
/// Its value is exact, and its gradient as exact as the critic's [`Critic::jvp`].
///
/// # Shapes
/// xs (n, inputs), mask (1, inputs), the critic's output (n, 1) → ()
pub fn zero_centred(critic: &dyn Critic, xs: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    let gradient = slope(critic, xs, mask)?;
    let along = critic.jvp(xs, &gradient)?;
    with_value(&(along * 2.0)?, &gradient.sqr()?.sum_keepdim(D::Minus1)?)
}

/// Lengths by which something is divided, without a graph.
pub(super) fn off_zero(lengths: &Tensor) -> Result<Tensor> {
    let mut values = lengths.flatten_all()?.to_vec1::<f32>()?;
    values.iter_mut().for_each(|x| *x = x.clamp(1e-12, f32::MAX));
    Ok(Tensor::from_vec(values, lengths.shape(), lengths.device())?)
}

/// The mean of `values`, with the gradient of the mean of `graph`.
fn with_value(graph: &Tensor, values: &Tensor) -> Result<Tensor> {
    let graph = graph.mean_all()?;
    Ok((values.mean_all()? + (&graph - graph.detach())?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, differences, normal, to_f64};
    use crate::nn::ops::plain;
    use crate::nn::{Activation, Init, Linear, Vars};
    use crate::params::Choice;
    use crate::rng::Rng;

    /// The penalty of a two-layer critic, in the type of its arguments: ∂D/∂x is written out.
    fn reference(xs: &Tensor, weights: &[Tensor], activation: Activation, one: bool) -> Result<Tensor> {
        let zs0 = plain::linear(xs, &weights[0], Some(&weights[1]))?;
        let hs0 = plain::activate(&zs0, activation)?;
        let zs1 = plain::linear(&hs0, &weights[2], Some(&weights[3]))?;
        // (n, h1) = broadcast (1, h1) · f'(z1)
        let up = plain::activate_derivative(&zs1, activation)?.broadcast_mul(&weights[4])?;
        let up = (up.matmul(&weights[2])? * plain::activate_derivative(&zs0, activation)?)?;
        let squares = up.matmul(&weights[0])?.sqr()?.sum_keepdim(D::Minus1)?;
        Ok(if one { (squares.sqrt()? - 1.0)?.sqr()?.mean_all()? } else { squares.mean_all()? })
    }

    #[test]
    fn the_gradient_of_both_penalties_matches_differences() {
        for id in Activation::IDS {
            let activation = Activation::from_id(id).unwrap();
            for one in [true, false] {
                let (mut vars, mut rng) = (Vars::new(), Rng::stream(5, "init"));
                let init = Init::Orthogonal { gain: 1.2 };
                let linear = Activation::Identity;
                let critic =
                    Mlp::new(&mut vars, "d", 2, &[5, 4], 1, activation, linear, init, &mut rng).unwrap();
                let xs = normal(&[6, 2], 1.0, "xs");
                let penalty =
                    if one { one_centred(&critic, &xs, None) } else { zero_centred(&critic, &xs, None) };
                let penalty = penalty.unwrap();
                let weights: Vec<Tensor> = vars.iter().map(|(_, var)| var.as_detached_tensor()).collect();
                let as_f64 = |x: &Tensor| x.to_dtype(candle_core::DType::F64);
                let f = |w: &[Tensor]| reference(&as_f64(&xs)?, w, activation, one);
                let wide: Vec<Tensor> = weights.iter().map(|w| as_f64(w).unwrap()).collect();
                assert_close(&to_f64(&penalty), &to_f64(&f(&wide).unwrap()), 1e-5, id);
                let grads = penalty.backward().unwrap();
                let expected = differences(f, &weights);
                for ((name, var), expected) in vars.iter().zip(&expected) {
                    let got = grads.get(var).map_or_else(|| vec![0.0; expected.len()], to_f64);
                    assert_close(&got, expected, 2e-4, &format!("{id}, {name}, one-centred {one}"));
                }
            }
        }
    }

    #[test]
    fn a_constant_critic_has_a_finite_penalty() {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(5, "init"));
        let layers = vec![Linear::new(&mut vars, "d.0", 2, 1, Init::Zeros, &mut rng).unwrap()];
        let critic = Mlp { layers, activation: Activation::Relu, output: Activation::Identity };
        let penalty = one_centred(&critic, &normal(&[4, 2], 1.0, "xs"), None).unwrap();
        assert_eq!(penalty.to_scalar::<f32>().unwrap(), 1.0);
        let grads = penalty.backward().unwrap();
        assert!(to_f64(grads.get(vars.get("d.0.weight").unwrap()).unwrap()).iter().all(|g| g.is_finite()));
    }

    #[test]
    fn what_is_masked_is_not_penalised() {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(5, "init"));
        let init = Init::Orthogonal { gain: 1.2 };
        let layers = vec![Linear::new(&mut vars, "d.0", 3, 1, init, &mut rng).unwrap()];
        let critic = Mlp { layers, activation: Activation::Relu, output: Activation::Identity };
        let weight = to_f64(&critic.layers[0].weight.detach());
        let mask = candle_core::Tensor::new(&[[1.0_f32, 0.0, 1.0]], &candle_core::Device::Cpu).unwrap();
        let penalty = zero_centred(&critic, &normal(&[4, 3], 1.0, "xs"), Some(&mask)).unwrap();
        let expected = weight[0].powi(2) + weight[2].powi(2);
        assert_close(&to_f64(&penalty), &[expected], 1e-6, "w₀² + w₂²");
        let grads = penalty.backward().unwrap();
        let got = to_f64(grads.get(vars.get("d.0.weight").unwrap()).unwrap());
        assert_close(&got, &[2.0 * weight[0], 0.0, 2.0 * weight[2]], 1e-6, "2w");
    }
}
