//! Words that the visitor types or drops, one a line.

use super::sequences::Tokens;
use super::{Data, Entry, Shape};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

/// Longest text, in bytes: it is part of the link.
pub const MOST_BYTES: usize = 16_000;

/// The text to start from.
const FIRST: &str = "tealight\nmoonlight\nstarlight\ndaylight\nsunlight\nlamplight\nfirelight\ncandlelight\ntwilight\n\
                     lantern\nlighthouse\nlightning\ngaslight\nfloodlight\nspotlight\ntorchlight\nflashlight\ndelight\n\
                     highlight\nlimelight";

params! {
    /// Settings of the visitor's own text.
    pub struct Settings {
        /// The words, one a line.
        own_words("ownWords"): String = FIRST.to_string(), lines(MOST_BYTES), Restart;
    }
}

/// The visitor's own text, as the catalogue lists it.
pub const ENTRY: Entry = Entry {
    id: "typed",
    shape: Shape::sequence(11, 20),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { own_words } = Settings::from_values(values)?;
    Tokens::of(&own_words.lines().map(str::trim).collect::<Vec<_>>())?.split(seed)
}

#[cfg(test)]
mod tests {
    use super::super::sequences::spell;
    use super::*;

    fn typed(text: &str) -> Result<Data> {
        generate(&[("ownWords".into(), Value::Text(text.into()))], 5)
    }

    #[test]
    fn every_line_is_a_word_without_the_space_around_it() {
        let data = typed("  one\r\ntwo \n\n drei vier\n").unwrap();
        assert_eq!(
            (data.shape.width, data.train.len(&data.shape), data.held_out.len(&data.shape)),
            (9, 2, 1)
        );
        let rows = data.train.xs.chunks(9).chain(data.held_out.xs.chunks(9));
        let mut words: Vec<_> = rows.map(|row| spell(row, &data.alphabet)).collect();
        words.sort();
        assert_eq!(words, ["drei vier", "one", "two"]);
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused_with_the_reason() {
        let refused = |text: &str| typed(text).unwrap_err().to_string();
        assert!(refused(" \n\n").contains("no words"));
        assert!(refused(&format!("a\n\n{}", "b".repeat(41))).contains("line 3 has 41 characters"));
        assert!(refused("a\nb\u{7}").contains("line 2, character 2"));
        assert!(refused(&"a\n".repeat(8001)).contains("16000 bytes"));
    }
}
