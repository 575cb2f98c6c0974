//! The evaluation of a session: scores beside their floors, and what is wrong.
//!
//! It only reads the session and draws from a stream of its own, afresh each time, so that it never shifts training
//! and successive evaluations see the same noise. It works in parts that are short, between which the session may
//! go on.

pub mod detect;
mod evaluator;
mod evidence;
pub mod gallery;
mod likelihood;
mod measures;
mod run;
mod sample;
pub mod scores;
mod yardstick;

pub use detect::{Finding, detect};
pub use evaluator::Evaluator;
pub use evidence::{Evidence, Inside, Past};
pub use scores::{Better, By, Score, ScoreEntry};

/// Evaluations of a run that are remembered.
pub const REMEMBERED: usize = 32;

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The step that the samples are of.
    pub step: u64,
    /// The scores that the model and the data have, in the order of [`scores::ALL`].
    pub scores: Vec<Score>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}
