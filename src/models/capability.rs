//! What models can show, as traits: views and scores compare models by these, like for like.

use candle_core::Tensor;

use super::matrix;
use crate::error::Result;
use crate::rng::Rng;

/// The law of the latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prior {
    /// N(0, I).
    Normal,
    /// U(−1, 1), independent.
    Uniform,
}

impl Prior {
    /// (n, d) draws.
    pub fn draw(self, n: usize, d: usize, rng: &mut Rng) -> Result<Tensor> {
        let mut z = vec![0.0; n * d];
        match self {
            Self::Normal => rng.fill_normal(&mut z),
            Self::Uniform => rng.fill_uniform(&mut z, -1.0, 1.0),
        }
        matrix(z, n, d)
    }
}

/// A model whose samples come from a latent.
pub trait Latent {
    /// The latent's size.
    fn dim(&self) -> usize;
    /// The latent's law.
    fn prior(&self) -> Prior;
    /// (n, q) latents to (n, size) noise-free outputs, without a graph.
    fn decode(&self, z: &Tensor) -> Result<Tensor>;
    /// (n, size) data to (n, q) posterior means and (n, q) standard deviations, for models that encode.
    fn encode(&self, xs: &Tensor) -> Result<Option<(Tensor, Tensor)>>;
}

/// A model that encodes and decodes.
pub trait Reconstruct {
    /// (n, size) to (n, size): the decoding of the posterior mean.
    fn reconstruct(&self, xs: &Tensor) -> Result<Tensor>;
}

/// How a log-density was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The model's own density.
    Exact,
    /// An importance-sampled lower bound (Burda et al. 2016, <https://arxiv.org/abs/1509.00519>).
    Importance,
    /// The model's own, but normalised on a grid.
    Grid,
}

impl Bound {
    /// The id in view results.
    pub fn id(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Importance => "importance",
            Self::Grid => "grid",
        }
    }
}

/// A model with a density.
pub trait Density {
    /// How it is computed.
    fn bound(&self) -> Bound;
    /// (n, size) data to n values of log p(x), in nats.
    fn log_prob(&self, xs: &Tensor, rng: &mut Rng) -> Result<Vec<f32>>;
    /// Whether it is of a probability, of bits or tokens, rather than of a density.
    fn is_discrete(&self) -> bool {
        false
    }
    /// Rows that it takes about a slice of training for; all, where a normaliser is computed for every call.
    fn rows_at_once(&self) -> usize {
        100
    }
    /// The model's normaliser, where it takes longer than a slice and can be had in parts.
    fn normalizer(&self) -> Option<&dyn Normalizer> {
        None
    }
}

/// A density that is normalised by an integral over many places.
pub trait Normalizer {
    /// How many parts the integral has, each of about a slice of training.
    fn parts(&self) -> usize;
    /// The logarithm of one of them, in nats; log Z is that of the sum of all.
    fn log_part(&self, part: usize) -> Result<f64>;
    /// log p(x) + log Z of (n, size) data, in nats.
    fn log_weight(&self, xs: &Tensor) -> Result<Vec<f64>>;
}

/// A model with a discriminator.
pub trait Discriminate {
    /// (n, size) data to n values in −1..=1: how real, 0 being undecided.
    fn realness(&self, xs: &Tensor) -> Result<Vec<f32>>;
}

/// A model whose samples travel from noise to data.
pub trait Paths {
    /// `frames` stages of the same `n` samples, (n, size) each: the first is noise, the last is data.
    fn paths(&self, n: usize, frames: usize, rng: &mut Rng) -> Result<Vec<Tensor>>;
}

/// A model with an energy: p(x) ∝ exp(−E(x)).
pub trait Energy {
    /// (n, size) data to n energies, up to a constant that is the same for all.
    fn energy(&self, xs: &Tensor) -> Result<Vec<f32>>;
}

/// A model that draws from a chosen class.
pub trait Classes {
    /// How many classes there are.
    fn classes(&self) -> usize;
    /// `n` samples of one class, (n, size).
    fn sample_class(&self, class: usize, n: usize, rng: &mut Rng) -> Result<Tensor>;
}

/// A Gaussian of a mixture, in the plane of the first two coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Its share of the mixture.
    pub weight: f32,
    /// The mean.
    pub mean: [f32; 2],
    /// The covariance's entries xx, xy, yy.
    pub covariance: [f32; 3],
}

/// A mixture of Gaussians.
pub trait Components {
    /// Its components.
    fn components(&self) -> Vec<Component>;
}

/// A model that knows the law of each value given all others, even where it cannot say how likely a whole row is.
pub trait Conditionals {
    /// (n, size) data to the rows as the model sees them, in 0..=1, and to log p(xᵢ | all others) of each value in
    /// nats, both (n, size).
    fn conditionals(&self, xs: &Tensor) -> Result<(Vec<f32>, Vec<f32>)>;
}

/// A model whose units can be shown as data: hidden units, class means, prototypes.
pub trait Filters {
    /// (units, size); signed where the values are weights.
    fn filters(&self) -> Result<Tensor>;
}
