//! What cells for sequences share: what goes in, what should come out, and how a token is drawn.
//!
//! Token 0 ends a word. A word of the greatest length needs no end: it has probability 1 there.

use candle_core::Tensor;

use super::Sampling;
use crate::data::Shape;
use crate::error::Result;
use crate::models::matrix;
use crate::nn::ops::IGNORED;
use crate::rng::Rng;

/// The sizes of words.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The greatest length.
    pub length: usize,
    /// How many tokens there are, the end included. The token of this number, which no word holds, stands before each.
    pub vocabulary: usize,
}

impl Words {
    pub fn of(shape: &Shape) -> Self {
        Self { length: shape.width, vocabulary: shape.vocabulary }
    }

    /// The tokens of (n, length) values.
    pub fn ids(&self, xs: &Tensor) -> Result<Vec<u32>> {
        Ok(xs.flatten_all()?.to_vec1::<f32>()?.into_iter().map(|x| x as u32).collect())
    }

    /// At each position the token before it.
    pub fn inputs(&self, ids: &[u32]) -> Vec<u32> {
        let mut inputs = Vec::with_capacity(ids.len());
        for word in ids.chunks_exact(self.length.max(1)) {
            inputs.push(self.vocabulary as u32);
            inputs.extend(word.iter().take(self.length.saturating_sub(1)));
        }
        inputs
    }

    /// At each position the token that should come, and nothing after the end.
    pub fn targets(&self, ids: &[u32]) -> Vec<u32> {
        let mut targets = ids.to_vec();
        for word in targets.chunks_exact_mut(self.length.max(1)) {
            let end = word.iter().position(|id| *id == 0).unwrap_or(self.length);
            word.iter_mut().skip(end + 1).for_each(|id| *id = IGNORED);
        }
        targets
    }

    /// From word after word to position after position.
    pub fn turned<T: Copy>(&self, values: &[T]) -> Vec<T> {
        let n = values.len() / self.length.max(1);
        let places = (0..self.length).flat_map(|at| (0..n).map(move |word| word * self.length + at));
        places.filter_map(|place| values.get(place).copied()).collect()
    }

    /// `n` words, token by token: `logits` gives those of a position, from the tokens so far.
    ///
    /// # Shapes
    /// `logits`: the position and (n, length) tokens, 0 where there are none yet → (n, vocabulary)
    pub fn sample(
        &self,
        n: usize,
        sampling: &Sampling,
        rng: &mut Rng,
        mut logits: impl FnMut(usize, &[u32]) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let mut ids = vec![0; n * self.length];
        let mut open = vec![true; n];
        for at in 0..self.length {
            if !open.contains(&true) {
                break;
            }
            let rows = logits(at, &ids)?.to_vec2::<f32>()?;
            for ((row, open), word) in
                rows.iter().zip(&mut open).zip(ids.chunks_exact_mut(self.length.max(1)))
            {
                // Every word has its draw, so that the end of one does not shift another.
                let token = sampling.draw(row, rng.uniform_f64());
                if let Some(place) = word.get_mut(at).filter(|_| *open) {
                    *place = token;
                    *open = token != 0;
                }
            }
        }
        matrix(ids.into_iter().map(|id| id as f32).collect(), n, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_once_and_start_with_what_no_word_holds() {
        let words = Words { length: 4, vocabulary: 3 };
        let ids = [1, 2, 1, 2, 2, 0, 0, 0];
        assert_eq!(words.inputs(&ids), [3, 1, 2, 1, 3, 2, 0, 0]);
        assert_eq!(words.targets(&ids), [1, 2, 1, 2, 2, 0, IGNORED, IGNORED]);
        assert_eq!(words.turned(&ids), [1, 2, 2, 0, 1, 0, 2, 0]);
    }
}
