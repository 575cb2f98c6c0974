//! The flow-matching model that Tealight trained, in Rust with candle.
//!
// include parts/head.rs
use std::collections::HashMap;
use std::error::Error;

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module};
use serde_json::Value as Json;

const MODEL: &str = "flow-matching";

// include parts/denoiser.rs

/// For each stage of a solver: how far along the step it looks, and the weight of its slope.
fn stages(solver: &str) -> &'static [(f64, f64)] {
    match solver {
        "euler" => &[(0.0, 1.0)],
        "midpoint" => &[(0.0, 0.0), (0.5, 1.0)],
        "heun" => &[(0.0, 0.5), (1.0, 0.5)],
        _ => &[(0.0, 1.0 / 6.0), (0.5, 1.0 / 3.0), (0.5, 1.0 / 3.0), (1.0, 1.0 / 6.0)],
    }
}

/// dx/dt = v(x, t) from noise at t = 0 to data at t = 1.
fn sample(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    refuse(file)?;
    let mut xs = rng.normals(n, file.size())?;
    let labels = file.draw_classes(n, rng);
    let denoiser = Denoiser::new(file, labels)?;
    let steps = file.whole("samplingSteps")?;
    let h = 1.0 / steps as f64;
    for step in 0..steps {
        let (mut end, mut slope) = (xs.clone(), xs.zeros_like()?);
        for &(ahead, weight) in stages(file.text("solver")?) {
            let at = (&xs + (&slope * (h * ahead))?)?;
            slope = denoiser.predict(&at, h * step as f64 + h * ahead)?;
            end = (end + (&slope * (h * weight))?)?;
        }
        xs = end;
    }
    outward(file, xs)
}

// include parts/common.rs
