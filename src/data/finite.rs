//! What the sets with finitely many rows have in common, all of them equally likely.

use std::sync::Arc;

use super::{Data, LogDensity, Shape, Split};
use crate::rng::Rng;

/// Data that are all there is: each of these rows, which are all different, in an order drawn with the seed.
///
/// The held-out rows are all rows again: the loss on them is the loss in expectation, to the last digit, and what it
/// cannot be less than is the logarithm of their number.
pub fn uniform(shape: Shape, rows: Vec<Vec<u8>>, alphabet: Vec<char>, seed: u32) -> Data {
    let part = |label: &str| {
        let order = Rng::stream(seed, label).permutation(rows.len());
        let xs = order.into_iter().filter_map(|i| rows.get(i)).flatten().map(|x| f32::from(*x)).collect();
        Split { xs, labels: None }
    };
    let (train, held_out) = (part("data"), part("held-out data"));
    Data {
        shape,
        train,
        held_out,
        classes: 0,
        extent: [0.0, 1.0, 0.0, 1.0],
        range: (shape.vocabulary == 0).then_some([0.0, 1.0]),
        density: Some(Arc::new(Uniform(rows))),
        modes: None,
        alphabet,
        topic: None,
        rule: None,
    }
}

/// The law that makes each of these rows as likely as any other; none is there twice.
struct Uniform(Vec<Vec<u8>>);

impl LogDensity for Uniform {
    fn log_prob(&self, x: &[f64]) -> f64 {
        let row: Vec<u8> = x.iter().map(|x| *x as u8).collect();
        let whole = row.iter().zip(x).all(|(byte, x)| f64::from(*byte) == *x);
        if whole && self.0.contains(&row) { -libm::log(self.0.len() as f64) } else { f64::NEG_INFINITY }
    }

    fn entropy(&self) -> Option<f64> {
        Some(libm::log(self.0.len() as f64))
    }
}
