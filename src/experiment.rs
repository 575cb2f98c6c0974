//! An experiment: what a run begins with, what is changed on its way, and how far it goes.
//!
//! A link and a JSON file of the page are two ways to write one down ([`crate::link`],
//! [`crate::catalog::read_experiment`]); the command line trains what they say.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::models::Phase;
use crate::params::{Effect, Kind, Value};
use crate::session::Session;

/// The key of the change that says which network learns.
pub const PHASE: &str = "phase";
/// The most live changes that one experiment can hold.
pub const MOST_EVENTS: usize = 4096;
/// The largest step number, 2⁵³ − 1: beyond it, counting in floating point would skip steps.
pub const LAST_STEP: u64 = (1 << 53) - 1;

/// A change of a live setting, made as soon as so many steps are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The step.
    pub step: u64,
    /// The setting's key, or [`PHASE`].
    pub key: String,
    /// Its new value.
    pub value: Value,
}

/// A run from its beginning.
#[derive(Clone)]
pub struct Experiment {
    /// The configuration at step 0.
    pub config: Config,
    /// The live changes, in the order of their steps.
    pub events: Vec<Event>,
    /// The step to train to, if it names one.
    pub step: Option<u64>,
}

impl Experiment {
    /// Checks a live change.
    ///
    /// # Errors
    /// A setting that cannot be changed during a run, or a value that is not allowed.
    pub fn check(config: &Config, event: &Event) -> Result<()> {
        let Event { step, key, value } = event;
        if *step > LAST_STEP {
            let got = step.to_string();
            return Err(Error::OutOfRange { key: "step".into(), got, low: 0.0, high: LAST_STEP as f64 });
        }
        if key == PHASE {
            let ids = phases(config);
            return match value {
                Value::Text(id) if ids.contains(&id.as_str()) => Ok(()),
                Value::Text(id) => Err(Error::unknown("phase", id.as_str(), ids)),
                _ => Err(Error::wrong_kind(PHASE, "an id", "something else")),
            };
        }
        let text = specs(config).any(|spec| spec.key == key && matches!(spec.kind, Kind::Text { .. }));
        match config.clone().set(key, value)? {
            Effect::Live if !text => Ok(()),
            _ => Err(Error::Config(format!("{key} cannot be changed during a run"))),
        }
    }

    /// The configuration once every change up to `step` is made.
    ///
    /// # Errors
    /// Those of [`Config::set`].
    pub fn config_at(&self, step: u64) -> Result<Config> {
        let mut config = self.config.clone();
        for event in self.events.iter().filter(|event| event.step <= step && event.key != PHASE) {
            config.set(&event.key, &event.value)?;
        }
        Ok(config)
    }
}

/// The settings of a configuration's data set and model.
pub(crate) fn specs(config: &Config) -> impl Iterator<Item = crate::params::Spec> {
    (config.dataset.specs)().into_iter().chain((config.model.specs)())
}

/// The phases that a model can be held to; none if it has but one network.
pub(crate) fn phases(config: &Config) -> Vec<&'static str> {
    let own = config.model.phases;
    let all = Phase::ALL.into_iter().filter(|phase| *phase == Phase::Both || own.contains(phase));
    if own.is_empty() { Vec::new() } else { all.map(Phase::id).collect() }
}

/// Trains to `target`, at most `most` steps between two calls of `seen`, and makes each live change at its step:
/// those of the target are made, too.
///
/// `seen` says whether to go on.
///
/// # Errors
/// Those of [`Session::step`] and [`Session::set`].
pub fn train(
    session: &mut Session,
    events: &[Event],
    target: u64,
    most: u32,
    mut seen: impl FnMut(&Session) -> bool,
) -> Result<()> {
    // What a session has behind it was done to it then.
    let begun = session.steps();
    let mut events = events.iter().filter(|event| begun == 0 || event.step > begun).peekable();
    loop {
        let step = session.steps();
        while let Some(event) = events.next_if(|event| event.step <= step) {
            session.set(&event.key, &event.value)?;
        }
        if !seen(session) || step >= target {
            return Ok(());
        }
        let next = events.peek().map_or(target, |event| event.step.min(target));
        session.step(next.saturating_sub(step).min(most.into()) as u32)?;
    }
}
