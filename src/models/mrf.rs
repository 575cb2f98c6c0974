//! The Markov random field on a grid of pixels: Ising spins or Potts states
//! (Geman & Geman 1984, <https://doi.org/10.1109/TPAMI.1984.4767596>).
//!
//! Ising: p(s) ∝ exp(h Σ sᵢ + Σ J_d sᵢ sⱼ) with s = ±1; Potts: p(s) ∝ exp(Σ u(sᵢ) + Σ J_d [sᵢ = sⱼ]); the sums are over
//! pairs of neighbours, with one coupling for each direction d, the same everywhere.
//! Learning raises the pseudo-likelihood Σ log p(sᵢ | all others), which needs no normaliser (Besag 1975,
//! <https://doi.org/10.2307/2987782>); sampling is Gibbs sampling, colour after colour of a checkerboard.

use candle_core::Tensor;

use super::{
    Bound, Conditionals, Density, Energy, Entry, Loss, Misfit, Model, Step, load_named_state, matrix,
    named_state,
};
use crate::choices;
use crate::data::{Data, Domain, Shape};
use crate::error::Result;
use crate::nn::kernels::lattice::{EIGHT, FOUR, Lattice, Potentials};
use crate::nn::ops::with_slice;
use crate::nn::{Decay, Optimizer, OptimizerKind, Vars};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// What a pixel is.
    pub enum Interaction {
        /// A spin, up or down.
        Ising = "ising",
        /// One of several states, of which none is nearer to another.
        Potts = "potts",
    }
}

choices! {
    /// Which pixels are neighbours.
    pub enum Neighbourhood {
        /// Those beside, above and below.
        Four = "four",
        /// Those at the corners too.
        Eight = "eight",
    }
}

choices! {
    /// What lies beyond the edge.
    pub enum Boundary {
        /// Nothing.
        Open = "open",
        /// The other side.
        Periodic = "periodic",
    }
}

choices! {
    /// Where the couplings come from.
    pub enum Coupling {
        /// From the data.
        Learned = "learned",
        /// From a setting.
        Fixed = "fixed",
    }
}

params! {
    /// Settings of the Markov random field.
    pub struct MrfParams {
        /// What a pixel is: a spin, or one of several grey levels.
        interaction("interaction"): Interaction = Interaction::Ising, choice::<Interaction>(), Restart;
        /// Number of grey levels.
        grey_levels("greyLevels"): usize = 4, integer(2, 8), Restart, when("interaction" in "potts");
        /// Which pixels are neighbours.
        neighbourhood("neighbourhood"): Neighbourhood = Neighbourhood::Four, choice::<Neighbourhood>(), Restart;
        /// What lies beyond the edge.
        boundary("boundary"): Boundary = Boundary::Open, choice::<Boundary>(), Restart, advanced(true);
        /// Where the couplings come from.
        coupling("coupling"): Coupling = Coupling::Learned, choice::<Coupling>(), Restart;
        /// The coupling of all neighbours when it is set.
        inverse_temperature("inverseTemperature"): f64 = 0.44, linear(-2.0, 2.0), Live, when("coupling" in "fixed");
        /// Size of the update's step.
        learning_rate("learningRate"): f64 = 0.02, log(1e-4, 1.0), Live, rate(true);
        /// Data points per step.
        batch_size("batchSize"): usize = 100, log_integer(1, 1024), Live;
        /// Gibbs sweeps from noise to a sample that is shown.
        sample_sweeps("sampleSweeps"): usize = 100, log_integer(1, 1000), Live, advanced(true);
        /// How the learning rate falls.
        decay("decay"): Decay = Decay::Constant, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rate has fallen to 0.
        decay_steps("decaySteps"): usize = 5000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

/// Most pixels of an image.
const LARGEST: usize = 4096;
/// Most configurations, or states of a row and a pixel, that are added up for the normaliser.
const MOST: usize = 1 << 16;

/// A Markov random field.
pub struct Mrf {
    params: MrfParams,
    shape: Shape,
    lattice: Lattice,
    /// `couplings` and `field`, when they are learned.
    vars: Vars,
    optimizer: Optimizer,
}

/// −Σ log p(sᵢ | all others) in nats, and its gradient in the couplings J and in the field.
#[derive(Debug, Clone, PartialEq)]
pub struct PseudoLikelihood {
    /// The value.
    pub value: f64,
    /// By J, one for each direction.
    pub couplings: Vec<f64>,
    /// By h, or by u.
    pub field: Vec<f64>,
}

impl Mrf {
    /// A field without couplings, or with those that are set.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: MrfParams, shape: &Shape) -> Result<Self> {
        let directions = match params.neighbourhood {
            Neighbourhood::Four => FOUR,
            Neighbourhood::Eight => EIGHT,
        };
        let closed = params.boundary == Boundary::Periodic;
        let lattice = Lattice::new(shape.height, shape.width, directions, closed);
        let mut vars = Vars::new();
        if params.coupling == Coupling::Learned {
            vars.add("couplings", &[directions.len()], vec![0.0; directions.len()])?;
            let field = match params.interaction {
                Interaction::Ising => 1,
                Interaction::Potts => params.grey_levels,
            };
            vars.add("field", &[field], vec![0.0; field])?;
        }
        let optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
        Ok(Self { params, shape: *shape, lattice, vars, optimizer })
    }

    /// How many states a pixel has.
    fn states(&self) -> usize {
        match self.params.interaction {
            Interaction::Ising => 2,
            Interaction::Potts => self.params.grey_levels,
        }
    }

    /// J, one for each direction, and h or u.
    fn parameters(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        let get = |name: &str| -> Result<Option<Vec<f64>>> {
            let Some(var) = self.vars.get(name) else { return Ok(None) };
            let values = var.as_detached_tensor().to_vec1::<f32>()?;
            Ok(Some(values.into_iter().map(f64::from).collect()))
        };
        let fixed = || vec![self.params.inverse_temperature; self.lattice.bonds().len()];
        Ok((
            get("couplings")?.unwrap_or_else(fixed),
            get("field")?.unwrap_or_else(|| vec![0.0; self.states()]),
        ))
    }

    /// As Potts variables: s s′ = 2 [s = s′] − 1, so that the Ising coupling counts twice.
    fn potentials(&self) -> Result<Potentials> {
        let (couplings, field) = self.parameters()?;
        Ok(match self.params.interaction {
            Interaction::Potts => Potentials { couplings, field },
            Interaction::Ising => {
                let h = field.first().copied().unwrap_or(0.0);
                Potentials { couplings: couplings.iter().map(|j| 2.0 * j).collect(), field: vec![-h, h] }
            }
        })
    }

    /// What the Ising form has less than the Potts form: Σ J over all pairs, in nats.
    fn offset(&self) -> Result<f64> {
        let (couplings, _) = self.parameters()?;
        Ok(match self.params.interaction {
            Interaction::Potts => 0.0,
            Interaction::Ising => {
                couplings.iter().zip(self.lattice.bonds()).map(|(j, bonds)| j * bonds as f64).sum()
            }
        })
    }

    /// (n, size) values in 0..=1 as states: (size, n).
    fn quantized(&self, xs: &[f32]) -> Vec<u8> {
        let (size, q) = (self.shape.size().max(1), self.states());
        let state = |x: &f32| ((x * q as f32) as usize).min(q - 1) as u8;
        (0..size).flat_map(|site| xs.iter().skip(site).step_by(size).map(state)).collect()
    }

    /// (size, n) states as values in 0..=1: (n, size).
    fn grey(&self, states: &[u8], n: usize) -> Vec<f32> {
        let top = (self.states() - 1) as f32;
        (0..n).flat_map(|i| states.iter().skip(i).step_by(n).map(|state| f32::from(*state) / top)).collect()
    }

    /// The pseudo-likelihood of (n, size) images with these weights, at the parameters of now.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn pseudo_likelihood(&self, xs: &[f32], weights: &[f32]) -> Result<PseudoLikelihood> {
        let states = self.quantized(xs);
        let (value, gradient) = self.lattice.pseudo_likelihood(&self.potentials()?, &states, weights);
        let Potentials { couplings, field } = gradient;
        Ok(match self.params.interaction {
            Interaction::Potts => PseudoLikelihood { value, couplings, field },
            Interaction::Ising => {
                let couplings = couplings.iter().map(|slope| 2.0 * slope).collect();
                // h raises the state up and lowers the state down.
                let up_and_down = field.iter().rev().zip([1.0, -1.0]).map(|(slope, sign)| sign * slope);
                PseudoLikelihood { value, couplings, field: vec![up_and_down.sum()] }
            }
        })
    }

    /// log Z in nats, exactly; nothing where that would take too long.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn log_partition(&self) -> Result<Option<f64>> {
        let at = self.potentials()?;
        let log_z = match self.params.boundary {
            Boundary::Open => self.lattice.log_partition_open(&at, MOST),
            Boundary::Periodic => self.lattice.log_partition_all(&at, MOST),
        };
        let offset = self.offset()?;
        Ok(log_z.map(|log_z| log_z - offset))
    }

    /// Whether the normaliser can be had.
    fn is_exact(&self) -> bool {
        let digits = match self.params.boundary {
            Boundary::Open => self.shape.width + 1,
            Boundary::Periodic => self.shape.size(),
        };
        let all = u32::try_from(digits).ok().and_then(|digits| self.states().checked_pow(digits));
        all.is_some_and(|all| all <= MOST)
    }
}

impl Model for Mrf {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let n = self.params.batch_size;
        let xs: Vec<f32> = step.batch(n)?.flatten_all()?.to_vec1()?;
        let score = self.pseudo_likelihood(&xs, &vec![1.0 / n as f32; n])?;
        if !score.value.is_finite() {
            return Err(step.diverged("the pseudo-likelihood"));
        }
        // The gradient is known; the optimiser takes it as that of a linear function.
        let mut linear = None;
        for (name, slopes) in [("couplings", &score.couplings), ("field", &score.field)] {
            let Some(var) = self.vars.get(name) else { continue };
            let slopes: Vec<f32> = slopes.iter().map(|slope| *slope as f32).collect();
            let term = (var.as_tensor() * Tensor::new(slopes, var.device())?)?.sum_all()?;
            linear = Some(match linear {
                Some(sum) => (term + sum)?,
                None => term,
            });
        }
        if let Some(linear) = linear {
            let decay = self.params.decay.factor(step.index, self.params.decay_steps as u64);
            let rate = self.params.learning_rate * decay;
            step.update(&mut self.optimizer, &self.vars, &linear, rate, "the pseudo-likelihood")?;
        }
        Ok(vec![score.value as f32])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        self.params.set(key, value)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        named_state("optimizer", &self.optimizer)
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        load_named_state("optimizer", &mut self.optimizer, state)
    }

    /// Gibbs sweeps from noise.
    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let (size, q) = (self.shape.size(), self.states() as u32);
        let mut states: Vec<u8> = (0..size * n).map(|_| rng.below(q) as u8).collect();
        let at = self.potentials()?;
        for _ in 0..self.params.sample_sweeps {
            self.lattice.sweep(&at, &mut states, n, rng);
        }
        matrix(self.grey(&states, n), n, size)
    }

    fn density(&self) -> Option<&dyn Density> {
        self.is_exact().then_some(self as &dyn Density)
    }

    fn energy(&self) -> Option<&dyn Energy> {
        Some(self)
    }

    fn conditionals(&self) -> Option<&dyn Conditionals> {
        Some(self)
    }
}

impl Conditionals for Mrf {
    /// Of the image in its grey levels.
    fn conditionals(&self, xs: &Tensor) -> Result<(Vec<f32>, Vec<f32>)> {
        let (n, states) = (xs.dim(0)?, with_slice(&xs.contiguous()?, |xs| self.quantized(xs))?);
        let logs = self.lattice.conditional_logs(&self.potentials()?, &states, n);
        // (size, n) -> (n, size)
        let logs = (0..n).flat_map(|i| logs.iter().skip(i).step_by(n).copied()).collect();
        Ok((self.grey(&states, n), logs))
    }
}

impl Energy for Mrf {
    /// −h Σ s − Σ J s s′, or −Σ u(s) − Σ J [s = s′], of the image in its grey levels.
    fn energy(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let states = with_slice(&xs.contiguous()?, |xs| self.quantized(xs))?;
        let logs = self.lattice.log_weight(&self.potentials()?, &states, xs.dim(0)?);
        let offset = self.offset()?;
        Ok(logs.into_iter().map(|log| (offset - log) as f32).collect())
    }
}

impl Density for Mrf {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    /// −E − log Z of the image in its grey levels.
    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        let log_z = self.log_partition()?.unwrap_or(f64::NAN);
        let energies = Energy::energy(self, xs)?;
        Ok(energies.into_iter().map(|energy| (-f64::from(energy) - log_z) as f32).collect())
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn rows_at_once(&self) -> usize {
        usize::MAX
    }
}

/// The Markov random field in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "mrf",
    badge: "explicit",
    example: "textures",
    domains: &[Domain::Images],
    limits: |shape, _| Misfit::of_grey_images(shape, LARGEST),
    capabilities: &["density", "energy", "conditionals"],
    specs: MrfParams::specs,
    defaults: |_| Vec::new(),
    option_domains: &[],
    losses: &[Loss { id: "negativePseudoLikelihood", unit: "nats" }],
    phases: &[],
    build: |values, data: &Data, _| Ok(Box::new(Mrf::new(MrfParams::from_values(values)?, &data.shape)?)),
};
