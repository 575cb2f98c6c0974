//! `tealight view`: the numbers that the page draws, for other programs.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use tealight::session::Session;
use tealight::{catalog, frame};

use super::experiment::Experiment;
use super::progress::train;

/// What to train and look at.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    experiment: Experiment,
    /// Steps to take before.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Go on from this snapshot, whose experiment counts then, up to the step that --steps says.
    #[arg(long)]
    snapshot: Option<PathBuf>,
    /// The views, as the page asks for them: '[{"id":"density","grid":64},{"id":"losses"}]'.
    views: String,
}

/// Trains and prints.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    // What cannot be asked is said before the work.
    let requests = catalog::read_requests(&options.views)?;
    let mut session = Session::new(options.experiment.config()?)?;
    if let Some(path) = &options.snapshot {
        let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        session.restore(&bytes)?;
    }
    train(&mut session, options.steps)?;
    let (sections, values) = frame::prepare(&session, &requests)?;
    let (info, layout) = (catalog::info(&session), catalog::sections(&sections, values.len()));
    println!(r#"{{"info":{info},"layout":{layout},"values":[{}]}}"#, list(&values));
    Ok(())
}

/// Numbers as JSON has them: what is none is null.
fn list(values: &[f32]) -> String {
    let text = |x: &f32| if x.is_finite() { x.to_string() } else { "null".into() };
    values.iter().map(text).collect::<Vec<_>>().join(",")
}
