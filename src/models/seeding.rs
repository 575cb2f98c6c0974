//! Where mixtures begin: rows of the data as the first centres.

use crate::choices;
use crate::nn::kernels::elementwise::squared_distance;
use crate::rng::Rng;

choices! {
    /// How the rows that become the first centres are chosen.
    pub enum Seeding {
        /// At random, the farther from all centres so far the likelier: k-means++
        /// (Arthur & Vassilvitskii 2007, <https://theory.stanford.edu/~sergei/papers/kMeansPP-soda.pdf>).
        PlusPlus = "plusPlus",
        /// Rows 0, n/k, 2n/k …, rounded down.
        Rows = "rows",
    }
}

/// The first centres.
#[derive(Debug, Clone, PartialEq)]
pub struct Centres {
    /// The chosen rows, `k` of them; fewer never, because rows are used again where there are not enough.
    pub rows: Vec<usize>,
    /// The mean over all rows of the squared distance to the nearest centre.
    pub spread: f64,
}

impl Seeding {
    /// Chooses `k` of the rows of `xs`, which have `size` values each.
    pub fn choose(self, xs: &[f32], size: usize, k: usize, rng: &mut Rng) -> Centres {
        let n = xs.len() / size.max(1);
        let row = |i: usize| xs.get(i * size..(i + 1) * size).unwrap_or_default();
        let mut nearest = vec![f64::INFINITY; n];
        let mut rows = Vec::with_capacity(k);
        for i in 0..k {
            let chosen = match self {
                Self::Rows => i * n / k,
                Self::PlusPlus if i == 0 => rng.below(n as u32) as usize,
                Self::PlusPlus => weighted(&nearest, rng),
            };
            rows.push(chosen);
            for (slot, x) in nearest.iter_mut().zip(xs.chunks_exact(size.max(1))) {
                *slot = slot.min(squared_distance(x, row(chosen)));
            }
        }
        Centres { rows, spread: nearest.iter().sum::<f64>() / n.max(1) as f64 }
    }
}

/// An index drawn in proportion to the weights; uniformly where all are 0.
pub fn weighted(weights: &[f64], rng: &mut Rng) -> usize {
    let total: f64 = weights.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return rng.below(weights.len() as u32) as usize;
    }
    let mut left = total * rng.uniform_f64();
    let mut last = 0;
    for (i, weight) in weights.iter().enumerate() {
        if *weight > 0.0 {
            last = i;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_evenly_spaced_and_plus_plus_spreads_out() {
        let xs: Vec<f32> = (0..10).flat_map(|i| [100.0 * (i / 5) as f32, i as f32]).collect();
        let mut rng = Rng::stream(1, "test");
        assert_eq!(Seeding::Rows.choose(&xs, 2, 4, &mut rng).rows, [0, 2, 5, 7]);
        for _ in 0..50 {
            let two = Seeding::PlusPlus.choose(&xs, 2, 2, &mut rng);
            // The two groups are a hundred apart: the second centre is in the other one, all but surely.
            assert_ne!(two.rows[0] / 5, two.rows[1] / 5);
            assert!(two.spread < 10.0);
        }
        // More centres than rows: every row, then any again.
        let many = Seeding::PlusPlus.choose(&xs, 2, 30, &mut rng);
        assert!((0..10).all(|i| many.rows.contains(&i)) && many.spread == 0.0 && many.rows.len() == 30);
    }

    #[test]
    fn draws_follow_the_weights() {
        let mut rng = Rng::stream(2, "test");
        let mut counts = [0; 4];
        for _ in 0..8000 {
            counts[weighted(&[1.0, 0.0, 3.0, 0.0], &mut rng)] += 1;
        }
        assert_eq!((counts[1], counts[3]), (0, 0));
        assert!((1850..2150).contains(&counts[0]), "{counts:?}");
        assert!(weighted(&[0.0, 0.0], &mut rng) < 2);
    }
}
