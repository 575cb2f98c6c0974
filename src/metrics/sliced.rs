//! The sliced Wasserstein distance of points in the plane
//! (Bonneel et al. 2015, <https://doi.org/10.1007/s10851-014-0506-3>).

use super::pairwise::whole;
use crate::nn::kernels::distances::sort;

/// Directions, evenly spaced over half a turn.
const DIRECTIONS: usize = 64;

/// Points seen from every direction: what of a sample is compared, so that one that stays is sorted once.
#[derive(Debug, Clone)]
pub struct Projections {
    /// The coordinates along each direction in ascending order, (directions, n).
    lines: Vec<f64>,
    n: usize,
}

impl Projections {
    /// Those of (n, 2) rows; `None` if there are none, or they are not whole or not finite.
    pub fn of(rows: &[f32]) -> Option<Self> {
        if !whole(rows, 2) {
            return None;
        }
        let n = rows.len() / 2;
        let mut lines = Vec::with_capacity(DIRECTIONS * n);
        for direction in 0..DIRECTIONS {
            let angle = std::f64::consts::PI * direction as f64 / DIRECTIONS as f64;
            let (sin, cos) = (libm::sin(angle), libm::cos(angle));
            let along = |p: &[f32]| cos * f64::from(p[0]) + sin * f64::from(p[1]);
            lines.extend(rows.chunks_exact(2).map(along));
            sort(lines.get_mut(direction * n..).unwrap_or_default());
        }
        Some(Self { lines, n })
    }

    /// The sliced Wasserstein-2 distance of the two samples: see [`sliced_wasserstein2`].
    pub fn distance(&self, other: &Self) -> f64 {
        let pairs = self.lines.chunks_exact(self.n).zip(other.lines.chunks_exact(other.n));
        let total: f64 = pairs.map(|(xs, ys)| squared_on_a_line(xs, ys)).sum();
        (total / DIRECTIONS as f64).sqrt()
    }
}

/// The root of the mean, over directions, of the squared Wasserstein-2 distance of the projections.
///
/// In the unit of the data; 0 for equal samples. Samples of different sizes are compared by their quantiles.
/// `None` if a sample is empty, not whole or not finite.
pub fn sliced_wasserstein2(xs: &[f32], ys: &[f32]) -> Option<f64> {
    Some(Projections::of(xs)?.distance(&Projections::of(ys)?))
}

/// ∫ (F⁻¹(u) − G⁻¹(u))² du of two sorted samples: exact, whatever their sizes.
fn squared_on_a_line(xs: &[f64], ys: &[f64]) -> f64 {
    let (n, m) = (xs.len(), ys.len());
    let (mut i, mut j, mut at, mut sum) = (0, 0, 0.0, 0.0);
    while let (Some(x), Some(y)) = (xs.get(i), ys.get(j)) {
        // The next step of either staircase; compared in whole numbers, so that both steps of a tie are taken.
        let (to_x, to_y) = ((i + 1) * m, (j + 1) * n);
        let to = to_x.min(to_y) as f64 / (n * m) as f64;
        sum += (to - at) * (x - y).powi(2);
        at = to;
        i += usize::from(to_x <= to_y);
        j += usize::from(to_y <= to_x);
    }
    sum
}
