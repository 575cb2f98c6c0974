//! A likelihood that is too good to be true.
//!
//! E −log q ≥ E −log p, with equality for q = p alone: no model's held-out loss is below that of the data's own law,
//! but by chance. One that is has a density whose mass is more than 1, or has seen the held-out rows: an error of
//! ours or a leak. No setting mends that.

use super::Finding;
use crate::evaluation::{By, Evidence};

/// How far below, in nats or bits. Model and law are compared on the same rows: at a divergence of k nats the
/// difference on 250 of them has a standard deviation of about √(2k/250), so that no model comes to −0.05 by less
/// than five of them.
const MARGIN: f64 = 0.05;

/// Looks for a held-out loss that is better than that of the data's own law on the same rows.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    let score = evidence.score("nll").or_else(|| evidence.score("bitsPerCharacter"))?;
    // Kernels on samples are judged by kernels on real rows, which are no bound.
    let law = score.floor.filter(|_| matches!(score.by, Some(By::Model(_))))?;
    (score.value < law - MARGIN).then(|| Finding {
        id: "belowEntropy",
        values: vec![("loss", score.value), ("law", law)],
        remedy: Vec::new(),
    })
}
