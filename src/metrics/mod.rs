//! Scores, each in a file of its own: pure functions of samples.
//!
//! A score of samples that cannot be compared (none, not finite, not whole rows) is `None`, never a number.

pub mod bandwidth;
pub mod classifier;
pub mod discrepancy;
pub mod features;
pub mod frechet;
pub mod grid;
pub mod modes;
pub mod nearest;
pub mod neighbours;
mod pairwise;
pub mod sequences;
pub mod sliced;
mod symmetric;
pub mod two_sample;
