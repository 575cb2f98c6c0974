//! A model that knows the training rows better than what they come from.

use super::{Finding, memorisation};
use crate::evaluation::Evidence;

/// How much dearer held-out rows must be, as a share of the loss on training rows …
const SHARE: f64 = 0.15;
/// … and in nats a row at least.
const SMALLEST: f64 = 0.5;

/// Looks for held-out rows that cost much more than training rows.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    let (train, held_out) = (evidence.inside.train_nll?, evidence.inside.held_out_nll?);
    (held_out - train > SMALLEST.max(SHARE * train.abs())).then(|| Finding {
        id: "overfitting",
        values: vec![("train", train), ("heldOut", held_out)],
        remedy: memorisation::remedy(evidence),
    })
}
