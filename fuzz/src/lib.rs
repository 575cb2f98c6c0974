//! What is fuzzed; `tests/rust/hostile.rs` runs the same on every test.

pub mod entries;
