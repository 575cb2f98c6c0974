//! The roll of scikit-learn's `make_swiss_roll`, seen from its end.

use std::f64::consts::PI;
use std::sync::Arc;

use super::density::{Mixture, nodes};
use super::{Data, Entry, Preset, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the Swiss roll.
    pub struct Settings {
        /// The distance of the roll's outer end from the centre.
        radius("radius"): f64 = 3.0, linear(0.5, 4.0), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units.
        noise("noise"): f64 = 0.1, log(0.01, 1.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// scikit-learn's angle, which is also its distance from the centre, runs from here …
const START: f64 = 1.5 * PI;
/// … to here.
const END: f64 = 4.5 * PI;

/// The Swiss roll, as the catalogue lists it.
pub const ENTRY: Entry = Entry {
    id: "swiss-roll",
    shape: Shape::points(2),
    classes: 0,
    specs: Settings::specs,
    presets: &[
        // FFJORD (https://arxiv.org/abs/1810.01367): noise 1, divided by 5.
        Preset { id: "ffjord", values: &[("radius", END / 5.0), ("noise", 1.0 / 5.0)] },
        // WGAN-GP (https://arxiv.org/abs/1704.00028): noise 0.25, divided by 7.5.
        Preset { id: "wganGp", values: &[("radius", END / 7.5), ("noise", 0.25 / 7.5)] },
    ],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { radius, noise, samples } = Settings::from_values(values)?;
    let curve = |u: f64| {
        let t = START + (END - START) * u;
        let (sin, cos) = libm::sincos(t);
        [radius / END * t * cos, radius / END * t * sin]
    };
    // The outer end is the fastest place.
    let panels = radius / END * (END - START) * libm::sqrt(1.0 + END * END) / noise;
    let kernels = nodes(panels).map(|(u, w)| (curve(u), w));
    Ok(Data {
        density: Some(Arc::new(Mixture::new(kernels, noise))),
        ..points::sampled(samples, seed, 0, points::square([0.0; 2], radius, noise), |rng| {
            (points::blurred(curve(rng.uniform_f64()), noise, rng), 0)
        })
    })
}
