//! The files that a run leaves: those that the page writes, too.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tealight::catalog;
use tealight::data::{Domain, sequences};
use tealight::experiment::Experiment;
use tealight::frame::{self, Request};
use tealight::link;
use tealight::session::Session;

use super::picture;

/// Samples in the files: points, and whatever takes more room.
const POINTS: usize = 2000;
const OTHERS: usize = 100;

/// Writes everything to a folder, and says so.
pub fn write(session: &mut Session, story: Option<&Experiment>, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut names = Vec::new();
    let mut put = |name: &'static str, bytes: &[u8]| -> Result<(), Box<dyn Error>> {
        let file = out.join(name);
        // A file is whole or not there at all: what was there before stays until then.
        let part = out.join(format!("{name}.part"));
        fs::write(&part, bytes)
            .and_then(|()| fs::rename(&part, &file))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        names.push(name);
        Ok(())
    };
    // What took the time first: all else can be had from it again.
    put("snapshot.safetensors", &session.snapshot()?)?;
    put("weights.safetensors", &session.weights()?)?;
    if let Some(story) = story {
        put("experiment.json", catalog::experiment_json(story).as_bytes())?;
    }
    put("losses.csv", losses(session).as_bytes())?;
    let domain = session.config().domain();
    let n = if domain == Domain::Points { POINTS } else { OTHERS };
    let (_, values) = frame::prepare(session, &[Request::Samples { n }, Request::Real { n }])?;
    let (samples, real) = values.split_at(values.len() / 2);
    let data = session.data();
    match domain {
        Domain::Sequences => {
            let words = samples.chunks_exact(data.shape.size());
            let words: Vec<_> = words.map(|row| sequences::spell(row, &data.alphabet)).collect();
            put("samples.txt", (words.join("\n") + "\n").as_bytes())?;
        }
        Domain::Images => {
            put("samples.csv", table(samples, data.shape.size(), "pixel").as_bytes())?;
            put("samples.png", &picture::sheet(samples, &data.shape).png()?)?;
        }
        Domain::Points => {
            put("samples.csv", table(samples, data.shape.size(), "x").as_bytes())?;
            if data.shape.is_plane() {
                put("samples.png", &picture::scatter(real, samples, data.extent).png()?)?;
            }
        }
    }
    let (last, others) = names.split_last().map_or(("nothing", &[][..]), |(last, others)| (*last, others));
    println!("wrote {} and {last} to {}", others.join(", "), out.display());
    if let Some(story) = story {
        println!("the same run in the page: #{}", link::write(story));
    }
    Ok(())
}

/// Step and losses, a line a kept step or the mean of several.
fn losses(session: &Session) -> String {
    let ids: Vec<&str> = session.config().model.losses.iter().map(|loss| loss.id).collect();
    let mut csv = format!("step,{}\n", ids.join(","));
    let (columns, values) = session.history().columns();
    for column in 0..columns {
        let row = values.iter().skip(column).step_by(columns);
        // A loss that a step did not compute is an empty cell.
        let cells: Vec<String> =
            row.map(|x| if x.is_nan() { String::new() } else { x.to_string() }).collect();
        csv += &cells.join(",");
        csv.push('\n');
    }
    csv
}

/// Rows of values, named by their number.
fn table(values: &[f32], width: usize, name: &str) -> String {
    let names: Vec<String> = (1..=width).map(|i| format!("{name}{i}")).collect();
    let mut csv = names.join(",");
    for row in values.chunks_exact(width.max(1)) {
        for (i, x) in row.iter().enumerate() {
            // Writing to text cannot fail.
            let _ = write!(csv, "{}{x}", if i == 0 { '\n' } else { ',' });
        }
    }
    csv.push('\n');
    csv
}
