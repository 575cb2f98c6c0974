//! The 366 dates of a year, dd/mm.

use super::sequences::Tokens;
use super::{Data, Entry, Shape};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// The dates have no settings.
    pub struct Settings {}
}

/// The dates, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "dates",
    shape: Shape::sequence(5, 12),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

/// How many days each month of a leap year has.
const MONTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    Settings::from_values(values)?;
    let words: Vec<String> = (1..)
        .zip(MONTHS)
        .flat_map(|(month, days)| (1..=days).map(move |day| format!("{day:02}/{month:02}")))
        .collect();
    Ok(Data { rule: Some(is_date), ..Tokens::of(&words)?.all(seed) })
}

/// Whether a word is the day and the month of a date that a leap year has.
fn is_date(word: &str) -> bool {
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
    word.split_once('/').filter(|(day, month)| digits(day) && digits(month)).is_some_and(|(day, month)| {
        let month = month.parse().ok().and_then(|month: usize| MONTHS.get(month.checked_sub(1)?));
        month.is_some_and(|days| day.parse().is_ok_and(|day: u32| (1..=*days).contains(&day)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::sequences::spell;
    use super::*;

    #[test]
    fn they_are_those_of_a_leap_year() {
        let data = generate(&[], 1).unwrap();
        let words: std::collections::HashSet<String> =
            data.train.xs.chunks(5).map(|row| spell(row, &data.alphabet)).collect();
        assert_eq!(words.len(), 366);
        assert!(words.contains("29/02") && words.contains("31/12") && !words.contains("31/04"));
        assert!(words.iter().all(|word| is_date(word)));
        for wrong in
            ["", "/", "00/01", "31/04", "30/02", "01/13", "01/00", "1/1", "1/01", "+1/01", "01/01/", "32/12"]
        {
            assert!(!is_date(wrong), "{wrong}");
        }
        assert_eq!(data.alphabet.iter().collect::<String>(), "/0123456789");
        // d_autoregressive.py: dates_ddmm, entropy_nats.
        assert!((data.density.unwrap().entropy().unwrap() - 5.902_633_333_401_366).abs() < 1e-12);
    }
}
