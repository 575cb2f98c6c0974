//! The normalising flow: a chain of invertible maps from data to Gaussian noise, trained by exact likelihood.
//!
//! log p(x) = log N(f(x); 0, I) + log |det ∂f/∂x|; samples are f⁻¹ of noise. There is a choice of maps: [`affine`]
//! and [`spline`] coupling, and [`autoregressive`] layers.

mod affine;
mod autoregressive;
mod coupling;
mod layer;
mod spline;
mod units;

use candle_core::Tensor;

use self::layer::{Layer, Network};
use self::units::Units;
use super::{
    Bound, Density, Entry, Latent, Loss, Misfit, Model, Paths, Prior, Step, load_named_state, matrix,
    named_state,
};
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::nn::kernels::coupling::log_prob;
use crate::nn::{Activation, Decay, Optimizer, OptimizerKind, Vars, ops};
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;
use crate::{choices, params};

choices! {
    /// The kind of a flow's layers.
    pub enum Transform {
        /// Rational-quadratic-spline coupling.
        Spline = "spline",
        /// Affine coupling.
        Affine = "affine",
        /// Masked autoregressive, affine.
        Autoregressive = "autoregressive",
    }
}

params! {
    /// Settings of the flow.
    pub struct FlowParams {
        /// The kind of the layers.
        transform("transform"): Transform = Transform::Spline, choice::<Transform>(), Restart;
        /// How many layers there are; affine ones need about twice as many as splines.
        layers("flowLayers"): usize = 4, integer(1, 16), Restart;
        /// The number of a spline's pieces.
        bins("bins"): usize = 8, integer(2, 32), Restart, when("transform" in "spline");
        /// The splines map the interval from minus this to this, in standard deviations of the data, to itself; what
        /// lies beyond they leave alone.
        tail_bound("tailBound"): f64 = 4.0, linear(0.5, 10.0), Restart, when("transform" in "spline"), advanced(true);
        /// Widths of the hidden layers of the network in each layer.
        network_shape("networkShape"): Vec<usize> = vec![64, 64], widths(6, 512), Restart;
        /// The hidden layers' nonlinearity.
        activation("activation"): Activation = Activation::Tanh, choice::<Activation>(), Restart;
        /// Size of the update's step.
        learning_rate("learningRate"): f64 = 1e-3, log(1e-5, 1e-1), Live, rate(true);
        /// Data points per step.
        batch_size("batchSize"): usize = 256, log_integer(1, 1024), Live;
        /// The largest norm of the gradient; a longer one is scaled down to it.
        clip_norm("clipNorm"): f64 = 5.0, log(0.1, 100.0), Live, advanced(true);
        /// How the learning rate falls.
        decay("decay"): Decay = Decay::Constant, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rate has fallen to 0.
        decay_steps("decaySteps"): usize = 5000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

/// A normalising flow.
pub struct Flow {
    params: FlowParams,
    units: Units,
    vars: Vars,
    /// From the data's side to the base's.
    layers: Vec<Box<dyn Layer>>,
    optimizer: Optimizer,
}

impl Flow {
    /// A flow for these data, with fresh weights, which is close to the identity on the standardised rows.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: FlowParams, data: &Data, seed: u32) -> Result<Self> {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(seed, "init"));
        let d = data.shape.size();
        let network = Network { hidden: &params.network_shape, activation: params.activation };
        let mut layers: Vec<Box<dyn Layer>> = Vec::with_capacity(params.layers);
        for index in 0..params.layers {
            let (vars, rng) = (&mut vars, &mut rng);
            layers.push(match params.transform {
                Transform::Affine => Box::new(affine::layer(index, d, &network, vars, rng)?),
                Transform::Spline => {
                    let FlowParams { bins, tail_bound, .. } = params;
                    Box::new(spline::layer(bins, tail_bound, index, d, &network, vars, rng)?)
                }
                Transform::Autoregressive => {
                    Box::new(autoregressive::Autoregressive::new(index, d, &network, vars, rng)?)
                }
            });
        }
        let mut optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
        optimizer.clip_norm = Some(params.clip_norm);
        Ok(Self { params, units: Units::new(data, seed), vars, layers, optimizer })
    }

    /// The state at the base, (n, d + 1), of a state at the data's side.
    fn to_base(layers: &[Box<dyn Layer>], state: Tensor) -> Result<Tensor> {
        layers.iter().try_fold(state, |state, layer| layer.forward(&state))
    }

    /// [`Flow::to_base`] without a graph.
    fn infer(&self, state: Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(state, |state, layer| layer.detached().forward(&state))
    }

    /// (n, d) latents as a state.
    fn state_of(z: &Tensor) -> Result<Tensor> {
        let (n, d) = z.dims2()?;
        let mut values = Vec::with_capacity(n * (d + 1));
        for row in z.to_vec2::<f32>()? {
            values.extend(row);
            values.push(0.0);
        }
        matrix(values, n, d + 1)
    }

    /// The states on the way from latents to data: at the base, then after each layer.
    fn stages(&self, z: &Tensor) -> Result<Vec<Tensor>> {
        let mut stages = vec![Self::state_of(z)?];
        for layer in self.layers.iter().rev() {
            if let Some(last) = stages.last() {
                stages.push(layer.detached().inverse(last)?);
            }
        }
        Ok(stages)
    }
}

impl Model for Flow {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let xs = step.batch(self.params.batch_size)?;
        let state = self.units.enter(&xs, Some(&mut *step.noise))?;
        let loss = ops::flow_nll(&Self::to_base(&self.layers, state)?)?;
        let value = loss.to_scalar::<f32>()?;
        let rate =
            self.params.learning_rate * self.params.decay.factor(step.index, self.params.decay_steps as u64);
        step.update(&mut self.optimizer, &self.vars, &loss, rate, "the negative log-likelihood")?;
        Ok(vec![value])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        let effect = self.params.set(key, value)?;
        self.optimizer.clip_norm = Some(self.params.clip_norm);
        Ok(effect)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        named_state("optimizer", &self.optimizer)
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        load_named_state("optimizer", &mut self.optimizer, state)
    }

    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        self.decode(&Prior::Normal.draw(n, self.units.size(), rng)?)
    }

    fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        self.units.constants()
    }

    fn latent(&self) -> Option<&dyn Latent> {
        Some(self)
    }

    fn density(&self) -> Option<&dyn Density> {
        Some(self)
    }

    fn paths(&self) -> Option<&dyn Paths> {
        Some(self)
    }
}

impl Latent for Flow {
    fn dim(&self) -> usize {
        self.units.size()
    }

    fn prior(&self) -> Prior {
        Prior::Normal
    }

    fn decode(&self, z: &Tensor) -> Result<Tensor> {
        match self.stages(z)?.last() {
            Some(state) => self.units.leave(state),
            None => Ok(z.clone()),
        }
    }

    /// f(x): one place, so that the deviations are 0. Images are taken at the middle of their grey levels.
    fn encode(&self, xs: &Tensor) -> Result<Option<(Tensor, Tensor)>> {
        let state = self.infer(self.units.enter(xs, None)?)?;
        let z = state.narrow(1, 0, self.units.size())?.contiguous()?;
        let deviation = z.zeros_like()?;
        Ok(Some((z, deviation)))
    }
}

impl Density for Flow {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    /// log p(x); of images, the density of the image with uniform noise of one grey level added.
    fn log_prob(&self, xs: &Tensor, rng: &mut Rng) -> Result<Vec<f32>> {
        let state = self.infer(self.units.enter(xs, Some(rng))?)?;
        let (n, width) = state.dims2()?;
        let mut out = vec![0.0; n];
        log_prob(&state.flatten_all()?.to_vec1::<f32>()?, width, &mut out);
        Ok(out)
    }
}

impl Paths for Flow {
    /// The samples after each layer, in the data's units; between two layers a straight line is drawn.
    fn paths(&self, n: usize, frames: usize, rng: &mut Rng) -> Result<Vec<Tensor>> {
        let stages = self.stages(&Prior::Normal.draw(n, self.units.size(), rng)?)?;
        let frame = |i: usize| {
            let at = (stages.len() - 1) as f64 * i as f64 / frames.saturating_sub(1).max(1) as f64;
            let from = (at as usize).min(stages.len() - 1);
            let rest = at - from as f64;
            match (stages.get(from), stages.get(from + 1)) {
                (Some(a), Some(b)) if rest > 0.0 => self.units.leave(&((a * (1.0 - rest))? + (b * rest)?)?),
                (Some(a), _) => self.units.leave(a),
                (None, _) => matrix(Vec::new(), 0, self.units.size()),
            }
        };
        (0..frames).map(frame).collect()
    }
}

/// The most values a row may have: the networks' last layers grow with them.
const MOST_VALUES: usize = 64;

/// The flow in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "flow",
    badge: "explicit",
    example: "ring",
    domains: &[Domain::Points, Domain::Images],
    limits: |shape, _| match shape.size() {
        0 | 1 => Some(Misfit::Plane),
        2..=MOST_VALUES => None,
        _ => Some(Misfit::Large),
    },
    capabilities: &["latent", "density", "paths"],
    specs: FlowParams::specs,
    defaults: |domain| match domain {
        Domain::Points | Domain::Sequences => Vec::new(),
        // Splines take ten times as long a step on 64 values.
        Domain::Images => vec![
            ("transform", Value::Text("affine".into())),
            ("flowLayers", Value::Number(8.0)),
            ("networkShape", Value::Widths(vec![128])),
            ("batchSize", Value::Number(128.0)),
        ],
    },
    option_domains: &[],
    losses: &[Loss { id: "negativeLogLikelihood", unit: "nats" }],
    phases: &[],
    build: |values, data, seed| Ok(Box::new(Flow::new(FlowParams::from_values(values)?, data, seed)?)),
};
