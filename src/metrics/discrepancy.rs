//! Distances between distributions from all pairs of points: maximum mean discrepancy and energy distance.

use super::pairwise::{comparable, lines, mean_over, mean_within, whole};
use crate::nn::kernels::distances::{order_statistic, sum_exp, sum_sqrt};
use crate::nn::kernels::kernel_sums::Centres;

/// The median of all distances between different rows of a sample, the usual bandwidth of a Gaussian kernel.
///
/// `None` if the sample has fewer than two rows, or is not whole or not finite, or if half of the rows are one.
pub fn median_distance(rows: &[f32], size: usize) -> Option<f64> {
    if !whole(rows, size) {
        return None;
    }
    let n = rows.len() / size;
    let mut distances = Vec::with_capacity(n * n / 2);
    lines(rows, &Centres::new(rows, size), size, &mut |i, line| {
        distances.extend_from_slice(line.get(..i).unwrap_or_default());
    });
    let middle = distances.len() / 2;
    let upper = order_statistic(&distances, middle)?;
    // The value before it is the same again, or the largest that is smaller.
    let smaller = distances.iter().filter(|d2| **d2 < upper);
    let (count, largest) = smaller.fold((0, 0.0), |(n, most), d2| (n + 1, f32::max(most, *d2)));
    let odd = !distances.len().is_multiple_of(2);
    let lower = if odd || count < middle { upper } else { largest };
    let median = f64::midpoint(lower.into(), upper.into()).sqrt();
    (median > 0.0).then_some(median)
}

/// The squared maximum mean discrepancy with the kernel exp(−‖x − y‖²/2σ²), without bias: it may be below 0
/// (Gretton et al. 2012, <https://jmlr.org/papers/v13/gretton12a.html>).
///
/// 0 for samples of one distribution, on average. `None` for fewer than two rows a sample, or rows that are not
/// whole or not finite.
pub fn mmd2(xs: &[f32], ys: &[f32], size: usize, sigma: f64) -> Option<f64> {
    let enough = xs.len() >= 2 * size && ys.len() >= 2 * size;
    if !comparable(xs, ys, size) || !enough || sigma.is_nan() || sigma <= 0.0 {
        return None;
    }
    let scale = (-0.5 / (sigma * sigma)) as f32;
    let kernel = |line: &[f32]| sum_exp(line, scale);
    let within = mean_within(xs, size, &kernel) + mean_within(ys, size, &kernel);
    Some(within - 2.0 * mean_over(xs, ys, size, &kernel))
}

/// 2 E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖, the squared energy distance, without bias
/// (Székely & Rizzo 2013, <https://doi.org/10.1016/j.jspi.2013.03.018>).
///
/// In the unit of the data. `None` for fewer than two rows a sample, or rows that are not whole or not finite.
pub fn energy_distance(xs: &[f32], ys: &[f32], size: usize) -> Option<f64> {
    if !comparable(xs, ys, size) || xs.len() < 2 * size || ys.len() < 2 * size {
        return None;
    }
    let within = mean_within(xs, size, &sum_sqrt) + mean_within(ys, size, &sum_sqrt);
    Some(2.0 * mean_over(xs, ys, size, &sum_sqrt) - within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn the_median_distance_is_that_of_the_sorted_distances() {
        let mut rng = Rng::stream(6, "test");
        for n in [2, 3, 4, 5, 6, 40, 41] {
            // Whole numbers, so that many distances are the same.
            for whole in [false, true] {
                let rows: Vec<f32> =
                    rng.normals(n).into_iter().map(|x| if whole { (3.0 * x).round() } else { x }).collect();
                let mut all: Vec<f32> = (0..n)
                    .flat_map(|i| (0..i).map(move |j| (i, j)))
                    .map(|(i, j)| (rows[i] - rows[j]).powi(2))
                    .collect();
                all.sort_by(f32::total_cmp);
                let middle = |i: usize| f64::from(all[i]);
                let median = f64::midpoint(middle(all.len() / 2), middle((all.len() - 1) / 2)).sqrt();
                assert_eq!(median_distance(&rows, 1), (median > 0.0).then_some(median), "{n} {whole}");
            }
        }
    }
}
