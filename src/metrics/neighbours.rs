//! Precision, recall, density and coverage by nearest neighbours
//! (Kynkäänniemi et al. 2019, <https://arxiv.org/abs/1904.06991>; Naeem et al. 2020, <https://arxiv.org/abs/2002.09797>).

use super::pairwise::{comparable, squared};

/// How two samples lie among each other. Only density and coverage have a known value for samples of one
/// distribution: 1 and [`expected_coverage`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbours {
    /// Share of generated rows that lie in the ball of some real row.
    pub precision: f64,
    /// Share of real rows that lie in the ball of some generated row.
    pub recall: f64,
    /// Balls of real rows that a generated row lies in, on average, over k.
    pub density: f64,
    /// Share of real rows whose ball holds a generated row.
    pub coverage: f64,
}

/// Scores generated (n, size) rows against real ones; a row's ball reaches to its `k`-th neighbour of its own kind.
///
/// `None` if a sample has not more than `k` rows, or is not whole or not finite. A row that occurs twice has a ball
/// without content and covers nothing.
pub fn neighbours(real: &[f32], generated: &[f32], size: usize, k: usize) -> Option<Neighbours> {
    if !comparable(real, generated, size) || k == 0 {
        return None;
    }
    let (n, m) = (real.len() / size, generated.len() / size);
    if n <= k || m <= k {
        return None;
    }
    let (real_balls, generated_balls) = (balls(real, size, k), balls(generated, size, k));
    let mut hits = vec![0_usize; m];
    let (mut recalled, mut covered) = (0, 0);
    for (x, ball) in real.chunks_exact(size).zip(&real_balls) {
        let (mut inside, mut is_recalled) = (false, false);
        for ((y, other), hits) in generated.chunks_exact(size).zip(&generated_balls).zip(&mut hits) {
            let d2 = squared(x, y);
            if d2 < *ball {
                *hits += 1;
                inside = true;
            }
            is_recalled |= d2 < *other;
        }
        covered += usize::from(inside);
        recalled += usize::from(is_recalled);
    }
    Some(Neighbours {
        precision: hits.iter().filter(|hits| **hits > 0).count() as f64 / m as f64,
        recall: recalled as f64 / n as f64,
        density: hits.iter().sum::<usize>() as f64 / (k * m) as f64,
        coverage: covered as f64 / n as f64,
    })
}

/// The squared distance of each row to its `k`-th nearest other row.
fn balls(rows: &[f32], size: usize, k: usize) -> Vec<f64> {
    let mut distances = Vec::new();
    rows.chunks_exact(size)
        .map(|x| {
            distances.clear();
            distances.extend(rows.chunks_exact(size).map(|y| squared(x, y)));
            // The row itself is the nearest, at 0.
            *distances.select_nth_unstable_by(k, f64::total_cmp).1
        })
        .collect()
}

/// The coverage that `m` rows of the real distribution itself reach on average on `n` real rows:
/// 1 − Π_{j<k} (n − 1 − j)/(n + m − 1 − j).
pub fn expected_coverage(n: usize, m: usize, k: usize) -> f64 {
    let missed = |j: usize| n.saturating_sub(1 + j) as f64 / (n + m).saturating_sub(1 + j).max(1) as f64;
    1.0 - (0..k).map(missed).product::<f64>()
}
