//! What cells for sequences share: what goes in, what should come out, and how a token is drawn.
//!
//! Token 0 ends a word. A word of the greatest length needs no end: it has probability 1 there.

use candle_core::Tensor;

use super::Sampling;
use crate::data::Shape;
use crate::error::Result;
use crate::models::matrix;
use crate::order::ascending;
use crate::rng::Rng;

/// The sizes of words.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The greatest length.
    pub length: usize,
    /// How many tokens there are, the end included. The token of this number, which no word holds, stands before each.
    pub vocabulary: usize,
}

/// A number that rises as words get shorter, and that equal words share. Should two different words share one (48 bits of
/// the hash of Fowler, Noll and Vo are in it), those that are equal may be computed twice, to the same sum.
fn rank(word: &[u32]) -> i64 {
    let mix = |hash: u64, token: &u32| (hash ^ u64::from(*token)).wrapping_mul(0x100_0000_01b3);
    let hash = word.iter().fold(0xcbf2_9ce4_8422_2325, mix);
    -((word.len() as i64) << 48) + (hash >> 16) as i64
}

/// Words one after the other, of which nothing after their ends is computed.
pub struct Ragged {
    /// How many tokens each word has, its end among them; the first word has the most.
    pub lengths: Vec<usize>,
    /// How many words of the batch each is.
    pub counts: Vec<usize>,
    /// For each word of the batch, which of these it is.
    pub places: Vec<usize>,
    /// At each position of each word the token before it.
    pub inputs: Vec<u32>,
    /// At each position of each word the token that should come.
    pub targets: Vec<u32>,
}

impl Words {
    pub fn of(shape: &Shape) -> Self {
        Self { length: shape.width, vocabulary: shape.vocabulary }
    }

    /// The tokens of (n, length) values.
    fn ids(&self, xs: &Tensor) -> Result<Vec<u32>> {
        Ok(xs.flatten_all()?.to_vec1::<f32>()?.into_iter().map(|x| x as u32).collect())
    }

    /// The different words among (n, length) values up to their ends, the longest first: what occurs twice is
    /// computed once.
    pub fn different(&self, xs: &Tensor) -> Result<Ragged> {
        let ids = self.ids(xs)?;
        let words = ids.chunks_exact(self.length.max(1)).map(|word| {
            let end = word.iter().position(|id| *id == 0).map_or(word.len(), |end| end + 1);
            word.get(..end).unwrap_or(word)
        });
        let words: Vec<&[u32]> = words.collect();
        let mut ragged = Ragged::with_places(words.len());
        let mut last = None;
        for place in ascending(&words.iter().copied().map(rank).collect::<Vec<_>>()) {
            let Some(&word) = words.get(place) else { continue };
            if last != Some(word) {
                ragged.push(word, self.vocabulary as u32);
                last = Some(word);
            }
            ragged.count(place);
        }
        Ok(ragged)
    }

    /// All positions of all words, also those after their ends, in the order in which they are.
    pub fn whole(&self, xs: &Tensor) -> Result<Ragged> {
        let ids = self.ids(xs)?;
        let mut ragged = Ragged::with_places(ids.len() / self.length.max(1));
        for (place, word) in ids.chunks_exact(self.length.max(1)).enumerate() {
            ragged.push(word, self.vocabulary as u32);
            ragged.count(place);
        }
        Ok(ragged)
    }

    /// `n` words, token by token: `logits` gives those of the next position, from the tokens that came before it,
    /// for the words that have not ended.
    ///
    /// # Shapes
    /// `logits`: numbers of words, their last tokens → (words, vocabulary)
    pub fn sample(
        &self,
        n: usize,
        sampling: &Sampling,
        rng: &mut Rng,
        mut logits: impl FnMut(&[usize], &[u32]) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let mut ids = vec![0; n * self.length];
        let mut open: Vec<usize> = (0..n).collect();
        let mut last = vec![self.vocabulary as u32; n];
        for at in 0..self.length {
            if open.is_empty() {
                break;
            }
            let rows = logits(&open, &last)?.to_vec2::<f32>()?;
            // Every word has its draw, so that the end of one does not shift another.
            let draws: Vec<f64> = (0..n).map(|_| rng.uniform_f64()).collect();
            let mut going = Vec::with_capacity(open.len());
            last.clear();
            for (row, word) in rows.iter().zip(open) {
                let token = sampling.draw(row, draws.get(word).copied().unwrap_or_default());
                if let Some(place) = ids.get_mut(word * self.length + at).filter(|_| token != 0) {
                    *place = token;
                    going.push(word);
                    last.push(token);
                }
            }
            open = going;
        }
        matrix(ids.into_iter().map(|id| id as f32).collect(), n, self.length)
    }
}

impl Ragged {
    fn with_places(batch: usize) -> Self {
        let (lengths, counts, places) = (Vec::new(), Vec::new(), vec![0; batch]);
        Self { lengths, counts, places, inputs: Vec::new(), targets: Vec::new() }
    }

    /// Adds a word, which no word of the batch is yet.
    fn push(&mut self, word: &[u32], start: u32) {
        self.lengths.push(word.len());
        self.counts.push(0);
        self.inputs.extend([start].iter().chain(word).take(word.len()));
        self.targets.extend(word);
    }

    /// Notes that the last word is this one of the batch.
    fn count(&mut self, place: usize) {
        if let (Some(count), Some(place)) = (self.counts.last_mut(), self.places.get_mut(place)) {
            *count += 1;
            *place = self.lengths.len() - 1;
        }
    }

    /// The number of each position in its word.
    pub fn positions(&self) -> Vec<u32> {
        self.lengths.iter().flat_map(|length| 0..*length as u32).collect()
    }

    /// The share that each position has in an average over the batch.
    pub fn weights(&self) -> Vec<f32> {
        let n = self.places.len().max(1) as f32;
        let words = self.lengths.iter().zip(&self.counts);
        words.flat_map(|(length, count)| std::iter::repeat_n(*count as f32 / n, *length)).collect()
    }

    /// How many words reach each position.
    pub fn steps(&self) -> Vec<usize> {
        let longest = self.lengths.first().copied().unwrap_or(0);
        (0..longest).map(|at| self.lengths.partition_point(|length| *length > at)).collect()
    }

    /// From word after word to position after position.
    pub fn turned<T: Copy>(&self, values: &[T]) -> Vec<T> {
        let starts: Vec<usize> = self
            .lengths
            .iter()
            .scan(0, |end, length| {
                *end += length;
                Some(*end - length)
            })
            .collect();
        let steps = self.steps().into_iter().enumerate();
        let places = steps.flat_map(|(at, words)| starts.iter().take(words).map(move |start| start + at));
        places.filter_map(|place| values.get(place).copied()).collect()
    }

    /// For each word of the batch the sum of the values at its positions, which lie position after position.
    pub fn sums_of_turned(&self, values: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.lengths.len()];
        let mut values = values.iter();
        for words in self.steps() {
            for (sum, value) in sums.iter_mut().take(words).zip(&mut values) {
                *sum += value;
            }
        }
        self.of_batch(&sums)
    }

    /// For each word of the batch the sum of the values at its positions, which lie word after word.
    pub fn sums(&self, values: &[f32]) -> Vec<f32> {
        let mut values = values.iter();
        let sums: Vec<f32> = self.lengths.iter().map(|length| values.by_ref().take(*length).sum()).collect();
        self.of_batch(&sums)
    }

    fn of_batch(&self, values: &[f32]) -> Vec<f32> {
        self.places.iter().filter_map(|place| values.get(*place).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(rows: &[[u32; 4]]) -> Tensor {
        let ids = rows.iter().flatten().map(|id| *id as f32).collect();
        matrix(ids, rows.len(), 4).unwrap()
    }

    #[test]
    fn words_end_once_start_with_what_no_word_holds_and_are_there_once() {
        let words_ = Words { length: 4, vocabulary: 3 };
        let xs = words(&[[2, 0, 0, 0], [1, 2, 1, 2], [0, 0, 0, 0], [2, 0, 0, 0], [1, 1, 0, 0]]);
        let ragged = words_.different(&xs).unwrap();
        assert_eq!(ragged.lengths, [4, 3, 2, 1]);
        assert_eq!(ragged.counts, [1, 1, 2, 1]);
        assert_eq!(ragged.places, [2, 0, 3, 2, 1]);
        assert_eq!(ragged.inputs, [3, 1, 2, 1, 3, 1, 1, 3, 2, 3]);
        assert_eq!(ragged.targets, [1, 2, 1, 2, 1, 1, 0, 2, 0, 0]);
        assert_eq!(ragged.positions(), [0, 1, 2, 3, 0, 1, 2, 0, 1, 0]);
        assert_eq!(ragged.weights(), [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.4, 0.4, 0.2]);
        assert_eq!(ragged.steps(), [4, 3, 2, 1]);
        assert_eq!(ragged.turned(&ragged.targets), [1, 1, 2, 0, 2, 1, 0, 1, 0, 2]);
        let values: Vec<f32> = (0..10).map(|i| i as f32).collect();
        assert_eq!(ragged.sums(&values), [15.0, 6.0, 9.0, 15.0, 15.0]);
        assert_eq!(ragged.sums_of_turned(&ragged.turned(&values)), ragged.sums(&values));
    }

    #[test]
    fn whole_words_keep_their_order_and_what_is_after_their_ends() {
        let words_ = Words { length: 4, vocabulary: 3 };
        let ragged = words_.whole(&words(&[[2, 0, 0, 0], [1, 2, 1, 2]])).unwrap();
        assert_eq!(ragged.inputs, [3, 2, 0, 0, 3, 1, 2, 1]);
        assert_eq!(ragged.turned(&ragged.targets), [2, 1, 0, 2, 0, 1, 0, 2]);
        assert_eq!((ragged.steps(), ragged.places), (vec![2; 4], vec![0, 1]));
        assert_eq!(words_.different(&words(&[])).unwrap().steps(), [0; 0]);
    }

    #[test]
    fn only_open_words_are_asked_for_and_each_has_its_draws() {
        let words = Words { length: 3, vocabulary: 4 };
        let sampling = Sampling { temperature: 1.0, top_k: 0 };
        let mut asked = Vec::new();
        // The first word ends at once, the second after one letter, the third never.
        let laws = |open: &[usize], last: &[u32]| {
            asked.push((open.to_vec(), last.to_vec()));
            let ends = |word: usize| word < asked.len();
            let law =
                |word: &usize| if ends(*word) { [0.0, -1e9, -1e9, -1e9] } else { [-1e9, -1e9, 0.0, 0.0] };
            matrix(open.iter().flat_map(law).collect(), open.len(), 4)
        };
        let rows = words.sample(3, &sampling, &mut Rng::stream(1, "test"), laws).unwrap();
        let rows = rows.to_vec2::<f32>().unwrap();
        assert_eq!((&rows[0][..], &rows[1][1..], rows[2][2]), (&[0.0; 3][..], &[0.0; 2][..], 0.0));
        let opened: Vec<_> = asked.iter().map(|(open, _)| open.clone()).collect();
        assert_eq!(opened, [vec![0, 1, 2], vec![1, 2], vec![2]]);
        assert_eq!(asked[0].1, [4; 3]);
        assert_eq!(asked[1].1, [rows[1][0] as u32, rows[2][0] as u32]);
        // Those that go on draw what they would have drawn beside others.
        let all = |_: &[usize], last: &[u32]| matrix([-1e9, 0.0, 0.0, 0.0].repeat(last.len()), last.len(), 4);
        let beside = words.sample(3, &sampling, &mut Rng::stream(1, "test"), all).unwrap();
        let beside = beside.to_vec2::<f32>().unwrap();
        let mut alone = true;
        let third = |open: &[usize], _: &[u32]| {
            let law = |word: &usize| if *word == 2 { [-1e9, 0.0, 0.0, 0.0] } else { [0.0, -1e9, -1e9, -1e9] };
            alone = open.len() < 3;
            matrix(open.iter().flat_map(law).collect(), open.len(), 4)
        };
        let left = words.sample(3, &sampling, &mut Rng::stream(1, "test"), third).unwrap();
        assert!(alone);
        assert_eq!(left.to_vec2::<f32>().unwrap()[2], beside[2]);
    }
}
