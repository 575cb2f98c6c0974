//! How near rows are to the nearest training row, which tells copies from new ones.

use tealight_kernels::nearest::nearest_squared;

use super::pairwise::comparable;

/// The Euclidean distance of each (n, size) row to the nearest training row, in the data's unit.
///
/// It takes all training rows for each row: call it with a few rows at a time where time is short.
/// `None` if a sample is empty, not whole or not finite.
pub fn nearest_distances(train: &[f32], rows: &[f32], size: usize) -> Option<Vec<f64>> {
    if !comparable(train, rows, size) {
        return None;
    }
    let distance = |row| f64::from(nearest_squared(row, train)).sqrt();
    Some(rows.chunks_exact(size).map(distance).collect())
}

/// The mean distance of generated rows to the training rows over that of held-out rows: 1 if the model draws as new
/// ones as the data's source, 0 if it hands out copies; above 1 if it draws what is like none.
///
/// `None` without distances, if one is not finite, or if all held-out rows are training rows themselves.
pub fn nearness(generated: &[f64], held_out: &[f64]) -> Option<f64> {
    let mean = |xs: &[f64]| {
        let mean = xs.iter().sum::<f64>() / xs.len() as f64;
        mean.is_finite().then_some(mean)
    };
    let (ours, theirs) = (mean(generated)?, mean(held_out)?);
    (theirs > 0.0).then(|| ours / theirs)
}
