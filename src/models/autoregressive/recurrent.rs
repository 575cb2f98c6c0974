//! A gated recurrent unit over tokens.

use candle_core::Tensor;

use super::words::{Ragged, Words};
use super::{Cell, Sampling};
use crate::error::Result;
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

    /// The logits of each position, position after position: (Σ lengths, vocabulary).
    fn logits(&self, words: &Ragged) -> Result<Tensor> {
        let inputs = self.tokens.forward(&words.turned(&words.inputs))?;
        self.head.forward(&self.unit.forward(&inputs, &words.steps(), None)?)
    }
}

impl Cell for Recurrent {
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        let logits = self.detached().logits(&self.words.whole(xs)?)?;
        // (length·n, vocabulary) -> (n, length, vocabulary)
        let logits = logits.reshape((self.words.length, xs.dim(0)?, self.words.vocabulary))?;
        Ok(logits.transpose(0, 1)?.contiguous()?)
    }

    fn loss(&self, xs: &Tensor) -> Result<Tensor> {
        let words = self.words.different(xs)?;
        let (targets, weights) = (words.turned(&words.targets), words.turned(&words.weights()));
        ops::cross_entropy(&self.logits(&words)?, &targets, &weights)
    }

    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let words = self.words.different(xs)?;
        let logits = self.detached().logits(&words)?;
        Ok(words.sums_of_turned(&ops::class_log_probs(&logits, &words.turned(&words.targets))?))
    }

    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor> {
        let net = self.detached();
        // The states of the words that went on, and which these were.
        let mut before: Option<(Tensor, Vec<usize>)> = None;
        self.words.sample(n, sampling, rng, |open, last| {
            let states = match &before {
                Some((states, words)) => {
                    let places = open.iter().filter_map(|word| words.binary_search(word).ok());
                    let places: Vec<u32> = places.map(|place| place as u32).collect();
                    Some(ops::embedding(states, &places)?)
                }
                None => None,
            };
            let next = net.unit.forward(&net.tokens.forward(last)?, &[open.len()], states.as_ref())?;
            let logits = net.head.forward(&next);
            before = Some((next, open.to_vec()));
            logits
        })
    }
}
