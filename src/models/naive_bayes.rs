//! Naive Bayes and the mixture of Bernoulli variables: p(x) = Σ wₖ Π θₖᵢ^xᵢ (1 − θₖᵢ)^(1 − xᵢ), bits independent
//! within a component.
//!
//! With labels the components are the classes, and counting is all of learning (naive Bayes); without, each step is
//! one iteration of expectation–maximisation on all training rows.

use candle_core::Tensor;

use super::seeding::{Seeding, weighted};
use super::{Bound, Classes, Density, Entry, Filters, Loss, Misfit, Model, Step, matrix};
use crate::choices;
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::nn::kernels::bits::{Bits, binarize};
use crate::nn::kernels::mixture;
use crate::nn::ops::with_slice;
use crate::nn::{DoubleVars, Vars};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// What the components are.
    pub enum Source {
        /// The classes, where the rows have labels.
        Labels = "labels",
        /// Whatever explains the rows best.
        Em = "em",
    }
}

params! {
    /// Settings of naive Bayes and the mixture of Bernoulli variables.
    pub struct NaiveBayesParams {
        /// What the components are: the classes of the labels, or found by expectation–maximisation.
        source("componentsFrom"): Source = Source::Labels, choice::<Source>(), Restart;
        /// Number of components that are found.
        components("components"): usize = 20, integer(1, 64), Restart, when("componentsFrom" in "em");
        /// Which rows are the first components that are found.
        seeding("seeding"): Seeding = Seeding::PlusPlus, choice::<Seeding>(), Restart, when("componentsFrom" in "em");
        /// Ones and zeros that each pixel is taken to have shown already.
        smoothing("smoothing"): f64 = 1.0, log(1e-3, 100.0), Live;
    }
}

/// Most pixels of an image.
const LARGEST: usize = 4096;
/// The nearest that a probability comes to 0 or 1.
const MARGIN: f64 = 1e-9;

/// A mixture of products of Bernoulli variables.
pub struct NaiveBayes {
    params: NaiveBayesParams,
    size: usize,
    components: usize,
    vars: DoubleVars,
    train: Bits,
    /// The classes of the training rows, when they are the components.
    labels: Option<Vec<u32>>,
}

impl NaiveBayes {
    /// A model that has seen nothing: each pixel is a fair coin; or, where components are found, ¼ or ¾ as in
    /// the row that each begins with.
    ///
    /// Where the data have no labels, components are found.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: NaiveBayesParams, data: &Data, seed: u32) -> Result<Self> {
        let (size, n) = (data.shape.size(), data.train.len(&data.shape));
        let mut xs = data.train.xs.get(..n * size).unwrap_or_default().to_vec();
        binarize(&mut xs);
        let labels = match params.source {
            Source::Labels if data.classes > 1 => data.train.labels.clone(),
            _ => None,
        };
        let (components, pixels) = match labels {
            Some(_) => (data.classes, vec![0.5; data.classes * size]),
            None => {
                let k = params.components;
                let centres = params.seeding.choose(&xs, size, k, &mut Rng::stream(seed, "init"));
                let rows = centres.rows.iter().flat_map(|i| xs.iter().skip(i * size).take(size));
                (k, rows.map(|x| 0.25 + 0.5 * f64::from(*x)).collect())
            }
        };
        let mut vars = DoubleVars::new();
        vars.add("weights", &[components], &vec![1.0 / components as f64; components])?;
        vars.add("pixels", &[components, size], &pixels)?;
        Ok(Self { params, size, components, vars, train: Bits::of(&xs, size), labels })
    }

    /// log (w p(x)) of every row and component, in nats: (n, components).
    fn joint_of(&self, bits: &Bits) -> Result<Vec<f64>> {
        let k = self.components;
        let mut offsets: Vec<f64> = self.vars.get("weights")?.into_iter().map(libm::log).collect();
        let mut logits = vec![0.0; self.size * k];
        let pixels = self.vars.get("pixels")?;
        for (component, (pixels, offset)) in pixels.chunks_exact(self.size).zip(&mut offsets).enumerate() {
            for (p, logit) in pixels.iter().zip(logits.iter_mut().skip(component).step_by(k)) {
                let p = p.clamp(MARGIN, 1.0 - MARGIN);
                let off = libm::log1p(-p);
                *offset += off;
                *logit = libm::log(p) - off;
            }
        }
        Ok(bits.log_joint(&offsets, &logits))
    }

    /// log (w p(x)) of each row of `xs` and component, in nats: (n, components).
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn log_joint(&self, xs: &Tensor) -> Result<Vec<f64>> {
        self.joint_of(&with_slice(&xs.contiguous()?, |xs| Bits::of(xs, self.size))?)
    }

    /// One iteration on the training rows; the mean log-likelihood before it, in nats, and the share of rows whose
    /// likeliest class was another than theirs.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn iterate(&mut self) -> Result<(f64, Option<f64>)> {
        let (k, n) = (self.components, self.train.len().max(1) as f64);
        let mut shares = self.joint_of(&self.train)?;
        let mut wrong = None;
        let mean = match &self.labels {
            None => mixture::responsibilities(&mut shares, k) / n,
            Some(labels) => {
                let mean = mixture::log_sum_exp(&shares, k).iter().sum::<f64>() / n;
                let missed =
                    shares.chunks_exact(k).zip(labels).filter(|(row, label)| likeliest(row) != **label);
                wrong = Some(missed.count() as f64 / n);
                shares.fill(0.0);
                for (row, label) in shares.chunks_exact_mut(k).zip(labels) {
                    if let Some(own) = row.get_mut(*label as usize) {
                        *own = 1.0;
                    }
                }
                mean
            }
        };
        if !mean.is_finite() {
            return Ok((mean, wrong));
        }
        let counts = mixture::weights(&shares, k);
        let ones = self.train.weighted_counts(&shares, k);
        let alpha = self.params.smoothing;
        let pixel = |component: usize, count: &f64| {
            let ones = ones.iter().skip(component).step_by(k);
            ones.map(|ones| (ones + alpha) / (count + 2.0 * alpha)).collect::<Vec<_>>()
        };
        let pixels: Vec<f64> = counts.iter().enumerate().flat_map(|(i, count)| pixel(i, count)).collect();
        let total: f64 = counts.iter().sum();
        self.vars.set("weights", &counts.iter().map(|count| count / total).collect::<Vec<_>>())?;
        self.vars.set("pixels", &pixels)?;
        Ok((mean, wrong))
    }

    /// A draw of every pixel of a component.
    fn draw(&self, pixels: &[f64], component: usize, rng: &mut Rng) -> Vec<f32> {
        let pixels = pixels.chunks_exact(self.size).nth(component).unwrap_or_default();
        pixels.iter().map(|p| f32::from(u8::from(rng.uniform_f64() < *p))).collect()
    }
}

/// The index of the largest value, the first of several.
fn likeliest(row: &[f64]) -> u32 {
    let best = |best: (usize, f64), (i, x): (usize, &f64)| if *x > best.1 { (i, *x) } else { best };
    row.iter().enumerate().fold((0, f64::NEG_INFINITY), best).0 as u32
}

impl Model for NaiveBayes {
    fn vars(&self) -> &Vars {
        self.vars.vars()
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let (mean, wrong) = self.iterate()?;
        if !mean.is_finite() {
            return Err(step.diverged("the likelihood"));
        }
        Ok(vec![-mean as f32, wrong.map_or(f32::NAN, |wrong| wrong as f32)])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        self.params.set(key, value)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        self.vars.state()
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        self.vars.load_state(state)
    }

    /// A component by its weight, then each pixel by itself: what the model believes is seen best with its noise.
    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let (weights, pixels) = (self.vars.get("weights")?, self.vars.get("pixels")?);
        let mut xs = Vec::with_capacity(n * self.size);
        for _ in 0..n {
            let component = weighted(&weights, rng);
            xs.extend(self.draw(&pixels, component, rng));
        }
        matrix(xs, n, self.size)
    }

    fn density(&self) -> Option<&dyn Density> {
        Some(self)
    }

    fn classes(&self) -> Option<&dyn Classes> {
        self.labels.is_some().then_some(self as &dyn Classes)
    }

    fn filters(&self) -> Option<&dyn Filters> {
        Some(self)
    }
}

impl Density for NaiveBayes {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    /// log p of the image in black and white: white from half of the brightness on.
    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        let joint = self.log_joint(xs)?;
        Ok(mixture::log_sum_exp(&joint, self.components).into_iter().map(|x| x as f32).collect())
    }

    fn is_discrete(&self) -> bool {
        true
    }
}

impl Classes for NaiveBayes {
    fn classes(&self) -> usize {
        self.components
    }

    fn sample_class(&self, class: usize, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let pixels = self.vars.get("pixels")?;
        let xs = (0..n).flat_map(|_| self.draw(&pixels, class, rng)).collect();
        matrix(xs, n, self.size)
    }
}

impl Filters for NaiveBayes {
    /// The probability of each pixel in each component.
    fn filters(&self) -> Result<Tensor> {
        let pixels = self.vars.get("pixels")?.into_iter().map(|x| x as f32).collect();
        matrix(pixels, self.components, self.size)
    }
}

/// Naive Bayes in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "naive-bayes",
    badge: "explicit",
    example: "digits",
    domains: &[Domain::Images],
    limits: |shape, _| Misfit::of_grey_images(shape, LARGEST),
    capabilities: &["density", "classes", "filters"],
    specs: NaiveBayesParams::specs,
    defaults: |_| Vec::new(),
    option_domains: &[],
    losses: &[Loss { id: "negativeLogLikelihood", unit: "nats" }, Loss { id: "classError", unit: "" }],
    phases: &[],
    build: |values, data, seed| {
        Ok(Box::new(NaiveBayes::new(NaiveBayesParams::from_values(values)?, data, seed)?))
    },
};
