//! Simple shapes that differ in kind, place, size and angle, and in whether they are filled.

use super::images::{self, Canvas, around, length, polygon};
use super::{Data, Entry, Shape, Topic};
use crate::error::Result;
use crate::params::{Params, Value};
use crate::rng::Rng;
use crate::{choices, params};

choices! {
    /// What is drawn of a shape.
    pub enum Fill {
        /// All of it.
        Filled = "filled",
        /// Its edge.
        Outline = "outline",
        /// One or the other, each half of the time.
        Both = "both",
    }
}

params! {
    /// Settings of the shapes.
    pub struct Settings {
        /// How many pixels there are along each side.
        size("size"): usize = 16, integer(8, 28), Restart;
        /// Whether shapes are filled, outlines, or either.
        fill("fill"): Fill = Fill::Filled, choice::<Fill>(), Restart;
        /// How far shapes are turned to either side at most, in degrees.
        rotation("rotation"): f64 = 20.0, linear(0.0, 180.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 4_000, log_integer(100, 10_000), Restart;
    }
}

/// The shapes, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "shapes",
    shape: Shape::image(1, 16, 16),
    classes: KINDS,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

/// Circle, square, triangle, cross, star.
const KINDS: usize = 5;

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { size, fill, rotation, samples } = Settings::from_values(values)?;
    let data = images::sampled(Shape::image(1, size, size), samples, seed, KINDS, &|rng, pixels| {
        let kind = rng.below(KINDS as u32);
        let outline = rng.below(2) == 0;
        let outline = fill == Fill::Outline || fill == Fill::Both && outline;
        draw(kind, outline, rotation, size, rng, pixels);
        kind
    });
    Ok(Data { topic: Some(Topic::Shapes), ..data })
}

fn draw(kind: u32, outline: bool, rotation: f64, size: usize, rng: &mut Rng, pixels: &mut [f32]) {
    let radius = 0.22 + 0.16 * rng.uniform_f64();
    let angle = rotation.to_radians() * (2.0 * rng.uniform_f64() - 1.0);
    // The shape keeps within the image, whatever its angle.
    let room = 0.48 - radius;
    let centre = [0, 1].map(|_| 0.5 + room * (2.0 * rng.uniform_f64() - 1.0));
    let corners = corners(kind, radius, angle, centre);
    let half = (0.04_f64).max(0.55 / size as f64);
    Canvas::new(pixels, size).fill(&[1.0], around(&[centre], radius), &|x, y| {
        let distance = match kind {
            0 => length(x - centre[0], y - centre[1]) - 0.9 * radius,
            _ => polygon(&corners, x, y),
        };
        // The line lies inside the edge, so that both kinds of the same size are as large.
        if outline { (distance + half).abs() - half } else { distance }
    });
}

/// The corners of a shape in a circle around `centre`.
fn corners(kind: u32, radius: f64, angle: f64, centre: [f64; 2]) -> Vec<[f64; 2]> {
    // Distances from the centre, all round at equal angles, the first towards the top.
    let round = |reach: &[f64], turn: f64| {
        let step = std::f64::consts::TAU / reach.len() as f64;
        let corner = |(i, reach): (usize, &f64)| (step * i as f64 + turn, *reach);
        reach.iter().enumerate().map(corner).collect::<Vec<_>>()
    };
    let polar = match kind {
        1 => round(&[1.0; 4], std::f64::consts::FRAC_PI_4),
        2 => round(&[1.0; 3], 0.0),
        3 => {
            // Half of an arm's width, as a share of its length.
            let arm = 0.30;
            let side = |i: usize| std::f64::consts::FRAC_PI_2 * i as f64;
            // The arctangent of 0.30 / 0.95.
            let end = 0.305_878_871_404_852;
            let reach = length(arm, 0.95);
            (0..4)
                .flat_map(|i| {
                    [
                        (side(i) - end, reach),
                        (side(i) + end, reach),
                        (side(i) + std::f64::consts::FRAC_PI_4, arm * std::f64::consts::SQRT_2),
                    ]
                })
                .collect()
        }
        _ => round(&[1.0, 0.45, 1.0, 0.45, 1.0, 0.45, 1.0, 0.45, 1.0, 0.45], 0.0),
    };
    polar
        .into_iter()
        .map(|(turn, reach)| {
            let (sin, cos) = libm::sincos(turn + angle);
            [centre[0] + radius * reach * sin, centre[1] - radius * reach * cos]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_their_area_whatever_their_angle() {
        // Of a circle of radius 0.9; a square, a triangle and a star in a unit circle; a cross of arms 0.95 long.
        let star = 10.0 * 0.5 * 0.45 * (0.2 * std::f64::consts::PI).sin();
        let areas = [0.81 * std::f64::consts::PI, 2.0, 0.75 * 3.0_f64.sqrt(), 4.0 * 0.6 * 0.65 + 0.36, star];
        for (kind, expected) in (0..).zip(areas) {
            for angle in [0.0, 0.3, 1.2] {
                let corners = corners(kind, 0.4, angle, [0.5; 2]);
                let inside = |x: f64, y: f64| match kind {
                    0 => length(x - 0.5, y - 0.5) < 0.36,
                    _ => polygon(&corners, x, y) < 0.0,
                };
                let n = 400;
                let hits = (0..n * n).filter(|i| {
                    inside((f64::from(i % n) + 0.5) / f64::from(n), (f64::from(i / n) + 0.5) / f64::from(n))
                });
                let area = hits.count() as f64 / f64::from(n * n) / 0.16;
                assert!((area / expected - 1.0).abs() < 0.02, "{kind} {angle}: {area}, not {expected}");
            }
        }
    }

    #[test]
    fn outlines_are_hollow() {
        let make = |fill: &str| generate(&[("fill".into(), Value::Text(fill.into()))], 3).unwrap().train;
        let ink = |split: &super::super::Split| split.xs.iter().map(|x| f64::from(*x)).sum::<f64>();
        let (filled, outline, both) = (make("filled"), make("outline"), make("both"));
        assert!(ink(&outline) < 0.75 * ink(&filled), "{} {}", ink(&outline), ink(&filled));
        let mean = 0.5 * (ink(&outline) + ink(&filled));
        assert!((ink(&both) / mean - 1.0).abs() < 0.03);
        // What is drawn is one choice; where and which is another.
        assert_eq!(filled.labels, outline.labels);
    }
}
