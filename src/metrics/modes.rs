//! Modes covered and high-quality share, as VEEGAN and PacGAN define them
//! (Srivastava et al. 2017, <https://arxiv.org/abs/1705.07761>; Lin et al. 2018, <https://arxiv.org/abs/1712.04086>).

use super::pairwise::whole;
use crate::data::Modes;

/// How samples fall on the modes of a mixture of equal round Gaussians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModeCoverage {
    /// Modes that at least one high-quality sample belongs to.
    pub covered: usize,
    /// All modes.
    pub modes: usize,
    /// Share of samples within 3σ of their nearest mode. True samples reach 1 − e^−4.5 = 98.89 %, not 100 %.
    pub high_quality: f64,
    /// Root mean square distance of high-quality samples to their mode, over that of true samples within 3σ:
    /// below 1 the modes are too narrow, above 1 too wide.
    pub spread: f64,
}

/// The share of true samples that lie within 3σ of their mode: 1 − e^−4.5.
pub const CEILING: f64 = 1.0 - 0.011_108_996_538_242_306;

/// E r² of a round two-dimensional Gaussian (σ = 1) cut off at r = 3: 2 − 9 e^−4.5 / (1 − e^−4.5).
const TRUNCATED: f64 = 2.0 - 9.0 * 0.011_108_996_538_242_306 / (1.0 - 0.011_108_996_538_242_306);

/// Scores (n, 2) samples; `None` without samples, for such that are not whole or not finite, and without modes that
/// have a place and a width.
pub fn mode_coverage(samples: &[f32], modes: &Modes) -> Option<ModeCoverage> {
    let n = samples.len() / 2;
    let placed = !modes.centres.is_empty() && modes.centres.as_flattened().iter().all(|x| x.is_finite());
    let wide = modes.sigma.is_finite() && modes.sigma > 0.0;
    if !whole(samples, 2) || !placed || !wide {
        return None;
    }
    let mut hits = vec![false; modes.centres.len()];
    let (mut good, mut squares) = (0_usize, 0.0);
    for point in samples.chunks_exact(2) {
        let distance2 = |centre: &[f64; 2]| {
            let (dx, dy) = (f64::from(point[0]) - centre[0], f64::from(point[1]) - centre[1]);
            dx * dx + dy * dy
        };
        let nearest = modes.centres.iter().map(distance2).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((mode, d2)) = nearest.filter(|(_, d2)| *d2 <= 9.0 * modes.sigma * modes.sigma) {
            hits[mode] = true;
            good += 1;
            squares += d2;
        }
    }
    Some(ModeCoverage {
        covered: hits.iter().filter(|hit| **hit).count(),
        modes: hits.len(),
        high_quality: good as f64 / n as f64,
        spread: (squares / good.max(1) as f64 / TRUNCATED).sqrt() / modes.sigma,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn square() -> Modes {
        Modes { centres: vec![[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]], sigma: 0.1 }
    }

    #[test]
    fn true_samples_score_the_known_ceiling() {
        let (modes, mut rng) = (square(), Rng::stream(3, "test"));
        let samples: Vec<f32> = (0..40_000)
            .flat_map(|i| modes.centres[i % 4].map(|c| (c + 0.1 * rng.normal_f64()) as f32))
            .collect();
        let score = mode_coverage(&samples, &modes).unwrap();
        assert_eq!((score.covered, score.modes), (4, 4));
        assert!((score.high_quality - 0.98889).abs() < 0.002, "{score:?}");
        assert!((score.spread - 1.0).abs() < 0.01, "{score:?}");
    }

    #[test]
    fn a_collapsed_or_broken_generator_is_seen() {
        let modes = square();
        let score = mode_coverage(&[4.0, 0.0].repeat(100), &modes).unwrap();
        assert_eq!((score.covered, score.high_quality, score.spread), (1, 1.0, 0.0));
        assert_eq!(mode_coverage(&[2.0, 2.0], &modes).unwrap().high_quality, 0.0);
        assert_eq!(mode_coverage(&[], &modes), None);
        assert_eq!(mode_coverage(&[f32::NAN, 0.0], &modes), None);
    }
}
