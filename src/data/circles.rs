//! Two circles, one inside the other, as in scikit-learn's `make_circles`.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::density::{Mixture, nodes};
use super::{Data, Entry, Preset, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the circles.
    pub struct Settings {
        /// The radius of the outer circle.
        radius("radius"): f64 = 3.0, linear(0.5, 4.0), Restart;
        /// The radius of the inner circle, as a share of the outer one's.
        factor("factor"): f64 = 0.5, linear(0.1, 0.9), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units.
        noise("noise"): f64 = 0.15, log(0.01, 1.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The circles, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "circles",
    shape: Shape::points(2),
    classes: 2,
    specs: Settings::specs,
    presets: &[
        Preset { id: "sklearn", values: &[("radius", 1.0), ("factor", 0.5), ("noise", 0.05)] },
        // FFJORD (https://arxiv.org/abs/1810.01367): three times scikit-learn's with noise 0.08.
        Preset { id: "ffjord", values: &[("radius", 3.0), ("factor", 0.5), ("noise", 0.24)] },
    ],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { radius, factor, noise, samples } = Settings::from_values(values)?;
    let curve = |circle: u32, t: f64| {
        let (sin, cos) = libm::sincos(TAU * t);
        let r = if circle == 0 { radius } else { factor * radius };
        [r * cos, r * sin]
    };
    let kernels = nodes(TAU * radius / noise).flat_map(|(t, w)| [(curve(0, t), w), (curve(1, t), w)]);
    Ok(Data {
        density: Some(Arc::new(Mixture::new(kernels, noise))),
        ..points::sampled(samples, seed, 2, points::square([0.0; 2], radius, noise), |rng| {
            let circle = rng.below(2);
            (points::blurred(curve(circle, rng.uniform_f64()), noise, rng), circle)
        })
    })
}
