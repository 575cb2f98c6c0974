//! A uniform draw from an interval, plus Gaussian noise.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

/// The upper tail of the standard normal law, Q(z) = P(Z > z).
fn tail(z: f64) -> f64 {
    0.5 * libm::erfc(z * FRAC_1_SQRT_2)
}

/// P(|x + σZ| < half) for standard normal Z.
pub fn box_mass(x: f64, half: f64, sigma: f64) -> f64 {
    // By symmetry x ≥ 0; then both tails are upper ones, and their difference keeps its digits far out.
    tail((x.abs() - half) / sigma) - tail((x.abs() + half) / sigma)
}

/// log P(|x + σZ| < half), also where the probability itself underflows.
pub fn log_box_mass(x: f64, half: f64, sigma: f64) -> f64 {
    let near = (x.abs() - half) / sigma;
    if near < 25.0 {
        return libm::log(box_mass(x, half, sigma));
    }
    // Mills' ratio; the next term is below 15/25⁶.
    let log_tail = |z: f64| {
        let u = 1.0 / (z * z);
        -0.5 * z * z - libm::log(z) - 0.5 * (LN_2 + libm::log(PI)) + libm::log1p(-u + 3.0 * u * u)
    };
    let (first, second) = (log_tail(near), log_tail((x.abs() + half) / sigma));
    first + libm::log1p(-libm::exp(second - first))
}

/// [`box_mass`] in a table, which is what sums over thousands of boxes need.
///
/// Cubic Hermite interpolation with a step of σ/32: the relative error grows with the distance from the box, to 10⁻⁵
/// at six standard deviations.
pub struct Table {
    step: f64,
    /// The value, and the slope times the step.
    entries: Vec<[f64; 2]>,
}

impl Table {
    /// The table for distances up to `most`.
    pub fn new(half: f64, sigma: f64, most: f64) -> Self {
        let step = sigma / 32.0;
        let gauss = |z: f64| libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * PI);
        let entry = |i: usize| {
            let x = i as f64 * step;
            let slope = (gauss((x + half) / sigma) - gauss((x - half) / sigma)) / sigma;
            [box_mass(x, half, sigma), slope * step]
        };
        Self { step, entries: (0..=(most / step) as usize + 1).map(entry).collect() }
    }

    /// P(|x + σZ| < half), and 0 beyond the table.
    pub fn at(&self, x: f64) -> f64 {
        let t = x.abs() / self.step;
        // `as` saturates; the table is far shorter than half of all there is.
        let i = (t as usize).min(usize::MAX / 2);
        let Some(&[[value, slope], [next, next_slope]]) = self.entries.get(i..i + 2) else {
            return 0.0;
        };
        let t = t - i as f64;
        let rise = next - value;
        value
            + t * (slope
                + t * (3.0 * rise - 2.0 * slope - next_slope + t * (slope + next_slope - 2.0 * rise)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_are_those_of_the_normal_law() {
        // scipy.stats.norm: cdf(1) - cdf(-1); cdf(3.5) - cdf(2.5); sf(9.5) - sf(10.5).
        assert!((box_mass(0.0, 1.0, 1.0) - 0.682_689_492_137_085_9).abs() < 1e-15);
        assert!((box_mass(-1.5, 0.25, 0.5) - 0.005_977_036_246_740_614).abs() < 1e-16);
        assert!((box_mass(10.0, 0.5, 1.0) / 1.049_408_317_473_082_4e-21 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn logarithms_go_on_where_masses_end() {
        for x in [0.0, 1.0, 5.0, 20.0] {
            assert!((log_box_mass(x, 0.5, 1.0) - box_mass(x, 0.5, 1.0).ln()).abs() < 1e-12);
        }
        // Both ways of computing agree where they meet, and the second goes on smoothly.
        let [a, b] = [25.5 - 1e-9, 25.5 + 1e-9].map(|x| log_box_mass(x, 0.5, 1.0));
        assert!((a - b).abs() < 1e-6, "{a} {b}");
        let far = log_box_mass(1e3, 0.5, 1.0);
        assert!((far + 0.5 * 999.5_f64.powi(2) + (999.5 * (2.0 * PI).sqrt()).ln()).abs() < 1e-5, "{far}");
    }

    #[test]
    fn the_table_is_the_function() {
        for (half, sigma) in [(0.08, 0.1), (0.08, 0.01), (0.02, 1.0)] {
            let table = Table::new(half, sigma, 6.0 * sigma + half);
            for i in 0..1000 {
                let x = (6.0 * sigma + half) * f64::from(i) / 1000.0;
                let (got, expected) = (table.at(-x), box_mass(x, half, sigma));
                assert!((got / expected - 1.0).abs() < 1e-5, "{half} {sigma} {x}: {got}, not {expected}");
            }
            assert_eq!(table.at(1e300), 0.0);
        }
    }
}
