//! Short lists of words to learn the look of: what a model makes of them sounds like one more.

use super::sequences::Tokens;
use super::{Data, Entry, Shape};
use crate::error::Result;
use crate::params::{Params, Value};
use crate::{choices, params};

choices! {
    /// A list of words.
    pub enum WordList {
        /// The chemical elements.
        Elements = "elements",
        /// Proper names of stars.
        Stars = "stars",
        /// Genera of dinosaurs.
        Dinosaurs = "dinosaurs",
        /// Capitals whose name is one word.
        Capitals = "capitals",
        /// Chinese given names in pinyin.
        Names = "names",
    }
}

impl WordList {
    fn text(self) -> &'static str {
        match self {
            Self::Elements => include_str!("words/elements.txt"),
            Self::Stars => include_str!("words/stars.txt"),
            Self::Dinosaurs => include_str!("words/dinosaurs.txt"),
            Self::Capitals => include_str!("words/capitals.txt"),
            Self::Names => include_str!("words/names.txt"),
        }
    }
}

params! {
    /// Settings of the words.
    pub struct Settings {
        /// Which list of words.
        word_list("wordList"): WordList = WordList::Dinosaurs, choice::<WordList>(), Restart;
    }
}

/// The words, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "words",
    shape: Shape::sequence(19, 27),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { word_list } = Settings::from_values(values)?;
    Tokens::of(&word_list.text().split_whitespace().collect::<Vec<_>>())?.split(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Choice;

    #[test]
    fn lists_are_lower_case_and_hold_no_word_twice() {
        for id in WordList::IDS {
            let words: Vec<_> = WordList::from_id(id).unwrap().text().split_whitespace().collect();
            let different: std::collections::HashSet<_> = words.iter().collect();
            assert!(words.len() >= 80 && different.len() == words.len(), "{id}: {}", words.len());
            assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase())), "{id}");
        }
        assert_eq!(WordList::Elements.text().split_whitespace().count(), 118);
    }
}
