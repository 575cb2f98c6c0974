//! A gated recurrent unit over tokens.

use candle_core::Tensor;

use super::words::Words;
use super::{Cell, Sampling};
use crate::error::Result;
use crate::models::matrix;
use crate::nn::{Embedding, Gru, Init, Linear, Vars, ops};
use crate::rng::Rng;

/// Token → embedding → gated recurrent unit → logits of the next token.
pub struct Recurrent {
    words: Words,
    tokens: Embedding,
    unit: Gru,
    head: Linear,
}

impl Recurrent {
    pub fn new(words: Words, width: usize, vars: &mut Vars, rng: &mut Rng) -> Result<Self> {
        let init = Init::KaimingUniform;
        let tokens = Init::Normal { std: 1.0 };
        Ok(Self {
            words,
            tokens: Embedding::new(vars, "tokens", words.vocabulary + 1, width, tokens, rng)?,
            unit: Gru::new(vars, "gru", width, width, init, rng)?,
            head: Linear::new(vars, "head", width, words.vocabulary, init, rng)?,
        })
    }

    /// The same network without a graph.
    fn detached(&self) -> Self {
        Self {
            words: self.words,
            tokens: self.tokens.detached(),
            unit: self.unit.detached(),
            head: self.head.detached(),
        }
    }

    /// The logits of each position, position after position: (length·n, vocabulary).
    fn logits(&self, ids: &[u32]) -> Result<Tensor> {
        let n = ids.len() / self.words.length.max(1);
        let inputs = self.words.turned(&self.words.inputs(ids));
        self.head.forward(&self.unit.forward(&self.tokens.forward(&inputs)?, n, None)?)
    }
}

impl Cell for Recurrent {
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        let n = xs.dim(0)?;
        let logits = self.detached().logits(&self.words.ids(xs)?)?;
        // (length·n, vocabulary) -> (n, length, vocabulary)
        Ok(logits.reshape((self.words.length, n, self.words.vocabulary))?.transpose(0, 1)?.contiguous()?)
    }

    fn loss(&self, xs: &Tensor) -> Result<Tensor> {
        let ids = self.words.ids(xs)?;
        let targets = self.words.turned(&self.words.targets(&ids));
        ops::cross_entropy(&self.logits(&ids)?, &targets, xs.dim(0)?)
    }

    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let (n, ids) = (xs.dim(0)?, self.words.ids(xs)?);
        let targets = self.words.turned(&self.words.targets(&ids));
        let each = ops::class_log_probs(&self.detached().logits(&ids)?, &targets)?;
        // (length, n) -> (n)
        Ok(matrix(each, self.words.length, n)?.sum(0)?.to_vec1()?)
    }

    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor> {
        let (net, length) = (self.detached(), self.words.length);
        let mut states = None;
        self.words.sample(n, sampling, rng, |at, ids| {
            let last = |word: &[u32]| at.checked_sub(1).and_then(|at| word.get(at).copied());
            let start = self.words.vocabulary as u32;
            let inputs: Vec<u32> =
                ids.chunks_exact(length.max(1)).map(|word| last(word).unwrap_or(start)).collect();
            let next = net.unit.forward(&net.tokens.forward(&inputs)?, n, states.as_ref())?;
            let logits = net.head.forward(&next);
            states = Some(next);
            logits
        })
    }
}
