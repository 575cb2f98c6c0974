//! The likelihood of points under a kernel density estimate on samples, for models that have none of their own
//! (Breuleux et al. 2011, <https://doi.org/10.1162/NECO_a_00142>).

use super::pairwise::whole;
use crate::nn::kernels::kernel_sums::Centres;

/// Samples whose leave-one-out likelihood chooses the bandwidth.
const CHOOSING: usize = 500;
/// Most iterations of expectation–maximisation.
const MOST_ITERATIONS: usize = 20;
/// p(x) = (1/m) Σ N(x; xⱼ, h² I) on samples xⱼ.
#[derive(Debug, Clone)]
pub struct Kernels {
    centres: Centres,
    bandwidth: f64,
    size: usize,
}

impl Kernels {
    /// Kernels on (m, size) samples, of the width that makes 500 of them likeliest under the kernels on the others,
    /// made narrower for all m as Scott's rule does.
    ///
    /// They are never narrower than `least`: samples may all be one.
    /// `None` for fewer than two samples, such that are not whole or not finite, or no width at all.
    pub fn fit(samples: &[f32], size: usize, least: f64) -> Option<Self> {
        if !whole(samples, size) || samples.len() < 2 * size || least.is_nan() || least <= 0.0 {
            return None;
        }
        let (m, d) = (samples.len() / size, size as f64);
        let few = samples.get(..CHOOSING * size).unwrap_or(samples);
        let centres = Centres::new(few, size);
        let n = centres.len() as f64;
        let mut h = (deviation(few, size) * libm::pow(n, -1.0 / (d + 4.0))).max(least);
        for _ in 0..MOST_ITERATIONS {
            // h² ← (1/d) E r², r being the distance to a kernel drawn by its share: never worse.
            let squares: f64 = centres.at(few, h, true).iter().map(|at| at.mean_square).sum();
            let next = libm::sqrt(squares / (n * d)).max(least);
            let settled = (next / h - 1.0).abs() < 0.01;
            h = next;
            if settled {
                break;
            }
        }
        let bandwidth = (h * libm::pow(n / m as f64, 1.0 / (d + 4.0))).max(least);
        Some(Self { centres: Centres::new(samples, size), bandwidth, size })
    }

    /// h
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// The mean −log p of (n, size) rows, in nats.
    ///
    /// `None` without rows, or for such that are not whole or not finite.
    pub fn loss(&self, rows: &[f32]) -> Option<f64> {
        if !whole(rows, self.size) {
            return None;
        }
        let all = self.centres.at(rows, self.bandwidth, false);
        let mean = all.iter().map(|at| at.log_sum).sum::<f64>() / all.len() as f64;
        let volume = 0.5 * self.size as f64 * libm::log(std::f64::consts::TAU * self.bandwidth.powi(2));
        Some(volume + libm::log(self.centres.len() as f64) - mean)
    }
}

/// The root of the mean variance of the coordinates of (n, size) rows, n above 0.
pub fn deviation(rows: &[f32], size: usize) -> f64 {
    let n = (rows.len() / size) as f64;
    let variance = |axis: usize| {
        let column = || rows.iter().skip(axis).step_by(size).map(|x| f64::from(*x));
        let mean = column().sum::<f64>() / n;
        column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n
    };
    libm::sqrt((0..size).map(variance).sum::<f64>() / size as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn kernels_on_a_gaussian_come_near_its_entropy_and_never_below() {
        let draw = |n: usize, label: &str| Rng::stream(4, label).normals(2 * n);
        let entropy = 1.0 + (std::f64::consts::TAU).ln();
        let held_out = draw(20_000, "held out");
        let gaps: Vec<f64> = [300, 2500]
            .map(|m| {
                let kernels = Kernels::fit(&draw(m, "samples"), 2, 1e-3).unwrap();
                kernels.loss(&held_out).unwrap() - entropy
            })
            .to_vec();
        // Silverman 1986: the loss of the best estimate falls as m^(−4/6).
        assert!(gaps[1] > 0.0 && gaps[1] < 0.03 && gaps[0] > 1.5 * gaps[1] && gaps[0] < 0.12, "{gaps:?}");
        // The best width for a Gaussian in the plane is m^(−1/6).
        let h = Kernels::fit(&draw(2500, "samples"), 2, 1e-3).unwrap().bandwidth();
        assert!((h / 2500.0_f64.powf(-1.0 / 6.0) - 1.0).abs() < 0.2, "{h}");
    }

    #[test]
    fn samples_that_are_all_one_are_far_off_but_finite() {
        let kernels = Kernels::fit(&[1.0, 2.0].repeat(50), 2, 1e-3).unwrap();
        assert_eq!(kernels.bandwidth(), 1e-3);
        assert!(kernels.loss(&[0.0, 0.0]).is_some_and(|loss| loss > 100.0));
        for bad in [&[][..], &[1.0, 2.0], &[1.0, 2.0, 3.0], &[1.0, 2.0, f32::NAN, 0.0]] {
            assert!(Kernels::fit(bad, 2, 1e-3).is_none());
        }
        assert!(Kernels::fit(&[1.0, 2.0, 3.0, 4.0], 2, 0.0).is_none());
        assert_eq!(Kernels::fit(&[1.0, 2.0, 3.0, 4.0], 2, 1e-3).unwrap().loss(&[f32::INFINITY, 0.0]), None);
    }
}
