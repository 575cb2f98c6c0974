//! `tealight train`: steps with a progress bar, then the files.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tealight::catalog;
use tealight::data::{self, sequences};
use tealight::frame::{self, Request};
use tealight::session::Session;

use super::experiment::Experiment;
use super::picture;

/// What to train, for how long, and where to write.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    experiment: Experiment,
    /// Steps to take.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// The folder to write to; made if it is not there.
    #[arg(long, default_value = "run")]
    out: PathBuf,
}

/// Trains and writes.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let config = options.experiment.config()?;
    // Before the work, not after it.
    fs::create_dir_all(&options.out)
        .map_err(|error| format!("cannot write to {}: {error}", options.out.display()))?;
    let mut session = Session::new(config)?;
    println!(
        "{} on {}, seed {}: {} parameters, {} training rows",
        options.experiment.model,
        options.experiment.dataset,
        options.experiment.seed,
        session.model().vars().count(),
        session.data().train.len(&session.data().shape),
    );
    train(&mut session, options.steps)?;
    write(&mut session, &options.out)?;
    println!(
        "wrote samples.{}, losses.csv, weights.safetensors and snapshot.safetensors to {}",
        if session.config().domain() == data::Domain::Sequences { "txt" } else { "png" },
        options.out.display()
    );
    Ok(())
}

/// Takes steps up to this one, and shows how far it is.
pub fn train(session: &mut Session, steps: u64) -> Result<(), Box<dyn Error>> {
    let bar = ProgressBar::new(steps);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} steps  {per_sec}  {eta} left  {msg}")?);
    let losses = session.config().model.losses;
    while session.steps() < steps {
        session.step((steps - session.steps()).min(20) as u32)?;
        bar.set_position(session.steps());
        let values = losses.iter().zip(session.history().last()).filter(|(_, value)| !value.is_nan());
        bar.set_message(
            values.map(|(loss, value)| format!("{} {value:.3}", loss.id)).collect::<Vec<_>>().join("  "),
        );
    }
    bar.finish();
    Ok(())
}

fn write(session: &mut Session, out: &Path) -> Result<(), Box<dyn Error>> {
    let domain = session.config().domain();
    let n = if domain == data::Domain::Points { 2000 } else { 100 };
    let (_, values) = frame::prepare(session, &[Request::Samples { n }, Request::Real { n }])?;
    let (samples, real) = values.split_at(values.len() / 2);
    let shape = session.data().shape;
    match domain {
        data::Domain::Points => {
            picture::scatter(real, samples, session.data().extent).write(&out.join("samples.png"))?;
        }
        data::Domain::Images => picture::sheet(samples, &shape).write(&out.join("samples.png"))?,
        data::Domain::Sequences => {
            let words = samples.chunks_exact(shape.size());
            let words: Vec<_> = words.map(|row| sequences::spell(row, &session.data().alphabet)).collect();
            fs::write(out.join("samples.txt"), words.join("\n"))?;
        }
    }

    let mut csv = fs::File::create(out.join("losses.csv"))?;
    let ids: Vec<&str> = session.config().model.losses.iter().map(|loss| loss.id).collect();
    writeln!(csv, "step,{}", ids.join(","))?;
    let (columns, values) = session.history().columns();
    for column in 0..columns {
        let row = values.iter().skip(column).step_by(columns);
        // A loss that a step did not compute is an empty cell.
        let cells: Vec<String> =
            row.map(|x| if x.is_nan() { String::new() } else { x.to_string() }).collect();
        writeln!(csv, "{}", cells.join(","))?;
    }
    fs::write(out.join("weights.safetensors"), session.weights()?)?;
    fs::write(out.join("snapshot.safetensors"), session.snapshot()?)?;
    fs::write(out.join("config.json"), catalog::config_json(session.config()))?;
    Ok(())
}
