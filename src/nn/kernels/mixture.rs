//! Mixtures in double precision: log-densities of Gaussians, responsibilities, weighted moments.
//!
//! Rows are `f32`, everything that is estimated from them is `f64`: expectation–maximisation must never lower
//! the likelihood, and in single precision its rounding would.

use libm::{exp, log};

/// How the precisions of a component are stored, for `d` dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The d reciprocal standard deviations.
    Diagonal,
    /// The rows of L⁻¹ up to the diagonal, where L·Lᵀ is the covariance: d·(d + 1)/2 numbers.
    Full,
}

impl Form {
    /// How many numbers a component has.
    pub fn len(self, d: usize) -> usize {
        match self {
            Self::Diagonal => d,
            Self::Full => d * (d + 1) / 2,
        }
    }
}

/// Gaussians with their weights.
#[derive(Debug, Clone)]
pub struct Gaussians {
    /// The number of dimensions.
    pub d: usize,
    /// The form of `precisions`.
    pub form: Form,
    /// (k, d)
    pub means: Vec<f64>,
    /// k times [`Form::len`].
    pub precisions: Vec<f64>,
    /// log of each one's weight and of the constant of its density, k.
    pub offsets: Vec<f64>,
}

impl Gaussians {
    /// log (w N(x)) of every row and component.
    ///
    /// # Shapes
    /// xs (n, d) → (n, k)
    #[inline(never)]
    pub fn log_joint(&self, xs: &[f32]) -> Vec<f64> {
        let d = self.d.max(1);
        let mut out = Vec::with_capacity(xs.len() / d * self.offsets.len());
        let mut difference = vec![0.0; d];
        for row in xs.chunks_exact(d) {
            let components = self.means.chunks_exact(d).zip(self.precisions.chunks_exact(self.form.len(d)));
            for ((mean, precisions), offset) in components.zip(&self.offsets) {
                for ((slot, x), m) in difference.iter_mut().zip(row).zip(mean) {
                    *slot = f64::from(*x) - m;
                }
                out.push(offset - 0.5 * squared_norm(self.form, precisions, &difference));
            }
        }
        out
    }
}

/// |L⁻¹ x|²
#[inline(always)]
fn squared_norm(form: Form, precisions: &[f64], x: &[f64]) -> f64 {
    match form {
        Form::Diagonal => x.iter().zip(precisions).map(|(x, p)| (x * p) * (x * p)).sum(),
        Form::Full => {
            let (mut rest, mut sum) = (precisions, 0.0);
            for i in 1..=x.len() {
                let (row, after) = rest.split_at(i);
                let z: f64 = row.iter().zip(x).map(|(p, x)| p * x).sum();
                sum += z * z;
                rest = after;
            }
            sum
        }
    }
}

/// log Σ exp of each stretch of `k` values; −∞ for nothing.
///
/// # Shapes
/// (n, k) → (n)
#[inline(never)]
pub fn log_sum_exp(values: &[f64], k: usize) -> Vec<f64> {
    values.chunks_exact(k.max(1)).map(peak_and_sum).map(|(peak, sum)| peak + log(sum)).collect()
}

/// The largest value, and Σ exp(value − largest).
#[inline(always)]
fn peak_and_sum(row: &[f64]) -> (f64, f64) {
    let peak = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if peak == f64::NEG_INFINITY {
        return (peak, 1.0);
    }
    (peak, row.iter().map(|x| exp(x - peak)).sum())
}

/// Replaces each stretch of `k` values by its softmax; the sum of their log Σ exp.
///
/// # Shapes
/// (n, k)
#[inline(never)]
pub fn responsibilities(values: &mut [f64], k: usize) -> f64 {
    let mut total = 0.0;
    for row in values.chunks_exact_mut(k.max(1)) {
        let peak = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for x in row.iter_mut() {
            *x = exp(*x - peak);
            sum += *x;
        }
        for x in row.iter_mut() {
            *x /= sum;
        }
        total += peak + log(sum);
    }
    total
}

/// Σ r of each component.
///
/// # Shapes
/// (n, k) → (k)
#[inline(never)]
pub fn weights(responsibilities: &[f64], k: usize) -> Vec<f64> {
    let mut out = vec![0.0; k];
    for row in responsibilities.chunks_exact(k.max(1)) {
        for (sum, r) in out.iter_mut().zip(row) {
            *sum += r;
        }
    }
    out
}

/// Σ r·x of each component.
///
/// # Shapes
/// xs (n, d), responsibilities (n, k) → (k, d)
#[inline(never)]
pub fn weighted_sums(xs: &[f32], d: usize, responsibilities: &[f64], k: usize) -> Vec<f64> {
    let mut out = vec![0.0; k * d];
    for (row, rs) in xs.chunks_exact(d.max(1)).zip(responsibilities.chunks_exact(k.max(1))) {
        for (sums, r) in out.chunks_exact_mut(d.max(1)).zip(rs) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += r * f64::from(*x);
            }
        }
    }
    out
}

/// Σ r·(x − m)(x − m)ᵀ of each component: the diagonal, or the rows up to the diagonal.
///
/// # Shapes
/// xs (n, d), responsibilities (n, k), means (k, d) → k times [`Form::len`]
#[inline(never)]
pub fn weighted_scatter(
    form: Form,
    xs: &[f32],
    responsibilities: &[f64],
    means: &[f64],
    d: usize,
) -> Vec<f64> {
    let (d, k) = (d.max(1), means.len() / d.max(1));
    let mut out = vec![0.0; k * form.len(d)];
    let mut difference = vec![0.0; d];
    for (row, rs) in xs.chunks_exact(d).zip(responsibilities.chunks_exact(k.max(1))) {
        let components = out.chunks_exact_mut(form.len(d)).zip(means.chunks_exact(d));
        for ((sums, mean), &r) in components.zip(rs) {
            // Most components have no share at all in a row.
            if r == 0.0 {
                continue;
            }
            for ((slot, x), m) in difference.iter_mut().zip(row).zip(mean) {
                *slot = f64::from(*x) - m;
            }
            add_scatter(form, r, &difference, sums);
        }
    }
    out
}

#[inline(always)]
fn add_scatter(form: Form, r: f64, x: &[f64], sums: &mut [f64]) {
    match form {
        Form::Diagonal => {
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum += r * x * x;
            }
        }
        Form::Full => {
            let mut rest = sums;
            for (i, xi) in x.iter().enumerate() {
                let (row, after) = rest.split_at_mut(i + 1);
                for (sum, xj) in row.iter_mut().zip(x) {
                    *sum += r * xi * xj;
                }
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_densities_match_their_definitions() {
        // Two components in two dimensions, every number by hand.
        let xs = [1.0_f32, 2.0, -1.0, 0.5, 3.0, -2.0];
        let rs = [0.25, 0.75, 1.0, 0.0, 0.5, 0.5];
        assert_eq!(weights(&rs, 2), [1.75, 1.25]);
        assert_eq!(weighted_sums(&xs, 2, &rs, 2), [0.75, 0.0, 2.25, 0.5]);
        let means = [1.0, 0.0, 2.0, 1.0];
        let full = weighted_scatter(Form::Full, &xs, &rs, &means, 2);
        // 0.25·(0, 2) + 1·(−2, 0.5) + 0.5·(2, −2) and 0.75·(−1, 1) + 0.5·(1, −3)
        assert_eq!(full, [6.0, -3.0, 3.25, 1.25, -2.25, 5.25]);
        let diagonal = weighted_scatter(Form::Diagonal, &xs, &rs, &means, 2);
        assert_eq!(diagonal, [6.0, 3.25, 1.25, 5.25]);
        // L⁻¹ = [[0.5, 0], [0.25, 2]]: x − m = (0, 2) gives (0, 4), (−2, 0.5) gives (−1, 0.5), …
        let form = Form::Full;
        let gaussians = Gaussians {
            d: 2,
            form,
            means: vec![1.0, 0.0],
            precisions: vec![0.5, 0.25, 2.0],
            offsets: vec![-1.0],
        };
        assert_eq!(gaussians.log_joint(&xs), [-9.0, -1.625, -1.0 - 0.5 * (1.0 + 12.25)]);
    }

    #[test]
    fn responsibilities_sum_to_one_at_any_height() {
        let mut values = [1e4, 1e4 + 2.0_f64.ln(), -1e4, -1e4, f64::NEG_INFINITY, 0.5];
        let logs = log_sum_exp(&values, 2);
        let total = responsibilities(&mut values, 2);
        assert!((logs[0] - (1e4 + 3.0_f64.ln())).abs() < 1e-9 && (logs[2] - 0.5).abs() < 1e-15, "{logs:?}");
        assert!((total - logs.iter().sum::<f64>()).abs() < 1e-9);
        let expected = [1.0 / 3.0, 2.0 / 3.0, 0.5, 0.5, 0.0, 1.0];
        assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{values:?}");
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 2], 2), [f64::NEG_INFINITY]);
    }
}
