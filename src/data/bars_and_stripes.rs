//! Bars and stripes (MacKay 2003, <https://www.inference.org.uk/itila/>): black-and-white images whose rows are all
//! alike, or whose columns are.

use super::{Data, Entry, Shape, finite};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of bars and stripes.
    pub struct Settings {
        /// How many pixels there are along each side.
        size("size"): usize = 4, integer(3, 8), Restart;
    }
}

/// Bars and stripes, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "bars-and-stripes",
    shape: Shape::image(1, 4, 4),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { size } = Settings::from_values(values)?;
    let bit = |pattern: usize, i: usize| u8::from(pattern >> i & 1 == 1);
    let all = (1_usize << size) - 1;
    let across = (0..=all).map(|pattern| (0..size * size).map(|i| bit(pattern, i / size)).collect());
    // All black and all white are there already.
    let down = (1..all).map(|pattern| (0..size * size).map(|i| bit(pattern, i % size)).collect());
    let rows = across.chain(down).collect();
    Ok(finite::uniform(Shape::image(1, size, size), rows, Vec::new(), seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_all_patterns_and_each_once() {
        for (size, count) in [(3, 14), (4, 30), (8, 510)] {
            let data = generate(&[("size".into(), Value::Number(size as f64))], 1).unwrap();
            let n = size * size;
            assert_eq!((data.train.len(&data.shape), data.held_out.len(&data.shape)), (count, count));
            let rows: std::collections::HashSet<Vec<u32>> =
                data.train.xs.chunks(n).map(|row| row.iter().map(|x| *x as u32).collect()).collect();
            assert_eq!(rows.len(), count);
            for row in &rows {
                let across = (0..n).all(|i| row[i] == row[i / size * size]);
                let down = (0..n).all(|i| row[i] == row[i % size]);
                assert!(across || down, "{row:?}");
            }
            let density = data.density.unwrap();
            assert!((density.entropy().unwrap() - (count as f64).ln()).abs() < 1e-12);
            let mut row: Vec<f64> = data.train.xs[..n].iter().map(|x| f64::from(*x)).collect();
            assert!((density.log_prob(&row) + (count as f64).ln()).abs() < 1e-12);
            row[0] = 0.5;
            assert_eq!(density.log_prob(&row), f64::NEG_INFINITY);
        }
        // The published value for 4 × 4.
        let data = generate(&[], 1).unwrap();
        assert!((data.density.unwrap().entropy().unwrap() - 3.4012).abs() < 1e-4);
    }
}
