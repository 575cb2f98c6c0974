//! Distances from one row to many, and what scores make of them.
//!
//! These are loops over every pair of rows: they stand here because here they are compiled for speed.

use super::kernel_sums::Centres;
use super::maps::{sum_pairs, update};
use super::simd::F4;
use super::vmath::exp;

impl Centres {
    /// The squared distance of a row to each centre.
    ///
    /// # Shapes
    /// row (d), out (m)
    #[inline(never)]
    pub fn distances(&self, row: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for (x, column) in row.iter().zip(self.columns.chunks_exact(self.m.max(1))) {
            let x = F4::splat(*x);
            update(column, column, out, |c, _, sum| sum + (x - c) * (x - c));
        }
    }
}

/// The squared distance of two rows.
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn squared(a: &[f32], b: &[f32]) -> f64 {
    sum_pairs(a, b, |x, y| (x - y) * (x - y))
}

/// Σ exp(scale · x)
#[inline(never)]
pub fn sum_exp(xs: &[f32], scale: f32) -> f64 {
    let scale = F4::splat(scale);
    sum_pairs(xs, xs, |x, _| exp(x * scale))
}

/// Σ √x
#[inline(never)]
pub fn sum_sqrt(xs: &[f32]) -> f64 {
    sum_pairs(xs, xs, |x, _| x.sqrt())
}

/// The smallest value; +∞ for none.
#[inline(never)]
pub fn smallest(xs: &[f32]) -> f32 {
    let (fours, rest) = xs.as_chunks::<4>();
    let lanes = fours.iter().fold(F4::splat(f32::INFINITY), |low, x| low.at_most(F4::from_array(x)));
    lanes.to_array().into_iter().chain(rest.iter().copied()).fold(f32::INFINITY, f32::min)
}

/// The value that `k` others come before, counted from 0; `None` if there are not so many.
///
/// Byte after byte from the highest one on, it is counted how many have which: a small loop, whose time does not depend
/// on the values.
#[inline(never)]
pub fn order_statistic(xs: &[f32], k: usize) -> Option<f32> {
    let (mut left, mut found) = (u32::try_from(k).ok().filter(|_| k < xs.len())?, 0_u32);
    // As in `f32::total_cmp`: numbers that rise with the values.
    let key = |x: &f32| {
        let bits = x.to_bits() as i32;
        (bits ^ ((bits >> 31) as u32 >> 1) as i32) as u32 ^ 1 << 31
    };
    for shift in [24, 16, 8, 0] {
        let mut counts = [0_u32; 256];
        let known = u32::MAX.checked_shl(shift + 8).unwrap_or(0);
        for key in xs.iter().map(key).filter(|key| (key ^ found) & known == 0) {
            counts[(key >> shift & 255) as usize] += 1;
        }
        let mut byte = 0;
        while let Some(count) = counts.get(byte).filter(|count| **count <= left) {
            left -= count;
            byte += 1;
        }
        found |= (byte as u32) << shift;
    }
    let bits = (found ^ 1 << 31) as i32;
    Some(f32::from_bits((bits ^ ((bits >> 31) as u32 >> 1) as i32) as u32))
}

/// Puts values into ascending order.
#[inline(never)]
pub fn sort(xs: &mut [f64]) {
    xs.sort_unstable_by(f64::total_cmp);
}

/// What the squared distances of a real row to generated ones say: whether one of these lies in the row's `ball`,
/// and whether the row lies in one of their `balls`; `hits` counts for each of them the real balls that it lies in.
#[inline(never)]
pub fn meet(distances: &[f32], ball: f32, balls: &[f32], hits: &mut [u32]) -> (bool, bool) {
    let (mut holds, mut held) = (0, 0);
    for ((d2, other), hits) in distances.iter().zip(balls).zip(hits) {
        let hit = u32::from(*d2 <= ball);
        *hits += hit;
        holds |= hit;
        held |= u32::from(d2 <= other);
    }
    (holds > 0, held > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn loops_do_what_their_definitions_say() {
        let mut rng = Rng::stream(5, "test");
        for (m, d) in [(1, 1), (7, 3), (130, 2), (9, 64)] {
            let (rows, x) = (rng.normals(m * d), rng.normals(d));
            let mut line = vec![0.0; m];
            Centres::new(&rows, d).distances(&x, &mut line);
            let exact: Vec<f64> = rows
                .chunks(d)
                .map(|row| row.iter().zip(&x).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum())
                .collect();
            let close = |got: f64, expected: f64| (got - expected).abs() < 1e-5 * (1.0 + expected.abs());
            for ((got, expected), row) in line.iter().zip(&exact).zip(rows.chunks(d)) {
                assert!(close(f64::from(*got), *expected) && close(squared(row, &x), *expected));
            }
            assert!(close(sum_exp(&line, -0.5), exact.iter().map(|x| (-0.5 * x).exp()).sum()));
            assert!(close(sum_sqrt(&line), exact.iter().map(|x| x.sqrt()).sum()));
            let mut ordered = line.clone();
            ordered.sort_by(f32::total_cmp);
            assert_eq!(smallest(&line), ordered[0]);
            for k in [0, m / 2, m - 1] {
                assert_eq!(order_statistic(&line, k), Some(ordered[k]));
            }
            assert_eq!(order_statistic(&line, m), None);
        }
        assert_eq!(smallest(&[]), f32::INFINITY);
        let mut hits = [5, 5, 5];
        assert_eq!(meet(&[1.0, 2.0, 3.0], 2.0, &[0.5, 0.5, 0.5], &mut hits), (true, false));
        assert_eq!(hits, [6, 6, 5]);
        assert_eq!(meet(&[1.0, 2.0, 3.0], 0.5, &[0.5, 2.0, 0.5], &mut hits), (false, true));
        assert_eq!(hits, [6, 6, 5]);
    }
}
