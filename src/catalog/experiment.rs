//! An experiment as JSON: `{"tealight": version, "config": {…}, "events": [{"step", "key", "value"}], "step": n}`.

use serde_json::{Map, Value as Json, json};

use super::{config_from, config_map, object, value_from, value_json};
use crate::config::Config;
use crate::error::{Error, Result, clip};
use crate::experiment::{Event, Experiment, LAST_STEP, MOST_EVENTS};

/// An experiment as JSON, as the page writes it.
pub fn experiment_json(experiment: &Experiment) -> String {
    let events = experiment.events.iter();
    let events = events
        .map(|event| json!({ "step": event.step, "key": event.key, "value": value_json(&event.value) }));
    let json = json!({
        "tealight": env!("CARGO_PKG_VERSION"),
        "config": config_map(&experiment.config),
        "events": events.collect::<Vec<_>>(),
        "step": experiment.step.unwrap_or(0),
    });
    format!("{json:#}\n")
}

/// Reads an experiment.
///
/// # Errors
/// Whatever is wrong with it, naming the field.
pub fn read_experiment(text: &str) -> Result<Experiment> {
    let map = object("experiment", text)?;
    let known = ["tealight", "config", "events", "step"];
    if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Error::unknown("field", key.as_str(), known));
    }
    check_version(&map)?;
    let config = match map.get("config") {
        Some(Json::Object(config)) => config_from(config)?,
        Some(other) => return Err(Error::wrong_kind("config", "a JSON object", other.to_string())),
        None => return Err(Error::Config("this experiment has no config".into())),
    };
    let events = match map.get("events") {
        None => Vec::new(),
        Some(Json::Array(list)) => read_events(list, &config)?,
        Some(other) => return Err(Error::wrong_kind("events", "a list", other.to_string())),
    };
    let step = match map.get("step") {
        None | Some(Json::Null) => None,
        Some(step) => Some(read_step("step", step)?),
    };
    Ok(Experiment { config, events, step })
}

/// Settings come and go with versions: one that is newer than this is not guessed at.
fn check_version(map: &Map<String, Json>) -> Result<()> {
    let Some(Json::String(version)) = map.get("tealight") else {
        return Err(Error::Config("this is no experiment: it names no version of tealight".into()));
    };
    let numbers = |text: &str| -> Option<[u32; 2]> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some([parts.next()??, parts.next()??])
    };
    match (numbers(version), numbers(env!("CARGO_PKG_VERSION"))) {
        (Some(theirs), Some(ours)) if theirs <= ours => Ok(()),
        (Some(_), _) => Err(Error::Config(format!(
            "tealight = {} is newer than this version, {}; update it",
            clip(version),
            env!("CARGO_PKG_VERSION")
        ))),
        (None, _) => Err(Error::wrong_kind("tealight", "a version such as 0.1.0", version.as_str())),
    }
}

fn read_step(key: &str, json: &Json) -> Result<u64> {
    json.as_u64()
        .filter(|step| *step <= LAST_STEP)
        .ok_or_else(|| Error::wrong_kind(key, format!("a whole number in 0..={LAST_STEP}"), json.to_string()))
}

fn read_events(list: &[Json], config: &Config) -> Result<Vec<Event>> {
    if list.len() > MOST_EVENTS {
        return Err(Error::wrong_kind(
            "events",
            format!("at most {MOST_EVENTS} changes"),
            list.len().to_string(),
        ));
    }
    let mut events = Vec::with_capacity(list.len());
    for (i, json) in list.iter().enumerate() {
        let at = |what: &str| format!("events[{i}].{what}");
        let field =
            |what: &str| json.get(what).ok_or_else(|| Error::Config(format!("events[{i}] has no {what}")));
        let step = read_step(&at("step"), field("step")?)?;
        let key = field("key")?;
        let Json::String(key) = key else {
            return Err(Error::wrong_kind(&at("key"), "a setting's key", key.to_string()));
        };
        let event = Event { step, key: key.clone(), value: value_from(&at("value"), field("value")?)? };
        Experiment::check(config, &event).map_err(|error| Error::Config(format!("events[{i}]: {error}")))?;
        events.push(event);
    }
    events.sort_by_key(|event| event.step);
    Ok(events)
}
