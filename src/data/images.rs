//! What the sets of drawn images have in common: rows from a seed, and a canvas with smooth edges.

use super::{Data, Shape, Split};
use crate::rng::Rng;

/// Draws one image onto pixels that are 0, and says which class it belongs to.
pub type Draw<'a> = &'a dyn Fn(&mut Rng, &mut [f32]) -> u32;

/// Data of `samples` training rows and a quarter as many held-out rows, drawn by separate streams.
pub fn sampled(shape: Shape, samples: usize, seed: u32, classes: usize, draw: Draw) -> Data {
    let split = |label: &str, n: usize| {
        let mut rng = Rng::stream(seed, label);
        let mut xs = vec![0.0; n * shape.size()];
        let labels = xs.chunks_exact_mut(shape.size()).map(|image| draw(&mut rng, image)).collect();
        Split { xs, labels: (classes > 0).then_some(labels) }
    };
    of(shape, classes, split("data", samples), split("held-out data", samples.div_ceil(4)))
}

/// Images whose values lie in 0..=1.
pub fn of(shape: Shape, classes: usize, train: Split, held_out: Split) -> Data {
    Data {
        shape,
        train,
        held_out,
        classes,
        extent: [0.0, 1.0, 0.0, 1.0],
        range: Some([0.0, 1.0]),
        density: None,
        modes: None,
        alphabet: Vec::new(),
        topic: None,
        rule: None,
    }
}

/// A square image to draw on; x and y go from 0 to 1, y downwards.
///
/// What is drawn is given by its signed distance, negative inside: an edge is as wide as a pixel.
pub struct Canvas<'a> {
    pixels: &'a mut [f32],
    side: usize,
}

impl<'a> Canvas<'a> {
    /// A canvas on the pixels of one image, channel after channel.
    pub fn new(pixels: &'a mut [f32], side: usize) -> Self {
        Self { pixels, side }
    }

    /// Gives the index and the centre of each pixel that x₀, x₁, y₀, y₁ comes near.
    fn near(&self, [x0, x1, y0, y1]: [f64; 4]) -> impl Iterator<Item = (usize, f64, f64)> + use<> {
        let (side, n) = (self.side, self.side as f64);
        // `as` takes what is negative to 0.
        let first = |low: f64| (low * n - 1.0).floor() as usize;
        let last = |high: f64| ((high * n + 1.0).ceil() as usize).min(side);
        let (columns, pixel) = (first(x0)..last(x1), 1.0 / n);
        (first(y0)..last(y1)).flat_map(move |row| {
            let y = (row as f64 + 0.5) * pixel;
            columns.clone().map(move |column| (row * side + column, (column as f64 + 0.5) * pixel, y))
        })
    }

    /// Covers what is inside with a colour, one value a channel.
    pub fn fill(&mut self, colour: &[f32], bounds: [f64; 4], distance: &dyn Fn(f64, f64) -> f64) {
        let (area, side) = (self.side * self.side, self.side as f64);
        for (at, x, y) in self.near(bounds) {
            let share = (0.5 - distance(x, y) * side).clamp(0.0, 1.0) as f32;
            if share > 0.0 {
                for (channel, value) in colour.iter().enumerate() {
                    if let Some(pixel) = self.pixels.get_mut(channel * area + at) {
                        *pixel += share * (value - *pixel);
                    }
                }
            }
        }
    }

    /// Draws a line with round ends in white; where lines meet, the brighter one counts.
    pub fn line(&mut self, a: [f64; 2], b: [f64; 2], half_width: f64) {
        let side = self.side as f64;
        for (at, x, y) in self.near(around(&[a, b], half_width)) {
            let share = (0.5 - (segment(a, b, x, y) - half_width) * side).clamp(0.0, 1.0) as f32;
            if let Some(pixel) = self.pixels.get_mut(at) {
                *pixel = pixel.max(share);
            }
        }
    }
}

/// The box around points, with a margin.
pub fn around(points: &[[f64; 2]], margin: f64) -> [f64; 4] {
    let mut out = [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY];
    for [x, y] in points {
        out =
            [out[0].min(x - margin), out[1].max(x + margin), out[2].min(y - margin), out[3].max(y + margin)];
    }
    out
}

/// The distance from the line between two points.
pub fn segment([ax, ay]: [f64; 2], [bx, by]: [f64; 2], x: f64, y: f64) -> f64 {
    let (dx, dy, px, py) = (bx - ax, by - ay, x - ax, y - ay);
    // Where both ends are one point, every place along the line is that point.
    let t = ((px * dx + py * dy) / (dx * dx + dy * dy).max(1e-12)).clamp(0.0, 1.0);
    length(px - t * dx, py - t * dy)
}

/// √(x² + y²), the same bits everywhere.
pub fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// The signed distance from a circle.
pub fn circle([cx, cy]: [f64; 2], radius: f64, x: f64, y: f64) -> f64 {
    length(x - cx, y - cy) - radius
}

/// The signed distance from an ellipse, to first order.
pub fn ellipse([cx, cy]: [f64; 2], [rx, ry]: [f64; 2], x: f64, y: f64) -> f64 {
    let (u, v) = ((x - cx) / rx, (y - cy) / ry);
    let (near, slope) = (length(u, v), length(u / rx, v / ry));
    if slope > 0.0 { near * (near - 1.0) / slope } else { -rx.min(ry) }
}

/// The signed distance from a polygon.
pub fn polygon(corners: &[[f64; 2]], x: f64, y: f64) -> f64 {
    let (mut nearest, mut inside) = (f64::INFINITY, false);
    let before = corners.iter().cycle().skip(corners.len().saturating_sub(1));
    for (a, b) in before.zip(corners) {
        nearest = nearest.min(segment(*a, *b, x, y));
        // An edge that a ray to the right crosses changes the side.
        if (a[1] > y) != (b[1] > y) && x < a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) {
            inside = !inside;
        }
    }
    if inside { -nearest } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::super::ALL;
    use super::*;

    #[test]
    fn distances_are_signed_and_exact() {
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        assert_eq!(polygon(&square, 1.0, 0.5), -0.5);
        assert_eq!(polygon(&square, 3.0, 1.0), 1.0);
        assert_eq!(polygon(&square, 5.0, 6.0), 5.0);
        assert_eq!(polygon(&[], 0.0, 0.0), f64::INFINITY);
        assert_eq!(segment([0.0, 0.0], [0.0, 0.0], 3.0, 4.0), 5.0);
        assert_eq!(segment([-1.0, 0.0], [1.0, 0.0], 0.5, -2.0), 2.0);
        assert_eq!(circle([1.0, 1.0], 1.0, 1.0, 3.0), 1.0);
        // An ellipse with equal axes is a circle; on the edge of any, the distance is 0.
        assert!((ellipse([0.0, 0.0], [2.0, 2.0], 3.0, 0.0) - 1.0).abs() < 1e-12);
        assert!(ellipse([0.0, 0.0], [2.0, 1.0], 2.0, 0.0).abs() < 1e-12);
        assert_eq!(ellipse([0.0, 0.0], [2.0, 1.0], 0.0, 0.0), -1.0);
    }

    #[test]
    fn what_is_filled_has_its_area() {
        for side in [8, 16, 28] {
            let mut pixels = vec![0.0; side * side];
            let disc = |x: f64, y: f64| circle([0.5, 0.5], 0.3, x, y);
            Canvas::new(&mut pixels, side).fill(&[1.0], around(&[[0.5, 0.5]], 0.3), &disc);
            let area = pixels.iter().sum::<f32>() / (side * side) as f32;
            assert!((area - 0.2827).abs() < 0.005, "{side}: {area}");
            let mut pixels = vec![0.0; side * side];
            // A line of length 0.4 and width 0.2 with its round ends.
            Canvas::new(&mut pixels, side).line([0.3, 0.4], [0.7, 0.4], 0.1);
            let area = pixels.iter().sum::<f32>() / (side * side) as f32;
            assert!((area - 0.1114).abs() < 0.005, "{side}: {area}");
            // Off the canvas there is nothing to draw on.
            Canvas::new(&mut pixels, side).line([-9.0, -9.0], [9.0, -9.0], 0.1);
        }
    }

    #[test]
    fn defaults_are_made_at_once() {
        // Less than a twentieth of the limit on a machine that does nothing else.
        for entry in ALL {
            let start = std::time::Instant::now();
            let data = (entry.generate)(&[], 4).unwrap();
            let time = start.elapsed();
            println!("{}: {time:?} for {} rows", entry.id, data.train.len(&data.shape));
            assert!(time.as_millis() < 1000, "{}: {time:?}", entry.id);
        }
    }

    #[test]
    fn labels_name_what_is_there() {
        for entry in ALL.iter().filter(|entry| entry.classes > 0) {
            let data = (entry.generate)(&[], 4).unwrap();
            let labels = data.train.labels.unwrap();
            let (n, size) = (labels.len() as f64, data.shape.size());
            for class in 0..data.classes as u32 {
                let rows: Vec<&[f32]> = data
                    .train
                    .xs
                    .chunks(size)
                    .zip(&labels)
                    .filter(|(_, label)| **label == class)
                    .map(|(row, _)| row)
                    .collect();
                let share = rows.len() as f64 / n * data.classes as f64;
                assert!((0.8..1.2).contains(&share), "{} {class}: {share}", entry.id);
            }
        }
    }
}
