//! What a snapshot says in JSON beside its tensors.

use serde_json::{Value as Json, json};

use super::{config_from, config_map, object, shape_json};
use crate::config::Config;
use crate::data::{Domain, Shape};
use crate::error::{Error, Result};
use crate::models::Phase;

/// What a snapshot holds beside its tensors and its configuration.
pub struct SnapshotHead {
    /// Steps taken.
    pub steps: u64,
    /// The phase.
    pub phase: Phase,
    /// The latent dimensions that are shown.
    pub axes: [usize; 2],
    /// The state of the stream that chooses batches.
    pub batches: [u32; 4],
    /// The state of the stream of latents and noise.
    pub noise: [u32; 4],
    /// What must be known of the rows that the snapshot holds, if it does.
    pub rows: Option<Outline>,
}

/// What must be known of rows to read them.
#[derive(Debug, Clone)]
pub struct Outline {
    /// The shape of one.
    pub shape: Shape,
    /// How many classes their labels tell apart.
    pub classes: usize,
    /// The characters that tokens stand for.
    pub alphabet: Vec<char>,
}

/// The format of snapshots that this version writes and reads.
const SNAPSHOT_FORMAT: u64 = 1;

/// A snapshot's head as JSON.
pub fn snapshot_head(config: &Config, head: &SnapshotHead) -> String {
    json!({
        "format": SNAPSHOT_FORMAT,
        "version": env!("CARGO_PKG_VERSION"),
        "config": config_map(config),
        "steps": head.steps,
        "phase": head.phase.id(),
        "axes": head.axes,
        "batches": head.batches,
        "noise": head.noise,
        "rows": head.rows.as_ref().map(|rows| json!({
            "shape": shape_json(&rows.shape),
            "classes": rows.classes,
            "alphabet": rows.alphabet.iter().collect::<String>(),
        })),
    })
    .to_string()
}

/// Reads what [`snapshot_head`] wrote.
///
/// # Errors
/// Another format, or anything missing or out of range.
pub fn read_snapshot_head(text: &str) -> Result<(Config, SnapshotHead)> {
    let map = object("snapshot's head", text)?;
    let field = |key: &str| map.get(key).ok_or_else(|| Error::File(format!("its head has no {key}")));
    let format = field("format")?;
    if format.as_u64() != Some(SNAPSHOT_FORMAT) {
        return Err(Error::File(format!(
            "it has format {format}; this version reads format {SNAPSHOT_FORMAT}"
        )));
    }
    let config = match field("config")? {
        Json::Object(config) => config_from(config)?,
        _ => return Err(Error::File("its configuration is no object".into())),
    };
    let numbers = |key: &'static str| -> Result<Vec<u32>> {
        let list = field(key)?.as_array().into_iter().flatten();
        list.map(|x| x.as_u64().and_then(|x| u32::try_from(x).ok()))
            .collect::<Option<_>>()
            .ok_or_else(|| Error::File(format!("its {key} are not numbers")))
    };
    let damaged = |key: &str| Error::File(format!("its {key} are damaged"));
    let phase = field("phase")?.as_str().and_then(|id| Phase::ALL.into_iter().find(|phase| phase.id() == id));
    let axes: [u32; 2] = numbers("axes")?.try_into().map_err(|_| damaged("axes"))?;
    let steps = field("steps")?.as_u64().filter(|steps| *steps < 1 << 50);
    let head = SnapshotHead {
        steps: steps.ok_or_else(|| damaged("steps"))?,
        phase: phase.ok_or_else(|| damaged("phase"))?,
        axes: axes.map(|axis| axis as usize),
        batches: numbers("batches")?.try_into().map_err(|_| damaged("batches"))?,
        noise: numbers("noise")?.try_into().map_err(|_| damaged("noise"))?,
        rows: match map.get("rows") {
            None | Some(Json::Null) => None,
            Some(rows) => Some(read_outline(rows, config.domain()).ok_or_else(|| damaged("rows"))?),
        },
    };
    Ok((config, head))
}

/// Most values of a row from a file: images of 64 × 64 pixels in colour.
const LARGEST_ROW: u64 = 3 * 64 * 64;

fn read_outline(json: &Json, domain: Domain) -> Option<Outline> {
    let shape = json.get("shape")?;
    let size = |key: &str| shape.get(key)?.as_u64().filter(|n| *n <= LARGEST_ROW);
    let [channels, height, width, vocabulary] =
        [size("channels")?, size("height")?, size("width")?, size("vocabulary")?];
    // Three such factors fit.
    let row = channels * height * width;
    let flat = domain == Domain::Images || channels == 1 && height == 1;
    if row > LARGEST_ROW || !flat {
        return None;
    }
    let [channels, height, width, vocabulary] = [channels, height, width, vocabulary].map(|n| n as usize);
    Some(Outline {
        shape: Shape { domain, channels, height, width, vocabulary },
        classes: json.get("classes")?.as_u64().filter(|n| *n <= 4096)? as usize,
        alphabet: json.get("alphabet")?.as_str()?.chars().collect(),
    })
}
