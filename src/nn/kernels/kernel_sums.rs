//! Sums of Gaussian kernels around many centres.

use super::distances::smallest;
use super::maps::{map, sum_pairs};
use super::reduce::sum;
use super::simd::F4;
use super::vmath::exp;

/// A squared distance that no kernel reaches across, and whose product with 0 is 0.
const NOWHERE: f32 = 1e30;

/// The centres, coordinate after coordinate.
#[derive(Debug, Clone)]
pub struct Centres {
    /// (d, m)
    pub(super) columns: Vec<f32>,
    d: usize,
    pub(super) m: usize,
}

/// What the kernels around the centres are at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// log Σ exp(−½ r²/h²) over the centres, r being the distance.
    pub log_sum: f64,
    /// The mean of r² with the kernels as weights.
    pub mean_square: f64,
}

impl Centres {
    /// From rows (m, d).
    pub fn new(rows: &[f32], d: usize) -> Self {
        let d = d.max(1);
        let columns = (0..d).flat_map(|i| rows.chunks_exact(d).filter_map(move |row| row.get(i).copied()));
        Self { columns: columns.collect(), d, m: rows.len() / d }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.m
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.m == 0
    }

    /// The kernels of this width at each row; with `alone`, row i is not compared with centre i.
    ///
    /// # Shapes
    /// xs (n, d) → n
    #[inline(never)]
    pub fn at(&self, xs: &[f32], width: f64, alone: bool) -> Vec<At> {
        let scale = (-0.5 / (width * width)) as f32;
        let mut distances = vec![0.0; self.m];
        let mut kernels = vec![0.0; self.m];
        let rows = xs.chunks_exact(self.d).enumerate();
        rows.map(|(i, row)| {
            self.distances(row, &mut distances);
            if alone && let Some(own) = distances.get_mut(i) {
                *own = NOWHERE;
            }
            let nearest = smallest(&distances);
            let (low, scale4) = (F4::splat(nearest), F4::splat(scale));
            map(&distances, &mut kernels, |r2| exp((r2 - low) * scale4));
            let total = sum(&kernels);
            At {
                log_sum: f64::from(nearest) * f64::from(scale) + libm::log(total),
                mean_square: sum_pairs(&kernels, &distances, |w, r2| w * r2) / total,
            }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn sums_match_their_definition_near_and_far() {
        let mut rng = Rng::stream(5, "test");
        for (m, d) in [(1, 2), (7, 3), (130, 2)] {
            let (rows, mut xs) = (rng.normals(m * d), rng.normals(9 * d));
            xs[0] = 40.0;
            let centres = Centres::new(&rows, d);
            assert_eq!(centres.len(), m);
            for (places, alone) in [(&xs, false), (&rows, true)] {
                if alone && m == 1 {
                    continue;
                }
                for (i, at) in centres.at(places, 0.5, alone).iter().enumerate() {
                    let squares: Vec<f64> = (0..m)
                        .filter(|j| !alone || *j != i)
                        .map(|j| (0..d).map(|k| f64::from(places[i * d + k] - rows[j * d + k]).powi(2)).sum())
                        .collect();
                    let low = squares.iter().copied().fold(f64::INFINITY, f64::min);
                    let weights: Vec<f64> = squares.iter().map(|r2| (-2.0 * (r2 - low)).exp()).collect();
                    let total: f64 = weights.iter().sum();
                    let log_sum = -2.0 * low + total.ln();
                    let mean = weights.iter().zip(&squares).map(|(w, r2)| w * r2).sum::<f64>() / total;
                    assert!(
                        (at.log_sum - log_sum).abs() < 1e-6 * log_sum.abs().max(10.0),
                        "{at:?}, {log_sum}"
                    );
                    assert!((at.mean_square - mean).abs() < 1e-5 * mean, "{at:?}, {mean}");
                }
            }
        }
    }
}
