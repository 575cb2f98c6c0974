//! The restricted Boltzmann machine on black-and-white images, p(v) ∝ Σ_h exp(b·v + c·h + h·W·v)
//! (Smolensky 1986; Hinton 2002, <https://doi.org/10.1162/089976602760128018>).
//!
//! Its free energy F(v) = −b·v − Σⱼ ln(1 + e^(c + W·v)ⱼ) is exact; the normaliser Z is not, beyond 16 units on one
//! side. So learning lowers the free energy of data and raises that of samples: of the data after k Gibbs sweeps
//! (contrastive divergence), or of chains that go on from step to step (Tieleman 2008,
//! <https://doi.org/10.1145/1390156.1390290>).

mod exact;

use candle_core::Tensor;

use super::{
    Bound, Conditionals, Density, Energy, Entry, Filters, Loss, Misfit, Model, Step, load_named_state,
    matrix, named_state,
};
use crate::choices;
use crate::data::{Data, Domain};
use crate::error::{Error, Result};
use crate::nn::kernels::bits::{binarize, draw, sum_softplus};
use crate::nn::kernels::gemm::{Start, View, product};
use crate::nn::{Activation, Decay, Linear, Optimizer, OptimizerKind, Vars, ops};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// Where the samples come from that learning compares the data with.
    pub enum Chains {
        /// From the data, at every step anew.
        Contrastive = "cd",
        /// From where they were after the last step.
        Persistent = "pcd",
    }
}

params! {
    /// Settings of the restricted Boltzmann machine.
    pub struct RbmParams {
        /// Number of hidden units.
        hidden("hiddenUnits"): usize = 64, log_integer(1, 512), Restart;
        /// Where the samples come from that learning compares the data with.
        chains("chains"): Chains = Chains::Persistent, choice::<Chains>(), Restart;
        /// Gibbs sweeps in each step.
        sweeps("gibbsSweeps"): usize = 1, integer(1, 25), Live;
        /// Size of the update's step.
        learning_rate("learningRate"): f64 = 0.1, log(1e-4, 1.0), Live, rate(true);
        /// How much of the last updates the direction keeps.
        momentum("momentum"): f64 = 0.0, linear(0.0, 0.99), Live, advanced(true);
        /// Data points per step.
        batch_size("batchSize"): usize = 100, log_integer(1, 1024), Live;
        /// Gibbs sweeps from noise to a sample that is shown.
        sample_sweeps("sampleSweeps"): usize = 100, log_integer(1, 1000), Live, advanced(true);
        /// How the learning rate falls. While it is high the chains get about (the weights push them away from where
        /// they are); as it falls, the shares of what they visit come right.
        decay("decay"): Decay = Decay::Linear, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rate has fallen to 0.
        decay_steps("decaySteps"): usize = 3000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

/// Most pixels of an image.
const LARGEST: usize = 1024;
/// How many chains go on from step to step.
const CHAINS: usize = 100;
/// The deviation of the first weights: with 0.01, the first thousand steps are a plateau.
const SPREAD: f32 = 0.1;
/// How many rows of the batch the pseudo-likelihood is computed on.
const SCORED: usize = 16;

/// A restricted Boltzmann machine.
pub struct Rbm {
    params: RbmParams,
    vars: Vars,
    /// W (hidden, visible) and c (hidden).
    hidden: Linear,
    /// b (visible).
    visible: Tensor,
    optimizer: Optimizer,
    /// The persistent chains' visible units, (CHAINS, visible); empty where there are none.
    fantasy: Vec<f32>,
}

/// The weights as slices.
struct Weights {
    w: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Weights {
    /// The logits of the hidden units of (n, visible) rows.
    fn hidden(&self, visible: &[f32]) -> Vec<f32> {
        let (v, h) = (self.b.len(), self.c.len());
        let n = visible.len() / v.max(1);
        let mut out = vec![0.0; n * h];
        product(View::new(visible, n, v), View::new(&self.w, h, v).t(), &mut out, Start::Row(&self.c), LOW);
        out
    }

    /// The logits of the visible units of (n, hidden) rows.
    fn visible(&self, hidden: &[f32]) -> Vec<f32> {
        let (v, h) = (self.b.len(), self.c.len());
        let n = hidden.len() / h.max(1);
        let mut out = vec![0.0; n * v];
        product(View::new(hidden, n, h), View::new(&self.w, h, v), &mut out, Start::Row(&self.b), LOW);
        out
    }

    /// One Gibbs sweep: the hidden units given the visible ones. The logits of the visible units given those.
    fn sweep(&self, visible: &[f32], rng: &mut Rng) -> Vec<f32> {
        let mut hidden = self.hidden(visible);
        draw(&mut hidden, rng);
        self.visible(&hidden)
    }
}

/// No lower bound.
const LOW: f32 = f32::NEG_INFINITY;

impl Rbm {
    /// A machine whose visible units have the data's mean, and whose weights are small.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: RbmParams, data: &Data, seed: u32) -> Result<Self> {
        let (size, h) = (data.shape.size(), params.hidden);
        let mut rng = Rng::stream(seed, "init");
        let mut vars = Vars::new();
        let w = rng.normals(h * size).into_iter().map(|x| SPREAD * x).collect();
        let weight = vars.add("hidden.weight", &[h, size], w)?;
        let bias = vars.add("hidden.bias", &[h], vec![0.0; h])?;
        let visible = vars.add("visible.bias", &[size], mean_logits(data))?;
        let fantasy = match params.chains {
            Chains::Contrastive => Vec::new(),
            Chains::Persistent => noise(CHAINS * size, &mut rng),
        };
        let optimizer = Optimizer::new(OptimizerKind::Sgd { momentum: params.momentum }, &vars);
        let hidden = Linear { weight, bias: Some(bias) };
        Ok(Self { params, vars, hidden, visible, optimizer, fantasy })
    }

    fn weights(&self) -> Result<Weights> {
        let get = |tensor: &Tensor| tensor.detach().flatten_all()?.to_vec1::<f32>();
        let c = self.hidden.bias.as_ref().map_or(Ok(Vec::new()), get)?;
        Ok(Weights { w: get(&self.hidden.weight)?, b: get(&self.visible)?, c })
    }

    /// F(v) of (n, visible) rows, tracked in the weights: n values.
    ///
    /// # Errors
    /// If the rows do not have this model's size.
    pub fn free_energy(&self, visible: &Tensor) -> Result<Tensor> {
        let hidden = self.hidden.forward_act(visible, Activation::Softplus)?.sum(1)?;
        let linear =
            ops::linear(visible, &self.visible.unsqueeze(0)?, None, Activation::Identity)?.squeeze(1)?;
        Ok((hidden + linear)?.neg()?)
    }

    /// Σ log p(vᵢ | all others) of each row, in nats.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn pseudo_likelihood(&self, visible: &[f32]) -> Result<Vec<f64>> {
        let size = self.visible.elem_count().max(1);
        Ok(self.conditional_logs(visible)?.chunks_exact(size).map(|logs| logs.iter().sum()).collect())
    }

    /// log p(vᵢ | all others) of each unit of each row, in nats.
    fn conditional_logs(&self, visible: &[f32]) -> Result<Vec<f64>> {
        let weights = self.weights()?;
        let (v, h) = (weights.b.len(), weights.c.len());
        // A unit's weights in one stretch: (hidden, visible) -> (visible, hidden)
        let columns: Vec<f32> =
            (0..v).flat_map(|i| weights.w.iter().skip(i).step_by(v.max(1)).copied()).collect();
        let hidden = weights.hidden(visible);
        let rows = visible.chunks_exact(v.max(1)).zip(hidden.chunks_exact(h.max(1)));
        let logs = rows.flat_map(|(row, logits)| {
            let here = sum_softplus(logits, 0.0, logits);
            let units = row.iter().zip(&weights.b).zip(columns.chunks_exact(h.max(1)));
            units.map(move |((x, b), column)| {
                let flip = 1.0 - 2.0 * x;
                let there = sum_softplus(logits, flip, column);
                // log σ(F(flipped) − F)
                let change = here - there - f64::from(flip * b);
                -libm::log1p(libm::exp(-change.abs())) + change.min(0.0)
            })
        });
        Ok(logs.collect())
    }

    /// log Z in nats, by summing over the smaller side; nothing beyond 16 units.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn log_partition(&self) -> Result<Option<f64>> {
        let weights = self.weights()?;
        let (v, h) = (weights.b.len(), weights.c.len());
        Ok(if h <= exact::MOST && h <= v {
            Some(exact::log_partition(View::new(&weights.w, h, v), &weights.c, &weights.b))
        } else if v <= exact::MOST {
            Some(exact::log_partition(View::new(&weights.w, h, v).t(), &weights.b, &weights.c))
        } else {
            None
        })
    }

    /// Visible units after `sweeps` Gibbs sweeps from these, drawn.
    fn gibbs(&self, mut visible: Vec<f32>, sweeps: usize, rng: &mut Rng) -> Result<Vec<f32>> {
        let weights = self.weights()?;
        for _ in 0..sweeps {
            visible = weights.sweep(&visible, rng);
            draw(&mut visible, rng);
        }
        Ok(visible)
    }
}

/// The logit of each pixel's mean over the training rows, which are taken to have one more of each kind.
fn mean_logits(data: &Data) -> Vec<f32> {
    let (size, n) = (data.shape.size(), data.train.len(&data.shape));
    let mut ones = vec![0.0_f64; size];
    for row in data.train.xs.chunks_exact(size.max(1)) {
        for (sum, x) in ones.iter_mut().zip(row) {
            *sum += f64::from(u8::from(*x >= 0.5));
        }
    }
    ones.iter().map(|ones| libm::log((ones + 1.0) / (n as f64 - ones + 1.0)) as f32).collect()
}

/// Fair bits.
fn noise(n: usize, rng: &mut Rng) -> Vec<f32> {
    let mut bits = vec![0.0; n];
    draw(&mut bits, rng);
    bits
}

impl Model for Rbm {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let (n, size) = (self.params.batch_size, step.data.shape.size());
        let mut data: Vec<f32> = step.batch(n)?.flatten_all()?.to_vec1()?;
        binarize(&mut data);
        let start = match self.params.chains {
            Chains::Contrastive => data.clone(),
            Chains::Persistent => self.fantasy.clone(),
        };
        let samples = self.gibbs(start, self.params.sweeps, step.noise)?;
        let scored = data.get(..SCORED.min(n) * size).unwrap_or_default();
        let scores = self.pseudo_likelihood(scored)?;
        let score = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        // The samples count as constants: the gradient is that of the log-likelihood, with them in place of Z.
        let count = samples.len() / size;
        let real = self.free_energy(&matrix(data, n, size)?)?.mean_all()?;
        let gap = (real - self.free_energy(&matrix(samples.clone(), count, size)?)?.mean_all()?)?;
        let value = gap.to_scalar()?;
        let decay = self.params.decay.factor(step.index, self.params.decay_steps as u64);
        let rate = self.params.learning_rate * decay;
        step.update(&mut self.optimizer, &self.vars, &gap, rate, "the free energy")?;
        if self.params.chains == Chains::Persistent {
            self.fantasy = samples;
        }
        Ok(vec![-score as f32, value])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        let effect = self.params.set(key, value)?;
        self.optimizer.set_kind(OptimizerKind::Sgd { momentum: self.params.momentum });
        Ok(effect)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        let mut state = named_state("optimizer", &self.optimizer);
        state.push(("chains".into(), self.fantasy.clone()));
        state
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        load_named_state("optimizer", &mut self.optimizer, state)?;
        match state.iter().find(|(name, _)| name == "chains") {
            Some((_, chains)) if chains.len() == self.fantasy.len() => self.fantasy.clone_from(chains),
            _ => return Err(Error::File("its chains are missing".into())),
        }
        Ok(())
    }

    /// The visible units' probabilities after Gibbs sweeps from noise.
    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let size = self.visible.elem_count();
        let start = noise(n * size, rng);
        let last = self.gibbs(start, self.params.sample_sweeps.saturating_sub(1), rng)?;
        let logits = self.weights()?.sweep(&last, rng);
        Activation::Sigmoid.forward(&matrix(logits, n, size)?)
    }

    fn density(&self) -> Option<&dyn Density> {
        let smaller = self.params.hidden.min(self.visible.elem_count());
        (smaller <= exact::MOST).then_some(self as &dyn Density)
    }

    fn energy(&self) -> Option<&dyn Energy> {
        Some(self)
    }

    fn filters(&self) -> Option<&dyn Filters> {
        Some(self)
    }

    fn conditionals(&self) -> Option<&dyn Conditionals> {
        Some(self)
    }
}

impl Energy for Rbm {
    /// The free energy of the image in black and white.
    fn energy(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let (n, size) = xs.dims2()?;
        let mut visible = xs.flatten_all()?.to_vec1::<f32>()?;
        binarize(&mut visible);
        Ok(self.free_energy(&matrix(visible, n, size)?)?.to_vec1()?)
    }
}

impl Density for Rbm {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    /// −F(v) − log Z of the image in black and white.
    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        let log_z = self.log_partition()?.unwrap_or(f64::NAN);
        Ok(Energy::energy(self, xs)?.into_iter().map(|energy| (-f64::from(energy) - log_z) as f32).collect())
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn rows_at_once(&self) -> usize {
        usize::MAX
    }
}

impl Conditionals for Rbm {
    /// Of the image in black and white.
    fn conditionals(&self, xs: &Tensor) -> Result<(Vec<f32>, Vec<f32>)> {
        let mut visible = xs.flatten_all()?.to_vec1::<f32>()?;
        binarize(&mut visible);
        let logs = self.conditional_logs(&visible)?.into_iter().map(|log| log as f32).collect();
        Ok((visible, logs))
    }
}

impl Filters for Rbm {
    /// W: what each hidden unit asks of the image.
    fn filters(&self) -> Result<Tensor> {
        Ok(self.hidden.weight.detach())
    }
}

/// The restricted Boltzmann machine in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "rbm",
    badge: "explicit",
    example: "digits",
    domains: &[Domain::Images],
    limits: |shape, _| Misfit::of_grey_images(shape, LARGEST),
    capabilities: &["density", "energy", "filters", "conditionals"],
    specs: RbmParams::specs,
    defaults: |_| Vec::new(),
    option_domains: &[],
    losses: &[
        Loss { id: "negativePseudoLikelihood", unit: "nats" },
        Loss { id: "freeEnergyGap", unit: "nats" },
    ],
    phases: &[],
    build: |values, data, seed| Ok(Box::new(Rbm::new(RbmParams::from_values(values)?, data, seed)?)),
};
