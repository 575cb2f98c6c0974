//! What the sets of points in the plane have in common.

use super::{Data, Shape, Split};
use crate::rng::Rng;

/// A point and the class it belongs to.
pub type Draw = ([f64; 2], u32);

/// Data of `samples` training rows and a quarter as many held-out rows, drawn from the same law by separate
/// streams: changing the number of one never changes the other.
pub fn sampled(
    samples: usize,
    seed: u32,
    classes: usize,
    extent: [f32; 4],
    law: impl Fn(&mut Rng) -> Draw,
) -> Data {
    let split = |label: &str, n: usize| {
        let mut rng = Rng::stream(seed, label);
        let mut xs = Vec::with_capacity(2 * n);
        let mut labels = Vec::with_capacity(n);
        for _ in 0..n {
            let (point, class) = law(&mut rng);
            xs.extend(point.map(|x| x as f32));
            labels.push(class);
        }
        Split { xs, labels: (classes > 0).then_some(labels) }
    };
    Data {
        shape: Shape::points(2),
        train: split("data", samples),
        held_out: split("held-out data", samples.div_ceil(4)),
        classes,
        extent,
        range: None,
        density: None,
        modes: None,
        alphabet: Vec::new(),
        topic: None,
        rule: None,
    }
}

/// `point` with Gaussian noise of standard deviation `sigma` in each coordinate.
pub fn blurred(point: [f64; 2], sigma: f64, rng: &mut Rng) -> [f64; 2] {
    let [x, y] = point;
    [x + sigma * rng.normal_f64(), y + sigma * rng.normal_f64()]
}

/// The square around `centre` that shows a shape which reaches `reach` in each direction, with noise and a margin.
///
/// Beyond 3.5 standard deviations lies one row in two thousand.
pub fn square(centre: [f64; 2], reach: f64, sigma: f64) -> [f32; 4] {
    let half = 1.05 * (reach + 3.5 * sigma);
    let [x, y] = centre;
    [x - half, x + half, y - half, y + half].map(|edge| edge as f32)
}

/// The square that shows the first two coordinates of these rows of `size` finite values.
pub fn extent_of(xs: impl Iterator<Item = f32>, size: usize) -> [f32; 4] {
    // A second coordinate that does not exist is 0, so that a line is drawn as one.
    let mut low = [f64::INFINITY, if size > 1 { f64::INFINITY } else { 0.0 }];
    let mut high = low.map(|x| -x);
    for (i, x) in xs.enumerate() {
        if let (Some(low), Some(high)) = (low.get_mut(i % size), high.get_mut(i % size)) {
            *low = low.min(x.into());
            *high = high.max(x.into());
        }
    }
    let [x, y] = [0, 1].map(|axis| (0.5 * (low[axis] + high[axis]), 0.5 * (high[axis] - low[axis])));
    // Rows that are all alike still need a square to stand in.
    let reach = x.1.max(y.1);
    square([x.0, y.0], if reach > 0.0 { reach } else { 1.0 }, 0.0)
}
