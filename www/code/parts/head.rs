//! Put this file into `src/main.rs` of a new crate with this in its Cargo.toml:
//!
//! ```toml
//! [dependencies]
//! candle-core = "0.11"
//! candle-nn = "0.11"
//! serde_json = "1"
//! ```
//!
//! and run `cargo run --release -- weights.safetensors`: it reads the configuration and the weights that Tealight's
//! page or command line exported, rebuilds the model and draws the samples that the page shows into samples.csv.

