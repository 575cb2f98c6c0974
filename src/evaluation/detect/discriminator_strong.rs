//! A discriminator that tells everything apart, so that it teaches nothing but "wrong".

use super::Finding;
use crate::evaluation::Evidence;
use crate::models::matrix;
use crate::params::Value;

/// Rows of each kind that are judged.
const ROWS: usize = 500;
/// Share of right answers from which it is too strong: a pair that learns has between a half and nine tenths.
const SURE: f64 = 0.98;
/// Steps before which the generator has not begun.
const FIRST: u64 = 300;

/// The losses whose discriminator gives probabilities or margins; a Wasserstein critic is meant to be the best.
pub(super) fn judges(evidence: &Evidence) -> bool {
    matches!(evidence.text("loss"), Some("minMax" | "nonSaturating" | "leastSquares" | "hinge"))
}

/// The share of real and of generated rows that the discriminator tells, each half of the whole.
///
/// Undecided counts half.
pub(super) fn accuracy(evidence: &Evidence) -> Option<f64> {
    let discriminator = evidence.session.model().discriminator()?;
    let size = evidence.size().max(1);
    let n = ROWS.min(evidence.real.len() / size).min(evidence.samples.len() / size);
    let mut rows = evidence.real.get(..n * size)?.to_vec();
    rows.extend_from_slice(evidence.samples.get(..n * size)?);
    let realness = discriminator.realness(&matrix(rows, 2 * n, size).ok()?).ok()?;
    let right = realness.iter().enumerate().map(|(i, x)| match (i < n, *x) {
        (_, 0.0) => 0.5,
        (real, x) => f64::from(u8::from(real == (x > 0.0))),
    });
    (n > 0).then(|| right.sum::<f64>() / (2 * n) as f64)
}

/// Looks for a discriminator that is nearly always right.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    if evidence.step < FIRST || !judges(evidence) {
        return None;
    }
    let accuracy = accuracy(evidence).filter(|accuracy| *accuracy >= SURE)?;
    // What makes it stronger than the generator is taken back; if nothing does, its slopes are penalised, and if they
    // are already, it learns more slowly.
    let number = |key: &str| evidence.number(key).unwrap_or(0.0);
    let mut remedy = Vec::new();
    if number("discriminatorSteps") > 1.0 {
        remedy.push(("discriminatorSteps", Value::Number(1.0)));
    }
    if number("learningRateD") > number("learningRateG") {
        let config = evidence.session.config();
        let usual = config.model.defaults_on(config.domain());
        for key in ["learningRateG", "learningRateD"] {
            remedy.extend(usual.iter().find(|(name, _)| name == key).map(|(_, value)| (key, value.clone())));
        }
    }
    if remedy.is_empty() {
        remedy.push(match number("r1") {
            r1 if r1 < 10.0 => ("r1", Value::Number((2.0 * r1).clamp(0.5, 10.0))),
            _ => ("learningRateD", Value::Number(number("learningRateD") / 4.0)),
        });
    }
    Some(Finding { id: "discriminatorStrong", values: vec![("percent", 100.0 * accuracy)], remedy })
}
