//! An adversarial pair that runs in circles.
//!
//! Gradient steps of two players do not go to their equilibrium but around it: the Dirac-GAN, in which the data are
//! one point and both players are linear, never arrives, however small the steps (Mescheder et al. 2018,
//! <https://arxiv.org/abs/1801.04406>). Its losses swing with one period and do not die out; those of a pair that
//! learns only shake from batch to batch.

use super::Finding;
use crate::evaluation::Evidence;
use crate::params::Value;

/// Entries of the history that are looked at: several turns, and all of them recent.
const WINDOW: usize = 512;
/// Fewer entries do not show whether a swing dies out.
const SHORTEST: usize = 256;
/// How alike the curve must be to itself a period later, and how unlike half a period later; noise reaches neither.
const ALIKE: f64 = 0.5;
/// The smallest deviation of the loss that counts, in its own unit: the losses at equilibrium are ½ to 2.
const SMALLEST: f64 = 0.02;
/// A pair that is near its goal may tremble there: only samples this many times as far off as real ones run around it.
const ASTRAY: f64 = 4.0;
/// A swing whose second half has less than this share of the first one's deviation dies out by itself.
const KEPT: f64 = 0.8;

/// A swing of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swing {
    /// Its period, in entries.
    pub period: usize,
    /// The curve's standard deviation.
    pub deviation: f64,
    /// The deviation of the second half over that of the first.
    pub kept: f64,
}

fn deviation(xs: &[f64]) -> f64 {
    let n = xs.len().max(1) as f64;
    let mean = xs.iter().sum::<f64>() / n;
    libm::sqrt(xs.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n)
}

/// The swing of the end of a curve, if it swings: its autocorrelation falls below −½ and rises above ½ again, and does
/// both once more. What only wanders is alike to itself once by chance, but keeps no time.
pub fn swing(curve: &[f32]) -> Option<Swing> {
    let start = curve.len().saturating_sub(WINDOW);
    let last: Vec<f64> = curve.get(start..)?.iter().map(|x| f64::from(*x)).collect();
    let n = last.len();
    let mean = last.iter().sum::<f64>() / n.max(1) as f64;
    let deviation_of_all = deviation(&last);
    if n < SHORTEST || deviation_of_all <= 0.0 {
        return None;
    }
    let again = |lag: usize| {
        let pairs = last.iter().zip(last.iter().skip(lag));
        let sum: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
        sum / (n - lag) as f64 / (deviation_of_all * deviation_of_all)
    };
    // Beyond, there are too few pairs.
    let curve: Vec<f64> = (0..n / 2).map(again).collect();
    let rises = turn(&curve, 0)?;
    // It stays above while it passes its top.
    let above = curve.get(rises..)?.iter().take_while(|r| **r > ALIKE);
    let top = above.enumerate().max_by(|a, b| a.1.total_cmp(b.1))?.0;
    turn(&curve, rises + top)?;
    let (first, second) = last.split_at(n / 2);
    let kept = deviation(second) / deviation(first).max(1e-12);
    Some(Swing { period: rises + top, deviation: deviation_of_all, kept })
}

/// Where the autocorrelation has risen above [`ALIKE`] again, after it fell below −[`ALIKE`] behind this lag.
fn turn(curve: &[f64], from: usize) -> Option<usize> {
    let falls = from + curve.get(from..)?.iter().position(|r| *r < -ALIKE)?;
    Some(falls + curve.get(falls..)?.iter().position(|r| *r > ALIKE)?)
}

/// Looks for losses that swing on and on.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    if !evidence.can("discriminator") {
        return None;
    }
    let distance = evidence.value("slicedWasserstein").zip(evidence.floor("slicedWasserstein"));
    if distance.is_some_and(|(distance, floor)| distance < ASTRAY * floor) {
        return None;
    }
    let losses = evidence.losses("generator");
    let curve: Vec<f32> = losses.iter().map(|(_, loss)| *loss).collect();
    let swing = swing(&curve).filter(|swing| swing.deviation >= SMALLEST && swing.kept >= KEPT)?;
    // An entry of the history may be the mean of several steps.
    let stride = match losses.as_slice() {
        [.., (before, _), (last, _)] => f64::from(last - before),
        _ => 1.0,
    };
    // The penalty on the slope at the data damps the turning: the Dirac-GAN with it arrives.
    Some(Finding {
        id: "oscillation",
        values: vec![("period", swing.period as f64 * stride), ("deviation", swing.deviation)],
        remedy: vec![("r1", Value::Number(1.0))],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_swing_is_told_from_noise_a_trend_and_one_that_dies_out() {
        let mut rng = Rng::stream(1, "test");
        let mut curve = |f: &dyn Fn(f32) -> f32| {
            (0..512).map(|i| f(i as f32) + 0.1 * rng.normals(1)[0]).collect::<Vec<_>>()
        };
        let found = swing(&curve(&|i| (i * std::f32::consts::TAU / 60.0).sin())).unwrap();
        assert!((58..=62).contains(&found.period), "{found:?}");
        assert!((found.kept - 1.0).abs() < 0.1 && (found.deviation - 0.71).abs() < 0.05, "{found:?}");
        let dying =
            swing(&curve(&|i| (-i / 250.0).exp() * (i * std::f32::consts::TAU / 60.0).sin())).unwrap();
        assert!(dying.kept < 0.5, "{dying:?}");
        // Two turns and a half are no period yet, and noise that remembers for a while has none.
        assert_eq!(swing(&curve(&|i| (i * std::f32::consts::TAU / 200.0).sin())), None);
        // One look at one period takes every fifth and every fifteenth of these for a swing.
        for (damping, spring) in [(0.04, 0.002), (0.08, 0.01)] {
            let found = (0..200).filter(|seed| {
                let (mut rng, mut x, mut v) = (Rng::stream(*seed, "wander"), 0.0, 0.0);
                let wander: Vec<f32> = (0..1024)
                    .map(|_| {
                        v += 0.1 * rng.normals(1)[0] - damping * v - spring * x;
                        x += v;
                        x
                    })
                    .collect();
                swing(&wander).is_some()
            });
            assert!(found.count() <= 4, "{damping} {spring}");
        }
        assert_eq!(swing(&curve(&|_| 0.0)), None);
        assert_eq!(swing(&curve(&|i| i / 100.0)), None);
        assert_eq!(swing(&[1.0; 512]), None);
        assert_eq!(swing(&[]), None);
    }
}
