//! The classifier two-sample test with the nearest neighbour as the classifier
//! (Lopez-Paz & Oquab 2017, <https://arxiv.org/abs/1610.06545>).

use super::pairwise::{comparable, lines};
use crate::nn::kernels::distances::smallest;
use crate::nn::kernels::kernel_sums::Centres;

/// How often the nearest other row of both samples together is of the same sample.
///
/// A tie counts as one half. 1/2 for two samples of one distribution, with a standard deviation of about √(1/4n) for n rows together; 1 for
/// samples that can be told apart. Copies of real rows push it below 1/2.
/// `None` for fewer than two rows a sample, of which none would have a neighbour of its own, and for samples that
/// differ in size, or are not whole or not finite.
pub fn nearest_neighbour_accuracy(xs: &[f32], ys: &[f32], size: usize) -> Option<f64> {
    if !comparable(xs, ys, size) || xs.len() != ys.len() || xs.len() < 2 * size {
        return None;
    }
    let (x_centres, y_centres) = (Centres::new(xs, size), Centres::new(ys, size));
    let nearest = |rows: &[f32], centres: &Centres, own: bool| {
        let mut nearest = Vec::with_capacity(centres.len());
        lines(rows, centres, size, &mut |i, line| {
            if let Some(itself) = line.get_mut(i).filter(|_| own) {
                *itself = f32::INFINITY;
            }
            nearest.push(smallest(line));
        });
        nearest
    };
    let same = |rows: &[f32], own: &Centres, others: &Centres| -> f64 {
        let pairs = nearest(rows, own, true).into_iter().zip(nearest(rows, others, false));
        pairs
            .map(|(own, other)| f64::from(u8::from(own < other)) + 0.5 * f64::from(u8::from(own == other)))
            .sum()
    };
    let total = same(xs, &x_centres, &y_centres) + same(ys, &y_centres, &x_centres);
    Some(total * size as f64 / (xs.len() + ys.len()) as f64)
}
