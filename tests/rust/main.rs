//! Tests of the whole crate through its public interface: one binary, so that it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod autoregressive;
mod boundary;
mod catalogue;
mod common;
mod diffusion;
mod ebm;
mod evaluation;
mod files;
mod findings;
mod flow;
mod flow_matching;
mod gan;
mod gan_options;
// What it tests is native only, and this binary is compiled for the browser, too.
#[cfg(not(target_arch = "wasm32"))]
mod hostile;
mod image_scores;
mod learning;
// What it tests is native only, and this binary is compiled for the browser, too.
#[cfg(not(target_arch = "wasm32"))]
mod link;
mod metrics;
mod mixtures;
mod mrf;
mod parity;
mod rbm;
mod replay;
mod score_edges;
mod vae;
mod views;
