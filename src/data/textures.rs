//! Black-and-white textures: islands of the Ising model, stripes, and chequers.

use std::sync::Arc;

use super::ising::{Chain, Law};
use super::{Data, Entry, LogDensity, Shape, Split, images};
use crate::error::Result;
use crate::params::{Params, Value};
use crate::rng::Rng;
use crate::{choices, params};

choices! {
    /// What the texture is made of.
    pub enum Texture {
        /// States of the Ising model on a torus.
        Ising = "ising",
        /// Diagonal, upright or level stripes.
        Stripes = "stripes",
        /// Squares like a chessboard's.
        Checker = "checker",
    }
}

params! {
    /// Settings of the textures.
    pub struct Settings {
        /// What the texture is made of.
        texture("texture"): Texture = Texture::Ising, choice::<Texture>(), Restart;
        /// How many pixels there are along each side.
        size("size"): usize = 16, integer(8, 28), Restart;
        /// How strongly neighbouring pixels hold together: the model's β. From 0.44 on, one colour prevails.
        ising_beta("isingBeta"): f64 = 0.4, linear(0.0, 1.0), Restart, when("texture" in "ising");
        /// How many pixels there are from one stripe to the next of its colour.
        period("period"): usize = 6, integer(2, 12), Restart, when("texture" in "stripes" | "checker");
        /// The share of pixels that have the wrong colour.
        flips("flips"): f64 = 0.0, linear(0.0, 0.5), Restart, when("texture" in "stripes" | "checker");
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 2_000, log_integer(100, 10_000), Restart;
    }
}

/// The textures, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "textures",
    shape: Shape::image(1, 16, 16),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { texture, size, ising_beta, period, flips, samples } = Settings::from_values(values)?;
    let shape = Shape::image(1, size, size);
    if texture == Texture::Ising {
        let part = |label: &str, n: usize| islands(size, ising_beta, n, &mut Rng::stream(seed, label));
        let (train, held_out) = (part("data", samples), part("held-out data", samples.div_ceil(4)));
        let density: Arc<dyn LogDensity> = Arc::new(Law::new(size, ising_beta));
        return Ok(Data { density: Some(density), ..images::of(shape, 0, train, held_out) });
    }
    Ok(images::sampled(shape, samples, seed, 0, &|rng, pixels| {
        let [x, y] = [0, 1].map(|_| rng.below(period as u32) as usize);
        // Level, upright, and the two diagonals.
        let (a, b) = [(0, 1), (1, 0), (1, 1), (1, period - 1)][rng.below(4) as usize];
        let white = |i: usize| 2 * (i % period) >= period;
        for (i, pixel) in pixels.iter_mut().enumerate() {
            let (row, column) = (i / size + y, i % size + x);
            let colour = match texture {
                Texture::Checker => white(row) != white(column),
                _ => white(a * row + b * column),
            };
            let flip = flips > 0.0 && rng.uniform_f64() < flips;
            *pixel = f32::from(u8::from(colour != flip));
        }
        0
    }))
}

/// So many states of the Ising model, some sweeps apart.
fn islands(size: usize, beta: f64, n: usize, rng: &mut Rng) -> Split {
    /// Sweeps between two rows; what is left of one in the next is far less than there is between any two.
    const APART: usize = 4;
    let mut chain = Chain::new(size, beta, rng);
    let mut xs = vec![0.0; n * size * size];
    for image in xs.chunks_exact_mut(size * size) {
        chain.sweep(APART, rng);
        chain.show(image);
    }
    Split { xs, labels: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(texture: &str, numbers: &[(&str, f64)]) -> Data {
        let mut values = vec![("texture".to_string(), Value::Text(texture.into()))];
        values.extend(numbers.iter().map(|(key, x)| (key.to_string(), Value::Number(*x))));
        generate(&values, 2).unwrap()
    }

    fn different(data: &Data) -> usize {
        let rows = data.train.xs.chunks(256).map(|row| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        rows.collect::<std::collections::HashSet<_>>().len()
    }

    #[test]
    fn stripes_and_chequers_are_those_that_there_are() {
        // Four directions in six phases; an upright stripe does not depend on one of the two shifts.
        assert_eq!(different(&make("stripes", &[])), 24);
        // Both colours swapped is a shift by half a period in one direction, so of 36 phases half are others'.
        assert_eq!(different(&make("checker", &[])), 18);
        for texture in ["stripes", "checker"] {
            let mean = |flips| {
                let data = make(texture, &[("flips", flips)]);
                data.train.xs.iter().map(|x| f64::from(*x)).sum::<f64>() / data.train.xs.len() as f64
            };
            assert!((mean(0.0) - 0.5).abs() < 0.02 && (mean(0.3) - 0.5).abs() < 0.02);
            // Undone where they are flipped, they are the same stripes.
            let (clean, noisy) =
                (make(texture, &[("period", 12.0)]), make(texture, &[("period", 12.0), ("flips", 0.1)]));
            assert!(different(&noisy) > 1990 && different(&clean) < 200);
        }
    }

    #[test]
    fn islands_grow_with_the_coupling_and_score_the_entropy() {
        let alike = |beta: f64| {
            let data = make("ising", &[("isingBeta", beta)]);
            let pairs = data.train.xs.chunks(16).flat_map(|row| row.windows(2));
            let (mut same, mut n) = (0.0, 0.0);
            for pair in pairs {
                same += f64::from(u8::from(pair[0] == pair[1]));
                n += 1.0;
            }
            let density = data.density.unwrap();
            let scores: Vec<f64> = data
                .held_out
                .xs
                .chunks(256)
                .map(|row| density.log_prob(&row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()))
                .collect();
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            let spread = scores.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / scores.len() as f64;
            let error = mean + density.entropy().unwrap();
            assert!(error.abs() < 6.0 * (spread / scores.len() as f64).sqrt() + 1e-9, "{beta}: {error}");
            same / n
        };
        let shares = [0.0, 0.2, 0.4, 0.6].map(alike);
        assert!((shares[0] - 0.5).abs() < 0.01, "{shares:?}");
        assert!(shares.windows(2).all(|pair| pair[1] > pair[0] + 0.05), "{shares:?}");
    }
}
