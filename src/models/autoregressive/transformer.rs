//! A causal Transformer over tokens.

use candle_core::Tensor;

use super::words::{Ragged, Words};
use super::{Cell, Sampling};
use crate::error::Result;
use crate::nn::{Embedding, Init, LayerNorm, Linear, TransformerBlock, Vars, ops};
use crate::rng::Rng;

/// Token and position → embedding → blocks of attention and MLP → logits of the next token.
pub struct Transformer {
    words: Words,
    tokens: Embedding,
    positions: Embedding,
    blocks: Vec<TransformerBlock>,
    norm: LayerNorm,
    head: Linear,
}

impl Transformer {
    pub fn new(
        words: Words,
        width: usize,
        layers: usize,
        heads: usize,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let init = Init::Normal { std: 0.04 };
        let tokens = Embedding::new(vars, "tokens", words.vocabulary + 1, width, init, rng)?;
        let positions = Embedding::new(vars, "positions", words.length, width, init, rng)?;
        let mut blocks = Vec::with_capacity(layers);
        for layer in 0..layers {
            blocks.push(TransformerBlock::new(vars, &format!("blocks.{layer}"), width, heads, init, rng)?);
        }
        let norm = LayerNorm::new(vars, "norm", width)?;
        let head = Linear::new(vars, "head", width, words.vocabulary, init, rng)?;
        Ok(Self { words, tokens, positions, blocks, norm, head })
    }

    /// The same network without a graph.
    fn detached(&self) -> Self {
        Self {
            words: self.words,
            tokens: self.tokens.detached(),
            positions: self.positions.detached(),
            blocks: self.blocks.iter().map(TransformerBlock::detached).collect(),
            norm: self.norm.detached(),
            head: self.head.detached(),
        }
    }

    /// The tokens at these places of their words, as numbers.
    fn embed(&self, tokens: &[u32], places: &[u32]) -> Result<Tensor> {
        Ok((self.tokens.forward(tokens)? + self.positions.forward(places)?)?)
    }

    /// The logits of each position, word after word: (Σ lengths, vocabulary).
    fn logits(&self, words: &Ragged) -> Result<Tensor> {
        let mut xs = self.embed(&words.inputs, &words.positions())?;
        for block in &self.blocks {
            xs = block.forward(&xs, &words.lengths)?;
        }
        self.head.forward(&self.norm.forward(&xs)?)
    }
}

impl Cell for Transformer {
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        let logits = self.detached().logits(&self.words.whole(xs)?)?;
        Ok(logits.reshape((xs.dim(0)?, self.words.length, self.words.vocabulary))?)
    }

    fn loss(&self, xs: &Tensor) -> Result<Tensor> {
        let words = self.words.different(xs)?;
        ops::cross_entropy(&self.logits(&words)?, &words.targets, &words.weights())
    }

    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let words = self.words.different(xs)?;
        Ok(words.sums(&ops::class_log_probs(&self.detached().logits(&words)?, &words.targets)?))
    }

    /// Token by token: what the blocks have to know about earlier positions is remembered.
    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor> {
        let (net, length) = (self.detached(), self.words.length);
        let grown = net.blocks.iter().map(|block| block.attention.growing(n, length));
        let mut grown = grown.collect::<Result<Vec<_>>>()?;
        let mut at = 0;
        self.words.sample(n, sampling, rng, |open, last| {
            let mut xs = net.embed(last, &vec![at; last.len()])?;
            for (block, grown) in net.blocks.iter().zip(&mut grown) {
                xs = block.next(&xs, open, grown)?;
            }
            at += 1;
            net.head.forward(&net.norm.forward(&xs)?)
        })
    }
}
