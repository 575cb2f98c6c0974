//! Rows of bits: drawing them, and their likelihood under independent Bernoulli variables.

use super::maps::{load_rest, sum_pairs};
use super::simd::F4;
use super::vmath::{sigmoid, softplus};
use crate::rng::Rng;

/// From this value on, a grey value counts as 1.
const WHITE: f32 = 0.5;

/// Replaces every logit x by 1 with probability σ(x), else by 0: one draw each.
#[inline(never)]
pub fn draw(logits: &mut [f32], rng: &mut Rng) {
    for four in logits.chunks_mut(4) {
        let chances = sigmoid(load_rest(four)).to_array();
        for (x, chance) in four.iter_mut().zip(chances) {
            *x = f32::from(u8::from(rng.uniform() < chance));
        }
    }
}

/// Replaces every value by 1 where it is at least ½, else by 0.
#[inline(never)]
pub fn binarize(xs: &mut [f32]) {
    for x in xs {
        *x = f32::from(u8::from(*x >= WHITE));
    }
}

/// Σ ln(1 + e^(x + scale·y)).
///
/// # Panics
/// When the two are not equally long.
#[inline(never)]
pub fn sum_softplus(xs: &[f32], scale: f32, ys: &[f32]) -> f64 {
    let scale = F4::splat(scale);
    // The padding of the last vector is left out by the sum.
    sum_pairs(xs, ys, |x, y| softplus(x + scale * y))
}

/// Rows of bits, as the places of the ones: images have few.
#[derive(Debug, Clone, Default)]
pub struct Bits {
    /// Where each row's places end in `ones`.
    ends: Vec<usize>,
    ones: Vec<u16>,
    columns: usize,
}

impl Bits {
    /// The bits of (n, columns) values; of at most 65,536 columns.
    pub fn of(xs: &[f32], columns: usize) -> Self {
        let mut bits = Self { columns, ..Self::default() };
        for row in xs.chunks_exact(columns.max(1)) {
            let places = row.iter().zip(0..=u16::MAX).filter(|(x, _)| **x >= WHITE);
            bits.ones.extend(places.map(|(_, place)| place));
            bits.ends.push(bits.ones.len());
        }
        bits
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The places of the ones, row by row.
    fn rows(&self) -> impl Iterator<Item = &[u16]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.ones.get(start..*end).unwrap_or_default())
    }

    /// offset + Σ logit over the ones, of every row and component.
    ///
    /// # Shapes
    /// offsets (k), logits (columns, k) → (n, k)
    #[inline(never)]
    pub fn log_joint(&self, offsets: &[f64], logits: &[f64]) -> Vec<f64> {
        let k = offsets.len();
        let mut out = Vec::with_capacity(self.len() * k);
        for row in self.rows() {
            let start = out.len();
            out.extend_from_slice(offsets);
            let sums = out.get_mut(start..).unwrap_or_default();
            for place in row {
                let at = usize::from(*place) * k;
                for (sum, logit) in sums.iter_mut().zip(logits.get(at..at + k).unwrap_or_default()) {
                    *sum += logit;
                }
            }
        }
        out
    }

    /// Σ r over the rows that have a one in a column, for every component.
    ///
    /// # Shapes
    /// responsibilities (n, k) → (columns, k)
    #[inline(never)]
    pub fn weighted_counts(&self, responsibilities: &[f64], k: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.columns * k];
        for (row, rs) in self.rows().zip(responsibilities.chunks_exact(k.max(1))) {
            for place in row {
                let at = usize::from(*place) * k;
                for (sum, r) in out.get_mut(at..at + k).unwrap_or_default().iter_mut().zip(rs) {
                    *sum += r;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_and_add_where_the_ones_are() {
        let xs = [0.5_f32, 0.0, 0.9, 0.49, 0.0, 0.0, 1.0, 1.0, 0.3];
        let bits = Bits::of(&xs, 3);
        assert_eq!((bits.len(), bits.ones.clone()), (3, vec![0, 2, 0, 1]));
        let logits = [1.0, 10.0, 2.0, 20.0, 4.0, 40.0];
        assert_eq!(bits.log_joint(&[0.5, -0.5], &logits), [5.5, 49.5, 0.5, -0.5, 3.5, 29.5]);
        let rs = [0.25, 0.75, 0.5, 0.5, 1.0, 0.0];
        assert_eq!(bits.weighted_counts(&rs, 2), [1.25, 0.75, 1.0, 0.0, 0.25, 0.75]);
        let mut same = xs;
        binarize(&mut same);
        assert_eq!(same, [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn draws_have_the_probability_of_their_logit() {
        let mut rng = Rng::stream(3, "test");
        for logit in [-40.0_f32, -1.5, 0.0, 0.7, 40.0] {
            let mut xs = vec![logit; 40_001];
            draw(&mut xs, &mut rng);
            let mean = xs.iter().sum::<f32>() / 40_001.0;
            assert!((mean - 1.0 / (1.0 + (-logit).exp())).abs() < 0.01, "{logit}: {mean}");
        }
        let (xs, ys) = ([0.5, -1.0, 2.0, 0.0, 3.0], [1.0, 2.0, -1.0, 0.5, 0.0]);
        let exact: f64 =
            xs.iter().zip(ys).map(|(x, y): (&f32, f32)| f64::from(x - 2.0 * y).exp().ln_1p()).sum();
        assert!((sum_softplus(&xs, -2.0, &ys) - exact).abs() < 1e-6);
    }
}
