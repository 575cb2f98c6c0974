//! The energy-based model of points of the plane, p(x) ∝ exp(−U(x)/T), where U is a network plus |x|²/(2·4).
//!
//! Learning lowers the energy of data and raises that of the model's own samples: Langevin chains that go on from
//! step to step (Tieleman 2008; Du & Mordatch 2019, <https://arxiv.org/abs/1903.08689>).
//! Published chains are not corrected: where data are thin their steps are too long, and between modes they do
//! not mix, so that the density is wrong by nats. Here each step is tested, and some are jumps (see [`super::langevin`]).
//! Good samples are no proof of a good density, nor is a gap near 0 (Nijkamp et al. 2020,
//! <https://arxiv.org/abs/1903.12370>): in the plane the normaliser is had on a grid, and says more.

use candle_core::Tensor;

use super::langevin::{Correction, Langevin};
use super::{
    Bound, Density, Energy, Entry, Loss, Misfit, Model, Normalizer, Paths, Step, load_named_state, matrix,
    named_state,
};
use crate::data::{Data, Domain};
use crate::error::{Error, Result};
use crate::nn::kernels::mixture::log_sum_exp;
use crate::nn::{Activation, Decay, Init, Mlp, Optimizer, OptimizerKind, Vars};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

params! {
    /// Settings of the energy-based model.
    pub struct EbmParams {
        /// Widths of the network's hidden layers.
        network_shape("networkShape"): Vec<usize> = vec![64, 64, 64], widths(6, 512), Restart;
        /// The hidden layers' nonlinearity.
        activation("activation"): Activation = Activation::Silu, choice::<Activation>(), Restart, advanced(true);
        /// Langevin steps of the chains in each step.
        langevin_steps("langevinSteps"): usize = 10, log_integer(1, 200), Live;
        /// Size η of a Langevin step; with the correction the greatest.
        step_size("langevinStepSize"): f64 = 0.03, log(1e-4, 0.1), Live;
        /// Noise of a Langevin step in units of √(2η): the temperature is its square.
        noise("langevinNoise"): f64 = 1.0, log(0.1, 2.0), Live;
        /// What becomes of a Langevin step.
        correction("langevinCorrection"): Correction = Correction::Metropolis, choice::<Correction>(), Live, advanced(true);
        /// Share of the proposals that are places far away.
        jumps("langevinJumps"): f64 = 0.4, linear(0.0, 1.0), Live, when("langevinCorrection" in "metropolis"), advanced(true);
        /// Share of the chains that begin again from noise.
        restarts("restarts"): f64 = 0.02, linear(0.0, 1.0), Live, when("langevinCorrection" in "none"), advanced(true);
        /// Weight of the mean squared energies.
        energy_penalty("energyPenalty"): f64 = 0.001, linear(0.0, 0.1), Live, advanced(true);
        /// Langevin steps from noise to a sample whose path is shown.
        path_steps("pathSteps"): usize = 200, log_integer(10, 1000), Live, advanced(true);
        /// Size of the update's step.
        learning_rate("learningRate"): f64 = 4e-3, log(1e-5, 1e-1), Live, rate(true);
        /// Data points per step.
        batch_size("batchSize"): usize = 128, log_integer(1, 1024), Live;
        /// How the learning rate falls.
        decay("decay"): Decay = Decay::Constant, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rate has fallen to 0.
        decay_steps("decaySteps"): usize = 5000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

/// How many chains go on from step to step.
const CHAINS: usize = 4096;
/// The variance of the noise that chains begin with, and of the Gaussian that the network's energy is added to.
const SPREAD: f64 = 4.0;
/// Cells along each side of the grid that the normaliser is computed on.
const GRID: usize = 128;
/// Bands of the grid, each of which takes less than a slice of training.
const BANDS: usize = 8;

/// An energy-based model.
pub struct Ebm {
    params: EbmParams,
    vars: Vars,
    network: Mlp,
    optimizer: Optimizer,
    /// The chains' places, (CHAINS, 2).
    chains: Vec<f32>,
    /// The square that the grid covers: the data's extent, widened by half of it on every side.
    square: [f32; 4],
}

impl EbmParams {
    fn langevin(&self) -> Langevin {
        let &Self { step_size, noise, correction, jumps, .. } = self;
        Langevin { step_size, noise, correction, jumps, spread: SPREAD }
    }

    /// Share of the chains that begin again from noise, uncorrected.
    fn restarts(&self) -> f64 {
        if self.correction == Correction::None { self.restarts } else { 0.0 }
    }
}

impl Ebm {
    /// A model with a fresh network, and chains at noise.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: EbmParams, data: &Data, seed: u32) -> Result<Self> {
        let mut rng = Rng::stream(seed, "init");
        let mut vars = Vars::new();
        let network = Mlp::new(
            &mut vars,
            "energy",
            2,
            &params.network_shape,
            1,
            params.activation,
            Activation::Identity,
            Init::KaimingUniform,
            &mut rng,
        )?;
        // A shorter memory of the second moments: the samples, and with them the gradients, change as it learns.
        let kind = OptimizerKind::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.0 };
        let optimizer = Optimizer::new(kind, &vars);
        let mut chains = vec![0.0; 2 * CHAINS];
        start(&mut chains, &mut rng);
        let [x0, x1, y0, y1] = data.extent;
        let (dx, dy) = (0.5 * (x1 - x0), 0.5 * (y1 - y0));
        let square = [x0 - dx, x1 + dx, y0 - dy, y1 + dy];
        Ok(Self { params, vars, network, optimizer, chains, square })
    }

    /// U(x), tracked in the weights: (n, 2) → (n).
    fn potential(&self, network: &Mlp, xs: &Tensor) -> Result<Tensor> {
        let bowl = (xs.sqr()?.sum(1)? * (0.5 / SPREAD))?;
        Ok((network.forward(xs)?.squeeze(1)? + bowl)?)
    }

    /// U(x) and ∇U(x): (n, 2) → n values, (n, 2).
    fn field(&self, xs: &Tensor) -> Result<(Vec<f32>, Tensor)> {
        let (mut energies, slopes) = self.network.value_and_input_gradient(xs)?;
        let places = xs.flatten_all()?.to_vec1::<f32>()?;
        for (energy, x) in energies.iter_mut().zip(places.chunks_exact(2)) {
            *energy += x.iter().map(|x| x * x).sum::<f32>() * (0.5 / SPREAD) as f32;
        }
        Ok((energies, (slopes + (xs * (1.0 / SPREAD))?)?))
    }

    /// log ∫ exp(−U/T) over the square, by the midpoint rule; in nats.
    ///
    /// The rule is exact for all purposes where U changes little from cell to cell; what lies outside the square
    /// is left out.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn log_partition(&self) -> Result<f64> {
        let parts = (0..BANDS).map(|part| self.log_part(part)).collect::<Result<Vec<_>>>()?;
        Ok(log_sum_exp(&parts, parts.len()).iter().sum())
    }
}

/// Draws from N(0, 4 I).
fn start(xs: &mut [f32], rng: &mut Rng) {
    rng.fill_normal(xs);
    for x in xs {
        *x *= SPREAD.sqrt() as f32;
    }
}

impl Model for Ebm {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let n = self.params.batch_size;
        // Some of the chains, at noise again with some chance.
        let chosen: Vec<usize> = (0..n).map(|_| 2 * step.noise.below(CHAINS as u32) as usize).collect();
        let mut places = Vec::with_capacity(2 * n);
        for at in &chosen {
            let mut place = [0.0; 2];
            if f64::from(step.noise.uniform()) < self.params.restarts() {
                start(&mut place, step.noise);
            } else if let Some(chain) = self.chains.get(*at..at + 2) {
                place.copy_from_slice(chain);
            }
            places.extend(place);
        }
        let langevin = self.params.langevin();
        let places = matrix(places, n, 2)?;
        let samples = langevin.run(&places, self.params.langevin_steps, &|xs| self.field(xs), step.noise)?;
        let real = step.batch(n)?;
        let energies = self.potential(&self.network, &Tensor::cat(&[&real, &samples], 0)?)?;
        let (low, high) = (energies.narrow(0, 0, n)?, energies.narrow(0, n, n)?);
        let gap = (low.mean_all()? - high.mean_all()?)?;
        let values = [gap.to_scalar()?, low.mean_all()?.to_scalar()?, high.mean_all()?.to_scalar()?];
        let loss = if self.params.energy_penalty > 0.0 {
            (gap + (energies.sqr()?.mean_all()? * (2.0 * self.params.energy_penalty))?)?
        } else {
            gap
        };
        let decay = self.params.decay.factor(step.index, self.params.decay_steps as u64);
        let rate = self.params.learning_rate * decay;
        step.update(&mut self.optimizer, &self.vars, &loss, rate, "the energy gap")?;
        let samples: Vec<f32> = samples.flatten_all()?.to_vec1()?;
        for (at, place) in chosen.iter().zip(samples.chunks_exact(2)) {
            if let Some(chain) = self.chains.get_mut(*at..at + 2) {
                chain.copy_from_slice(place);
            }
        }
        Ok(values.to_vec())
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        self.params.set(key, value)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        let mut state = named_state("optimizer", &self.optimizer);
        state.push(("chains".into(), self.chains.clone()));
        state
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        load_named_state("optimizer", &mut self.optimizer, state)?;
        match state.iter().find(|(name, _)| name == "chains") {
            Some((_, chains)) if chains.len() == self.chains.len() => self.chains.clone_from(chains),
            _ => return Err(Error::File("its chains are missing".into())),
        }
        Ok(())
    }

    /// Places of the chains of training, which are the samples that the model learns from.
    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        // Each once, before any comes again.
        let mut xs = Vec::with_capacity(2 * n);
        while xs.len() < 2 * n {
            let order = rng.permutation(CHAINS);
            let places = order.iter().filter_map(|i| self.chains.get(2 * i..2 * i + 2));
            xs.extend(places.flatten().take(2 * n - xs.len()));
        }
        matrix(xs, n, 2)
    }

    fn density(&self) -> Option<&dyn Density> {
        Some(self)
    }

    fn energy(&self) -> Option<&dyn Energy> {
        Some(self)
    }

    fn paths(&self) -> Option<&dyn Paths> {
        Some(self)
    }
}

impl Energy for Ebm {
    fn energy(&self, xs: &Tensor) -> Result<Vec<f32>> {
        Ok(self.potential(&self.network.detached(), xs)?.to_vec1()?)
    }
}

impl Density for Ebm {
    fn bound(&self) -> Bound {
        Bound::Grid
    }

    /// −U/T − log Z.
    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        let log_z = self.log_partition()?;
        Ok(self.log_weight(xs)?.into_iter().map(|weight| (weight - log_z) as f32).collect())
    }

    fn rows_at_once(&self) -> usize {
        usize::MAX
    }

    fn normalizer(&self) -> Option<&dyn Normalizer> {
        Some(self)
    }
}

impl Normalizer for Ebm {
    fn parts(&self) -> usize {
        BANDS
    }

    /// The integral over a band of the grid's rows.
    fn log_part(&self, part: usize) -> Result<f64> {
        let [x0, x1, y0, y1] = self.square;
        let at = |low: f32, high: f32, i: usize| low + (high - low) * (i as f32 + 0.5) / GRID as f32;
        let rows = part * GRID / BANDS..(part + 1) * GRID / BANDS;
        let n = rows.len() * GRID;
        let cells = rows.flat_map(|iy| (0..GRID).flat_map(move |ix| [at(x0, x1, ix), at(y0, y1, iy)]));
        let logs = self.log_weight(&matrix(cells.collect(), n, 2)?)?;
        let cell = f64::from((x1 - x0) * (y1 - y0)) / (GRID * GRID) as f64;
        Ok(log_sum_exp(&logs, logs.len()).iter().sum::<f64>() + libm::log(cell))
    }

    /// −U/T
    fn log_weight(&self, xs: &Tensor) -> Result<Vec<f64>> {
        let temperature = self.params.langevin().temperature();
        let energies = Energy::energy(self, xs)?;
        Ok(energies.into_iter().map(|energy| -f64::from(energy) / temperature).collect())
    }
}

impl Paths for Ebm {
    /// Langevin chains from noise, without jumps.
    fn paths(&self, n: usize, frames: usize, rng: &mut Rng) -> Result<Vec<Tensor>> {
        let mut places = vec![0.0; 2 * n];
        start(&mut places, rng);
        let mut stages = vec![matrix(places, n, 2)?];
        let (langevin, steps) = (Langevin { jumps: 0.0, ..self.params.langevin() }, self.params.path_steps);
        for frame in 1..frames {
            let done = |frame: usize| frame * steps / (frames - 1);
            let Some(last) = stages.last() else { break };
            let next = langevin.run(last, done(frame) - done(frame - 1), &|xs| self.field(xs), rng)?;
            stages.push(next);
        }
        Ok(stages)
    }
}

/// The energy-based model in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "ebm",
    badge: "explicit",
    example: "ring",
    domains: &[Domain::Points],
    limits: |shape, _| (!shape.is_plane()).then_some(Misfit::Plane),
    capabilities: &["density", "energy", "paths"],
    specs: EbmParams::specs,
    defaults: |_| Vec::new(),
    option_domains: &[],
    losses: &[
        Loss { id: "energyGap", unit: "" },
        Loss { id: "energyReal", unit: "" },
        Loss { id: "energySamples", unit: "" },
    ],
    phases: &[],
    build: |values, data, seed| Ok(Box::new(Ebm::new(EbmParams::from_values(values)?, data, seed)?)),
};
