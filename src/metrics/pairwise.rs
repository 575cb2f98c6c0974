//! Distances between points, which most scores of two samples are made of.

use crate::nn::kernels::kernel_sums::Centres;

/// Whether two samples of (n, size) rows can be compared: both have rows, whole ones, of finite numbers.
pub(super) fn comparable(xs: &[f32], ys: &[f32], size: usize) -> bool {
    whole(xs, size) && whole(ys, size)
}

/// Whether a sample has rows, whole ones, of finite numbers.
pub(super) fn whole(rows: &[f32], size: usize) -> bool {
    size > 0 && !rows.is_empty() && rows.len().is_multiple_of(size) && rows.iter().all(|x| x.is_finite())
}

/// Gives the squared distances of each row of `xs` to every row of `ys`, row after row.
pub(super) fn lines(xs: &[f32], ys: &Centres, size: usize, seen: &mut dyn FnMut(usize, &mut [f32])) {
    let mut line = vec![0.0; ys.len()];
    for (i, x) in xs.chunks_exact(size).enumerate() {
        ys.distances(x, &mut line);
        seen(i, &mut line);
    }
}

/// A sum of a function of the squared distance, over a line of them.
pub(super) type Sum<'a> = &'a dyn Fn(&[f32]) -> f64;

/// The mean of a function of the squared distance over all pairs of rows.
pub(super) fn mean_over(xs: &[f32], ys: &[f32], size: usize, sum: Sum) -> f64 {
    let (n, m) = (xs.len() / size, ys.len() / size);
    let mut total = 0.0;
    lines(xs, &Centres::new(ys, size), size, &mut |_, line| total += sum(line));
    total / (n * m) as f64
}

/// The mean of a function of the squared distance over all pairs of different rows of one sample.
///
/// 0 where there are none.
pub(super) fn mean_within(xs: &[f32], size: usize, sum: Sum) -> f64 {
    let n = xs.len() / size;
    let mut total = -(n as f64) * sum(&[0.0]);
    lines(xs, &Centres::new(xs, size), size, &mut |_, line| total += sum(line));
    total / (n * n.saturating_sub(1)).max(1) as f64
}
