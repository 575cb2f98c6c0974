//! Good samples from a bad density.
//!
//! The chains of an energy-based model may sit where the data are although exp(−U/T) has its mass elsewhere: they
//! are too cold, too short or too coarse, and nothing corrects them (Nijkamp et al. 2020,
//! <https://arxiv.org/abs/1903.12370>).

use super::{Finding, raised};
use crate::evaluation::Evidence;
use crate::evaluation::likelihood::kernel_loss;
use crate::params::Value;

/// How many nats a row the density must be worse than kernels on the model's own samples. At the defaults the
/// difference wanders between 0 and ½; kernels blur, which makes it smaller.
const WORSE: f64 = 1.0;
/// Steps before which neither is good.
const FIRST: u64 = 500;

/// Looks for a density that is much worse than that of the model's own samples.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    if evidence.step < FIRST || !evidence.can("energy") {
        return None;
    }
    let density = evidence.inside.held_out_nll?;
    // Kernels cannot be so much better than the law itself on a thousand of its rows: then they need not be asked.
    if evidence.floor("nll").is_some_and(|law| density - law < 0.5 * WORSE) {
        return None;
    }
    let samples = kernel_loss(evidence.samples, evidence.real, evidence.size())?;
    (density - samples >= WORSE).then(|| Finding {
        id: "wrongDensity",
        values: vec![("density", density), ("samples", samples)],
        remedy: remedy(evidence),
    })
}

/// The correction, and if it is there, longer chains.
fn remedy(evidence: &Evidence) -> Vec<(&'static str, Value)> {
    if evidence.text("langevinCorrection") == Some("none") {
        return vec![("langevinCorrection", Value::Text("metropolis".into()))];
    }
    raised(evidence, "langevinSteps", 3.0).into_iter().collect()
}
