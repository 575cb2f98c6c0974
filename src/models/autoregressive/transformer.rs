//! A causal Transformer over tokens.

use candle_core::Tensor;

use super::words::Words;
use super::{Cell, Sampling};
use crate::error::Result;
use crate::models::matrix;
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

    /// What is known at each of the first `length` positions of each word, from the tokens before it:
    /// (n·length, width).
    fn features(&self, inputs: &[u32], length: usize) -> Result<Tensor> {
        let places: Vec<u32> = (0..length as u32).cycle().take(inputs.len()).collect();
        let mut xs = (self.tokens.forward(inputs)? + self.positions.forward(&places)?)?;
        for block in &self.blocks {
            xs = block.forward(&xs, length)?;
        }
        self.norm.forward(&xs)
    }

    /// The logits of each position, word after word: (n·length, vocabulary).
    fn logits(&self, ids: &[u32]) -> Result<Tensor> {
        self.head.forward(&self.features(&self.words.inputs(ids), self.words.length)?)
    }
}

impl Cell for Transformer {
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        let logits = self.detached().logits(&self.words.ids(xs)?)?;
        Ok(logits.reshape((xs.dim(0)?, self.words.length, self.words.vocabulary))?)
    }

    fn loss(&self, xs: &Tensor) -> Result<Tensor> {
        let ids = self.words.ids(xs)?;
        ops::cross_entropy(&self.logits(&ids)?, &self.words.targets(&ids), xs.dim(0)?)
    }

    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let ids = self.words.ids(xs)?;
        let each = ops::class_log_probs(&self.detached().logits(&ids)?, &self.words.targets(&ids))?;
        Ok(matrix(each, xs.dim(0)?, self.words.length)?.sum(1)?.to_vec1()?)
    }

    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor> {
        let (net, length) = (self.detached(), self.words.length.max(1));
        self.words.sample(n, sampling, rng, |at, ids| {
            let inputs = self.words.inputs(ids);
            let seen: Vec<u32> =
                inputs.chunks_exact(length).flat_map(|word| word.iter().take(at + 1)).copied().collect();
            let features = net.features(&seen, at + 1)?;
            // (n·(at + 1), width) -> (n, at + 1, width), of which the last position
            let (rows, width) = features.dims2()?;
            let last = features.reshape((rows / (at + 1), at + 1, width))?.narrow(1, at, 1)?;
            net.head.forward(&last.squeeze(1)?)
        })
    }
}
