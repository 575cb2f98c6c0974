//! Attention along words of different lengths, which lie one after the other.

use super::backward::gradient_of;
use super::slices::{constant, output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::attention::{Attention, Lanes, Memory};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// softmax(q·kᵀ/√width)·v for each head, from rows [q | k | v] of all heads
/// (<https://arxiv.org/abs/1706.03762>); a position sees itself and those before it in its word.
///
/// # Shapes
/// packed (Σ lengths, 3·d), word after word → (Σ lengths, d)
///
/// # Errors
/// When the rows are not those of words of these lengths, or the width is not divisible by the heads.
pub fn attention(packed: &Tensor, lengths: &[usize], heads: usize) -> Result<Tensor> {
    let sizes = sizes(packed, lengths.iter().sum(), heads)?;
    let (lengths, tracked) = (lengths.to_vec(), packed.track_op());
    let op = Attend { sizes, lengths, tracked, weights: Mutex::new(Vec::new()) };
    Ok(packed.contiguous()?.apply_op1(op)?)
}

/// The sizes of an attention, if they fit.
fn sizes(packed: &Tensor, expected: usize, heads: usize) -> Result<Attention> {
    let (rows, width) = packed.dims2()?;
    let parts = 3 * heads;
    if parts == 0 || width == 0 || rows != expected || width % parts != 0 {
        let text = format!("{rows} rows of {width} are no words of {expected} positions with {heads} heads");
        return Err(candle_core::Error::Msg(text).into());
    }
    Ok(Attention { heads, width: width / parts })
}

struct Attend {
    sizes: Attention,
    lengths: Vec<usize>,
    /// Whether there will be a backward pass.
    tracked: bool,
    /// The attention weights.
    weights: Mutex<Vec<Lanes>>,
}

impl CustomOp1 for Attend {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, packed: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let Ok(mut weights) = self.weights.lock() else { bail!("attention weights are locked") };
        let kept = if self.tracked { self.sizes.weights(&self.lengths) } else { 0 };
        *weights = vec![[0.0; 4]; kept];
        let mut out = vec![0.0; rows * (width / 3)];
        self.sizes.forward(&self.lengths, storage_slice(packed, layout)?, &mut out, &mut weights);
        output(out, (rows, width / 3))
    }

    fn bwd(&self, packed: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        gradient_of(packed, |out| {
            let Ok(weights) = self.weights.lock() else { bail!("attention weights are locked") };
            with_slice(packed, |packed| {
                with_slice(&gradient, |gradient| {
                    self.sizes.backward(&self.lengths, packed, &weights, gradient, out);
                })
            })?
        })
    }
}

/// What [`attention`] gives for words that grow by one position at a time, without a graph.
#[derive(Debug, Clone)]
pub struct Growing {
    sizes: Attention,
    words: usize,
    /// The most positions of a word, and how many there are.
    length: usize,
    at: usize,
    memory: Memory,
}

impl Growing {
    /// So many words of at most this length, without a position yet.
    pub fn new(words: usize, length: usize, heads: usize, width: usize) -> Self {
        let sizes = Attention { heads, width: width / heads.max(1) };
        Self { sizes, words, length, at: 0, memory: sizes.memory(words, length) }
    }

    /// The attention of the next position, for those words that go on.
    ///
    /// # Shapes
    /// packed (words, 3·d) → (words, d)
    ///
    /// # Errors
    /// When the shape differs from this, or there is no such word or no place for another position.
    pub fn next(&mut self, packed: &Tensor, words: &[usize]) -> Result<Tensor> {
        let sizes = sizes(packed, words.len(), self.sizes.heads)?;
        let missing = words.iter().any(|word| *word >= self.words);
        if sizes.width != self.sizes.width || missing || self.at >= self.length {
            let text = format!("position {} of {} words of {}", self.at, self.words, self.length);
            return Err(candle_core::Error::Msg(text).into());
        }
        let d = sizes.heads * sizes.width;
        let mut out = vec![0.0; words.len() * d];
        with_slice(&packed.contiguous()?, |packed| {
            sizes.next(words, self.at, packed, &mut self.memory, &mut out);
        })?;
        self.at += 1;
        Ok(constant(out, &(words.len(), d).into())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain_layers;
    use candle_core::{IndexOp, Var};

    #[test]
    fn attention_matches_the_twin_and_differences() {
        for (lengths, heads, width) in [
            (vec![1], 1, 1),
            (vec![3, 3], 2, 1),
            (vec![7], 1, 3),
            (vec![5, 0, 2, 1], 2, 4),
            (vec![17], 1, 2),
            (vec![1, 3], 3, 7),
            (vec![2, 4, 4], 4, 4),
            (vec![4, 3], 4, 9),
            (vec![3, 0, 1], 6, 5),
            (vec![2, 3], 8, 1),
        ] {
            for scale in [0.1, 1.0, 3.0] {
                let (n, d) = (lengths.iter().sum::<usize>(), heads * width);
                let inputs = [normal(&[n, 3 * d], scale, "packed"), normal(&[n, d], 1.0, "g")];
                let what = format!("{lengths:?}, {heads} × {width}, {scale}");
                let op = |x: &[Tensor]| Ok((attention(&x[0], &lengths, heads)? * &x[1])?);
                let twin = |x: &[Tensor]| Ok((plain_layers::attention(&x[0], &lengths, heads)? * &x[1])?);
                let (value, gradients) = backward(op, &inputs);
                assert_close(&value, &backward(twin, &inputs).0, 2e-6, &what);
                for (got, expected) in gradients.iter().zip(differences(twin, &inputs)) {
                    assert_close(got, &expected, 2e-5, &what);
                }
            }
        }
    }

    #[test]
    fn attention_is_exactly_causal_and_survives_extremes() {
        let (lengths, d) = ([6, 2], 4);
        let packed = normal(&[8, 3 * d], 1e4, "packed");
        let var = Var::from_tensor(&packed).unwrap();
        let out = attention(&var, &lengths, 2).unwrap();
        assert!(to_f64(&out).iter().all(|x| x.is_finite()));
        for i in 0..6 {
            let grads = out.i(i).unwrap().sum_all().unwrap().backward().unwrap();
            let gradient = to_f64(&grads.get(&var).unwrap().narrow(0, i + 1, 8 - i - 1).unwrap());
            assert!(gradient.iter().all(|g| *g == 0.0), "position {i}");
        }
        // The other word sees nothing of the first.
        let grads = out.i(6..8).unwrap().sum_all().unwrap().backward().unwrap();
        assert!(to_f64(&grads.get(&var).unwrap().narrow(0, 0, 6).unwrap()).iter().all(|g| *g == 0.0));
        assert_eq!(attention(&packed.narrow(0, 0, 0).unwrap(), &[], 2).unwrap().dims(), [0, d]);
        // Without a graph the same comes out, and nothing is kept.
        let alone = attention(&packed, &lengths, 2).unwrap();
        assert!(!alone.track_op());
        assert_eq!(to_f64(&alone), to_f64(&out));
        for (lengths, heads) in [(vec![], 1), (vec![4], 1), (vec![8], 0), (vec![6, 2], 3)] {
            assert!(attention(&packed, &lengths, heads).is_err());
        }
    }

    #[test]
    fn growing_words_see_what_whole_ones_do_bit_for_bit() {
        for (heads, width) in [(1, 3), (4, 8), (6, 2)] {
            let (lengths, d) = ([4, 1, 3], heads * width);
            let packed = normal(&[8, 3 * d], 1.0, "packed");
            let whole = attention(&packed, &lengths, heads).unwrap();
            let mut growing = Growing::new(3, 4, heads, d);
            for at in 0..4 {
                let words: Vec<usize> = (0..3).filter(|word| lengths[*word] > at).collect();
                let rows: Vec<u32> =
                    words.iter().map(|word| (lengths[..*word].iter().sum::<usize>() + at) as u32).collect();
                let rows = Tensor::new(rows, packed.device()).unwrap();
                let next = growing.next(&packed.index_select(&rows, 0).unwrap(), &words).unwrap();
                assert_eq!(to_f64(&next), to_f64(&whole.index_select(&rows, 0).unwrap()));
            }
            assert!(growing.next(&packed.narrow(0, 0, 1).unwrap(), &[0]).is_err());
            let mut growing = Growing::new(3, 4, heads, d);
            assert!(growing.next(&packed.narrow(0, 0, 1).unwrap(), &[3]).is_err());
            assert!(growing.next(&packed, &[0]).is_err());
        }
    }
}
