//! Exact log-densities: mixtures of equal kernels, which are also what curves with Gaussian noise are.
//!
//! The law of a point that is uniform along a curve, plus Gaussian noise, is the integral of a Gaussian along the
//! curve. The integrand is as smooth as the Gaussian, so that a quadrature rule whose panels are no longer than the
//! standard deviation ([`nodes`]) is exact for all purposes: the rule *is* a mixture.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use super::LogDensity;
use super::boxes::{Table, log_box_mass};
use crate::order::ascending;

/// Kernels farther away than this many standard deviations are left out of sums …
const FAR: f64 = 10.0;
/// … in which the nearest kernel is at most this far: what is left out is below e⁻³² of the sum, each.
const NEAR: f64 = 6.0;

/// A mixture of kernels of one shape: N(0, σ² I), or that convolved with a square of side `smear`.
///
/// Sums take only the kernels that matter: these are sorted by the cell of a square lattice that they lie in.
pub struct Mixture {
    centres: Vec<[f64; 2]>,
    weights: Vec<f64>,
    /// (row, column) of each centre, ascending.
    cells: Vec<(i64, i64)>,
    sigma: f64,
    smear: f64,
    boxes: Option<Table>,
    entropy: OnceLock<f64>,
}

impl Mixture {
    /// Gaussians with these centres and weights (any positive weights; they are normalised).
    pub fn new(kernels: impl IntoIterator<Item = ([f64; 2], f64)>, sigma: f64) -> Self {
        Self::smeared(kernels, sigma, 0.0)
    }

    /// Gaussians with equal weights.
    pub fn equal(centres: impl IntoIterator<Item = [f64; 2]>, sigma: f64) -> Self {
        Self::new(centres.into_iter().map(|centre| (centre, 1.0)), sigma)
    }

    /// Kernels that are a Gaussian plus a uniform draw from a square of side `smear` around the centre.
    pub fn smeared(kernels: impl IntoIterator<Item = ([f64; 2], f64)>, sigma: f64, smear: f64) -> Self {
        Self::of(kernels.into_iter().collect(), sigma, smear)
    }

    /// Not generic: it is compiled once.
    fn of(kernels: Vec<([f64; 2], f64)>, sigma: f64, smear: f64) -> Self {
        let mut mixture = Self {
            centres: Vec::new(),
            weights: Vec::new(),
            cells: Vec::new(),
            sigma,
            smear,
            boxes: (smear > 0.0).then(|| Table::new(0.5 * smear, sigma, FAR * sigma + 0.5 * smear)),
            entropy: OnceLock::new(),
        };
        // By cell: by column first, and then by row in an order that leaves equal ones as they are.
        let mut kernels = kernels;
        for part in [|(_, column): (i64, i64)| column, |(row, _): (i64, i64)| row] {
            let keys: Vec<i64> = kernels.iter().map(|(centre, _)| part(mixture.cell(*centre))).collect();
            kernels = ascending(&keys).into_iter().filter_map(|i| kernels.get(i).copied()).collect();
        }
        let total: f64 = kernels.iter().map(|(_, weight)| weight).sum();
        for (centre, weight) in kernels {
            mixture.cells.push(mixture.cell(centre));
            mixture.centres.push(centre);
            mixture.weights.push(weight / total);
        }
        mixture
    }

    /// The side of a lattice cell: everything that matters to a point lies in its cell or in the eight around it.
    fn side(&self) -> f64 {
        FAR * self.sigma + 0.5 * self.smear
    }

    fn cell(&self, [x, y]: [f64; 2]) -> (i64, i64) {
        // `as` saturates, so that the remotest point has a cell too.
        ((y / self.side()).floor() as i64, (x / self.side()).floor() as i64)
    }

    /// How far `d` lies outside the kernel's square, in standard deviations, squared.
    fn outside2(&self, d: [f64; 2]) -> f64 {
        let [x, y] = d.map(|d| (d.abs() - 0.5 * self.smear).max(0.0) / self.sigma);
        x * x + y * y
    }

    /// The kernel at distance `d`, without the factor that all share.
    fn kernel(&self, d: [f64; 2]) -> f64 {
        match &self.boxes {
            None => libm::exp(-0.5 * self.outside2(d)),
            Some(boxes) => boxes.at(d[0]) * boxes.at(d[1]),
        }
    }

    fn log_kernel(&self, d: [f64; 2]) -> f64 {
        match &self.boxes {
            None => -0.5 * self.outside2(d),
            Some(_) => d.map(|d| log_box_mass(d, 0.5 * self.smear, self.sigma)).iter().sum(),
        }
    }

    /// log of the factor that all kernels share.
    fn log_scale(&self) -> f64 {
        match &self.boxes {
            None => -libm::log(TAU * self.sigma * self.sigma),
            Some(_) => -2.0 * libm::log(self.smear),
        }
    }

    /// log p where a kernel is near.
    fn near(&self, [x, y]: [f64; 2]) -> Option<f64> {
        let (row, column) = self.cell([x, y]);
        let (mut nearest, mut sum) = (f64::INFINITY, 0.0);
        for row in row.saturating_sub(1)..=row.saturating_add(1) {
            let start = self.cells.partition_point(|cell| *cell < (row, column.saturating_sub(1)));
            let end = self.cells.partition_point(|cell| *cell <= (row, column.saturating_add(1)));
            let range = start..end.max(start);
            let centres = self.centres.get(range.clone()).unwrap_or_default();
            for ([cx, cy], weight) in centres.iter().zip(self.weights.get(range).unwrap_or_default()) {
                let d = [x - cx, y - cy];
                let outside2 = self.outside2(d);
                if outside2 < FAR * FAR {
                    nearest = nearest.min(outside2);
                    sum += weight * self.kernel(d);
                }
            }
        }
        (nearest <= NEAR * NEAR).then(|| libm::log(sum) + self.log_scale())
    }

    /// log p anywhere: the sum over the kernels that are not much farther away than the nearest.
    fn far(&self, [x, y]: [f64; 2]) -> f64 {
        let all = || {
            let kernels = self.centres.iter().zip(&self.weights);
            kernels.map(|([cx, cy], w)| ([x - cx, y - cy], w)).map(|(d, w)| (d, w, self.outside2(d)))
        };
        let nearest = all().map(|(_, _, outside2)| outside2).fold(f64::INFINITY, f64::min);
        // What is left out is below e⁻³² of the nearest, each.
        let most = nearest + FAR * FAR - NEAR * NEAR;
        let terms = all().filter(|(_, _, outside2)| *outside2 <= most);
        log_sum_exp(terms.map(|(d, w, _)| libm::log(*w) + self.log_kernel(d))) + self.log_scale()
    }

    /// −∫ p log p by the midpoint rule with cells of σ/3, over the places that have a kernel near.
    ///
    /// The rule converges faster than any power for functions as smooth as these; what is left out has a
    /// probability of e⁻¹⁸.
    fn quadrature(&self) -> f64 {
        let mut cells: Vec<_> = self.cells.clone();
        cells.dedup();
        let mut around: Vec<_> = cells
            .iter()
            .flat_map(|(row, column)| {
                (-1..=1).flat_map(move |i| (-1..=1).map(move |j| (row + i, column + j)))
            })
            .collect();
        around.sort_unstable();
        around.dedup();
        let side = self.side();
        let n = libm::ceil(3.0 * side / self.sigma) as usize;
        let step = side / n as f64;
        let at = |cell: i64, i: usize| cell as f64 * side + (i as f64 + 0.5) * step;
        let mut sum = 0.0;
        for (row, column) in around {
            for i in 0..n * n {
                if let Some(log_p) = self.near([at(column, i % n), at(row, i / n)]) {
                    sum -= libm::exp(log_p) * log_p;
                }
            }
        }
        sum * step * step
    }
}

impl LogDensity for Mixture {
    fn log_prob(&self, x: &[f64]) -> f64 {
        let Some(point) = finite_pair(x) else {
            return f64::NEG_INFINITY;
        };
        self.near(point).unwrap_or_else(|| self.far(point))
    }

    fn entropy(&self) -> Option<f64> {
        Some(*self.entropy.get_or_init(|| self.quadrature()))
    }
}

/// The two coordinates, if they are two and finite.
pub(super) fn finite_pair(x: &[f64]) -> Option<[f64; 2]> {
    <[f64; 2]>::try_from(x).ok().filter(|pair| pair.iter().all(|x| x.is_finite()))
}

/// log Σ exp(t), without overflow or underflow.
pub(super) fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + libm::log(terms.map(|term| libm::exp(term - most)).sum())
}

/// log of the density of N(0, σ²) at `x`.
pub(super) fn log_normal(x: f64, sigma: f64) -> f64 {
    let z = x / sigma;
    -0.5 * z * z - libm::log(sigma) - 0.5 * libm::log(TAU)
}

/// Places and weights of the four-point Gauss–Legendre rule on [0, 1] with panels no longer than 1/`panels`.
///
/// For a Gaussian along a curve whose panels are at most σ long, the relative error is below 10⁻⁷ beside the curve;
/// beyond an open end it grows to 4 · 10⁻⁴ at six standard deviations and 10⁻² at ten.
pub(super) fn nodes(panels: f64) -> impl Iterator<Item = (f64, f64)> {
    let n = libm::ceil(panels.max(8.0)) as usize;
    let root = |sign: f64| libm::sqrt(3.0 / 7.0 + sign * 2.0 / 7.0 * libm::sqrt(6.0 / 5.0));
    let weight = |sign: f64| 0.25 + sign * libm::sqrt(30.0) / 72.0;
    let rule = [
        (-root(1.0), weight(-1.0)),
        (-root(-1.0), weight(1.0)),
        (root(-1.0), weight(1.0)),
        (root(1.0), weight(-1.0)),
    ];
    (0..n).flat_map(move |panel| {
        rule.map(|(place, weight)| ((panel as f64 + 0.5 + 0.5 * place) / n as f64, weight / n as f64))
    })
}
