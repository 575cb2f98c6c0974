//! Equal Gaussians on a square lattice.

use std::sync::Arc;

use super::density::Mixture;
use super::{Data, Entry, Modes, Preset, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the grid.
    pub struct Settings {
        /// How many Gaussians there are along each side.
        side("side"): usize = 5, integer(2, 8), Restart;
        /// The distance between neighbours.
        spacing("spacing"): f64 = 2.0, linear(0.2, 3.0), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units.
        noise("noise"): f64 = 0.15, log(0.01, 1.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The grid, as the catalogue lists it.
pub const ENTRY: Entry = Entry {
    id: "grid",
    shape: Shape::points(2),
    classes: 25,
    specs: Settings::specs,
    presets: &[
        // VEEGAN (https://arxiv.org/abs/1705.07761), PacGAN (https://arxiv.org/abs/1712.04086).
        Preset { id: "veegan", values: &[("side", 5.0), ("spacing", 2.0), ("noise", 0.05)] },
        // WGAN-GP (https://arxiv.org/abs/1704.00028) divides by 2.828.
        Preset { id: "wganGp", values: &[("side", 5.0), ("spacing", 2.0 / 2.828), ("noise", 0.05 / 2.828)] },
    ],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { side, spacing, noise, samples } = Settings::from_values(values)?;
    let reach = 0.5 * (side - 1) as f64 * spacing;
    let centre = |mode: usize| [mode / side, mode % side].map(|i| i as f64 * spacing - reach);
    let modes = side * side;
    let centres: Vec<_> = (0..modes).map(centre).collect();
    Ok(Data {
        density: Some(Arc::new(Mixture::equal(centres.iter().copied(), noise))),
        modes: Some(Modes { centres, sigma: noise }),
        alphabet: Vec::new(),
        ..points::sampled(samples, seed, modes, points::square([0.0; 2], reach, noise), |rng| {
            let mode = rng.below(modes as u32);
            (points::blurred(centre(mode as usize), noise, rng), mode)
        })
    })
}
