//! The dark squares of a checkerboard, evenly covered.

use std::sync::{Arc, OnceLock};

use super::boxes::box_mass;
use super::density::finite_pair;
use super::{Data, Entry, LogDensity, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the checkerboard.
    pub struct Settings {
        /// How many squares there are along each side.
        cells("cells"): usize = 4, integer(2, 8), Restart;
        /// The distance of the board's edges from its centre.
        radius("radius"): f64 = 4.0, linear(0.5, 4.0), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units; 0 keeps the edges sharp.
        noise("noise"): f64 = 0.0, linear(0.0, 0.5), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The checkerboard, as the catalogue lists it: by default that of FFJORD (<https://arxiv.org/abs/1810.01367>).
pub const ENTRY: Entry = Entry {
    id: "checkerboard",
    shape: Shape::points(2),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { cells, radius, noise, samples } = Settings::from_values(values)?;
    let board = Board { cells, radius, sigma: noise, entropy: OnceLock::new() };
    let (dark, cell) = (board.dark(), board.cell());
    Ok(Data {
        density: Some(Arc::new(board)),
        ..points::sampled(samples, seed, 0, points::square([0.0; 2], radius, noise), |rng| {
            // Every second square is dark, counted through row after row; where a side has an even number of
            // squares, every other row starts one later.
            let index = 2 * rng.below(dark as u32) as usize;
            let (row, column) = (index / cells, index % cells);
            let column = if cells.is_multiple_of(2) { column + row % 2 } else { column };
            let at = [column, row].map(|i| (i as f64 + rng.uniform_f64()) * cell - radius);
            (points::blurred(at, noise, rng), 0)
        })
    })
}

/// The law: uniform on the squares whose row and column are both even or both odd, plus noise.
///
/// With U(x) and V(x) the probabilities that x with noise lies in an even or in an odd column, it is
/// p(x, y) = (U(x) U(y) + V(x) V(y)) / area.
struct Board {
    cells: usize,
    radius: f64,
    sigma: f64,
    entropy: OnceLock<f64>,
}

impl Board {
    fn dark(&self) -> usize {
        (self.cells * self.cells).div_ceil(2)
    }

    /// The side of a square.
    fn cell(&self) -> f64 {
        2.0 * self.radius / self.cells as f64
    }

    fn area(&self) -> f64 {
        self.dark() as f64 * self.cell() * self.cell()
    }

    /// U(x) and V(x).
    fn parities(&self, x: f64) -> [f64; 2] {
        let mut out = [0.0; 2];
        if self.sigma == 0.0 {
            let column = ((x + self.radius) / self.cell()).floor();
            if (0.0..self.cells as f64).contains(&column) {
                out[column as usize % 2] = 1.0;
            }
        } else {
            for column in 0..self.cells {
                let centre = (column as f64 + 0.5) * self.cell() - self.radius;
                out[column % 2] += box_mass(x - centre, 0.5 * self.cell(), self.sigma);
            }
        }
        out
    }

    /// Places and weights that integrate what depends on [`Board::parities`] alone: it changes only within a few σ
    /// of the edges between squares, and is constant elsewhere.
    fn nodes(&self) -> Vec<(f64, f64)> {
        let (cell, reach) = (self.cell(), 8.0 * self.sigma);
        let inside = reach.min(0.5 * cell);
        // One step for all pieces that touch, so that the midpoint rule goes on as if there were no pieces.
        let points = libm::ceil(5.0 * inside / self.sigma) as usize;
        let step = inside / points as f64;
        let outside = libm::ceil(reach / step) as usize;
        let mut nodes = Vec::new();
        for edge in 0..=self.cells {
            let x = edge as f64 * cell - self.radius;
            let left = if edge == 0 { outside } else { points };
            let right = if edge == self.cells { outside } else { points };
            let start = x - left as f64 * step;
            nodes.extend((0..left + right).map(|i| (start + (i as f64 + 0.5) * step, step)));
            if edge < self.cells {
                nodes.push((x + 0.5 * cell, cell - 2.0 * inside));
            }
        }
        nodes
    }

    fn quadrature(&self) -> f64 {
        let nodes: Vec<_> = self.nodes().into_iter().map(|(x, w)| (self.parities(x), w)).collect();
        let mut sum = 0.0;
        for ([u, v], weight) in &nodes {
            for ([u2, v2], weight2) in &nodes {
                let mass = u * u2 + v * v2;
                if mass > 0.0 {
                    sum -= weight * weight2 * mass * libm::log(mass);
                }
            }
        }
        sum / self.area() + libm::log(self.area())
    }
}

impl LogDensity for Board {
    fn log_prob(&self, x: &[f64]) -> f64 {
        let Some([x, y]) = finite_pair(x) else {
            return f64::NEG_INFINITY;
        };
        let ([u, v], [u2, v2]) = (self.parities(x), self.parities(y));
        libm::log(u * u2 + v * v2) - libm::log(self.area())
    }

    fn entropy(&self) -> Option<f64> {
        Some(if self.sigma == 0.0 {
            libm::log(self.area())
        } else {
            *self.entropy.get_or_init(|| self.quadrature())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_on_dark_squares_and_cover_each() {
        for cells in 2..=8 {
            let values = [("cells".to_string(), Value::Number(cells as f64))];
            let data = generate(&values, 3).unwrap();
            let side = 8.0 / cells as f64;
            let mut seen = vec![0; cells * cells];
            for row in data.train.xs.chunks(2) {
                let [column, line] = [row[0], row[1]].map(|x| ((f64::from(x) + 4.0) / side).floor() as usize);
                // A row may round to the edge of its square, where the next one starts.
                if column < cells && line < cells {
                    seen[line * cells + column] += 1;
                }
            }
            let expected = 10_000.0 / (cells * cells).div_ceil(2) as f64;
            for (i, n) in seen.into_iter().enumerate() {
                let dark = (i / cells + i % cells) % 2 == 0;
                let n = f64::from(n);
                if dark {
                    assert!((n - expected).abs() < 5.0 * expected.sqrt(), "{cells} {i}: {n}, not {expected}");
                } else {
                    assert!(n <= 2.0, "{cells} {i}: {n} rows on a light square");
                }
            }
        }
    }

    #[test]
    fn little_noise_is_the_limit_of_none() {
        let entropy = |noise: f64| {
            let data = generate(&[("noise".into(), Value::Number(noise))], 0).unwrap();
            data.density.unwrap().entropy().unwrap()
        };
        assert!((entropy(0.0) - 32.0_f64.ln()).abs() < 1e-12);
        // Across an edge the density falls as Q, the normal law's upper tail, so that each unit of edge adds
        // −σ ∫ Q ln Q dz / 32 = 0.9032 σ / 32; the eight dark squares have 64 units of edge.
        let slope = (entropy(1e-3) - entropy(0.0)) / 1e-3;
        assert!((slope - 0.9032 * 64.0 / 32.0).abs() < 0.01, "{slope}");
    }
}
