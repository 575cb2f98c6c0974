//! A discriminator that sees no difference where there is one.
//!
//! A loss of ln 4 is no sign of success: collapsed and untrained pairs have it too. What the discriminator cannot
//! tell apart is given to one that needs no training, the nearest neighbour.

use super::Finding;
use super::discriminator_strong::{accuracy, judges};
use crate::evaluation::Evidence;
use crate::params::Value;

/// How much of the difference a weak discriminator sees, counted from chance on; the standard deviation of guessing
/// 1,000 rows is 0.016, that of the share a fortieth.
const SEEN: f64 = 0.3;
/// Share of right answers of the nearest neighbour from which there is a difference, and a large one.
const TOLD: f64 = 0.9;
/// The widths of the discriminator's hidden layers.
const LAYERS: &str = "networkShapeD";
/// Steps before which the pair has not begun.
const FIRST: u64 = 300;

/// Looks for a discriminator near chance although samples are easily told from data.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    if evidence.step < FIRST || !judges(evidence) {
        return None;
    }
    let told = evidence.value("twoSample").filter(|told| *told >= TOLD)?;
    let accuracy = accuracy(evidence).filter(|accuracy| (accuracy - 0.5).abs() <= SEEN * (told - 0.5))?;
    // What holds it back is taken away; if nothing does, it gets more updates. What has no hidden layers is a slope,
    // which sees no more than where the middle is, however often it is updated.
    let number = |key: &str| evidence.number(key).unwrap_or(0.0);
    let mut remedy = Vec::new();
    if let Some(Value::Widths(widths)) = evidence.setting(LAYERS)
        && widths.is_empty()
    {
        let specs = (evidence.session.config().model.specs)();
        let usual = specs.into_iter().find(|spec| spec.key == LAYERS);
        remedy.extend(usual.map(|spec| (LAYERS, spec.default)));
        return Some(finding(accuracy, told, remedy));
    }
    if number("r1") > 0.1 {
        remedy.push(("r1", Value::Number(0.1)));
    }
    if number("learningRateD") < number("learningRateG") {
        remedy.push(("learningRateD", Value::Number(number("learningRateG"))));
    }
    if remedy.is_empty() {
        let more = (number("discriminatorSteps") + 2.0).min(10.0);
        remedy.push(("discriminatorSteps", Value::Number(more)));
    }
    Some(finding(accuracy, told, remedy))
}

fn finding(accuracy: f64, told: f64, remedy: Vec<(&'static str, Value)>) -> Finding {
    let values = vec![("percent", 100.0 * accuracy), ("told", 100.0 * told)];
    Finding { id: "discriminatorWeak", values, remedy }
}
