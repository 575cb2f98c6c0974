//! Links, as the page writes and reads them (`www/state.js`): reading one never fails.
//!
//! A link holds what differs from the defaults of its data set and model. Unknown keys are dropped, and what is out
//! of range is moved to the nearest allowed value and listed.

use std::collections::HashMap;

use crate::config::{Config, DEFAULT_SEED, UpTo};
use crate::data;
use crate::error::Result;
use crate::experiment::{self, Event, Experiment, LAST_STEP, MOST_EVENTS, PHASE};
use crate::models;
use crate::params::{Effect, Kind, Spec, Value};

/// A link longer than this is not read further.
const LONGEST: usize = 1 << 16;
/// The longest piece of a link that a message quotes, in characters.
const LONGEST_QUOTE: usize = 40;

/// A value that was not allowed, and what is used instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Clamp {
    /// The key.
    pub key: String,
    /// What the link says.
    pub got: String,
    /// What is used.
    pub used: String,
}

/// What a link says, and what of it was moved into its range.
///
/// A whole address is as good as the part behind its `#`.
///
/// # Errors
/// None, as long as the catalogue has a model for every data set.
pub fn read(link: &str) -> Result<(Experiment, Vec<Clamp>)> {
    let texts = texts_of(link);
    let mut clamped = Vec::new();
    let config = read_config(&texts, &mut clamped)?;
    let find = |key: &str| texts.iter().find(|(known, _)| known == key).map(|(_, text)| text.as_str());
    let step = find("step").and_then(|text| read_step(text, &mut clamped));
    let events = read_events(find("events").unwrap_or_default(), &config, &mut clamped);
    Ok((Experiment { config, events, step }, clamped))
}

/// The keys and texts of a link, each key once.
fn texts_of(link: &str) -> Vec<(String, String)> {
    let hash = match link.split_once('#') {
        Some((_, hash)) => hash,
        None => link,
    };
    let end = hash.char_indices().nth(LONGEST).map_or(hash.len(), |(end, _)| end);
    // A link pasted out of a web page's source has its ampersands escaped.
    let hash = hash.get(..end).unwrap_or_default().replace("&amp;", "&");
    let mut texts: Vec<(String, String)> = Vec::new();
    for part in hash.split('&') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if let (Some(key), Some(value)) = (decode(key), decode(value))
            && !key.is_empty()
            && !texts.iter().any(|(known, _)| *known == key)
        {
            texts.push((key, value));
        }
    }
    texts
}

/// What stands behind `%` and `+`; `None` where that is no text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn quote(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into(),
    }
}

fn read_config(texts: &[(String, String)], clamped: &mut Vec<Clamp>) -> Result<Config> {
    // Attributes have no case, so keys are compared without it.
    let given: HashMap<String, &str> =
        texts.iter().map(|(key, text)| (key.to_lowercase(), text.as_str())).collect();
    let mut pick = |key: &str, ids: &[&'static str]| -> (&'static str, bool) {
        let first = ids.first().copied().unwrap_or_default();
        let Some(got) = given.get(key) else { return (first, false) };
        if let Some(id) = ids.iter().find(|id| *id == got) {
            return (*id, true);
        }
        clamped.push(Clamp { key: key.into(), got: quote(got), used: first.into() });
        (first, false)
    };
    // A text cannot carry a file: only what can be generated.
    let (dataset, _) = pick("dataset", &data::ALL.iter().map(|set| set.id).collect::<Vec<_>>());
    let ids: Vec<&str> = models::ALL.iter().map(|model| model.id).collect();
    let (model, named) = pick("model", &ids);
    // A model alone brings its own example.
    let alone = named && !given.contains_key("dataset");
    let dataset = models::find(model).ok().filter(|_| alone).map_or(dataset, |entry| entry.example);
    // Whether a model takes the data may depend on a setting of theirs.
    let mut config = ids
        .iter()
        .map(|id| Config::new(dataset, id))
        .find(Result::is_ok)
        .unwrap_or_else(|| Config::new(dataset, model))?;
    let specs = (config.dataset.specs)();
    for spec in specs {
        if let Some(text) = given.get(&spec.key.to_lowercase()) {
            let value = nearest(&config, &spec, parse(spec.kind, text).as_ref());
            config.set(spec.key, &value)?;
        }
    }
    let fitting = ids.iter().find(|id| takes(id, &config)).copied().unwrap_or(model);
    let mut config = Config::new(dataset, if takes(model, &config) { model } else { fitting })?;
    if named && model != config.model.id {
        clamped.push(Clamp { key: "model".into(), got: model.into(), used: config.model.id.into() });
    }
    let defaults = config.clone();
    for spec in std::iter::once(seed()).chain(experiment::specs(&defaults)) {
        let Some(text) = given.get(&spec.key.to_lowercase()) else { continue };
        let got = parse(spec.kind, text);
        let used = nearest(&defaults, &spec, got.as_ref());
        if !says(text, got.as_ref(), &used) {
            clamped.push(Clamp { key: spec.key.into(), got: quote(text), used: quote(&text_of(&used)) });
        }
        config.set(spec.key, &used)?;
    }
    Ok(config)
}

/// Whether a model takes a configuration's data.
fn takes(id: &str, config: &Config) -> bool {
    let Ok(model) = models::find(id) else { return false };
    match UpTo::of(model, config.dataset) {
        Some(UpTo { key, most, .. }) => {
            let value = config.data.iter().find(|(own, _)| own == key).map(|(_, value)| value);
            matches!(value, Some(Value::Number(x)) if *x <= most as f64)
        }
        None => model.misfit(&config.dataset.shape, config.dataset.classes).is_none(),
    }
}

fn seed() -> Spec {
    Spec {
        key: "seed",
        doc: "",
        kind: Kind::Integer { low: 0, high: u32::MAX as usize, log: false },
        default: Value::Number(DEFAULT_SEED.into()),
        effect: Effect::Restart,
        when: None,
        advanced: false,
        rate: false,
    }
}

/// A value as it stands in a link.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Number(x) => x.to_string(),
        Value::Flag(x) => x.to_string(),
        Value::Text(x) => x.clone(),
        Value::Widths(xs) => xs.iter().map(usize::to_string).collect::<Vec<_>>().join(","),
    }
}

/// Whether a text says this value, and not another that was moved to it.
fn says(text: &str, got: Option<&Value>, used: &Value) -> bool {
    match used {
        Value::Widths(widths) => parts(text).map(number).eq(widths.iter().map(|x| *x as f64)),
        _ => got == Some(used),
    }
}

/// The parts of a list of layer widths.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c == '·' || c.is_whitespace()).filter(|part| !part.is_empty())
}

/// A value from a link; `None` if it cannot be one.
fn parse(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Flag => match text {
            "true" | "1" | "" => Some(Value::Flag(true)),
            "false" | "0" => Some(Value::Flag(false)),
            _ => None,
        },
        Kind::Choice { .. } | Kind::Text { .. } => Some(Value::Text(text.into())),
        Kind::Widths { .. } => {
            let widths = parts(text).map(|part| {
                let x = number(part);
                // A width that is none is moved to the nearest that is.
                x.is_finite().then(|| round(x).max(0.0) as usize)
            });
            widths.collect::<Option<_>>().map(Value::Widths)
        }
        _ => Some(number(text)).filter(|x| !text.trim().is_empty() && !x.is_nan()).map(Value::Number),
    }
}

/// A number as scripts of the page read it: decimal, with or without an exponent, or whole in another base.
fn number(text: &str) -> f64 {
    let text = text.trim();
    let prefixed = text.get(..2).and_then(|prefix| {
        let base = match prefix {
            "0x" | "0X" => 16,
            "0o" | "0O" => 8,
            "0b" | "0B" => 2,
            _ => return None,
        };
        let digits = text.get(2..)?;
        let value = u64::from_str_radix(digits, base).ok().filter(|_| !digits.starts_with(['+', '-']));
        Some(value.map_or(f64::NAN, |x| x as f64))
    });
    if let Some(x) = prefixed {
        return x;
    }
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Words that only Rust reads as numbers.
        _ if text.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')) => f64::NAN,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

/// To the nearest whole number, halves upwards.
fn round(x: f64) -> f64 {
    let floor = x.floor();
    if x - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// The allowed value nearest to this one; the default where there is no nearest.
fn nearest(defaults: &Config, spec: &Spec, value: Option<&Value>) -> Value {
    let default = || {
        let own = defaults.params.iter().find(|(key, _)| key == spec.key);
        own.map_or_else(|| spec.default.clone(), |(_, value)| value.clone())
    };
    match (spec.kind, value) {
        (Kind::Linear { low, high } | Kind::Log { low, high }, Some(Value::Number(x))) => {
            Value::Number(x.clamp(low, high))
        }
        (Kind::Integer { low, high, .. }, Some(Value::Number(x))) => {
            Value::Number(round(*x).clamp(low as f64, high as f64))
        }
        (Kind::Widths { layers, width }, Some(Value::Widths(widths))) => {
            Value::Widths(widths.iter().take(layers).map(|x| (*x).clamp(1, width)).collect())
        }
        (Kind::Flag, Some(Value::Flag(x))) => Value::Flag(*x),
        (Kind::Choice { .. } | Kind::Text { .. }, Some(value))
            if spec.kind.check(spec.key, value).is_ok()
                && defaults.model.check_option(spec.key, value, defaults.domain()).is_ok() =>
        {
            value.clone()
        }
        _ => default(),
    }
}

fn read_step(text: &str, clamped: &mut Vec<Clamp>) -> Option<u64> {
    let x = number(text);
    if let Some(step) = whole(x) {
        return Some(step);
    }
    let used = whole(round(x)).filter(|step| *step < LAST_STEP && x > 0.0);
    let said = used.map_or_else(|| "—".into(), |step| step.to_string());
    clamped.push(Clamp { key: "step".into(), got: quote(text), used: said });
    used
}

/// A number of steps; `None` if this is none.
fn whole(x: f64) -> Option<u64> {
    (x.fract() == 0.0 && (0.0..=LAST_STEP as f64).contains(&x)).then_some(x as u64)
}

fn read_events(text: &str, config: &Config, clamped: &mut Vec<Clamp>) -> Vec<Event> {
    let mut events = Vec::new();
    for item in text.split(';').take(MOST_EVENTS) {
        let mut parts = item.splitn(3, ':');
        let (Some(at), Some(key)) = (parts.next(), parts.next()) else { continue };
        let written = parts.next().unwrap_or_default();
        let Some(step) = whole(number(at)).filter(|_| !at.trim().is_empty()) else { continue };
        let key = key.to_string();
        if key == PHASE {
            let event = Event { step, key, value: Value::Text(written.into()) };
            events.extend(Some(event).filter(|event| Experiment::check(config, event).is_ok()));
            continue;
        }
        let live = |spec: &Spec| {
            spec.key == key && spec.effect == Effect::Live && !matches!(spec.kind, Kind::Text { .. })
        };
        let Some(spec) = experiment::specs(config).find(live) else { continue };
        let got = parse(spec.kind, written);
        let value = nearest(&fresh(config), &spec, got.as_ref());
        if !says(written, got.as_ref(), &value) {
            clamped.push(Clamp { key: format!("{step}:{key}"), got: quote(written), used: text_of(&value) });
        }
        events.push(Event { step, key, value });
    }
    events.sort_by_key(|event| event.step);
    events
}

/// The defaults of a configuration's data set and model.
fn fresh(config: &Config) -> Config {
    Config::new(config.dataset.id, config.model.id).unwrap_or_else(|_| config.clone())
}

/// Escapes what a link cannot hold, as the page does.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(byte.into()),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b',' | b':' | b';' => {
                out.push(byte.into());
            }
            other => out.extend(['%', hex(other >> 4), hex(other & 15)]),
        }
    }
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Writes a link, without `#`: the inverse of [`read`].
pub fn write(experiment: &Experiment) -> String {
    let Experiment { config, events, step } = experiment;
    let defaults = fresh(config);
    let mut pairs = vec![
        ("dataset".to_string(), config.dataset.id.to_string()),
        ("model".into(), config.model.id.into()),
    ];
    if config.seed != defaults.seed {
        pairs.push(("seed".into(), config.seed.to_string()));
    }
    let values = config.data.iter().chain(&config.params);
    for ((key, value), (_, default)) in values.zip(defaults.data.iter().chain(&defaults.params)) {
        if value != default {
            pairs.push((key.clone(), text_of(value)));
        }
    }
    if !events.is_empty() {
        let changes = events.iter().map(|event| {
            let Event { step, key, value } = event;
            format!("{step}:{key}:{}", text_of(value))
        });
        pairs.push(("events".into(), changes.collect::<Vec<_>>().join(";")));
    }
    if let Some(step) = step.filter(|step| *step > 0) {
        pairs.push(("step".into(), step.to_string()));
    }
    let mut link = String::new();
    for (key, text) in pairs {
        if !link.is_empty() {
            link.push('&');
        }
        encode(&key, &mut link);
        link.push('=');
        encode(&text, &mut link);
    }
    link
}
