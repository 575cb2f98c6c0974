//! Tealight: small generative models that train in a web page.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod data;
pub mod error;
pub mod nn;
pub mod params;
pub mod rng;
