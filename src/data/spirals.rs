//! Two spiral arms, as in FFJORD (Grathwohl et al. 2019, <https://arxiv.org/abs/1810.01367>).
//!
//! A point at angle n = √u · T (u uniform, T the whole turn) lies at distance n from the centre, is moved by a
//! uniform draw from a small square, scaled, and blurred. Half of the points are turned by 180°, square and all.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use super::density::{Mixture, nodes};
use super::{Data, Entry, Preset, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the spirals.
    pub struct Settings {
        /// The distance of the arms' ends from the centre.
        radius("radius"): f64 = 3.0, linear(0.5, 4.0), Restart;
        /// How often each arm goes round.
        turns("turns"): f64 = 1.5, linear(0.5, 3.0), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units.
        noise("noise"): f64 = 0.1, log(0.01, 1.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The spirals, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "spirals",
    shape: Shape::points(2),
    classes: 2,
    specs: Settings::specs,
    presets: &[Preset { id: "ffjord", values: &[("radius", PI), ("turns", 1.5), ("noise", 0.1)] }],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

/// The side of the small square as a share of the radius: 0.5 where the arms end at 3π.
const SMEAR: f64 = 0.5 / (3.0 * PI);

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { radius, turns, noise, samples } = Settings::from_values(values)?;
    let whole = TAU * turns;
    let smear = SMEAR * radius;
    // `s` is n/T; the middle of the small square belongs to the curve.
    let curve = |arm: u32, s: f64| {
        let (sin, cos) = libm::sincos(whole * s);
        let sign = if arm == 0 { 1.0 } else { -1.0 };
        [sign * (0.5 * smear - radius * s * cos), sign * (0.5 * smear + radius * s * sin)]
    };
    // The outer end is the fastest place; the small square allows for panels of 2σ; s = √u has the density 2s.
    let panels = 0.5 * radius * libm::sqrt(1.0 + whole * whole) / noise;
    let kernels = nodes(panels).flat_map(|(s, w)| [(curve(0, s), s * w), (curve(1, s), s * w)]);
    Ok(Data {
        density: Some(Arc::new(Mixture::smeared(kernels, noise, smear))),
        ..points::sampled(samples, seed, 2, points::square([0.0; 2], radius + smear, noise), |rng| {
            let arm = rng.below(2);
            let [x, y] = curve(arm, libm::sqrt(rng.uniform_f64()));
            let square = [x + smear * (rng.uniform_f64() - 0.5), y + smear * (rng.uniform_f64() - 0.5)];
            (points::blurred(square, noise, rng), arm)
        })
    })
}
