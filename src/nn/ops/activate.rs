//! Activation functions, element by element.

use super::plain;
use crate::error::Result;
use crate::nn::Activation;
use candle_core::Tensor;

/// f(x).
pub fn activate(xs: &Tensor, activation: Activation) -> Result<Tensor> {
    plain::activate(xs, activation)
}

/// f′(x), with the gradient f″(x).
pub fn activate_derivative(xs: &Tensor, activation: Activation) -> Result<Tensor> {
    plain::activate_derivative(xs, activation)
}

/// ln(1 + eˣ), without overflow; −ln σ(x) is `softplus(−x)`.
pub fn softplus(xs: &Tensor) -> Result<Tensor> {
    activate(xs, Activation::Softplus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal};
    use crate::params::Choice;

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
}
