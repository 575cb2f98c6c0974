//! How far a run is: a bar in a terminal, a line now and then elsewhere.

use std::error::Error;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use tealight::experiment;
use tealight::session::Session;

/// Time between two lines.
const EVERY: Duration = Duration::from_secs(10);

/// Steps between two looks at how far it is.
pub const SLICE: u32 = 20;

/// Takes steps up to this one, and shows how far it is.
pub fn train(session: &mut Session, target: u64) -> Result<(), Box<dyn Error>> {
    let mut progress = Progress::new(session.steps(), target)?;
    let outcome = experiment::train(session, &[], target, SLICE, |session| {
        progress.seen(session);
        true
    });
    progress.finish();
    Ok(outcome?)
}

/// What is shown of a run.
pub struct Progress {
    bar: Option<ProgressBar>,
    first: u64,
    target: u64,
    begun: Instant,
    said: Instant,
}

impl Progress {
    /// Nothing done yet.
    pub fn new(first: u64, target: u64) -> Result<Self, Box<dyn Error>> {
        let bar = if stderr().is_terminal() {
            let template = "{bar:40} {pos}/{len} steps  {per_sec}  {eta} left  {msg}";
            let bar = ProgressBar::new(target).with_style(ProgressStyle::with_template(template)?);
            bar.set_position(first);
            bar.reset_eta();
            Some(bar)
        } else {
            None
        };
        Ok(Self { bar, first, target, begun: Instant::now(), said: Instant::now() })
    }

    /// Shows where the session is.
    pub fn seen(&mut self, session: &Session) {
        let step = session.steps();
        let losses = || {
            let named = session.config().model.losses.iter().zip(session.history().last());
            let known = named.filter(|(_, value)| !value.is_nan());
            known.map(|(loss, value)| format!("{} {value:.3}", loss.id)).collect::<Vec<_>>().join("  ")
        };
        match &self.bar {
            Some(bar) => {
                bar.set_position(step);
                bar.set_message(losses());
            }
            None if self.said.elapsed() >= EVERY => {
                self.said = Instant::now();
                let rate = (step - self.first) as f64 / self.begun.elapsed().as_secs_f64();
                let left = Duration::from_secs_f64(
                    (self.target.saturating_sub(step) as f64 / rate.max(1e-9)).min(1e9),
                );
                let (target, left) = (self.target, HumanDuration(left));
                eprintln!("step {step} of {target}, {rate:.0} a second, {left} left  {}", losses());
            }
            None => {}
        }
    }

    /// Leaves the bar as it stands.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}
