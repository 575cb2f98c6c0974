//! Flow matching (Lipman et al. 2023, <https://arxiv.org/abs/2210.02747>; rectified flow, Liu et al. 2023,
//! <https://arxiv.org/abs/2209.03003>).
//!
//! Noise ε at t = 0 and data x at t = 1 are joined by straight lines x_t = (1 − t) ε + t x; a network v is trained on
//! E |v(x_t, t) − (x − ε)|², and samples follow dx/dt = v(x, t) from noise.

use candle_core::Tensor;

use super::denoiser::{Batch, Denoiser, Design, NETWORK_DOMAINS, Network};
use super::path::{Film, Mix, pair};
use super::{Bound, Classes, Density, Entry, Loss, Model, Paths, Rule, Step};
use crate::choices;
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::nn::{Activation, Decay, OptimizerKind, Solver, Vars};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// Which noise is joined to which data.
    pub enum Pairing {
        /// Any to any.
        Independent = "independent",
        /// Those of a batch for which the lines are shortest (Tong et al. 2024,
        /// <https://arxiv.org/abs/2302.00482>).
        OptimalTransport = "optimalTransport",
    }
}

params! {
    /// Settings of flow matching.
    pub struct FlowMatchingParams {
        /// Which noise is joined to which data.
        pairing("pairing"): Pairing = Pairing::Independent, choice::<Pairing>(), Live;
        /// The rule by which samples follow the flow.
        solver("solver"): Solver = Solver::Midpoint, choice::<Solver>(), Live;
        /// Steps from noise to data.
        sampling_steps("samplingSteps"): usize = 12, log_integer(1, 1000), Live;
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
        learning_rate("learningRate"): f64 = 3e-3, log(1e-5, 1e-1), Live, rate(true);
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

impl FlowMatchingParams {
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
}

/// A flow-matching model.
pub struct FlowMatching {
    params: FlowMatchingParams,
    denoiser: Denoiser,
    /// Whether the data are points of the plane: there the density is cheap enough.
    plane: bool,
}

impl FlowMatching {
    /// A flow-matching model for these data, with fresh weights.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: FlowMatchingParams, data: &Data, seed: u32) -> Result<Self> {
        let denoiser = Denoiser::new(&params.design(), data, seed)?;
        Ok(Self { params, denoiser, plane: data.shape.is_plane() })
    }

    /// Rows sent to random places on their lines, and the lines' directions.
    fn on_lines(&self, xs: &[f32], labels: Vec<Option<u32>>, rng: &mut Rng) -> Result<Batch> {
        let size = self.denoiser.size();
        let mut times = vec![0.0; xs.len() / size.max(1)];
        rng.fill_uniform(&mut times, 0.0, 1.0);
        let mut noise = rng.normals(xs.len());
        if self.params.pairing == Pairing::OptimalTransport {
            pair(xs, &mut noise, size)?;
        }
        let (mut at, mut targets) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        let rows = xs.chunks(size).zip(noise.chunks(size)).zip(at.chunks_mut(size));
        for (((x, eps), at), t) in rows.zip(&times) {
            Mix::straight((*t).into()).blend(x, eps, at);
        }
        Mix { data: 1.0, noise: -1.0 }.blend(xs, &noise, &mut targets);
        Ok(Batch { at, times, targets, labels, scales: Vec::new() })
    }

    /// The loss of the averaged network on these rows, (n, size), each at a random time.
    ///
    /// # Errors
    /// If the rows do not have this model's size.
    pub fn evaluate(&self, xs: &Tensor, rng: &mut Rng) -> Result<f64> {
        let xs = self.denoiser.inward(xs)?;
        self.denoiser.evaluate(self.on_lines(&xs, Vec::new(), rng)?)
    }

    /// Samples of these classes, from noise; `seen` is shown every state on the way.
    fn travel(
        &self,
        labels: &[Option<u32>],
        mut xs: Vec<f32>,
        seen: &mut dyn FnMut(&[f32]),
    ) -> Result<Vec<f32>> {
        let FlowMatchingParams { solver, sampling_steps, guidance, .. } = self.params;
        let mut velocity = |xs: &[f32], t: f64| self.denoiser.guided(xs, t, labels, guidance);
        solver.solve(&mut xs, [0.0, 1.0], sampling_steps, &mut velocity, seen)?;
        Ok(xs)
    }
}

impl Model for FlowMatching {
    fn vars(&self) -> &Vars {
        self.denoiser.vars()
    }

    fn parameters(&self) -> usize {
        self.denoiser.parameters()
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let (xs, labels) = self.denoiser.rows(step, self.params.batch_size, self.params.label_dropout)?;
        let batch = self.on_lines(&xs, labels, step.noise)?;
        let decay = self.params.decay.factor(step.index, self.params.decay_steps as u64);
        let rate = self.params.learning_rate * decay;
        Ok(vec![self.denoiser.train(step, batch, rate, self.params.averaging)?])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        let effect = self.params.set(key, value)?;
        self.denoiser.set_rule(self.params.kind());
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
        self.denoiser.outward(self.travel(&labels, noise, &mut |_| ())?)
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

impl Paths for FlowMatching {
    fn paths(&self, n: usize, frames: usize, rng: &mut Rng) -> Result<Vec<Tensor>> {
        let noise = rng.normals(n * self.denoiser.size());
        let labels = self.denoiser.draw_labels(n, rng);
        let mut film = Film::new(self.params.sampling_steps, frames);
        self.travel(&labels, noise, &mut |xs| film.see(xs))?;
        film.taken.into_iter().map(|xs| self.denoiser.outward(xs)).collect()
    }
}

impl Classes for FlowMatching {
    fn classes(&self) -> usize {
        self.denoiser.classes()
    }

    fn sample_class(&self, class: usize, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let noise = rng.normals(n * self.denoiser.size());
        let labels = vec![Some(class as u32); n];
        self.denoiser.outward(self.travel(&labels, noise, &mut |_| ())?)
    }
}

impl Density for FlowMatching {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    /// log p(x) = log N(x₀; 0, I) − ∫ ∇·v dt along the way from x back to the noise x₀ (Chen et al. 2018,
    /// <https://arxiv.org/abs/1806.07366>), for the flow without classes.
    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        self.denoiser.log_prob(xs, [1.0, 0.0], &mut |xs, t| self.denoiser.with_divergence(xs, t))
    }

    fn rows_at_once(&self) -> usize {
        25
    }
}

/// Flow matching in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "flow-matching",
    badge: "explicit",
    example: "ring",
    domains: &[Domain::Points, Domain::Images],
    limits: |_, _| None,
    capabilities: &["paths", "classes", "density"],
    specs: FlowMatchingParams::specs,
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
        Ok(Box::new(FlowMatching::new(FlowMatchingParams::from_values(values)?, data, seed)?))
    },
};
