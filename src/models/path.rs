//! What diffusion and flow matching share: paths that mix data with noise, the time as a network sees it, and
//! guidance.
//!
//! A path is x_t = α x + σ ε with data x and noise ε ~ N(0, I); a network learns some other mixture of the two
//! from x_t and the time.

use crate::choices;
use crate::error::Result;
use crate::nn::kernels::gemm::{Start, View, product};
use crate::nn::kernels::travel;

choices! {
    /// How the share of the data falls on the way to noise.
    pub enum Schedule {
        /// ᾱ_t = f(t/T)/f(0), f(u) = cos²(π/2 · (u + 0.008)/1.008), with β_t ≤ 0.999
        /// (Nichol & Dhariwal 2021, <https://arxiv.org/abs/2102.09672>).
        Cosine = "cosine",
        /// β_t from 0.1/T to 20/T (Ho et al. 2020, <https://arxiv.org/abs/2006.11239>, at T = 1000), with
        /// β_t ≤ 0.999: scaled to T, so that any number of levels ends in noise.
        Linear = "linear",
    }
}

/// The largest share of the noise that one level may add.
const LARGEST_BETA: f64 = 0.999;

impl Schedule {
    /// ᾱ_1 … ᾱ_T: the share of the data's variance that is left at each level.
    pub fn shares(self, levels: usize) -> Vec<f64> {
        let t = levels as f64;
        let f = |u: f64| {
            let cos = libm::cos((u + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2);
            cos * cos
        };
        let beta = |i: usize| match self {
            Self::Cosine => 1.0 - f((i + 1) as f64 / t) / f(i as f64 / t),
            Self::Linear => (0.1 + 19.9 * i as f64 / (t - 1.0).max(1.0)) / t,
        };
        let mut share = 1.0;
        (0..levels)
            .map(|i| {
                share *= 1.0 - beta(i).min(LARGEST_BETA);
                share
            })
            .collect()
    }
}

/// A place on the path: x_t = α x + σ ε.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// α, the data's factor.
    pub data: f64,
    /// σ, the noise's factor.
    pub noise: f64,
}

impl Mix {
    /// The place where this share ᾱ of the variance is the data's: α² = ᾱ, σ² = 1 − ᾱ.
    pub fn of_share(share: f64) -> Self {
        Self { data: libm::sqrt(share), noise: libm::sqrt(1.0 - share) }
    }

    /// The straight path from noise (t = 0) to data (t = 1).
    pub fn straight(t: f64) -> Self {
        Self { data: t, noise: 1.0 - t }
    }

    /// x_t of one row.
    pub fn blend(self, data: &[f32], noise: &[f32], out: &mut [f32]) {
        travel::blend(self.data as f32, data, self.noise as f32, noise, out);
    }
}

choices! {
    /// What the network of a diffusion model predicts from x_t.
    pub enum Prediction {
        /// The noise ε.
        Noise = "noise",
        /// The data x.
        Data = "data",
        /// v = α ε − σ x (Salimans & Ho 2022, <https://arxiv.org/abs/2202.00512>).
        Velocity = "velocity",
    }
}

impl Prediction {
    /// What is to be predicted, as a mixture of data and noise.
    pub fn target(self, at: Mix) -> Mix {
        match self {
            Self::Noise => Mix { data: 0.0, noise: 1.0 },
            Self::Data => Mix { data: 1.0, noise: 0.0 },
            Self::Velocity => Mix { data: -at.noise, noise: at.data },
        }
    }

    /// The factors of x_t and of the network's output whose sum is the prediction.
    ///
    /// The noise is σ x_t + α v: so the network's task has the same size at every level, and its error is not
    /// divided by α where there is hardly any data left.
    pub fn of_output(self, at: Mix) -> (f64, f64) {
        match self {
            Self::Noise => (at.noise, at.data),
            Self::Data | Self::Velocity => (0.0, 1.0),
        }
    }

    /// The factors of x_t and of the prediction whose sum is the data.
    pub fn to_data(self, Mix { data, noise }: Mix) -> (f64, f64) {
        match self {
            Self::Noise => (1.0 / data, -noise / data),
            Self::Data => (0.0, 1.0),
            Self::Velocity => (data, -noise),
        }
    }

    /// The factors of x_t and of the network's output whose sum is v = α ε − σ x, with α² + σ² = 1.
    pub fn velocity_of_output(self, Mix { data, noise }: Mix) -> (f64, f64) {
        match self {
            Self::Noise | Self::Velocity => (0.0, 1.0),
            Self::Data => (data / noise, -1.0 / noise),
        }
    }
}

/// How many features of the time a network is given.
pub const TIME_FEATURES: usize = 32;

/// Frequencies in turns over the whole path: from half a turn up, evenly on a logarithmic scale.
///
/// With the highest at 30 turns the network is smooth in time: solvers may take long steps.
pub fn frequencies() -> [f32; TIME_FEATURES / 2] {
    let (low, high): (f64, f64) = (0.5, 30.0);
    let last = (TIME_FEATURES / 2 - 1) as f64;
    std::array::from_fn(|i| (low * libm::pow(high / low, i as f64 / last)) as f32)
}

/// (1 + w)·conditional − w·unconditional: guidance without a classifier
/// (Ho & Salimans 2022, <https://arxiv.org/abs/2207.12598>).
pub fn guide(conditional: &[f32], unconditional: &[f32], w: f64) -> Vec<f32> {
    let mut guided = vec![0.0; conditional.len()];
    travel::blend((1.0 + w) as f32, conditional, -w as f32, unconditional, &mut guided);
    guided
}

/// Most rows that are assigned to each other at once.
const LARGEST_ASSIGNMENT: usize = 256;

/// Reorders the rows of `noise` so that Σ |x − ε|² over the pairs is least: the optimal transport between the
/// two batches (Tong et al. 2024, <https://arxiv.org/abs/2302.00482>). Batches over 256 are paired in parts.
///
/// # Shapes
/// both (n, size), row after row
pub fn pair(data: &[f32], noise: &mut Vec<f32>, size: usize) -> Result<()> {
    let part = LARGEST_ASSIGNMENT * size.max(1);
    let mut paired = Vec::with_capacity(noise.len());
    for (data, noise) in data.chunks(part).zip(noise.chunks(part)) {
        let n = data.len() / size.max(1);
        // |x − ε|² = |x|² + |ε|² − 2 x·ε, and the squares are the same in every order.
        let mut costs = vec![0.0; n * n];
        let (xs, eps) = (View::new(data, n, size), View::new(noise, n, size));
        product(xs, eps.t(), &mut costs, Start::Zero, f32::NEG_INFINITY);
        for cost in &mut costs {
            *cost = -*cost;
        }
        for row in travel::assignment(&costs, n) {
            paired.extend_from_slice(noise.get(row * size..(row + 1) * size).unwrap_or_default());
        }
    }
    *noise = paired;
    Ok(())
}

/// Keeps frames of a journey, evenly spaced in time, while its states pass by.
pub struct Film {
    steps: usize,
    frames: usize,
    /// The state before the next one, and which that is.
    last: Vec<f32>,
    state: usize,
    /// The frames so far.
    pub taken: Vec<Vec<f32>>,
}

impl Film {
    /// A film of so many frames over a journey of so many steps, which is one state more.
    pub fn new(steps: usize, frames: usize) -> Self {
        Self { steps, frames, last: Vec::new(), state: 0, taken: Vec::with_capacity(frames) }
    }

    /// Sees the next state; a frame between two states lies on the line between them.
    pub fn see(&mut self, xs: &[f32]) {
        while self.taken.len() < self.frames {
            let place = (self.taken.len() * self.steps) as f64 / (self.frames - 1).max(1) as f64;
            let behind = self.state as f64 - place;
            if behind < 0.0 {
                break;
            }
            let mut frame = xs.to_vec();
            if behind > 0.0 {
                travel::blend((1.0 - behind) as f32, xs, behind as f32, &self.last, &mut frame);
            }
            self.taken.push(frame);
        }
        self.last.clear();
        self.last.extend_from_slice(xs);
        self.state += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn films_are_evenly_spaced_and_end_at_both_ends() {
        for (steps, frames) in [(4, 5), (4, 3), (3, 7), (10, 4), (1, 2), (25, 200)] {
            let mut film = Film::new(steps, frames);
            for state in 0..=steps {
                film.see(&[state as f32, -(state as f32)]);
            }
            assert_eq!(film.taken.len(), frames);
            for (k, frame) in film.taken.iter().enumerate() {
                let place = (k * steps) as f32 / (frames - 1) as f32;
                assert!((frame[0] - place).abs() < 1e-4 && frame[1] == -frame[0], "{steps}, {frames}: {k}");
            }
        }
    }

    #[test]
    fn every_prediction_gives_back_the_data_and_the_velocity() {
        let (x, eps) = (1.7, -0.6);
        for share in [0.999, 0.5, 0.01] {
            let at = Mix::of_share(share);
            let place = at.data * x + at.noise * eps;
            for prediction in [Prediction::Noise, Prediction::Data, Prediction::Velocity] {
                let target = prediction.target(at);
                let predicted = target.data * x + target.noise * eps;
                let (a, b) = prediction.to_data(at);
                assert!((a * place + b * predicted - x).abs() < 1e-9);
                let (kept, scale) = prediction.of_output(at);
                let output = (predicted - kept * place) / scale;
                let (a, b) = prediction.velocity_of_output(at);
                assert!((a * place + b * output - (at.data * eps - at.noise * x)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn pairing_keeps_every_row_and_shortens_the_way() {
        for (n, size) in [(1, 2), (200, 2), (600, 3)] {
            let mut rng = Rng::stream(4, "test");
            let (data, mut noise) = (rng.normals(n * size), rng.normals(n * size));
            let length = |noise: &[f32]| data.iter().zip(noise).map(|(x, e)| (x - e) * (x - e)).sum::<f32>();
            let sorted = |noise: &[f32]| {
                let mut rows: Vec<Vec<u32>> =
                    noise.chunks(size).map(|row| row.iter().map(|x| x.to_bits()).collect()).collect();
                rows.sort();
                rows
            };
            let (before, rows) = (length(&noise), sorted(&noise));
            pair(&data, &mut noise, size).unwrap();
            assert_eq!(rows, sorted(&noise));
            assert!(length(&noise) <= before && (n == 1 || length(&noise) < 0.2 * before));
        }
    }
}
