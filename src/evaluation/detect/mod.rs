//! Detectors: each names one way in which training fails, says by how much, and knows a remedy.

use super::evidence::Evidence;
use crate::params::Value;

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
pub const ALL: &[Detector] = &[];

/// Everything that is wrong.
pub fn detect(evidence: &Evidence) -> Vec<Finding> {
    ALL.iter().filter_map(|detector| (detector.find)(evidence)).collect()
}
