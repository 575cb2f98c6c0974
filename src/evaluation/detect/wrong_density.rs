//! Good samples from a bad density.
//!
//! The chains of an energy-based model may sit where the data are although exp(−U/T) has its mass elsewhere: they
//! are too cold, too short, or never begin anew, and do not find it (Nijkamp et al. 2020,
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
    let samples = kernel_loss(evidence.samples, evidence.real, evidence.size())?;
    (density - samples >= WORSE).then(|| Finding {
        id: "wrongDensity",
        values: vec![("density", density), ("samples", samples)],
        remedy: remedy(evidence),
    })
}

/// The temperature of the density, chains that begin anew, longer chains: the first that is not there yet.
fn remedy(evidence: &Evidence) -> Vec<(&'static str, Value)> {
    let below = |key: &str, usual: f64| evidence.number(key).is_some_and(|x| x < usual);
    let mut remedy = Vec::new();
    if below("langevinNoise", 1.0) {
        remedy.push(("langevinNoise", Value::Number(1.0)));
    }
    if below("restarts", 0.02) {
        remedy.push(("restarts", Value::Number(0.02)));
    }
    if remedy.is_empty() {
        remedy.extend(raised(evidence, "langevinSteps", 3.0));
    }
    remedy
}
