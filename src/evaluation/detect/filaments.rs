//! Bridges of probability between modes.
//!
//! A chain of affine maps keeps the topology of its base: one piece stays one piece, so that modes hang together by
//! filaments however long it learns (Cornish et al. 2020, <https://arxiv.org/abs/1909.13833>).

use super::Finding;
use crate::data::Domain;
use crate::evaluation::Evidence;
use crate::nn::kernels::distances::sort;
use crate::params::Value;

/// Of real rows, this share is less likely than the bar that samples are held against.
const RARE: f64 = 0.005;
/// The share of samples below that bar from which there are filaments: ten times as many as of real rows.
const MANY: f64 = 0.05;
/// Steps before which a flow has not parted what it can part.
const FIRST: u64 = 1000;

/// The share of samples that are less likely under the data's law than all but [`RARE`] of the real rows.
pub fn astray(law: &dyn crate::data::LogDensity, real: &[f32], samples: &[f32], size: usize) -> Option<f64> {
    let of = |rows: &[f32]| -> Vec<f64> {
        let row = |row: &[f32]| law.log_prob(&row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
        rows.chunks_exact(size.max(1)).map(row).collect()
    };
    let mut known = of(real);
    sort(&mut known);
    let bar = *known.get((RARE * known.len() as f64) as usize)?;
    let made = of(samples);
    let below = made.iter().filter(|log| **log < bar).count();
    (!made.is_empty()).then(|| below as f64 / made.len() as f64)
}

/// Looks for samples of an affine flow where data hardly ever are.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    if evidence.step < FIRST || !matches!(evidence.text("transform"), Some("affine" | "autoregressive")) {
        return None;
    }
    // Of whole values, bits or tokens, the law rules out everything between, and all that a flow draws lies there.
    let data = evidence.session.data();
    let law = data.density.as_ref().filter(|_| data.shape.domain == Domain::Points)?;
    let share = astray(law.as_ref(), evidence.real, evidence.samples, evidence.size())?;
    (share >= MANY).then(|| Finding {
        id: "filaments",
        values: vec![("percent", 100.0 * share), ("real", 100.0 * RARE)],
        remedy: vec![("transform", Value::Text("spline".into()))],
    })
}
