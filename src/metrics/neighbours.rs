//! Precision, recall, density and coverage by nearest neighbours
//! (Kynkäänniemi et al. 2019, <https://arxiv.org/abs/1904.06991>; Naeem et al. 2020, <https://arxiv.org/abs/2002.09797>).

use super::pairwise::{lines, whole};
use crate::nn::kernels::distances::{meet, order_statistic};
use crate::nn::kernels::kernel_sums::Centres;

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

/// The rows of a sample, each with the ball that reaches to its `k`-th neighbour among them.
#[derive(Debug, Clone)]
pub struct Balls {
    rows: Vec<f32>,
    centres: Centres,
    /// Squared radii.
    squares: Vec<f32>,
    size: usize,
    k: usize,
}

impl Balls {
    /// The balls of (n, size) rows.
    ///
    /// `None` if there are not more than `k` rows, or they are not whole or not finite, or `k` is 0.
    pub fn new(rows: &[f32], size: usize, k: usize) -> Option<Self> {
        if k == 0 || !whole(rows, size) || rows.len() / size <= k {
            return None;
        }
        let centres = Centres::new(rows, size);
        let mut squares = Vec::with_capacity(centres.len());
        // The row itself is the nearest, at 0.
        lines(rows, &centres, size, &mut |_, line| squares.extend(order_statistic(line, k)));
        Some(Self { rows: rows.to_vec(), centres, squares, size, k })
    }
}

/// Scores generated rows against real ones.
///
/// A place at a ball's edge is inside, so that a row that occurs more than `k` times, whose ball is a point, still
/// holds its copies. `None` if the rows differ in size.
pub fn among(real: &Balls, generated: &Balls) -> Option<Neighbours> {
    if real.size != generated.size {
        return None;
    }
    let (n, m) = (real.squares.len(), generated.squares.len());
    let mut hits = vec![0_u32; m];
    let (mut recalled, mut covered) = (0, 0);
    lines(&real.rows, &generated.centres, real.size, &mut |i, line| {
        let ball = real.squares.get(i).copied().unwrap_or(0.0);
        let (holds, held) = meet(line, ball, &generated.squares, &mut hits);
        covered += usize::from(holds);
        recalled += usize::from(held);
    });
    Some(Neighbours {
        precision: hits.iter().filter(|hits| **hits > 0).count() as f64 / m as f64,
        recall: recalled as f64 / n as f64,
        density: hits.iter().map(|hits| f64::from(*hits)).sum::<f64>() / (real.k * m) as f64,
        coverage: covered as f64 / n as f64,
    })
}

/// [`among`] of (n, size) and (m, size) rows with balls to the `k`-th neighbour.
///
/// `None` if a sample has not more than `k` rows, or is not whole or not finite.
pub fn neighbours(real: &[f32], generated: &[f32], size: usize, k: usize) -> Option<Neighbours> {
    among(&Balls::new(real, size, k)?, &Balls::new(generated, size, k)?)
}

/// The coverage that `m` rows of the real distribution itself reach on average on `n` real rows:
/// 1 − Π_{j<k} (n − 1 − j)/(n + m − 1 − j).
pub fn expected_coverage(n: usize, m: usize, k: usize) -> f64 {
    let missed = |j: usize| n.saturating_sub(1 + j) as f64 / (n + m).saturating_sub(1 + j).max(1) as f64;
    1.0 - (0..k).map(missed).product::<f64>()
}
