//! Snapshots and weights as bytes: safetensors, with what is not a tensor as JSON in the metadata.
//!
//! A snapshot holds `vars.*`, `state.*` (the optimisers'), `history`, and in the metadata the configuration,
//! the step counter, the phase and the random streams: all that the next step depends on.
//! Where the data came from a file, `data.*` are its rows and labels.

use std::sync::Arc;

use crate::catalog::{self, Outline, SnapshotHead};
use crate::data::{Data, Entry, Split};
use crate::error::{Error, Result};
use crate::history::History;
use crate::nn::tensor_file::{F32, F64, Part, TensorFile, U32, write};
use crate::session::Session;

/// The one metadata key of a snapshot.
const META: &str = "tealight";
/// The second one, of weights.
const DATA: &str = "tealight.data";
/// No snapshot of ours comes near this; a file that does is not read.
const LARGEST: usize = 256 << 20;

fn bad(what: impl Into<String>) -> Error {
    Error::File(what.into())
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn numbers_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect()
}

/// Everything needed to go on, bit for bit; with the rows, or without them if whoever loads it has them.
///
/// # Errors
/// If the tensor library cannot give its values.
pub fn save(session: &Session, with_rows: bool) -> Result<Vec<u8>> {
    let mut tensors: Vec<Part> = Vec::new();
    for (name, var) in session.model.vars().iter() {
        let values = var.as_detached_tensor().flatten_all()?.to_vec1::<f32>()?;
        tensors.push((format!("vars.{name}"), F32, var.dims().to_vec(), bytes_of(&values)));
    }
    for (name, values) in session.model.state() {
        tensors.push((format!("state.{name}"), F32, vec![values.len()], bytes_of(&values)));
    }
    let history = session.history.to_numbers();
    let bytes = history.iter().flat_map(|x| x.to_le_bytes()).collect();
    tensors.push(("history".into(), F64, vec![history.len()], bytes));
    let data = session.data();
    if with_rows {
        for (name, split) in [("train", &data.train), ("held_out", &data.held_out)] {
            let rows = split.len(&data.shape);
            let shape = vec![rows, data.shape.size()];
            tensors.push((format!("data.{name}"), F32, shape, bytes_of(&split.xs)));
            if let Some(labels) = &split.labels {
                let bytes = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
                tensors.push((format!("data.{name}.labels"), U32, vec![labels.len()], bytes));
            }
        }
    }
    let head = SnapshotHead {
        steps: session.steps,
        phase: session.phase,
        axes: session.axes,
        batches: session.batches.state(),
        noise: session.noise.state(),
        rows: with_rows.then(|| Outline {
            shape: data.shape,
            classes: data.classes,
            alphabet: data.alphabet.clone(),
        }),
    };
    Ok(write(&[(META, &catalog::snapshot_head(&session.config, &head))], &in_order(tensors)))
}

/// In the order of the format's own library: the widest values first, and then by name.
fn in_order(tensors: Vec<Part>) -> Vec<Part> {
    let rank = |dtype: &str| [F64, F32, U32].iter().position(|known| *known == dtype);
    let key = |part: &Part| (rank(part.1), part.0.clone());
    let mut sorted: Vec<Part> = Vec::with_capacity(tensors.len());
    for part in tensors {
        let at = sorted.partition_point(|other| key(other) < key(&part));
        sorted.insert(at, part);
    }
    sorted
}

/// The weights alone, with the configuration in the metadata, and what else another program needs to sample with them.
///
/// # Errors
/// If the tensor library cannot give its values.
pub fn weights(session: &Session) -> Result<Vec<u8>> {
    let [config, sampling] = [catalog::config_json(&session.config), catalog::sampling_json(session)];
    session.model.vars().to_safetensors(&[(META, &config), (DATA, &sampling)])
}

/// Where the rows come from that a snapshot's session learns from.
pub enum Rows<'a> {
    /// These are they.
    These(&'a Arc<Data>),
    /// From the snapshot or made again; for a data set from a file whose rows it left out, those that are at hand.
    Own(Option<(&'static Entry, &'a Arc<Data>)>),
}

/// The session that a snapshot was taken of.
///
/// # Errors
/// [`Error::File`] for bytes that are no snapshot of this version, [`Error::Config`] and others for its settings.
pub fn load(bytes: &[u8], rows: Rows) -> Result<Session> {
    if bytes.len() > LARGEST {
        return Err(bad(format!("it has {} bytes; a snapshot has at most {LARGEST}", bytes.len())));
    }
    let file = TensorFile::read(bytes).map_err(|error| match error {
        Error::File(why) => bad(format!("it is no snapshot, as {why}")),
        other => other,
    })?;
    let meta = file.text(META).ok_or_else(|| bad("it is a safetensors file, but no snapshot of Tealight"))?;
    let (config, head) = catalog::read_snapshot_head(meta)?;
    let mut session = match (rows, &head.rows) {
        (Rows::These(data), _) => Session::on(config, data.clone())?,
        (Rows::Own(_), Some(outline)) => Session::on(config, Arc::new(restore_rows(outline, &file)?))?,
        (Rows::Own(Some((entry, data))), None) if entry.id == config.dataset.id => {
            Session::on(config, data.clone())?
        }
        (Rows::Own(_), None) => Session::new(config)?,
    };
    restore_vars(&session, &file)?;
    let mut state = Vec::new();
    for tensor in &file.tensors {
        if let Some(name) = tensor.name.strip_prefix("state.") {
            state.push((name.to_string(), finite(name, tensor.bytes)?));
        }
    }
    session.model.load_state(&state)?;
    let history = file.get("history").ok_or_else(|| bad("its history is missing"))?;
    let numbers: Vec<f64> =
        history.bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect();
    session.history = History::from_numbers(session.config.model.losses.len(), &numbers)
        .ok_or_else(|| bad("its history is damaged"))?;
    let damaged = || bad("its random streams are damaged");
    session.batches = crate::rng::Rng::from_state(head.batches).ok_or_else(damaged)?;
    session.noise = crate::rng::Rng::from_state(head.noise).ok_or_else(damaged)?;
    session.steps = head.steps;
    session.phase = head.phase;
    session.axes = head.axes;
    Ok(session)
}

fn restore_rows(outline: &Outline, file: &TensorFile) -> Result<Data> {
    let part = |name: &str| -> Result<Split> {
        let rows =
            file.get(&format!("data.{name}")).ok_or_else(|| bad(format!("its {name} rows are missing")))?;
        let labels = file.get(&format!("data.{name}.labels"));
        let labels =
            labels.map(|labels| labels.bytes.as_chunks().0.iter().map(|x| u32::from_le_bytes(*x)).collect());
        Ok(Split { xs: finite(name, rows.bytes)?, labels })
    };
    let Outline { shape, classes, alphabet } = outline.clone();
    Data::from_parts(shape, part("train")?, part("held_out")?, classes, alphabet)
        .map_err(|error| bad(format!("its data are damaged: {error}")))
}

fn restore_vars(session: &Session, file: &TensorFile) -> Result<()> {
    let vars = session.model.vars();
    for (name, var) in vars.iter() {
        let found = file.get(&format!("vars.{name}")).ok_or_else(|| bad(format!("\"{name}\" is missing")))?;
        if found.dtype != F32 || found.shape != var.dims() {
            return Err(bad(format!("\"{name}\" has shape {:?}, not {:?}", found.shape, var.dims())));
        }
        let values = finite(name, found.bytes)?;
        var.set(&candle_core::Tensor::from_vec(values, var.shape(), var.device())?)?;
    }
    Ok(())
}

fn finite(name: &str, bytes: &[u8]) -> Result<Vec<f32>> {
    let values = numbers_of(bytes);
    if values.iter().all(|x| x.is_finite()) {
        Ok(values)
    } else {
        Err(bad(format!("\"{}\" holds a value that is not finite", crate::error::clip(name))))
    }
}
