//! Data outside the box in which a spline flow does anything.
//!
//! Between −B and B the splines bend the line; beyond, they leave it as it is, so that what lies there is taken as
//! the tail of a Gaussian (Durkan et al. 2019, <https://arxiv.org/abs/1906.04032>).

use super::Finding;
use crate::data::Domain;
use crate::evaluation::Evidence;
use crate::nn::kernels::distances::sort;
use crate::params::Value;

/// The share of rows outside from which the tails matter: a Gaussian has 0.01 % beyond 4 deviations.
const MANY: f64 = 0.01;
/// The largest bound that the remedy asks for.
const WIDEST: f64 = 10.0;
/// Steps from which the finding is shown; it is true from the first.
const FIRST: u64 = 1;

/// The share of rows with a coordinate farther than `bound` standard deviations from its mean, and the bound that
/// would hold all but [`MANY`] of a tenth of them.
pub fn outside(rows: &[f32], size: usize, bound: f64) -> Option<(f64, f64)> {
    let n = rows.len().checked_div(size).filter(|n| *n > 0)?;
    let mut farthest = vec![0.0_f64; n];
    for i in 0..size {
        let column = || rows.iter().skip(i).step_by(size).map(|x| f64::from(*x));
        let mean = column().sum::<f64>() / n as f64;
        let variance = column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
        let deviation = if variance > 1e-12 { libm::sqrt(variance) } else { 1.0 };
        for (far, x) in farthest.iter_mut().zip(column()) {
            *far = far.max((x - mean).abs() / deviation);
        }
    }
    let share = farthest.iter().filter(|far| **far > bound).count() as f64 / n as f64;
    sort(&mut farthest);
    let enough = *farthest.get(((1.0 - 0.1 * MANY) * (n - 1) as f64) as usize)?;
    Some((share, enough))
}

/// Looks for rows outside of the splines' box.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    let bound = evidence.number("tailBound").filter(|_| evidence.text("transform") == Some("spline"))?;
    // Images are made continuous and stretched before they meet the box.
    let data = evidence.session.data();
    if evidence.step < FIRST || data.shape.domain != Domain::Points {
        return None;
    }
    let (share, enough) = outside(&data.train.xs, data.shape.size(), bound)?;
    if share < MANY {
        return None;
    }
    // Half as much again leaves room between the last row and the wall. What is farther out than any box is for
    // affine maps, which have none.
    let wanted = libm::ceil(1.5 * enough).max(4.0);
    let remedy = if wanted <= WIDEST {
        vec![("tailBound", Value::Number(wanted))]
    } else {
        vec![("transform", Value::Text("affine".into()))]
    };
    Some(Finding { id: "tailBound", values: vec![("percent", 100.0 * share), ("bound", bound)], remedy })
}
