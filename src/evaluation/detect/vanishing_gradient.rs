//! The min-max game with a discriminator that is sure of itself.
//!
//! The generator minimises E log(1 − D(G(z))); its gradient carries the factor D(G(z)), which is 0 where the
//! discriminator knows every sample (Goodfellow et al. 2014, §3; Arjovsky & Bottou 2017,
//! <https://arxiv.org/abs/1701.04862>).

use super::Finding;
use crate::evaluation::Evidence;
use crate::params::Value;

/// The mean of D(G(z)) below which the generator stands still: at equilibrium it is ½.
const FAINT: f64 = 0.05;
/// Steps before which the pair has not begun.
const FIRST: u64 = 100;

/// Looks for a factor that has vanished.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    if evidence.step < FIRST || evidence.text("loss") != Some("minMax") {
        return None;
    }
    // Realness is tanh(a/2) = 2 D − 1.
    let factor = (1.0 + evidence.inside.realness?[1]) / 2.0;
    (factor < FAINT).then(|| Finding {
        id: "vanishingGradient",
        values: vec![("percent", 100.0 * factor)],
        remedy: vec![("loss", Value::Text("nonSaturating".into()))],
    })
}
