//! The square on which latents are shown: two latent dimensions, stretched so that the prior is uniform on it.
//!
//! A normal latent is z = Φ⁻¹(0.005 + 0.99 u), a uniform one z = 2u − 1; all other dimensions are 0.

use candle_core::Tensor;

use crate::data::Data;
use crate::error::Result;
use crate::models::{Latent, Prior, first_rows, matrix, unit_kl};
use crate::order::falling;

/// The share of a normal prior that lies beyond the square's edge, on each side.
const EDGE: f64 = 0.005;

/// The two latent dimensions that carry most, in nats of KL; the first two where nothing is encoded.
///
/// Another pair must carry half as much again as `shown` before it is shown instead, so that the picture does not
/// flicker.
///
/// # Errors
/// If the tensor library fails.
pub fn most_active(latent: Option<&dyn Latent>, data: &Data, shown: [usize; 2]) -> Result<[usize; 2]> {
    let Some(latent) = latent.filter(|latent| latent.dim() > 2) else {
        return Ok([0, 1]);
    };
    let Some((mean, deviation)) = latent.encode(&first_rows(&data.train, &data.shape, 256)?)? else {
        return Ok([0, 1]);
    };
    let kl = unit_kl(&mean, &deviation)?;
    let carries = |axis: usize| kl.get(axis).copied().filter(|x| x.is_finite()).unwrap_or(0.0);
    let order = falling(&(0..kl.len()).map(|axis| carries(axis).into()).collect::<Vec<_>>());
    let best = [order.first().copied().unwrap_or(0), order.get(1).copied().unwrap_or(1)];
    let total = |axes: [usize; 2]| carries(axes[0]) + carries(axes[1]);
    Ok(if total(best) > 1.5 * total(shown) { best } else { shown })
}

/// Two axes of a latent space, as the unit square.
#[derive(Debug, Clone, Copy)]
pub struct LatentPlane {
    dim: usize,
    prior: Prior,
    axes: [usize; 2],
}

impl LatentPlane {
    /// The plane of these two dimensions of a model's latent space.
    pub fn of(latent: &dyn Latent, axes: [usize; 2]) -> Self {
        Self { dim: latent.dim(), prior: latent.prior(), axes }
    }

    /// Places (u, v) to latents, (n, q).
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn latents(&self, places: &[(f64, f64)]) -> Result<Tensor> {
        let mut z = vec![0.0_f32; places.len() * self.dim];
        for (row, (u, v)) in z.chunks_exact_mut(self.dim).zip(places) {
            for (axis, place) in self.axes.iter().zip([u, v]) {
                // A space of one dimension has no second axis.
                if let Some(slot) = row.get_mut(*axis) {
                    *slot = self.quantile(*place) as f32;
                }
            }
        }
        matrix(z, places.len(), self.dim)
    }

    /// Latents (n, q) to places; they may lie a little outside the unit square.
    ///
    /// # Errors
    /// If the latents do not have this space's size.
    pub fn places(&self, z: &Tensor) -> Result<Vec<(f64, f64)>> {
        let rows = z.to_vec2::<f32>()?;
        let along = |row: &[f32], axis: usize| row.get(axis).map_or(0.5, |z| self.place(f64::from(*z)));
        Ok(rows.iter().map(|row| (along(row, self.axes[0]), along(row, self.axes[1]))).collect())
    }

    fn quantile(&self, u: f64) -> f64 {
        match self.prior {
            Prior::Uniform => 2.0 * u - 1.0,
            Prior::Normal => normal_quantile(EDGE + (1.0 - 2.0 * EDGE) * u),
        }
    }

    fn place(&self, z: f64) -> f64 {
        match self.prior {
            Prior::Uniform => (z + 1.0) / 2.0,
            Prior::Normal => (normal_cdf(z) - EDGE) / (1.0 - 2.0 * EDGE),
        }
    }
}

/// Φ(z).
fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹(p) for p inside the square's range.
///
/// Newton's method from 0: Φ is concave above 0 and convex below, so it approaches from one side and settles.
fn normal_quantile(p: f64) -> f64 {
    let mut z = 0.0;
    for _ in 0..40 {
        let density = libm::exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt();
        let next = z - (normal_cdf(z) - p) / density;
        if next == z {
            break;
        }
        z = next;
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_published_values_and_invert_the_cdf() {
        // Abramowitz & Stegun, table 26.1.
        assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-9);
        assert!((normal_quantile(0.995) - 2.575829303548901).abs() < 1e-9);
        for i in 0..=100 {
            let p = EDGE + (1.0 - 2.0 * EDGE) * f64::from(i) / 100.0;
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-12);
        }
    }

    #[test]
    fn places_and_latents_are_inverses() {
        let plane = LatentPlane { dim: 5, prior: Prior::Normal, axes: [3, 1] };
        let places = [(0.0, 1.0), (0.5, 0.25), (0.9, 0.1)];
        let z = plane.latents(&places).unwrap();
        for ((u, v), (u2, v2)) in places.iter().zip(plane.places(&z).unwrap()) {
            assert!((u - u2).abs() < 1e-6 && (v - v2).abs() < 1e-6);
        }
        assert_eq!(z.to_vec2::<f32>().unwrap()[1][0], 0.0);
    }
}
