//! The self-description as JSON, and reading what the page sends: the only file that knows JSON.

mod evaluation;
#[cfg(not(target_arch = "wasm32"))]
mod experiment;
mod head;
mod supplies;

pub use evaluation::evaluated_json;
#[cfg(not(target_arch = "wasm32"))]
pub use experiment::{experiment_json, read_experiment};
pub use head::{Outline, SnapshotHead, read_snapshot_head, snapshot_head};
pub use supplies::provide;

use serde_json::{Map, Value as Json, json};

use crate::config::{Config, DEFAULT_SEED, Source, UpTo};
use crate::data::load::{self, Loaded};
use crate::data::{self, Data, Shape};
use crate::error::{Error, Result, clip};
use crate::frame::{Request, Section};
use crate::models;
use crate::params::{Effect, Kind, Spec, Value};
use crate::session::Session;

/// Longest configuration or request that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Everything that the page knows: data sets, models, settings, ranges, losses.
pub fn catalog() -> String {
    let datasets: Vec<Json> = data::ALL
        .iter()
        .chain(load::ALL)
        .map(|entry| {
            json!({
                "id": entry.id,
                "domain": entry.shape.domain.id(),
                "shape": shape_json(&entry.shape),
                "classes": entry.classes,
                "drawable": entry.drawable,
                "file": load::is_file(entry),
                "attribution": entry.attribution,
                "supply": entry.stored.as_ref().map(|stored| stored.file.name),
                "params": (entry.specs)().iter().map(|spec| spec_json(spec, None)).collect::<Vec<_>>(),
                "presets": entry.presets.iter().map(|preset| json!({
                    "id": preset.id,
                    "values": preset.values.iter().map(|(k, v)| (k.to_string(), json!(v))).collect::<Map<_, _>>(),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let models: Vec<Json> = models::ALL.iter().map(|entry| model_json(entry)).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "seed": { "low": 0, "high": u32::MAX, "default": DEFAULT_SEED },
        "datasets": datasets,
        "models": models,
        "scores": evaluation::scores_json(),
        "findings": evaluation::findings_json(),
        "gallery": evaluation::gallery_json(),
        "supplies": supplies::supplies_json(),
    })
    .to_string()
}

fn model_json(entry: &models::Entry) -> Json {
    let defaults = entry.domains.iter().map(|domain| {
        let values = (entry.defaults)(*domain);
        let values = values.iter().map(|(key, value)| (key.to_string(), value_json(value)));
        (domain.id().to_string(), Json::Object(values.collect()))
    });
    let misfits = data::ALL.iter().chain(load::ALL).filter_map(|set| {
        let misfit = entry.misfit(&set.shape, set.classes)?;
        Some((set.id.to_string(), json!(misfit.id())))
    });
    let up_to = data::ALL.iter().filter_map(|set| {
        let UpTo { key, most, misfit } = UpTo::of(entry, set)?;
        Some((set.id.to_string(), json!({ "key": key, "most": most, "misfit": misfit.id() })))
    });
    json!({
        "id": entry.id,
        "badge": entry.badge,
        "example": entry.example,
        "domains": entry.domains.iter().map(|domain| domain.id()).collect::<Vec<_>>(),
        "misfits": misfits.collect::<Map<_, _>>(),
        "upTo": up_to.collect::<Map<_, _>>(),
        "capabilities": entry.capabilities,
        "params": (entry.specs)().iter().map(|spec| spec_json(spec, Some(entry))).collect::<Vec<_>>(),
        "defaults": defaults.collect::<Map<_, _>>(),
        "losses": entry.losses.iter().map(|loss| json!({ "id": loss.id, "unit": loss.unit })).collect::<Vec<_>>(),
        "phases": entry.phases.iter().map(|phase| phase.id()).collect::<Vec<_>>(),
    })
}

fn spec_json(spec: &Spec, model: Option<&models::Entry>) -> Json {
    let mut object = match spec.kind {
        Kind::Linear { low, high } => json!({ "kind": "linear", "low": low, "high": high }),
        Kind::Log { low, high } => json!({ "kind": "log", "low": low, "high": high }),
        Kind::Integer { low, high, log } => {
            json!({ "kind": "integer", "low": low, "high": high, "log": log })
        }
        Kind::Choice { options } => json!({ "kind": "choice", "options": options }),
        Kind::Flag => json!({ "kind": "flag" }),
        Kind::Widths { layers, width } => json!({ "kind": "widths", "layers": layers, "width": width }),
        Kind::Text { length, lines } => json!({ "kind": "text", "length": length, "lines": lines }),
    };
    object["key"] = json!(spec.key);
    object["doc"] = json!(spec.doc);
    object["default"] = value_json(&spec.default);
    object["effect"] = json!(effect_id(spec.effect));
    object["when"] = spec.when.map_or(Json::Null, |(key, values)| json!({ "key": key, "in": values }));
    object["advanced"] = json!(spec.advanced);
    if spec.rate {
        object["rate"] = json!(true);
    }
    let rules =
        model.map_or(&[][..], |entry| entry.option_domains).iter().filter(|rule| rule.key == spec.key);
    let rules: Map<String, Json> = rules
        .map(|rule| (rule.option.to_string(), json!(rule.domains.iter().map(|d| d.id()).collect::<Vec<_>>())))
        .collect();
    if !rules.is_empty() {
        object["domains"] = Json::Object(rules);
    }
    object
}

/// The id of an effect.
pub fn effect_id(effect: Effect) -> &'static str {
    match effect {
        Effect::Live => "live",
        Effect::Restart => "restart",
    }
}

fn value_json(value: &Value) -> Json {
    match value {
        // Whole numbers are written without a point, so that links stay short.
        Value::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 => json!(*x as i64),
        Value::Number(x) => json!(x),
        Value::Flag(x) => json!(x),
        Value::Text(x) => json!(x),
        Value::Widths(xs) => json!(xs),
    }
}

fn value_from(key: &str, json: &Json) -> Result<Value> {
    let wrong = || {
        Error::wrong_kind(key, "a number, true or false, text, or a list of layer widths", json.to_string())
    };
    match json {
        Json::Number(x) => x.as_f64().map(Value::Number).ok_or_else(wrong),
        Json::Bool(x) => Ok(Value::Flag(*x)),
        Json::String(x) => Ok(Value::Text(x.clone())),
        Json::Array(xs) => xs
            .iter()
            .map(|x| x.as_u64().and_then(|x| usize::try_from(x).ok()))
            .collect::<Option<_>>()
            .map(Value::Widths)
            .ok_or_else(wrong),
        Json::Null | Json::Object(_) => Err(wrong()),
    }
}

fn parse(what: &str, text: &str) -> Result<Json> {
    if text.len() > LONGEST {
        return Err(Error::Config(format!(
            "this {what} has {} bytes; at most {LONGEST} are read",
            text.len()
        )));
    }
    serde_json::from_str(text)
        .map_err(|error| Error::Config(format!("this {what} is not JSON ({error}): \"{}\"", clip(text))))
}

fn object(what: &str, text: &str) -> Result<Map<String, Json>> {
    match parse(what, text)? {
        Json::Object(map) => Ok(map),
        other => Err(Error::wrong_kind(what, "a JSON object", other.to_string())),
    }
}

/// Reads a setting's value as the page sends it.
///
/// # Errors
/// Text that is not JSON, or JSON that is no setting's value.
pub fn read_value(key: &str, text: &str) -> Result<Value> {
    value_from(key, &parse("value", text)?)
}

/// Reads a flat configuration: `dataset`, `model`, and any settings that differ from their defaults.
///
/// # Errors
/// Whatever is wrong with it, naming the key.
pub fn read_config(text: &str) -> Result<Config> {
    config_from(&object("configuration", text)?)
}

fn config_from(map: &Map<String, Json>) -> Result<Config> {
    let id = |key: &str| match map.get(key) {
        Some(Json::String(id)) => Ok(id.as_str()),
        Some(other) => Err(Error::wrong_kind(key, "an id", other.to_string())),
        None => Err(Error::Config(format!("this configuration names no {key}"))),
    };
    let mut config = Config::new(id("dataset")?, id("model")?)?;
    for (key, json) in map {
        if key != "dataset" && key != "model" {
            config.set(key, &value_from(key, json)?)?;
        }
    }
    Ok(config)
}

/// A data set's configuration: its id, the seed, and its own settings.
///
/// # Errors
/// Whatever is wrong with it, naming the key.
pub fn read_dataset(text: &str) -> Result<Source> {
    let map = object("configuration", text)?;
    let Some(Json::String(id)) = map.get("dataset") else {
        return Err(Error::Config("this configuration names no dataset".into()));
    };
    let mut source = Source::new(id)?;
    for (key, json) in map.iter().filter(|(key, _)| *key != "dataset") {
        source.set(key, &value_from(key, json)?)?;
    }
    Ok(source)
}

/// What the page must know of data to show rows of them.
pub fn data_json(data: &Data) -> String {
    data_object(data).to_string()
}

fn data_object(data: &Data) -> Json {
    let misfits = models::ALL.iter().filter_map(|model| {
        let misfit = model.misfit(&data.shape, data.classes)?;
        Some((model.id.to_string(), json!(misfit.id())))
    });
    json!({
        "shape": shape_json(&data.shape),
        "extent": data.extent,
        "classes": data.classes,
        "alphabet": data.alphabet.iter().collect::<String>(),
        "trainRows": data.train.len(&data.shape),
        "heldOutRows": data.held_out.len(&data.shape),
        "misfits": misfits.collect::<Map<_, _>>(),
    })
}

fn config_map(config: &Config) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("dataset".into(), json!(config.dataset.id));
    map.insert("model".into(), json!(config.model.id));
    map.insert("seed".into(), json!(config.seed));
    for (key, value) in config.data.iter().chain(&config.params) {
        map.insert(key.clone(), value_json(value));
    }
    map
}

/// A configuration with every key.
pub fn config_json(config: &Config) -> String {
    Json::Object(config_map(config)).to_string()
}

fn shape_json(shape: &Shape) -> Json {
    json!({
        "domain": shape.domain.id(),
        "channels": shape.channels,
        "height": shape.height,
        "width": shape.width,
        "vocabulary": shape.vocabulary,
    })
}

/// What a program that samples with the weights must know beside the configuration.
pub fn sampling_json(session: &Session) -> String {
    let constants = session.model().constants().into_iter();
    let data = session.data();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "step": session.steps(),
        "shape": shape_json(&data.shape),
        "classes": data.classes,
        "alphabet": data.alphabet.iter().collect::<String>(),
        "constants": constants.map(|(name, xs)| (name.to_string(), json!(xs))).collect::<Map<_, _>>(),
    })
    .to_string()
}

/// What the page shows around the views.
pub fn info(session: &Session) -> String {
    let config = session.config();
    let losses = config.model.losses.iter().zip(session.history().last()).map(
        |(loss, last)| json!({ "id": loss.id, "unit": loss.unit, "last": last.is_finite().then_some(last) }),
    );
    let references = session.model().references().into_iter();
    json!({
        "step": session.steps(),
        "config": config_map(config),
        "shape": shape_json(&session.data().shape),
        "extent": session.data().extent,
        "parameters": session.model().parameters(),
        "capabilities": session.model().capabilities(),
        "dear": session.model().dear(),
        "latentDim": session.model().latent().map(|latent| latent.dim()),
        "losses": losses.collect::<Vec<_>>(),
        "references": references
            .map(|(id, value, loss)| json!({ "id": id, "value": value, "loss": loss }))
            .collect::<Vec<_>>(),
        "classes": session.data().classes,
        "alphabet": session.data().alphabet.iter().collect::<String>(),
        "trainRows": session.data().train.len(&session.data().shape),
    })
    .to_string()
}

/// Reads a list of view requests.
///
/// # Errors
/// What is not a request, with what a request may be.
pub fn read_requests(text: &str) -> Result<Vec<Request>> {
    let Json::Array(list) = parse("request", text)? else {
        return Err(Error::wrong_kind("request", "a list of views", text));
    };
    list.iter().map(read_request).collect()
}

fn read_request(json: &Json) -> Result<Request> {
    let whole = |key: &'static str, low: u64, high: u64| match json.get(key) {
        Some(value) => match value.as_u64() {
            Some(n) if (low..=high).contains(&n) => Ok(n as usize),
            _ => Err(Error::OutOfRange {
                key: key.into(),
                got: clip(&value.to_string()),
                low: low as f64,
                high: high as f64,
            }),
        },
        None => Err(Error::Config(format!("this view needs {key}"))),
    };
    let unit = |key: &'static str| match json.get(key).and_then(Json::as_f64) {
        Some(x) if (0.0..=1.0).contains(&x) => Ok(x),
        _ => Err(Error::wrong_kind(
            key,
            "a number in 0..=1",
            json.get(key).map(Json::to_string).unwrap_or_default(),
        )),
    };
    let n = || whole("n", 1, 20_000);
    let grid = || whole("grid", 2, 256);
    let id = json.get("id").and_then(Json::as_str).unwrap_or_default();
    Ok(match id {
        "real" => Request::Real { n: n()? },
        "realLabels" => Request::RealLabels { n: n()? },
        "samples" => Request::Samples { n: n()? },
        "sampleDensity" => Request::SampleDensity { grid: grid()? },
        "density" => Request::Density { grid: grid()? },
        "discriminator" => Request::Discriminator { grid: grid()? },
        "manifold" => Request::Manifold { grid: grid()? },
        "latentMap" => Request::LatentMap { grid: whole("grid", 2, 40)? },
        "latentPoints" => Request::LatentPoints { n: n()? },
        "decode" => Request::Decode { u: unit("u")?, v: unit("v")? },
        "reconstruct" => Request::Reconstruct { n: n()? },
        "paths" => Request::Paths { n: whole("n", 1, 4096)?, frames: whole("frames", 2, 200)? },
        "energy" => Request::Energy { grid: grid()? },
        "classes" => Request::Classes { n: whole("n", 1, 1024)? },
        "components" => Request::Components,
        "filters" => Request::Filters,
        "conditionals" => Request::Conditionals { n: whole("n", 1, 1024)? },
        "losses" => Request::Losses,
        other => return Err(Error::unknown("view", other, Request::IDS.iter().copied())),
    })
}

/// Where each prepared view lies in the flat buffer.
pub fn sections(sections: &[Section], length: usize) -> String {
    let list = sections.iter().map(|section| {
        let mut json = json!({ "id": section.id, "offset": section.offset, "shape": section.shape });
        if let Some(bound) = section.bound {
            json["bound"] = json!(bound.id());
        }
        if let Some(axes) = section.axes {
            json["axes"] = json!(axes);
        }
        json
    });
    json!({ "sections": list.collect::<Vec<_>>(), "length": length }).to_string()
}

/// What the page must know of data that came from files.
pub fn loaded_json(loaded: &Loaded) -> String {
    let mut json = data_object(&loaded.data);
    json["dataset"] = json!(loaded.dataset.id);
    json["rows"] = json!(loaded.rows);
    json["scaled"] = json!(loaded.scaled);
    json.to_string()
}

/// Reads how files are to be read: `{"size": 16}`, or nothing.
///
/// # Errors
/// What is not such an object, or a size out of range.
pub fn read_load_options(text: &str) -> Result<load::Options> {
    let map = object("list of options", text)?;
    let size = match map.get("size") {
        None | Some(Json::Null) => None,
        Some(json) => Some(json.as_u64().filter(|n| (4..=64).contains(n)).ok_or_else(|| {
            Error::OutOfRange { key: "size".into(), got: clip(&json.to_string()), low: 4.0, high: 64.0 }
        })? as usize),
    };
    Ok(load::Options { size })
}
