//! Distances between distributions from all pairs of points: maximum mean discrepancy and energy distance.

use super::pairwise::{comparable, mean_over, mean_within, squared};

/// The median of all pairwise distances of both samples together, the usual bandwidth of a Gaussian kernel.
///
/// `None` if a sample is empty, not whole or not finite, or all points are one.
pub fn median_distance(xs: &[f32], ys: &[f32], size: usize) -> Option<f64> {
    if !comparable(xs, ys, size) {
        return None;
    }
    let rows: Vec<&[f32]> = xs.chunks_exact(size).chain(ys.chunks_exact(size)).collect();
    let mut distances: Vec<f64> = Vec::with_capacity(rows.len() * rows.len() / 2);
    for (i, a) in rows.iter().enumerate() {
        distances.extend(rows.iter().take(i).map(|b| squared(a, b)));
    }
    let middle = distances.len() / 2;
    let (below, upper, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    let even = (rows.len() * (rows.len() - 1) / 2).is_multiple_of(2);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| even).unwrap_or(upper);
    let median = f64::midpoint(lower, upper).sqrt();
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
    let kernel = |d2: f64| (-d2 / (2.0 * sigma * sigma)).exp();
    let within = mean_within(xs, size, kernel) + mean_within(ys, size, kernel);
    Some(within - 2.0 * mean_over(xs, ys, size, kernel))
}

/// 2 E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖, the squared energy distance, without bias
/// (Székely & Rizzo 2013, <https://doi.org/10.1016/j.jspi.2013.03.018>).
///
/// In the unit of the data. `None` for fewer than two rows a sample, or rows that are not whole or not finite.
pub fn energy_distance(xs: &[f32], ys: &[f32], size: usize) -> Option<f64> {
    if !comparable(xs, ys, size) || xs.len() < 2 * size || ys.len() < 2 * size {
        return None;
    }
    let within = mean_within(xs, size, f64::sqrt) + mean_within(ys, size, f64::sqrt);
    Some(2.0 * mean_over(xs, ys, size, f64::sqrt) - within)
}
