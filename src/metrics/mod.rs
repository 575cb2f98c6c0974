//! Scores, each in a file of its own: pure functions of samples.
//!
//! A score of samples that cannot be compared (none, not finite, not whole rows) is `None`, never a number.

pub mod discrepancy;
pub mod grid;
pub mod modes;
pub mod neighbours;
mod pairwise;
pub mod sliced;
pub mod two_sample;
