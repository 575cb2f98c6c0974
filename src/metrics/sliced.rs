//! The sliced Wasserstein distance of points in the plane
//! (Bonneel et al. 2015, <https://doi.org/10.1007/s10851-014-0506-3>).

use super::pairwise::comparable;
use crate::nn::kernels::distances::sort;

/// Directions, evenly spaced over half a turn.
const DIRECTIONS: usize = 64;

/// The root of the mean, over directions, of the squared Wasserstein-2 distance of the projections.
///
/// In the unit of the data; 0 for equal samples. Samples of different sizes are compared by their quantiles.
/// `None` if a sample is empty, not whole or not finite.
pub fn sliced_wasserstein2(xs: &[f32], ys: &[f32]) -> Option<f64> {
    if !comparable(xs, ys, 2) {
        return None;
    }
    let mut total = 0.0;
    for direction in 0..DIRECTIONS {
        let angle = std::f64::consts::PI * direction as f64 / DIRECTIONS as f64;
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        let project = |rows: &[f32]| {
            let mut line: Vec<f64> =
                rows.chunks_exact(2).map(|p| cos * f64::from(p[0]) + sin * f64::from(p[1])).collect();
            sort(&mut line);
            line
        };
        total += squared_on_a_line(&project(xs), &project(ys));
    }
    Some((total / DIRECTIONS as f64).sqrt())
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
