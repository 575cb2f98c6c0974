//! The classifier two-sample test with the nearest neighbour as the classifier
//! (Lopez-Paz & Oquab 2017, <https://arxiv.org/abs/1610.06545>).

use super::pairwise::{comparable, squared};

/// How often the nearest other row of both samples together is of the same sample.
///
/// 1/2 for two samples of one distribution, with a standard deviation of about √(1/4n) for n rows together; 1 for
/// samples that can be told apart. Copies of real rows push it below 1/2.
/// `None` if the samples are empty, differ in size, or are not whole or not finite.
pub fn nearest_neighbour_accuracy(xs: &[f32], ys: &[f32], size: usize) -> Option<f64> {
    if !comparable(xs, ys, size) || xs.len() != ys.len() {
        return None;
    }
    let n = xs.len() / size;
    let rows: Vec<&[f32]> = xs.chunks_exact(size).chain(ys.chunks_exact(size)).collect();
    let same = rows.iter().enumerate().filter(|(i, x)| {
        let others = rows.iter().enumerate().filter(|(j, _)| j != i);
        let nearest = others.map(|(j, y)| (j, squared(x, y))).min_by(|a, b| a.1.total_cmp(&b.1));
        nearest.is_some_and(|(j, _)| (j < n) == (*i < n))
    });
    Some(same.count() as f64 / rows.len() as f64)
}
