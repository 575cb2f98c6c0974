//! The loops of models that travel from noise to data: mixtures of two batches, features of the time, and
//! the exact assignment of noise to data.

use super::maps::zip;
use super::simd::F4;
use super::vmath::sin_cos_turns;

/// out ← a·x + b·y.
///
/// # Panics
/// When the three are not equally long.
#[inline(never)]
pub fn blend(a: f32, xs: &[f32], b: f32, ys: &[f32], out: &mut [f32]) {
    let (a, b) = (F4::splat(a), F4::splat(b));
    zip(xs, ys, out, |x, y| a * x + b * y);
}

/// Waves of a time in 0..=1 at these frequencies, in turns: first every sine, then every cosine.
///
/// # Panics
/// When `out` is not twice as long as `frequencies`.
#[inline(never)]
pub fn waves(time: f32, frequencies: &[f32], out: &mut [f32]) {
    let n = frequencies.len();
    assert_eq!(out.len(), 2 * n, "a sine and a cosine for every frequency");
    let (sines, cosines) = out.split_at_mut(n);
    for ((frequencies, sines), cosines) in
        frequencies.chunks(4).zip(sines.chunks_mut(4)).zip(cosines.chunks_mut(4))
    {
        let mut turns = [0.0; 4];
        for (turn, frequency) in turns.iter_mut().zip(frequencies) {
            let whole = time * frequency;
            *turn = whole - whole.floor();
        }
        let (sin, cos) = sin_cos_turns(F4::from_array(&turns));
        let both = sin.to_array().into_iter().zip(cos.to_array());
        for ((sine, cosine), (sin, cos)) in sines.iter_mut().zip(cosines).zip(both) {
            (*sine, *cosine) = (sin, cos);
        }
    }
}

const NONE: usize = usize::MAX;

/// The assignment of rows to columns with the least sum of costs: the column of each row.
///
/// Exact: shortest augmenting paths with potentials, after the reduction of the columns
/// (Jonker & Volgenant 1987, <https://doi.org/10.1007/BF02278710>). The costs must be finite.
///
/// # Shapes
/// costs (n, n), row after row → (n)
///
/// # Panics
/// When there are not n² costs.
pub fn assignment(costs: &[f32], n: usize) -> Vec<usize> {
    assert_eq!(costs.len(), n * n, "a cost for every pair");
    let row_of = |i: usize| &costs[i * n..(i + 1) * n];
    let (mut rows, mut columns) = (vec![NONE; n], vec![NONE; n]);
    // Every column's potential starts at its least cost; the row where that lies takes it if it is free.
    let (mut v, mut least) = (vec![f32::INFINITY; n], vec![0; n]);
    for i in 0..n {
        for ((v, least), &cost) in v.iter_mut().zip(&mut least).zip(row_of(i)) {
            if cost < *v {
                (*v, *least) = (cost, i);
            }
        }
    }
    for j in (0..n).rev() {
        if columns[least[j]] == NONE {
            (columns[least[j]], rows[j]) = (j, least[j]);
        }
    }
    reduce_rows(costs, n, &mut v, &mut rows, &mut columns);
    let mut search = Search::new(n);
    for i in 0..n {
        if columns[i] == NONE {
            search.augment(costs, n, i, &mut v, &mut rows, &mut columns);
        }
    }
    columns
}

/// Gives free rows their cheapest column, at the price that makes the second cheapest no better.
fn reduce_rows(costs: &[f32], n: usize, v: &mut [f32], rows: &mut [usize], columns: &mut [usize]) {
    let mut free: Vec<usize> = (0..n).filter(|&i| columns[i] == NONE).collect();
    for _ in 0..2 {
        let mut next = Vec::new();
        let mut tries = 4 * n;
        while let Some(i) = free.pop() {
            let ((best, first), (other, second)) = two_least(&costs[i * n..(i + 1) * n], v);
            let lowered = second - first;
            let taken = if lowered > 0.0 || rows[best] == NONE || other == NONE { best } else { other };
            if taken == best && lowered > 0.0 && lowered.is_finite() {
                v[best] -= lowered;
            }
            let loser = rows[taken];
            (rows[taken], columns[i]) = (i, taken);
            if loser != NONE {
                columns[loser] = NONE;
                tries = tries.saturating_sub(1);
                // Where the price rose, the loser looks at once for another; else in the next round.
                if lowered > 0.0 && tries > 0 { free.push(loser) } else { next.push(loser) }
            }
        }
        free = next;
    }
}

/// The two least reduced costs of a row, each with its column.
fn two_least(costs: &[f32], v: &[f32]) -> ((usize, f32), (usize, f32)) {
    let (mut best, mut other) = ((NONE, f32::INFINITY), (NONE, f32::INFINITY));
    for (j, (cost, v)) in costs.iter().zip(v).enumerate() {
        let reduced = cost - v;
        if reduced < other.1 {
            if reduced < best.1 {
                (other, best) = (best, (j, reduced));
            } else {
                other = (j, reduced);
            }
        }
    }
    (best, other)
}

/// Working memory of the search for the cheapest augmenting path.
struct Search {
    distance: Vec<f32>,
    before: Vec<usize>,
    open: Vec<usize>,
    closed: Vec<usize>,
}

impl Search {
    fn new(n: usize) -> Self {
        Self { distance: vec![0.0; n], before: vec![0; n], open: Vec::new(), closed: Vec::new() }
    }

    /// Assigns one more row, along the path that costs least (Dijkstra on the reduced costs).
    fn augment(
        &mut self,
        costs: &[f32],
        n: usize,
        start: usize,
        v: &mut [f32],
        rows: &mut [usize],
        columns: &mut [usize],
    ) {
        self.open.clear();
        self.open.extend(0..n);
        self.closed.clear();
        self.distance.fill(f32::INFINITY);
        // Where a cost is not finite, this keeps the path's end in sight.
        self.before.fill(start);
        let (mut i, mut so_far) = (start, 0.0);
        let end = loop {
            // The row's own potential: the reduced cost of the column that it holds is zero.
            let own = match columns[i] {
                NONE => 0.0,
                j => costs[i * n + j] - v[j],
            };
            let row = &costs[i * n..(i + 1) * n];
            let (mut nearest, mut at) = (f32::INFINITY, 0);
            for (place, &j) in self.open.iter().enumerate() {
                let distance = so_far + ((row[j] - v[j]) - own);
                if distance < self.distance[j] {
                    (self.distance[j], self.before[j]) = (distance, i);
                }
                if self.distance[j] < nearest || (self.distance[j] == nearest && rows[j] == NONE) {
                    (nearest, at) = (self.distance[j], place);
                }
            }
            if self.open.is_empty() {
                return;
            }
            so_far = nearest;
            let j = self.open.swap_remove(at);
            if rows[j] == NONE {
                break j;
            }
            self.closed.push(j);
            i = rows[j];
        };
        for &j in &self.closed {
            v[j] += self.distance[j] - so_far;
        }
        let mut j = end;
        loop {
            let i = self.before[j];
            rows[j] = i;
            std::mem::swap(&mut columns[i], &mut j);
            if i == start {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn sum(costs: &[f32], n: usize, columns: &[usize]) -> f64 {
        columns.iter().enumerate().map(|(i, j)| f64::from(costs[i * n + j])).sum()
    }

    /// The least sum over all orders, by trying them.
    fn least(costs: &[f32], n: usize, row: usize, used: &mut [bool]) -> f64 {
        if row == n {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for j in 0..n {
            if !used[j] {
                used[j] = true;
                best = best.min(f64::from(costs[row * n + j]) + least(costs, n, row + 1, used));
                used[j] = false;
            }
        }
        best
    }

    fn assert_order(columns: &[usize], n: usize) {
        let mut sorted = columns.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..n).collect::<Vec<_>>());
    }

    #[test]
    fn small_assignments_are_the_best_of_all_orders() {
        let mut rng = Rng::stream(1, "test");
        for n in 0..8 {
            for kind in 0..60 {
                let mut costs = rng.normals(n * n);
                if kind % 3 == 0 {
                    // Whole numbers: many ties.
                    costs.iter_mut().for_each(|cost| *cost = (*cost * 1.5).round());
                }
                let columns = assignment(&costs, n);
                assert_order(&columns, n);
                let best = least(&costs, n, 0, &mut vec![false; n]);
                assert!((sum(&costs, n, &columns) - best).abs() < 1e-5, "n = {n}, {costs:?}: {columns:?}");
            }
        }
    }

    #[test]
    fn on_a_line_the_best_assignment_is_the_sorted_one() {
        let n = 256;
        for seed in 0..5 {
            let mut rng = Rng::stream(seed, "test");
            let (xs, ys) = (rng.normals(n), rng.normals(n));
            let costs: Vec<f32> = xs.iter().flat_map(|x| ys.iter().map(move |y| (x - y) * (x - y))).collect();
            let columns = assignment(&costs, n);
            assert_order(&columns, n);
            let sorted = |values: &[f32]| {
                let mut values = values.to_vec();
                values.sort_by(f32::total_cmp);
                values
            };
            let best: f64 =
                sorted(&xs).iter().zip(sorted(&ys)).map(|(x, y)| f64::from((x - y) * (x - y))).sum();
            let got = sum(&costs, n, &columns);
            assert!((got - best).abs() < 1e-4 * best, "{got}, not {best}");
        }
    }

    #[test]
    fn waves_are_sines_and_cosines_and_blends_are_sums() {
        let frequencies = [0.25, 1.0, 3.5, 40.0, 0.5];
        for time in [0.0, 0.123, 0.5, 1.0] {
            let mut out = [0.0; 10];
            waves(time, &frequencies, &mut out);
            for (i, frequency) in frequencies.iter().enumerate() {
                let (sin, cos) = (f64::from(time * frequency) * std::f64::consts::TAU).sin_cos();
                assert!((f64::from(out[i]) - sin).abs() < 1e-5, "sin at {time}, {frequency}");
                assert!((f64::from(out[5 + i]) - cos).abs() < 1e-5, "cos at {time}, {frequency}");
            }
        }
        let mut out = [0.0; 5];
        blend(2.0, &[1.0, 2.0, 3.0, 4.0, 5.0], -1.0, &[5.0, 4.0, 3.0, 2.0, 1.0], &mut out);
        assert_eq!(out, [-3.0, 0.0, 3.0, 6.0, 9.0]);
    }
}
