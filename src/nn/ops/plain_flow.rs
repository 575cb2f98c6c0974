//! The plain twins of the steps of a flow: see [`super::plain`].

use super::Couple;
use super::plain::activate;
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::kernels::spline::SMALLEST;
use candle_core::Tensor;

/// Twin of [`super::columns`].
pub fn columns(xs: &Tensor, columns: &[usize]) -> Result<Tensor> {
    let columns: Vec<Tensor> =
        columns.iter().map(|c| xs.narrow(1, *c, 1)).collect::<candle_core::Result<_>>()?;
    Ok(Tensor::cat(&columns, 1)?)
}

/// Twin of [`super::flow_nll`].
pub fn flow_nll(state: &Tensor) -> Result<Tensor> {
    let d = state.dim(1)? - 1;
    let half_squares = (state.narrow(1, 0, d)?.sqr()?.sum_all()? * 0.5)?;
    let log_det = state.narrow(1, d, 1)?.sum_all()?;
    let constant = 0.5 * std::f64::consts::TAU.ln() * d as f64;
    Ok(((half_squares - log_det)? / state.dim(0)? as f64)?.affine(1.0, constant)?)
}

/// Twin of [`super::Couple::forward`].
pub fn couple(couple: Couple, state: &Tensor, parameters: &Tensor, active: &[usize]) -> Result<Tensor> {
    let (m, last) = (active.len(), state.dim(1)? - 1);
    let mut columns: Vec<Tensor> =
        (0..=last).map(|c| state.narrow(1, c, 1)).collect::<candle_core::Result<_>>()?;
    for (place, &column) in active.iter().enumerate() {
        let parameter = |at: usize| parameters.narrow(1, at, 1);
        let (value, log_det) = match couple {
            Couple::Affine => {
                let s = ((parameter(place)? * 0.5)?.tanh()? * 2.0)?;
                (((&columns[column] * s.exp()?)? + parameter(m + place)?)?, s)
            }
            Couple::Spline { bins, bound } => {
                let count = couple.parameters();
                spline(&columns[column], &parameters.narrow(1, place * count, count)?, bins, bound)?
            }
        };
        columns[column] = value;
        columns[last] = (&columns[last] + log_det)?;
    }
    Ok(Tensor::cat(&columns, 1)?)
}

/// The rational-quadratic spline of one column and its log-derivative, (n, 1) each.
fn spline(xs: &Tensor, parameters: &Tensor, bins: usize, bound: f64) -> Result<(Tensor, Tensor)> {
    let least = f64::from(SMALLEST);
    let part = |from: usize, count: usize| parameters.narrow(1, from, count);
    let sizes = |u: Tensor| -> Result<Tensor> {
        let shares = candle_nn::ops::softmax(&u, 1)?;
        Ok(shares.affine(2.0 * bound * (1.0 - least * bins as f64), 2.0 * bound * least)?)
    };
    let (widths, heights) = (sizes(part(0, bins)?)?, sizes(part(bins, bins)?)?);
    let inner = activate(&part(2 * bins, bins - 1)?, Activation::Softplus)?.affine(1.0, least)?;
    let one = xs.ones_like()?;
    let derivatives = Tensor::cat(&[&one, &inner, &one], 1)?;
    // The bin that holds x is chosen by sums with weights of 0 and 1; outside of all of them x is 0 at first.
    let inside = xs.abs()?.le(bound)?.to_dtype(xs.dtype())?;
    let x = (xs * &inside)?;
    let (mut left, mut low) = (one.affine(0.0, -bound)?, one.affine(0.0, -bound)?);
    let mut chosen: Vec<Tensor> = (0..6).map(|_| xs.zeros_like()).collect::<candle_core::Result<_>>()?;
    for k in 0..bins {
        let (width, height) = (widths.narrow(1, k, 1)?, heights.narrow(1, k, 1)?);
        let right = (&left + &width)?;
        let (above, below) = (x.ge(&left)?.to_dtype(x.dtype())?, x.lt(&right)?.to_dtype(x.dtype())?);
        let here = (above * below)?.detach();
        let ends = [derivatives.narrow(1, k, 1)?, derivatives.narrow(1, k + 1, 1)?];
        for (sum, part) in chosen.iter_mut().zip([&left, &width, &low, &height, &ends[0], &ends[1]]) {
            *sum = (&*sum + (&here * part)?)?;
        }
        low = (low + height)?;
        left = right;
    }
    let [left, width, low, height, d0, d1] = &chosen[..] else { return Ok((xs.clone(), xs.zeros_like()?)) };
    let theta = ((x - left)? / width)?;
    let rest = theta.affine(-1.0, 1.0)?;
    let (mixed, slope) = ((&theta * &rest)?, (height / width)?);
    let denominator = (&slope + (((d0 + d1)? - (&slope * 2.0)?)? * &mixed)?)?;
    let rise = (((&slope * theta.sqr()?)? + (d0 * &mixed)?)? * height)?;
    let value = (low + (rise / &denominator)?)?;
    let numerator = (((d1 * theta.sqr()?)? + ((&slope * &mixed)? * 2.0)?)? + (d0 * rest.sqr()?)?)?;
    let log_derivative = ((slope.log()? * 2.0)? + (numerator.log()? - (denominator.log()? * 2.0)?)?)?;
    let outside = inside.affine(-1.0, 1.0)?;
    Ok((((value * &inside)? + (xs * outside)?)?, (log_derivative * inside)?))
}
