//! Equal Gaussians around a circle: the usual test of whether a model drops modes.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::density::Mixture;
use super::{Data, Entry, Modes, Preset, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the ring.
    pub struct Settings {
        /// How many Gaussians there are.
        modes("modes"): usize = 8, integer(1, 25), Restart;
        /// The distance of the modes from the centre.
        radius("radius"): f64 = 2.0, linear(0.5, 4.0), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units.
        noise("noise"): f64 = 0.2, log(0.01, 1.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The ring, as the catalogue lists it.
pub const ENTRY: Entry = Entry {
    id: "ring",
    shape: Shape::points(2),
    classes: 8,
    specs: Settings::specs,
    presets: &[
        // The usual σ of the GAN literature at this radius: WGAN-GP's ring before it is scaled.
        Preset { id: "narrow", values: &[("modes", 8.0), ("radius", 2.0), ("noise", 0.02)] },
        // VEEGAN (https://arxiv.org/abs/1705.07761), PacGAN (https://arxiv.org/abs/1712.04086).
        Preset { id: "veegan", values: &[("modes", 8.0), ("radius", 1.0), ("noise", 0.01)] },
        // WGAN-GP (https://arxiv.org/abs/1704.00028) divides by 1.414.
        Preset { id: "wganGp", values: &[("modes", 8.0), ("radius", 2.0 / 1.414), ("noise", 0.02 / 1.414)] },
        // FFJORD (https://arxiv.org/abs/1810.01367).
        Preset { id: "ffjord", values: &[("modes", 8.0), ("radius", 4.0 / 1.414), ("noise", 0.5 / 1.414)] },
    ],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { modes, radius, noise, samples } = Settings::from_values(values)?;
    let centre = |mode: usize| {
        let (sin, cos) = libm::sincos(TAU * mode as f64 / modes as f64);
        [radius * cos, radius * sin]
    };
    let centres: Vec<_> = (0..modes).map(centre).collect();
    Ok(Data {
        density: Some(Arc::new(Mixture::equal(centres.iter().copied(), noise))),
        modes: Some(Modes { centres, sigma: noise }),
        alphabet: Vec::new(),
        ..points::sampled(samples, seed, modes, points::square([0.0; 2], radius, noise), |rng| {
            let mode = rng.below(modes as u32);
            (points::blurred(centre(mode as usize), noise, rng), mode)
        })
    })
}
