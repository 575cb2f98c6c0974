//! The diffusion model that Tealight trained, in Rust with candle.
//!
// include parts/head.rs
use std::collections::HashMap;
use std::error::Error;

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module};
use serde_json::Value as Json;

const MODEL: &str = "diffusion";

// include parts/denoiser.rs

/// ᾱ of each level: the share of the data's variance that is left.
fn shares_left(file: &File) -> Result<Vec<f64>> {
    let (levels, cosine) = (file.whole("levels")?, file.text("schedule")? == "cosine");
    let t = levels as f64;
    let f = |u: f64| ((u + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
    let mut share = 1.0;
    let next = |i: usize| {
        let beta = match cosine {
            true => 1.0 - f((i + 1) as f64 / t) / f(i as f64 / t),
            false => (0.1 + 19.9 * i as f64 / (t - 1.0).max(1.0)) / t,
        };
        share *= 1.0 - beta.min(0.999);
        share
    };
    Ok((0..levels).map(next).collect())
}

/// From noise down the levels, by DDIM or DDPM.
fn sample(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    refuse(file)?;
    let shares = shares_left(file)?;
    let mut xs = rng.normals(n, file.size())?;
    let labels = file.draw_classes(n, rng);
    let denoiser = Denoiser::new(file, labels)?;
    let (top, count) = (shares.len() - 1, file.whole("samplingSteps")?.clamp(1, shares.len()));
    let stops: Vec<usize> = match count {
        1 => vec![top],
        _ => (0..count).rev().map(|i| (i as f64 * top as f64 / (count - 1) as f64).round_ties_even() as usize).collect(),
    };
    for (place, &level) in stops.iter().enumerate() {
        let share = shares[level];
        let after = stops.get(place + 1).map_or(1.0, |next| shares[*next]);
        let (alpha, sigma) = (share.sqrt(), (1.0 - share).sqrt());
        let output = denoiser.predict(&xs, (level + 1) as f64 / shares.len() as f64)?;
        let mut start = match file.text("prediction")? {
            // The network gives v; the noise is σ x + α v.
            "noise" => {
                let noise = ((&xs * sigma)? + (output * alpha)?)?;
                ((&xs * (1.0 / alpha))? - (noise * (sigma / alpha))?)?
            }
            "velocity" => ((&xs * alpha)? - (output * sigma)?)?,
            _ => output,
        };
        if !file.constants("range").is_empty() {
            start = start.clamp(-1_f32, 1_f32)?;
        }
        let beta = 1.0 - share / after;
        let (a, b, spread) = match file.text("sampler")? {
            "ddim" => {
                let b = (1.0 - after).sqrt() / sigma;
                (after.sqrt() - alpha * b, b, 0.0)
            }
            _ => {
                let small = file.text("samplerVariance")? == "small";
                let variance = if small { beta * (1.0 - after) / (1.0 - share) } else { beta };
                let last = place + 1 == stops.len();
                let b = (1.0 - beta).sqrt() * (1.0 - after) / (1.0 - share);
                (after.sqrt() * beta / (1.0 - share), b, if last { 0.0 } else { variance.sqrt() })
            }
        };
        xs = ((start * a)? + (&xs * b)?)?;
        if spread > 0.0 {
            xs = (xs + (rng.normals(n, file.size())? * spread)?)?;
        }
    }
    outward(file, xs)
}

// include parts/common.rs
