//! Scores, findings and the gallery in JSON.

use serde_json::{Map, Value as Json, json};

use super::{config_map, value_json};
use crate::data::Domain;
use crate::evaluation::{Evaluated, Finding, Score, detect, gallery, scores};

/// What the catalogue says of scores.
pub(super) fn scores_json() -> Json {
    let entry = |entry: &scores::ScoreEntry| {
        json!({
            "id": entry.id,
            "unit": entry.unit,
            "better": entry.better.id(),
            "target": entry.target,
            "domains": entry.domains.iter().copied().map(Domain::id).collect::<Vec<_>>(),
        })
    };
    scores::ALL.iter().map(entry).collect()
}

/// What the catalogue says of findings.
pub(super) fn findings_json() -> Json {
    detect::ALL.iter().map(|detector| detector.id).collect()
}

/// What the catalogue says of the gallery; an exhibit that cannot be built, which a test looks for, is left out.
pub(super) fn gallery_json() -> Json {
    let exhibit = |exhibit: &gallery::Exhibit| {
        Some(json!({
            "id": exhibit.id,
            "config": config_map(&exhibit.config().ok()?),
            "steps": exhibit.steps,
            "finding": exhibit.finding,
        }))
    };
    gallery::ALL.iter().filter_map(exhibit).collect()
}

fn score_json(score: &Score) -> Json {
    json!({
        "id": score.id,
        "value": score.value,
        "floor": score.floor,
        "optimum": score.optimum,
        "by": score.by.map(|by| by.id()),
    })
}

fn finding_json(finding: &Finding) -> Json {
    let values = finding.values.iter().map(|(key, value)| (key.to_string(), json!(value)));
    let remedy = finding.remedy.iter().map(|(key, value)| (key.to_string(), value_json(value)));
    json!({
        "id": finding.id,
        "values": values.collect::<Map<_, _>>(),
        "remedy": remedy.collect::<Map<_, _>>(),
    })
}

/// How far an evaluation is: only that it is not done, or everything that it came to.
pub fn evaluated_json(evaluated: Option<&Evaluated>) -> String {
    match evaluated {
        None => json!({ "done": false }),
        Some(evaluated) => json!({
            "done": true,
            "step": evaluated.step,
            "scores": evaluated.scores.iter().map(score_json).collect::<Vec<_>>(),
            "findings": evaluated.findings.iter().map(finding_json).collect::<Vec<_>>(),
        }),
    }
    .to_string()
}
