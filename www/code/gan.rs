//! The generative adversarial network that Tealight trained, in Rust with candle.
//!
// include parts/head.rs
use std::collections::HashMap;
use std::error::Error;

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module};
use serde_json::Value as Json;

const MODEL: &str = "gan";

fn refuse(file: &File) -> Result<()> {
    match file.text("net")? {
        "mlp" => Ok(()),
        net => Err(format!("net = {net} is not covered here: only the fully connected model (net = mlp) is").into()),
    }
}

/// generator(z) with z from the prior.
fn sample(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    refuse(file)?;
    let (q, classes) = (file.whole("latentDim")?, file.constants("classShares").len());
    let mut widths = vec![q + classes];
    widths.extend(file.widths());
    widths.push(file.size());
    // Images lie in 0..=1, points anywhere.
    let end = if file.domain() == "images" { "sigmoid" } else { "linear" };
    let generator = file.layers("generator", &widths, file.text("activation")?, end)?;
    let z = match file.text("prior")? {
        "normal" => rng.normals(n, q)?,
        _ => {
            let uniform = (0..n * q).map(|_| 2.0 * rng.uniform() - 1.0).collect::<Vec<f32>>();
            Tensor::from_vec(uniform, (n, q), &Device::Cpu)?
        }
    };
    let labels = file.draw_classes(n, rng);
    generator.forward(&file.beside(&z, &labels)?)
}

// include parts/common.rs
