//! A picture as a density of points: the darker a place, the likelier.

use std::sync::Arc;

use super::images::{Picture, grey};
use super::{Loaded, POINTS};
use crate::data::{Data, LogDensity, points};
use crate::error::{Error, Result};

/// Points to train on.
const SAMPLES: usize = 10_000;
/// Half of the longer side, in the data's units.
const REACH: f64 = 3.0;
/// Places with less ink than this are paper: lossy formats leave a little everywhere.
const PAPER: f64 = 0.06;

/// Points drawn from a picture; where most of it is dark, what is light counts.
pub fn density(picture: &Picture) -> Result<Loaded> {
    let (pixels, _) = picture.rgba.as_chunks::<4>();
    let mut ink: Vec<f64> = pixels.iter().map(|pixel| 1.0 - f64::from(grey(pixel))).collect();
    if ink.iter().sum::<f64>() > 0.5 * ink.len() as f64 {
        ink.iter_mut().for_each(|x| *x = 1.0 - *x);
    }
    ink.iter_mut().for_each(|x| *x = if *x < PAPER { 0.0 } else { *x });
    let total: f64 = ink.iter().sum();
    if total <= 0.0 {
        return Err(Error::File(
            "the picture is blank: it has one colour, so there is nowhere to put points".into(),
        ));
    }
    let cell = 2.0 * REACH / picture.width.max(picture.height) as f64;
    let law = Law {
        width: picture.width,
        height: picture.height,
        cell,
        shares: ink.iter().map(|x| x / total).collect(),
    };
    let mut sum = 0.0;
    let steps: Vec<f64> = law
        .shares
        .iter()
        .map(|share| {
            sum += share;
            sum
        })
        .collect();
    let data = points::sampled(SAMPLES, 0, 0, points::square([0.0; 2], REACH, 0.0), |rng| {
        let u = rng.uniform_f64() * sum;
        let at = steps.partition_point(|step| *step <= u).min(steps.len() - 1);
        let (row, column) = (at / law.width, at % law.width);
        let x = (column as f64 + rng.uniform_f64() - 0.5 * law.width as f64) * cell;
        let y = (0.5 * law.height as f64 - row as f64 - rng.uniform_f64()) * cell;
        ([x, y], 0)
    });
    let data = Data { density: Some(Arc::new(law)), ..data };
    Ok(Loaded { dataset: &POINTS, data, rows: SAMPLES, scaled: false })
}

/// The law that is uniform within each pixel.
struct Law {
    width: usize,
    height: usize,
    /// The side of a pixel.
    cell: f64,
    /// The probability of each pixel.
    shares: Vec<f64>,
}

impl LogDensity for Law {
    fn log_prob(&self, x: &[f64]) -> f64 {
        let &[x, y] = x else {
            return f64::NEG_INFINITY;
        };
        let (column, row) = (
            (x / self.cell + 0.5 * self.width as f64).floor(),
            (0.5 * self.height as f64 - y / self.cell).floor(),
        );
        // NaN is in no range.
        let inside = (0.0..self.width as f64).contains(&column) && (0.0..self.height as f64).contains(&row);
        let share = if inside { self.shares.get(row as usize * self.width + column as usize) } else { None };
        share.map_or(f64::NEG_INFINITY, |share| libm::log(*share) - 2.0 * libm::log(self.cell))
    }

    fn entropy(&self) -> Option<f64> {
        let sum: f64 =
            self.shares.iter().filter(|share| **share > 0.0).map(|share| share * libm::log(*share)).sum();
        Some(2.0 * libm::log(self.cell) - sum)
    }
}
