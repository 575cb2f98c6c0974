//! Distances between points, which most scores of two samples are made of.

/// The squared Euclidean distance of two rows.
pub(super) fn squared(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum()
}

/// Whether two samples of (n, size) rows can be compared: both have rows, whole ones, of finite numbers.
pub(super) fn comparable(xs: &[f32], ys: &[f32], size: usize) -> bool {
    let fits = |rows: &[f32]| {
        size > 0 && !rows.is_empty() && rows.len().is_multiple_of(size) && rows.iter().all(|x| x.is_finite())
    };
    fits(xs) && fits(ys)
}

/// The mean of `f` over the squared distances of all pairs of rows.
pub(super) fn mean_over(xs: &[f32], ys: &[f32], size: usize, f: impl Fn(f64) -> f64) -> f64 {
    let (n, m) = (xs.len() / size, ys.len() / size);
    let rows = || xs.chunks_exact(size).flat_map(|x| ys.chunks_exact(size).map(move |y| squared(x, y)));
    rows().map(f).sum::<f64>() / (n * m) as f64
}

/// The mean of `f` over the squared distances of all pairs of different rows of one sample; 0 where there are none.
pub(super) fn mean_within(xs: &[f32], size: usize, f: impl Fn(f64) -> f64) -> f64 {
    let n = xs.len() / size;
    let pairs = (1..n).flat_map(|i| (0..i).map(move |j| (i, j)));
    let row = |i: usize| &xs[i * size..(i + 1) * size];
    let sum: f64 = pairs.map(|(i, j)| f(squared(row(i), row(j)))).sum();
    2.0 * sum / (n * n.saturating_sub(1)).max(1) as f64
}
