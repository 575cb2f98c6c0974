//! Sums: a+b=c, for all a and b below a limit.

use super::sequences::Tokens;
use super::{Data, Entry, Shape};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the sums.
    pub struct Settings {
        /// Both numbers that are added are below this one.
        operands("operands"): usize = 10, integer(2, 100), Restart;
    }
}

/// The sums, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "sums",
    shape: Shape::sequence(6, 13),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { operands: n } = Settings::from_values(values)?;
    let words: Vec<String> =
        (0..n * n).map(|i| (i / n, i % n)).map(|(a, b)| format!("{a}+{b}={}", a + b)).collect();
    Ok(Data { rule: Some(is_right), ..Tokens::of(&words)?.all(seed) })
}

/// Whether a word is a sum that comes out right, of whole numbers without zeros in front.
fn is_right(word: &str) -> bool {
    let number = |text: &str| -> Option<u64> {
        let plain = text.bytes().all(|c| c.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        text.parse().ok().filter(|_| plain)
    };
    let read = || {
        let (sum, total) = word.split_once('=')?;
        let (a, b) = sum.split_once('+')?;
        Some((number(a)?.checked_add(number(b)?)?, number(total)?))
    };
    read().is_some_and(|(sum, total)| sum == total)
}

#[cfg(test)]
mod tests {
    use super::super::sequences::spell;
    use super::*;

    #[test]
    fn they_are_right_and_all_there() {
        for (n, width) in [(2, 5), (10, 6), (100, 9)] {
            let data = generate(&[("operands".into(), Value::Number(n as f64))], 1).unwrap();
            assert_eq!(data.shape.width, width);
            let words: std::collections::HashSet<String> =
                data.train.xs.chunks(width).map(|row| spell(row, &data.alphabet)).collect();
            assert_eq!(words.len(), n * n);
            for word in words {
                let numbers: Vec<usize> = word.split(['+', '=']).map(|x| x.parse().unwrap()).collect();
                assert!(numbers.len() == 3 && numbers[0] + numbers[1] == numbers[2], "{word}");
            }
        }
        assert!(["0+0=0", "10+1=11", "99+99=198"].iter().all(|word| is_right(word)));
        for wrong in
            ["", "1+1=3", "01+1=2", "1+1=02", "1+=1", "+1=1", "1+1", "1=1", "1+1=2=2", "1+1+1=3", "1++1=2"]
        {
            assert!(!is_right(wrong), "{wrong}");
        }
        // d_autoregressive.py: sums_1digit, entropy_nats.
        let entropy = generate(&[], 1).unwrap().density.unwrap().entropy().unwrap();
        assert!((entropy - 4.605_170_185_988_092).abs() < 1e-12);
    }
}
