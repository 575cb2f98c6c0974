//! A run that other commands look at: an experiment, taken to a step.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use tealight::session::Session;

use super::experiment::Experiment;
use super::progress::train;

/// What to train, and how far.
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    experiment: Experiment,
    /// Steps to take before.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Go on from this snapshot, whose experiment counts then, up to the step that --steps says.
    #[arg(long)]
    snapshot: Option<PathBuf>,
}

impl Run {
    /// The session at that step.
    pub fn session(&self) -> Result<Session, Box<dyn Error>> {
        let mut session = Session::new(self.experiment.config()?)?;
        if let Some(path) = &self.snapshot {
            let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            session.restore(&bytes)?;
        }
        train(&mut session, self.steps)?;
        Ok(session)
    }
}
