//! The denoising diffusion model (Ho et al. 2020, <https://arxiv.org/abs/2006.11239>).
//!
//! x_t = √ᾱ_t x + √(1 − ᾱ_t) ε at levels t = 1 … T; a network is trained on E |f(x_t, t) − target|², and samples go
//! down the levels from noise.

use candle_core::Tensor;

use super::denoiser::{Batch, Denoiser, Design, NETWORK_DOMAINS, Network};
use super::path::{Film, Mix, Prediction, Schedule};
use super::{Bound, Classes, Density, Entry, Loss, Model, Paths, Rule, Step};
use crate::choices;
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::nn::kernels::travel::blend;
use crate::nn::{Activation, Decay, OptimizerKind, Vars, kernels::elementwise::add_scaled};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// How samples go down the levels.
    pub enum Sampler {
        /// With fresh noise at every level, as the chain was defined.
        Ddpm = "ddpm",
        /// Without: the same noise always gives the same sample
        /// (Song et al. 2021, <https://arxiv.org/abs/2010.02502>).
        Ddim = "ddim",
    }
}

choices! {
    /// The variance of the noise that is added on the way down.
    pub enum Variance {
        /// That of x_{t−1} given x_t and x: right for data that are one point.
        Small = "small",
        /// β_t: right for data that are N(0, I).
        Large = "large",
    }
}

params! {
    /// Settings of the diffusion model.
    pub struct DiffusionParams {
        /// How the share of the data falls from level to level.
        schedule("schedule"): Schedule = Schedule::Cosine, choice::<Schedule>(), Live;
        /// The number of noise levels T.
        levels("levels"): usize = 100, log_integer(10, 1000), Live;
        /// What the network predicts.
        prediction("prediction"): Prediction = Prediction::Noise, choice::<Prediction>(), Restart;
        /// How samples go down the levels.
        sampler("sampler"): Sampler = Sampler::Ddim, choice::<Sampler>(), Live;
        /// The variance of the noise that is added on the way down.
        sampler_variance("samplerVariance"): Variance = Variance::Small, choice::<Variance>(), Live, when("sampler" in "ddpm");
        /// Levels that samples stop at; at most T.
        sampling_steps("samplingSteps"): usize = 25, log_integer(1, 1000), Live;
        /// Whether the network is told the class, where the data have labels.
        conditional("conditional"): bool = false, flag(), Restart;
        /// How far samples are pushed towards their class; 0 is not at all.
        guidance("guidance"): f64 = 1.0, linear(0.0, 8.0), Live, when("conditional" in "true");
        /// The share of labels that training leaves out, which guidance needs.
        label_dropout("labelDropout"): f64 = 0.15, linear(0.0, 0.5), Live, when("conditional" in "true"), advanced(true);
        /// The kind of network.
        network("net"): Network = Network::Mlp, choice::<Network>(), Restart;
        /// Widths of the hidden layers.
        network_shape("networkShape"): Vec<usize> = vec![128, 128, 128], widths(6, 512), Restart, when("net" in "mlp");
        /// Channels of the U-Net at the images' own scale.
        channels("channels"): usize = 16, integer(4, 64), Restart, when("net" in "unet");
        /// The hidden layers' nonlinearity.
        activation("activation"): Activation = Activation::Silu, choice::<Activation>(), Restart, when("net" in "mlp"), advanced(true);
        /// Size of the update's step.
        learning_rate("learningRate"): f64 = 2e-3, log(1e-5, 1e-1), Live, rate(true);
        /// Data points per step.
        batch_size("batchSize"): usize = 256, log_integer(1, 1024), Live;
        /// How slowly the average of the weights moves that samples are drawn with.
        averaging("averaging"): f64 = 0.995, linear(0.0, 0.9999), Live, advanced(true);
        /// The rule that turns gradients into updates.
        optimizer("optimizer"): Rule = Rule::Adam, choice::<Rule>(), Live, advanced(true);
        /// How much of the last updates the direction keeps.
        momentum("momentum"): f64 = 0.9, linear(0.0, 0.99), Live, advanced(true);
        /// How the learning rate falls.
        decay("decay"): Decay = Decay::Constant, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rate has fallen to 0.
        decay_steps("decaySteps"): usize = 5000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

impl DiffusionParams {
    fn kind(&self) -> OptimizerKind {
        self.optimizer.kind(self.momentum, self.momentum)
    }

    fn design(&self) -> Design {
        Design {
            network: self.network,
            channels: self.channels,
            widths: self.network_shape.clone(),
            activation: self.activation,
            conditional: self.conditional,
            rule: self.kind(),
        }
    }

    fn sampling<'a>(&self, shares: &'a [f64], range: Option<[f32; 2]>) -> Sampling<'a> {
        Sampling {
            shares,
            prediction: self.prediction,
            sampler: self.sampler,
            variance: self.sampler_variance,
            steps: self.sampling_steps,
            range,
        }
    }
}

/// The way down the levels, whoever predicts.
#[derive(Debug, Clone, Copy)]
pub struct Sampling<'a> {
    /// ᾱ of each level.
    pub shares: &'a [f64],
    /// What is predicted.
    pub prediction: Prediction,
    /// With noise or without.
    pub sampler: Sampler,
    /// How much noise.
    pub variance: Variance,
    /// At how many levels to stop; all, if that is more than there are.
    pub steps: usize,
    /// The range that the data lie in, if there is one: predicted data are held to it.
    pub range: Option<[f32; 2]>,
}

/// What is predicted from rows at a level.
pub type Predict<'a> = &'a mut dyn FnMut(&[f32], usize) -> Result<Vec<f32>>;

impl Sampling<'_> {
    /// The number of steps that are taken.
    pub fn count(&self) -> usize {
        self.steps.clamp(1, self.shares.len().max(1))
    }

    /// The levels where it stops, evenly spaced, from the noisiest down; the first level is 0.
    fn levels(&self) -> impl Iterator<Item = usize> {
        let (count, top) = (self.count(), self.shares.len().saturating_sub(1) as f64);
        (0..count).rev().map(move |i| match count {
            1 => top as usize,
            _ => libm::rint(i as f64 * top / (count - 1) as f64) as usize,
        })
    }

    /// Takes noise to data in place. `predict` gets the rows and the level; `seen` is shown every state, the
    /// noise and the data included.
    ///
    /// Every step is x ← a·x̂ + b·x + σ·z with the predicted data x̂; with every level and `small` or `large`
    /// variance that is the chain of Ho et al., and on fewer levels the same chain for those.
    ///
    /// # Errors
    /// Those of `predict`.
    pub fn run(
        &self,
        xs: &mut [f32],
        rng: &mut Rng,
        predict: Predict,
        seen: &mut dyn FnMut(&[f32]),
    ) -> Result<()> {
        seen(xs);
        let mut levels = self.levels().peekable();
        let mut data = vec![0.0; xs.len()];
        while let Some(level) = levels.next() {
            let share_at = |level: usize| self.shares.get(level).copied().unwrap_or(1.0);
            let share = share_at(level);
            let next = levels.peek().map_or(1.0, |next| share_at(*next));
            let (here, there) = (Mix::of_share(share), Mix::of_share(next));
            let predicted = predict(xs, level)?;
            let (a, b) = self.prediction.to_data(here);
            blend(a as f32, xs, b as f32, &predicted, &mut data);
            if let Some([low, high]) = self.range {
                data.iter_mut().for_each(|x| *x = x.clamp(low, high));
            }
            let (a, b, sigma) = match self.sampler {
                Sampler::Ddim => {
                    let b = there.noise / here.noise;
                    (there.data - here.data * b, b, 0.0)
                }
                Sampler::Ddpm => {
                    let beta = 1.0 - share / next;
                    let a = there.data * beta / (1.0 - share);
                    let b = libm::sqrt(1.0 - beta) * (1.0 - next) / (1.0 - share);
                    let sigma2 = match self.variance {
                        Variance::Small => beta * (1.0 - next) / (1.0 - share),
                        Variance::Large => beta,
                    };
                    (a, b, if levels.peek().is_some() { libm::sqrt(sigma2) } else { 0.0 })
                }
            };
            let now = xs.to_vec();
            blend(a as f32, &data, b as f32, &now, xs);
            if sigma > 0.0 {
                add_scaled(sigma as f32, &rng.normals(xs.len()), xs);
            }
            seen(xs);
        }
        Ok(())
    }
}

/// A diffusion model.
pub struct Diffusion {
    params: DiffusionParams,
    denoiser: Denoiser,
    /// ᾱ of each level.
    shares: Vec<f64>,
    /// Whether the data are points of the plane: there the density is cheap enough.
    plane: bool,
}

impl Diffusion {
    /// A diffusion model for these data, with fresh weights.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: DiffusionParams, data: &Data, seed: u32) -> Result<Self> {
        let denoiser = Denoiser::new(&params.design(), data, seed)?;
        let shares = params.schedule.shares(params.levels);
        Ok(Self { params, denoiser, shares, plane: data.shape.is_plane() })
    }

    /// The time that the network is told at a level: 1 at the last.
    fn time(&self, level: usize) -> f64 {
        (level + 1) as f64 / self.shares.len().max(1) as f64
    }

    /// The time between levels where the path has this angle, from those of the levels.
    fn time_at(&self, angles: &[f64], angle: f64) -> f64 {
        let above = angles.partition_point(|level| *level < angle).min(angles.len().saturating_sub(1));
        let (low, high) = (above.saturating_sub(1), above);
        let (a, b) = (angles.get(low).copied().unwrap_or(0.0), angles.get(high).copied().unwrap_or(0.0));
        let share = if b > a { (angle - a) / (b - a) } else { 0.0 };
        self.time(low) + share * (self.time(high) - self.time(low))
    }

    /// The path's place at a level.
    fn mix(&self, level: usize) -> Mix {
        Mix::of_share(self.shares.get(level).copied().unwrap_or(1.0))
    }

    /// Rows sent to random levels, and what is to be predicted there.
    fn noised(&self, xs: &[f32], labels: Vec<Option<u32>>, rng: &mut Rng) -> Batch {
        let size = self.denoiser.size();
        let n = xs.len() / size.max(1);
        let levels: Vec<usize> = (0..n).map(|_| rng.below(self.shares.len() as u32) as usize).collect();
        let noise = rng.normals(xs.len());
        let (mut at, mut targets) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        let mut scales = Vec::with_capacity(n);
        let rows =
            xs.chunks(size).zip(noise.chunks(size)).zip(at.chunks_mut(size).zip(targets.chunks_mut(size)));
        for (((x, eps), (at, target)), level) in rows.zip(&levels) {
            let mix = self.mix(*level);
            mix.blend(x, eps, at);
            self.params.prediction.target(mix).blend(x, eps, target);
            let (kept, scale) = self.params.prediction.of_output(mix);
            add_scaled(-kept as f32, at, target);
            scales.push(scale as f32);
        }
        let times = levels.iter().map(|level| self.time(*level) as f32).collect();
        Batch { at, times, targets, labels, scales }
    }

    /// The loss of the averaged network on these rows, (n, size), each at a random level.
    ///
    /// # Errors
    /// If the rows do not have this model's size.
    pub fn evaluate(&self, xs: &Tensor, rng: &mut Rng) -> Result<f64> {
        let xs = self.denoiser.inward(xs)?;
        self.denoiser.evaluate(self.noised(&xs, Vec::new(), rng))
    }

    /// Samples of these classes, from noise; `seen` is shown every state on the way.
    fn travel(
        &self,
        labels: &[Option<u32>],
        mut xs: Vec<f32>,
        rng: &mut Rng,
        seen: &mut dyn FnMut(&[f32]),
    ) -> Result<Vec<f32>> {
        let mut predict = |xs: &[f32], level: usize| {
            let mut predicted = self.denoiser.guided(xs, self.time(level), labels, self.params.guidance)?;
            let (kept, scale) = self.params.prediction.of_output(self.mix(level));
            let output = predicted.clone();
            blend(kept as f32, xs, scale as f32, &output, &mut predicted);
            Ok(predicted)
        };
        self.params.sampling(&self.shares, self.denoiser.range()).run(&mut xs, rng, &mut predict, seen)?;
        Ok(xs)
    }
}

impl Model for Diffusion {
    fn vars(&self) -> &Vars {
        self.denoiser.vars()
    }

    fn parameters(&self) -> usize {
        self.denoiser.parameters()
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let (xs, labels) = self.denoiser.rows(step, self.params.batch_size, self.params.label_dropout)?;
        let batch = self.noised(&xs, labels, step.noise);
        let decay = self.params.decay.factor(step.index, self.params.decay_steps as u64);
        let rate = self.params.learning_rate * decay;
        Ok(vec![self.denoiser.train(step, batch, rate, self.params.averaging)?])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        let effect = self.params.set(key, value)?;
        self.denoiser.set_rule(self.params.kind());
        self.shares = self.params.schedule.shares(self.params.levels);
        Ok(effect)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        self.denoiser.state()
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        self.denoiser.load_state(state)
    }

    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let noise = rng.normals(n * self.denoiser.size());
        let labels = self.denoiser.draw_labels(n, rng);
        self.denoiser.outward(self.travel(&labels, noise, rng, &mut |_| ())?)
    }

    fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        self.denoiser.constants()
    }

    fn density(&self) -> Option<&dyn Density> {
        self.plane.then_some(self)
    }

    fn dear(&self) -> &'static [&'static str] {
        &["density", "sampleDensity"]
    }

    fn paths(&self) -> Option<&dyn Paths> {
        Some(self)
    }

    fn classes(&self) -> Option<&dyn Classes> {
        (self.denoiser.classes() > 0).then_some(self)
    }
}

impl Paths for Diffusion {
    fn paths(&self, n: usize, frames: usize, rng: &mut Rng) -> Result<Vec<Tensor>> {
        let noise = rng.normals(n * self.denoiser.size());
        let labels = self.denoiser.draw_labels(n, rng);
        let steps = self.params.sampling(&self.shares, None).count();
        let mut film = Film::new(steps, frames);
        self.travel(&labels, noise, rng, &mut |xs| film.see(xs))?;
        film.taken.into_iter().map(|xs| self.denoiser.outward(xs)).collect()
    }
}

impl Classes for Diffusion {
    fn classes(&self) -> usize {
        self.denoiser.classes()
    }

    fn sample_class(&self, class: usize, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let noise = rng.normals(n * self.denoiser.size());
        let labels = vec![Some(class as u32); n];
        self.denoiser.outward(self.travel(&labels, noise, rng, &mut |_| ())?)
    }
}

impl Density for Diffusion {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    /// log p(x) of the flow that DDIM follows in the limit of many steps (Song et al. 2021,
    /// <https://arxiv.org/abs/2011.13456>), without classes.
    ///
    /// With the angle φ, cos φ = √ᾱ, that flow is dx/dφ = v: solved from the first level's angle to the last's.
    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        let angles: Vec<f64> = self.shares.iter().map(|share| libm::acos(libm::sqrt(*share))).collect();
        let (Some(&first), Some(&last)) = (angles.first(), angles.last()) else { return Ok(Vec::new()) };
        let size = self.denoiser.size() as f32;
        self.denoiser.log_prob(xs, [first, last], &mut |xs, angle| {
            let (output, mut divergence) = self.denoiser.with_divergence(xs, self.time_at(&angles, angle))?;
            let at = Mix { data: libm::cos(angle), noise: libm::sin(angle) };
            let (kept, scale) = self.params.prediction.velocity_of_output(at);
            let mut velocity = output.clone();
            blend(kept as f32, xs, scale as f32, &output, &mut velocity);
            divergence.iter_mut().for_each(|sum| *sum = *sum * scale as f32 + size * kept as f32);
            Ok((velocity, divergence))
        })
    }

    fn rows_at_once(&self) -> usize {
        25
    }
}

/// The diffusion model in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "diffusion",
    badge: "explicit",
    example: "ring",
    domains: &[Domain::Points, Domain::Images],
    limits: |_, _| None,
    capabilities: &["paths", "classes", "density"],
    specs: DiffusionParams::specs,
    defaults: |domain| match domain {
        Domain::Points | Domain::Sequences => Vec::new(),
        Domain::Images => {
            vec![("networkShape", Value::Widths(vec![256, 256, 256])), ("batchSize", Value::Number(128.0))]
        }
    },
    option_domains: NETWORK_DOMAINS,
    losses: &[Loss { id: "error", unit: "" }],
    phases: &[],
    build: |values, data, seed| {
        Ok(Box::new(Diffusion::new(DiffusionParams::from_values(values)?, data, seed)?))
    },
};
