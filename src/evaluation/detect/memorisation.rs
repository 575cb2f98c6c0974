//! Samples that are copies of training rows.

use super::{Finding, more_rows};
use crate::data::Domain;
use crate::evaluation::Evidence;
use crate::nn::kernels::distances::{order_statistic, smallest};
use crate::nn::kernels::kernel_sums::Centres;
use crate::params::Value;

/// Samples whose nearest training row is looked for.
const ROWS: usize = 250;
/// Training rows that are looked at, evenly spaced.
const MOST: usize = 10_000;
/// How much nearer to a training row a sample lies than a real row that no model has seen, on the median: as near
/// is 1, a copy is 0. Kernels of the width that the likelihood chooses come to 0.9.
const NEAR: f64 = 0.4;

/// The median over `rows` of the distance to the nearest of `others`.
fn median_nearest(rows: &[f32], others: &[f32], size: usize) -> Option<f64> {
    let size = size.max(1);
    let step = (others.len() / size).div_ceil(MOST).max(1);
    let some: Vec<f32> = others.chunks_exact(size).step_by(step).flatten().copied().collect();
    let centres = Centres::new(&some, size);
    let mut distances = vec![0.0; centres.len()];
    let all: Vec<f32> = rows
        .chunks_exact(size)
        .take(ROWS)
        .map(|row| {
            centres.distances(row, &mut distances);
            smallest(&distances)
        })
        .collect();
    let middle = all.len() / 2;
    order_statistic(&all, middle).filter(|far| far.is_finite()).map(|far| libm::sqrt(far.into()))
}

/// Looks for samples that lie on training rows, where rows that no model has seen do not.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    let data = evidence.session.data();
    let ratio = match data.shape.domain {
        // Words and other things of which there are few occur again by right.
        Domain::Sequences => return None,
        Domain::Images => evidence.value("nearest")?,
        Domain::Points => {
            let nearest = |rows: &[f32]| median_nearest(rows, &data.train.xs, data.shape.size());
            nearest(evidence.samples)? / nearest(evidence.real).filter(|far| *far > 0.0)?
        }
    };
    (ratio < NEAR).then(|| Finding {
        id: "memorisation",
        values: vec![("percent", 100.0 * ratio)],
        remedy: remedy(evidence),
    })
}

/// A bandwidth that is chosen by rows left out, or more rows to learn from.
pub(super) fn remedy(evidence: &Evidence) -> Vec<(&'static str, Value)> {
    if evidence.text("bandwidthRule") == Some("fixed") {
        return vec![("bandwidthRule", Value::Text("leaveOneOut".into()))];
    }
    more_rows(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_distance_to_the_nearest_row_is_that_of_a_line() {
        let line: Vec<f32> = (0..100).map(|i| i as f32).collect();
        assert_eq!(median_nearest(&[0.25, 7.5, 3.0], &line, 1), Some(0.25));
        assert_eq!(median_nearest(&line, &line, 1), Some(0.0));
        assert_eq!(median_nearest(&[], &line, 1), None);
        assert_eq!(median_nearest(&line, &[], 1), None);
    }
}
