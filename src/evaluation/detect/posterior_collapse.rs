//! A VAE whose latents say nothing of the data.

use super::Finding;
use crate::evaluation::Evidence;
use crate::params::Value;

/// A unit with more KL than this, in nats, is active: the threshold of Burda et al. 2016, on its KL.
const ACTIVE: f32 = 0.01;
/// All units together carry less than this, in nats, where the posterior has collapsed: next to nothing, when one
/// bit is 0.69.
const NOTHING: f64 = 0.1;
/// Steps before which the encoder has not begun: it starts near the prior.
const FIRST: u64 = 300;

/// Looks for latents that carry nothing.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    let kl = &evidence.inside.unit_kl;
    // An encoder without noise, as a flow's is, has no finite KL.
    if evidence.step < FIRST || kl.is_empty() || kl.iter().any(|kl| !kl.is_finite()) {
        return None;
    }
    let total: f64 = kl.iter().map(|kl| f64::from(*kl)).sum();
    if total > NOTHING {
        return None;
    }
    let active = kl.iter().filter(|kl| **kl > ACTIVE).count();
    let beta = evidence.number("beta").unwrap_or(1.0);
    // The KL term's weight back to that of the bound; if that is too much already, it comes in slowly.
    let remedy = if beta > 1.0 {
        vec![("beta", Value::Number(1.0))]
    } else if evidence.text("variance") == Some("fixed") {
        vec![("variance", Value::Text("learned".into()))]
    } else {
        vec![("beta", Value::Number(0.5 * beta))]
    };
    let values = vec![("active", active as f64), ("units", kl.len() as f64), ("kl", total), ("beta", beta)];
    Some(Finding { id: "posteriorCollapse", values, remedy })
}
