//! Two interlocking half circles, in the coordinates of scikit-learn's `make_moons` at radius 1.

use std::f64::consts::PI;
use std::sync::Arc;

use super::density::{Mixture, nodes};
use super::{Data, Entry, Preset, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the moons.
    pub struct Settings {
        /// The radius of each moon.
        radius("radius"): f64 = 1.0, linear(0.5, 4.0), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units.
        noise("noise"): f64 = 0.1, log(0.01, 1.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The moons, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "moons",
    shape: Shape::points(2),
    classes: 2,
    specs: Settings::specs,
    // FFJORD (https://arxiv.org/abs/1810.01367) doubles scikit-learn's; where it puts their middle does not matter.
    presets: &[Preset { id: "ffjord", values: &[("radius", 2.0), ("noise", 0.2)] }],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { radius, noise, samples } = Settings::from_values(values)?;
    let curve = |moon: u32, t: f64| {
        let (sin, cos) = libm::sincos(PI * t);
        if moon == 0 { [radius * cos, radius * sin] } else { [radius * (1.0 - cos), radius * (0.5 - sin)] }
    };
    let kernels = nodes(PI * radius / noise).flat_map(|(t, w)| [(curve(0, t), w), (curve(1, t), w)]);
    let extent = points::square([0.5 * radius, 0.25 * radius], 1.5 * radius, noise);
    Ok(Data {
        density: Some(Arc::new(Mixture::new(kernels, noise))),
        ..points::sampled(samples, seed, 2, extent, |rng| {
            let moon = rng.below(2);
            (points::blurred(curve(moon, rng.uniform_f64()), noise, rng), moon)
        })
    })
}
