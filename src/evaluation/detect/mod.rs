//! Detectors: each names one way in which training fails, says by how much, and knows a remedy.
//!
//! What they have in common: a failure is measured, not guessed from the settings; the thresholds lie between what
//! the failure measures and what every model measures at its defaults; and the remedy undoes the setting that
//! provokes the failure, where it is one.

mod below_entropy;
mod discriminator_strong;
mod discriminator_weak;
mod few_sampling_steps;
mod filaments;
mod memorisation;
mod mode_collapse;
mod oscillation;
mod over_smoothing;
mod overfitting;
mod posterior_collapse;
mod tail_bound;
mod vanishing_gradient;
mod wrong_density;

use super::evidence::Evidence;
use crate::params::{Kind, Value};

/// A failure that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its id; the page's texts have a sentence for it.
    pub id: &'static str,
    /// The numbers in that sentence.
    pub values: Vec<(&'static str, f64)>,
    /// The settings that help, live or not; none where only patience does.
    pub remedy: Vec<(&'static str, Value)>,
}

/// A detector: its finding's id, and what looks for it.
pub struct Detector {
    /// The id of what it finds.
    pub id: &'static str,
    /// Looks for it.
    pub find: fn(&Evidence) -> Option<Finding>,
}

/// Every detector, in the order of the page: what explains most comes first.
pub const ALL: &[Detector] = &[
    Detector { id: "belowEntropy", find: below_entropy::find },
    Detector { id: "vanishingGradient", find: vanishing_gradient::find },
    Detector { id: "modeCollapse", find: mode_collapse::find },
    Detector { id: "oscillation", find: oscillation::find },
    Detector { id: "discriminatorStrong", find: discriminator_strong::find },
    Detector { id: "discriminatorWeak", find: discriminator_weak::find },
    Detector { id: "posteriorCollapse", find: posterior_collapse::find },
    Detector { id: "overSmoothing", find: over_smoothing::find },
    Detector { id: "fewSamplingSteps", find: few_sampling_steps::find },
    Detector { id: "filaments", find: filaments::find },
    Detector { id: "tailBound", find: tail_bound::find },
    Detector { id: "wrongDensity", find: wrong_density::find },
    Detector { id: "memorisation", find: memorisation::find },
    Detector { id: "overfitting", find: overfitting::find },
];

/// Findings that are not named beside another that explains them: what is explained, and by what.
const EXPLAINED: &[(&str, &[&str])] = &[
    ("modeCollapse", &["vanishingGradient"]),
    ("oscillation", &["vanishingGradient", "modeCollapse"]),
    ("discriminatorStrong", &["modeCollapse", "vanishingGradient", "oscillation"]),
    ("discriminatorWeak", &["modeCollapse", "vanishingGradient", "oscillation"]),
    ("overSmoothing", &["posteriorCollapse"]),
    ("overfitting", &["memorisation"]),
];

/// Everything that is wrong.
pub fn detect(evidence: &Evidence) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for which in 0..ALL.len() {
        found.extend(look(which, evidence, &found));
    }
    found
}

/// What the detector with this number finds, unless what those before it `found` explains that.
pub fn look(which: usize, evidence: &Evidence, found: &[Finding]) -> Option<Finding> {
    let Detector { id, find } = ALL.get(which)?;
    let mut explained = EXPLAINED.iter().filter(|(what, _)| what == id).flat_map(|(_, by)| *by);
    let named = |by: &str| found.iter().any(|finding| finding.id == by);
    if explained.any(|by| named(by)) { None } else { find(evidence) }
}

/// The highest value of a setting that is a number.
fn highest(evidence: &Evidence, key: &str) -> Option<f64> {
    let spec = (evidence.session.config().model.specs)().into_iter().find(|spec| spec.key == key)?;
    match spec.kind {
        Kind::Linear { high, .. } | Kind::Log { high, .. } => Some(high),
        Kind::Integer { high, .. } => Some(high as f64),
        _ => None,
    }
}

/// So many times as much of a setting that is a number, as far as it goes; nothing where it is at its end.
fn raised(evidence: &Evidence, key: &'static str, times: f64) -> Option<(&'static str, Value)> {
    let (now, most) = (evidence.number(key)?, highest(evidence, key)?);
    (now < most).then(|| (key, Value::Number((times * now).min(most))))
}

/// More rows to learn from, where the data set has them; otherwise a smaller network.
fn more_rows(evidence: &Evidence) -> Vec<(&'static str, Value)> {
    let config = evidence.session.config();
    let usual =
        (config.dataset.specs)().into_iter().find(|spec| spec.key == "samples").map(|spec| spec.default);
    if let (Some(Value::Number(usual)), Some(rows)) = (usual, evidence.number("samples"))
        && rows < usual
    {
        return vec![("samples", Value::Number(usual))];
    }
    let specs = (config.model.specs)();
    for spec in &specs {
        let smaller = match (spec.kind, evidence.setting(spec.key)) {
            (Kind::Widths { .. }, Some(Value::Widths(widths))) if widths.iter().any(|w| *w > 16) => {
                Value::Widths(widths.iter().map(|w| (w / 4).max(8)).collect())
            }
            (Kind::Integer { .. }, Some(Value::Number(width))) if spec.key == "width" && *width > 8.0 => {
                Value::Number((width / 4.0).max(8.0).round())
            }
            _ => continue,
        };
        let shown = spec
            .when
            .is_none_or(|(key, options)| evidence.text(key).is_some_and(|option| options.contains(&option)));
        if shown {
            return vec![(spec.key, smaller)];
        }
    }
    Vec::new()
}
