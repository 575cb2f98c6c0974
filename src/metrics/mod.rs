//! Scores, one file each: how far what a model draws is from the data.

pub mod modes;
