//! Tealight: small generative models that train in a web page.
//!
//! The crate is the whole of the model side: data sets, models, training, views, snapshots.
//! `ARCHITECTURE.md` has the map; the page under `www/` draws what [`session::Session`] computes.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod catalog;
pub mod config;
pub mod data;
pub mod error;
pub mod evaluation;
#[cfg(not(target_arch = "wasm32"))]
pub mod experiment;
pub mod frame;
pub mod history;
mod latent_plane;
#[cfg(not(target_arch = "wasm32"))]
pub mod link;
pub mod metrics;
pub mod models;
pub mod nn;
mod order;
pub mod params;
pub use tealight_kernels::rng;
pub mod session;
pub mod snapshot;
pub mod supply;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
