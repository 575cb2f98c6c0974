//! Dyck words: brackets that match, every word of one length as likely as any other.

use super::sequences::Tokens;
use super::{Data, Entry, Shape};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the Dyck words.
    pub struct Settings {
        /// How many pairs of brackets a word has.
        pairs("pairs"): usize = 6, integer(1, 9), Restart;
    }
}

/// The Dyck words, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "dyck",
    shape: Shape::sequence(12, 3),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { pairs } = Settings::from_values(values)?;
    // A word is whole numbers of brackets opened and closed; each step makes one of them longer.
    let mut words = vec![(String::new(), 0)];
    for length in 0..2 * pairs {
        words = words
            .into_iter()
            .flat_map(|(word, opened)| {
                let closed = length - opened;
                let longer = |bracket| format!("{word}{bracket}");
                let open = (opened < pairs).then(|| (longer('('), opened + 1));
                let close = (closed < opened).then(|| (longer(')'), opened));
                open.into_iter().chain(close).collect::<Vec<_>>()
            })
            .collect();
    }
    let words: Vec<String> = words.into_iter().map(|(word, _)| word).collect();
    Ok(Data { rule: Some(matches), ..Tokens::of(&words)?.all(seed) })
}

/// Whether every bracket is closed, and none before it is opened; shorter words may be right, too.
fn matches(word: &str) -> bool {
    let depth = word.chars().try_fold(0_usize, |depth, c| match c {
        '(' => Some(depth + 1),
        ')' => depth.checked_sub(1),
        _ => None,
    });
    depth == Some(0) && !word.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::sequences::spell;
    use super::*;

    #[test]
    fn there_are_as_many_as_catalan_says_and_all_match() {
        // Catalan's numbers.
        for (pairs, count) in [(1, 1), (2, 2), (3, 5), (4, 14), (6, 132), (9, 4862)] {
            let data = generate(&[("pairs".into(), Value::Number(f64::from(pairs)))], 1).unwrap();
            let words: std::collections::HashSet<String> =
                data.train.xs.chunks(2 * pairs as usize).map(|row| spell(row, &data.alphabet)).collect();
            assert_eq!(words.len(), count);
            for word in words {
                let mut depth = 0_i32;
                for c in word.chars() {
                    depth += if c == '(' { 1 } else { -1 };
                    assert!(depth >= 0, "{word}");
                }
                assert!(depth == 0 && word.len() == 2 * pairs as usize, "{word}");
            }
        }
        assert!(["()", "(())()", "((((()))))()"].iter().all(|word| matches(word)));
        assert!(["", ")(", "(", "())", "()x", "(()"].iter().all(|word| !matches(word)));
        // d_autoregressive.py: dyck12, entropy_nats.
        let density = generate(&[], 1).unwrap().density.unwrap();
        assert!((density.entropy().unwrap() - 4.882_801_922_586_371).abs() < 1e-12);
        // (()())… is a word, )( is none.
        let word = |text: &str| text.chars().map(|c| if c == '(' { 1.0 } else { 2.0 }).collect::<Vec<f64>>();
        assert!((density.log_prob(&word("(()())()()()")) + 132.0_f64.ln()).abs() < 1e-12);
        assert_eq!(density.log_prob(&word(")(()()()()()")), f64::NEG_INFINITY);
        assert_eq!(density.log_prob(&word("()")), f64::NEG_INFINITY);
    }
}
