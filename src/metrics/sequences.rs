//! Scores of words: how many are different, new and right, and what a character costs.

use std::collections::HashSet;

use crate::data::Rule;
use crate::data::sequences::spell;

/// How sampled words compare with those that were learned from, as shares of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordShares {
    /// Different words, over the number of samples: 1 if none occurs twice.
    ///
    /// Samples of a small set repeat themselves, so it is read beside the same figure for real words.
    pub unique: f64,
    /// Samples that are no word of the training rows. All of it is wrong where these are all words that there are.
    pub novel: f64,
    /// Samples that keep the rule of the data set, if it has one.
    pub valid: Option<f64>,
}

/// Scores (n, size) rows of tokens against the training rows.
///
/// `None` without samples, or if rows are not whole or hold what is no token of the alphabet.
pub fn word_shares(
    samples: &[f32],
    train: &[f32],
    size: usize,
    alphabet: &[char],
    rule: Option<Rule>,
) -> Option<WordShares> {
    let token = |x: &f32| x.fract() == 0.0 && (0.0..=alphabet.len() as f32).contains(x);
    let fits = |rows: &[f32]| size > 0 && rows.len().is_multiple_of(size) && rows.iter().all(token);
    if samples.is_empty() || !fits(samples) || !fits(train) {
        return None;
    }
    let words = |rows: &[f32]| rows.chunks_exact(size).map(|row| spell(row, alphabet)).collect::<Vec<_>>();
    let sampled = words(samples);
    let known: HashSet<String> = words(train).into_iter().collect();
    let n = sampled.len() as f64;
    let share = |count: usize| count as f64 / n;
    Some(WordShares {
        unique: share(sampled.iter().collect::<HashSet<_>>().len()),
        novel: share(sampled.iter().filter(|word| !known.contains(*word)).count()),
        valid: rule.map(|keeps| share(sampled.iter().filter(|word| keeps(word)).count())),
    })
}

/// Bits a character, from the mean −log p of these rows in nats; the end of a word counts as a character where a row
/// has room for it, since it must be told, too.
///
/// With the entropy in place of the mean, the least that any model can reach. `None` without characters, or if rows
/// are not whole or not finite.
pub fn bits_per_character(nats: f64, rows: &[f32], size: usize) -> Option<f64> {
    if size == 0 || !rows.len().is_multiple_of(size) || rows.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let told = |row: &[f32]| (row.iter().take_while(|x| **x > 0.0).count() + 1).min(size);
    let characters: usize = rows.chunks_exact(size).map(told).sum();
    let words = (rows.len() / size) as f64;
    (nats.is_finite() && words > 0.0).then(|| nats * words / (std::f64::consts::LN_2 * characters as f64))
}
