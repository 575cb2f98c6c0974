//! The Fréchet distance of two samples, each taken for a Gaussian
//! (Dowson & Landau 1982, <https://doi.org/10.1016/0047-259X(82)90077-X>; of images' features: Heusel et al. 2017,
//! <https://arxiv.org/abs/1706.08500>).

use super::symmetric::{Eigen, eigen};

/// The mean and the covariance of a sample, the latter over n − 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    mean: Vec<f64>,
    /// (size, size)
    covariance: Vec<f64>,
}

impl Moments {
    /// Those of (n, size) rows; `None` for fewer than two, or rows that are not whole or not finite.
    pub fn of(rows: &[f32], size: usize) -> Option<Self> {
        let whole = size > 0 && rows.len() >= 2 * size && rows.len().is_multiple_of(size);
        if !whole || rows.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let n = (rows.len() / size) as f64;
        let mut mean = vec![0.0; size];
        for row in rows.chunks_exact(size) {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x) / n);
        }
        let mut covariance = vec![0.0; size * size];
        let mut off = vec![0.0; size];
        for row in rows.chunks_exact(size) {
            for ((off, x), mean) in off.iter_mut().zip(row).zip(&mean) {
                *off = f64::from(*x) - mean;
            }
            for (sums, a) in covariance.chunks_exact_mut(size).zip(&off) {
                sums.iter_mut().zip(&off).for_each(|(sum, b)| *sum += a * b / (n - 1.0));
            }
        }
        Some(Self { mean, covariance })
    }

    /// The mean.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The variances of all values together.
    pub fn variance(&self) -> f64 {
        self.covariance.iter().step_by(self.mean.len() + 1).sum()
    }

    pub(super) fn eigen(&self) -> Eigen {
        eigen(self.covariance.clone(), self.mean.len())
    }
}

/// ‖μ − ν‖² + tr(Σ + T − 2 (Σ T)^½): the squared Wasserstein-2 distance of the Gaussians with these moments.
///
/// In the square of the data's unit; 0 for equal moments. Samples of one distribution do not reach 0: it is read
/// beside the same figure for real against real, of as many rows. `None` for rows of different sizes.
pub fn frechet(a: &Moments, b: &Moments) -> Option<f64> {
    let d = a.mean.len();
    if b.mean.len() != d {
        return None;
    }
    // With Σ = V L Vᵀ, the eigenvalues of ΣT are those of the symmetric L^½ Vᵀ T V L^½.
    let Eigen { values, vectors } = a.eigen();
    let scaled: Vec<f64> = values
        .iter()
        .zip(vectors.chunks_exact(d))
        .flat_map(|(value, vector)| {
            let root = value.max(0.0).sqrt();
            vector.iter().map(move |x| root * x)
        })
        .collect();
    let inner = symmetric_product(&scaled, &b.covariance, d);
    let roots: f64 = eigen(inner, d).values.iter().map(|value| value.max(0.0).sqrt()).sum();
    let apart: f64 = a.mean.iter().zip(&b.mean).map(|(x, y)| (x - y).powi(2)).sum();
    // Equal moments can come out at less than 0 by rounding.
    Some((apart + a.variance() + b.variance() - 2.0 * roots).max(0.0))
}

/// The distance of (n, size) and (m, size) rows: see [`frechet`].
///
/// `None` for fewer than two rows a sample, or rows that are not whole or not finite.
pub fn frechet_distance(xs: &[f32], ys: &[f32], size: usize) -> Option<f64> {
    frechet(&Moments::of(xs, size)?, &Moments::of(ys, size)?)
}

/// A M Aᵀ of (d, d) matrices, M symmetric.
fn symmetric_product(a: &[f64], m: &[f64], d: usize) -> Vec<f64> {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let rows_with = |left: &[f64], right: &[f64]| -> Vec<f64> {
        left.chunks_exact(d).flat_map(|x| right.chunks_exact(d).map(move |y| dot(x, y))).collect()
    };
    rows_with(&rows_with(a, m), a)
}
