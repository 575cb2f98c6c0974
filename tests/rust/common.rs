//! What several tests need.

use serde_json::Value as Json;
use tealight::config::Config;
use tealight::data;
use tealight::models::Model;
use tealight::params::Value;
use tealight::session::Session;

/// Three drawn points: base64url, 12 bits a coordinate.
pub const DRAWING: &str = "gACAwACAgAEA";

pub fn number(x: f64) -> Value {
    Value::Number(x)
}

pub fn text(x: &str) -> Value {
    Value::Text(x.into())
}

/// This pair at its defaults; sets that are drawn get a drawing.
pub fn config(dataset: &str, model: &str) -> Config {
    let mut config = Config::new(dataset, model).unwrap();
    if config.dataset.drawable {
        config.set("points", &text(DRAWING)).unwrap();
    }
    config
}

/// This pair with settings.
pub fn session(dataset: &str, model: &str, settings: &[(&str, Value)]) -> Session {
    let mut config = config(dataset, model);
    for (key, value) in settings {
        config.set(key, value).unwrap();
    }
    Session::new(config).unwrap()
}

/// Every pair that the catalogue allows.
pub fn pairs() -> Vec<(&'static str, &'static str)> {
    let models = tealight::models::ALL.iter();
    models
        .flat_map(|model| {
            let sets = data::ALL.iter().filter(|set| model.misfit(&set.shape, set.classes).is_none());
            sets.map(|set| (set.id, model.id))
        })
        .collect()
}

/// Every model on the first data set of each kind that it takes.
pub fn representatives() -> Vec<(&'static str, &'static str)> {
    let mut seen = Vec::new();
    let kind = |set: &str| data::find(set).unwrap().shape.domain;
    pairs()
        .into_iter()
        .filter(|(set, model)| {
            let new = !seen.contains(&(*model, kind(set)));
            seen.push((*model, kind(set)));
            new
        })
        .collect()
}

/// The values of a model's variables, by name.
pub fn values(model: &dyn Model) -> Vec<(String, Vec<f32>)> {
    let flat = |var: &candle_core::Var| var.as_detached_tensor().flatten_all().unwrap().to_vec1().unwrap();
    model.vars().iter().map(|(name, var)| (name.to_string(), flat(var))).collect()
}

/// A reference file.
pub fn reference(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// Asserts that `got` is within `share` of `expected`, saying both.
#[track_caller]
pub fn assert_within(what: &str, got: f64, expected: f64, share: f64) {
    assert!(
        (got - expected).abs() <= share * expected.abs(),
        "{what}: {got} is not within {} % of {expected}",
        share * 100.0
    );
}
