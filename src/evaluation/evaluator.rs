//! What stays from one evaluation of a session to the next: the yardstick, and what was found before.

use super::evidence::Past;
use super::run::Evaluation;
use super::yardstick::Yardstick;
use super::{Evaluated, REMEMBERED};
use crate::error::{Error, Result};
use crate::params::{Effect, Value};
use crate::session::Session;

/// Evaluates a session again and again; it stands beside the session, which it never changes.
#[derive(Default)]
pub struct Evaluator {
    yard: Option<Yardstick>,
    running: Option<Evaluation>,
    run: Option<Run>,
    past: Vec<Past>,
}

/// Everything whose change makes a run begin again.
type Run = (&'static str, &'static str, u32, Vec<(String, Value)>);

impl Evaluator {
    /// An evaluator that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins an evaluation of the session as it is now, in place of one that is under way; how many parts it has.
    ///
    /// # Errors
    /// If the tensor library fails; there is no evaluation then.
    pub fn begin(&mut self, session: &Session) -> Result<usize> {
        self.running = None;
        let run = run_of(session);
        if self.run.as_ref() != Some(&run) {
            self.past.clear();
            self.run = Some(run);
        }
        // A session that was rewound has yet to come to what was found later on.
        self.past.retain(|past| past.step < session.steps);
        let yard = match self.yard.take().filter(|yard| yard.fits(session)) {
            Some(yard) => yard,
            None => Yardstick::new(session)?,
        };
        let evaluation = Evaluation::begin(session, &yard)?;
        let parts = evaluation.parts();
        (self.yard, self.running) = (Some(yard), Some(evaluation));
        Ok(parts)
    }

    /// Does the next part of the evaluation that is under way; what it came to after the last one.
    ///
    /// # Errors
    /// If none is under way; [`Error::NotFinite`] for samples that are no numbers. There is none afterwards.
    pub fn advance(&mut self) -> Result<Option<Evaluated>> {
        let (Some(mut evaluation), Some(yard)) = (self.running.take(), self.yard.as_mut()) else {
            return Err(Error::Config("no evaluation has begun; begin one first".into()));
        };
        let done = evaluation.advance(yard, &self.past)?;
        match &done {
            None => self.running = Some(evaluation),
            Some(evaluated) => {
                let Evaluated { step, scores, .. } = evaluated;
                self.past.push(Past { step: *step, scores: scores.clone(), mean: evaluation.mean() });
                if self.past.len() > REMEMBERED {
                    self.past.remove(0);
                }
            }
        }
        Ok(done)
    }

    /// A whole evaluation at once.
    ///
    /// # Errors
    /// Those of its parts.
    pub fn evaluate(&mut self, session: &Session) -> Result<Evaluated> {
        self.begin(session)?;
        loop {
            if let Some(evaluated) = self.advance()? {
                return Ok(evaluated);
            }
        }
    }
}

fn run_of(session: &Session) -> Run {
    let config = &session.config;
    let specs = (config.model.specs)();
    let restarts = |key: &str| specs.iter().any(|spec| spec.key == key && spec.effect == Effect::Restart);
    let settings = config.data.iter().chain(config.params.iter().filter(|(key, _)| restarts(key)));
    (config.dataset.id, config.model.id, config.seed, settings.cloned().collect())
}
