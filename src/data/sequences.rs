//! What the sets of words have in common: characters become tokens.

use super::{Data, Shape, finite};
use crate::error::{Error, Result, clip};
use crate::rng::Rng;

/// Longest word, in characters.
pub const LONGEST: usize = 40;
/// Most different characters.
pub const MOST_CHARACTERS: usize = 120;
/// Most words.
pub const MOST_WORDS: usize = 50_000;

/// Words as rows of tokens: token i is the alphabet's i-th character, counted from 1; token 0 ends a word.
pub struct Tokens {
    /// The shape of a row.
    pub shape: Shape,
    /// The characters, in order.
    pub alphabet: Vec<char>,
    /// One row a word.
    pub rows: Vec<Vec<u8>>,
}

impl Tokens {
    /// The tokens of these words; empty ones are left out, and errors count all of them from 1, as lines.
    ///
    /// # Errors
    /// No words or too many, one that is too long, or too many different characters.
    pub fn of<W: AsRef<str>>(words: &[W]) -> Result<Self> {
        let refuse = |message: String| Err(Error::Config(message));
        if words.len() > MOST_WORDS {
            return refuse(format!("there are {} lines; at most {MOST_WORDS} are allowed", words.len()));
        }
        let (mut alphabet, mut width) = (Vec::new(), 0);
        for (i, word) in words.iter().enumerate() {
            let (word, mut length) = (word.as_ref(), 0);
            for c in word.chars() {
                length += 1;
                if c.is_control() {
                    return refuse(format!(
                        "line {}, character {length} is {}; only characters that can be printed are allowed",
                        i + 1,
                        c.escape_default()
                    ));
                }
                if let Err(at) = alphabet.binary_search(&c) {
                    alphabet.insert(at, c);
                }
            }
            if length > LONGEST {
                return refuse(format!(
                    "line {} has {length} characters; at most {LONGEST} are allowed: \"{}\"",
                    i + 1,
                    clip(word)
                ));
            }
            if alphabet.len() > MOST_CHARACTERS {
                return refuse(format!(
                    "up to line {} there are {} different characters; at most {MOST_CHARACTERS} are allowed",
                    i + 1,
                    alphabet.len()
                ));
            }
            width = width.max(length);
        }
        if width == 0 {
            return refuse("there are no words; give at least one, each in a line of its own".into());
        }
        let token = |c| alphabet.binary_search(&c).map_or(0, |at| at as u8 + 1);
        let rows = words
            .iter()
            .filter(|word| !word.as_ref().is_empty())
            .map(|word| {
                let mut row: Vec<u8> = word.as_ref().chars().map(token).collect();
                row.resize(width, 0);
                row
            })
            .collect();
        Ok(Self { shape: Shape::sequence(width, alphabet.len() + 1), alphabet, rows })
    }

    /// A data set of all words that there are, each as likely as any other.
    pub fn all(self, seed: u32) -> Data {
        finite::uniform(self.shape, self.rows, self.alphabet, seed)
    }

    /// A data set of these words, a fifth of them held out: which, and in what order, the seed decides.
    ///
    /// A single word is both trained on and held out.
    ///
    /// # Errors
    /// None that [`Tokens::of`] did not have.
    pub fn split(self, seed: u32) -> Result<Data> {
        let order = Rng::stream(seed, "split").permutation(self.rows.len());
        let (held_out, train) = order.split_at(order.len().div_ceil(5).min(order.len() / 2));
        let part = |order: &[usize]| -> Vec<f32> {
            order.iter().filter_map(|i| self.rows.get(*i)).flatten().map(|x| f32::from(*x)).collect()
        };
        let held_out = if held_out.is_empty() { train } else { held_out };
        Ok(Data {
            alphabet: self.alphabet.clone(),
            ..Data::from_rows(self.shape, part(train), part(held_out))?
        })
    }
}

/// The word that a row of tokens spells.
pub fn spell(row: &[f32], alphabet: &[char]) -> String {
    let tokens = row.iter().map(|x| *x as usize).take_while(|token| *token > 0);
    tokens.filter_map(|token| alphabet.get(token - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_tokens_and_back() {
        let tokens = Tokens::of(&["ba", "", "a", "ßa中"]).unwrap();
        assert_eq!(tokens.alphabet, ['a', 'b', 'ß', '中']);
        assert_eq!(tokens.shape, Shape::sequence(3, 5));
        assert_eq!(tokens.rows, [[2, 1, 0], [1, 0, 0], [3, 1, 4]]);
        assert_eq!(spell(&[3.0, 1.0, 4.0], &tokens.alphabet), "ßa中");
        assert_eq!(spell(&[2.0, 0.0, 4.0], &tokens.alphabet), "b");
        assert_eq!(spell(&[9.0, f32::NAN], &tokens.alphabet), "");
    }

    #[test]
    fn a_fifth_is_held_out_and_nothing_is_lost() {
        let words: Vec<String> = (0..103).map(|i| format!("{i:03}")).collect();
        let data = Tokens::of(&words).unwrap().split(3).unwrap();
        let spelt = |split: &super::super::Split| -> Vec<String> {
            split.xs.chunks(3).map(|row| spell(row, &data.alphabet)).collect()
        };
        let (train, held_out) = (spelt(&data.train), spelt(&data.held_out));
        assert_eq!((train.len(), held_out.len()), (82, 21));
        let mut all = [train, held_out].concat();
        all.sort();
        assert_eq!(all, words);
        for (n, expected) in [(1, (1, 1)), (2, (1, 1)), (3, (2, 1))] {
            let data = Tokens::of(&words[..n]).unwrap().split(3).unwrap();
            assert_eq!((data.train.len(&data.shape), data.held_out.len(&data.shape)), expected);
        }
    }

    #[test]
    fn what_is_no_word_is_refused_with_its_line() {
        let refused = |words: &[&str]| Tokens::of(words).err().unwrap().to_string();
        assert!(refused(&[]).contains("no words"));
        assert!(refused(&["", ""]).contains("no words"));
        assert!(refused(&["a", "", &"x".repeat(41)]).contains("line 3 has 41 characters"));
        assert!(refused(&["a", "b\tc"]).contains("line 2, character 2 is \\t"));
        let many: Vec<String> = (0..121).map(|i| char::from_u32(0x4e00 + i).unwrap().to_string()).collect();
        assert!(Tokens::of(&many[..120]).is_ok());
        assert!(
            Tokens::of(&many).err().unwrap().to_string().contains("up to line 121 there are 121 different")
        );
        assert!(Tokens::of(&vec!["a"; 50_001]).err().unwrap().to_string().contains("50001 lines"));
    }
}
