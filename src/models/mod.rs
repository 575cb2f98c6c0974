//! The models, each in a file of its own, and what they can do.
//!
//! A model is registered by one line in [`ALL`]; what it can show is said by the capability traits that it
//! implements, so that views and scores compare models like for like.

pub mod adversarial;
pub mod gan;
pub mod vae;

use candle_core::{Device, Tensor};

use crate::choices;
use crate::data::{Data, Domain, Shape, Split};
use crate::error::{Error, Result};
use crate::nn::{self, Optimizer, OptimizerKind, Update, Vars};
use crate::params::{Effect, Spec, Value};
use crate::rng::Rng;

choices! {
    /// The rule that turns gradients into updates.
    pub enum Rule {
        /// Adam with β₂ = 0.999.
        Adam = "adam",
        /// Gradient descent with momentum.
        Sgd = "sgd",
    }
}

impl Rule {
    /// The rule with its coefficient: β₁ for Adam, the momentum for gradient descent.
    pub fn kind(self, beta1: f64, momentum: f64) -> OptimizerKind {
        match self {
            Self::Adam => OptimizerKind::adam(beta1),
            Self::Sgd => OptimizerKind::Sgd { momentum },
        }
    }
}

/// Which of an adversarial pair a step updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Everything that the model trains.
    Both,
    /// The discriminator alone.
    Discriminator,
    /// The generator alone.
    Generator,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 3] = [Self::Both, Self::Discriminator, Self::Generator];

    /// The id in links and events.
    pub fn id(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Discriminator => "discriminator",
            Self::Generator => "generator",
        }
    }
}

/// What one step may use: the data, the step's own random streams, and where in the run it is.
pub struct Step<'a> {
    /// The data set.
    pub data: &'a Data,
    /// The stream that chooses batches.
    pub batches: &'a mut Rng,
    /// The stream of latents and noise.
    pub noise: &'a mut Rng,
    /// What to update.
    pub phase: Phase,
    /// The number of steps already taken.
    pub index: u64,
}

impl Step<'_> {
    /// `n` training rows drawn with replacement, as an (n, size) tensor.
    ///
    /// With replacement, the stream's state is the only state: nothing to keep between steps.
    pub fn batch(&mut self, n: usize) -> Result<Tensor> {
        let (train, shape) = (&self.data.train, &self.data.shape);
        let rows = train.len(shape) as u32;
        let mut xs = Vec::with_capacity(n * shape.size());
        for _ in 0..n {
            xs.extend_from_slice(train.row(shape, self.batches.below(rows) as usize));
        }
        matrix(xs, n, shape.size())
    }

    /// Applies the update that `loss` asks for.
    ///
    /// # Errors
    /// [`Error::Diverged`] naming `what` if the loss or its gradient is not finite; nothing has been changed then.
    pub fn update(
        &self,
        optimizer: &mut Optimizer,
        vars: &Vars,
        loss: &Tensor,
        rate: f64,
        what: &str,
    ) -> Result<()> {
        if !loss.to_scalar::<f32>()?.is_finite() {
            return Err(self.diverged(what));
        }
        let gradients = nn::backward(loss)?;
        match optimizer.step(vars, &gradients, rate)? {
            Update::Applied => Ok(()),
            Update::Refused => Err(self.diverged(&format!("the gradient of {what}"))),
        }
    }

    /// The error that says this step was not taken.
    pub fn diverged(&self, what: &str) -> Error {
        Error::Diverged { step: self.index + 1, what: what.into(), back_to: None }
    }
}

/// An (n, d) tensor of these values.
pub fn matrix(values: Vec<f32>, n: usize, d: usize) -> Result<Tensor> {
    Ok(Tensor::from_vec(values, (n, d), &Device::Cpu)?)
}

/// The first `n` rows of a split, over again where it has fewer, as an (n, size) tensor.
pub fn first_rows(split: &Split, shape: &Shape, n: usize) -> Result<Tensor> {
    let size = shape.size();
    let whole = split.xs.len() / size * size;
    let xs = split.xs.get(..whole).unwrap_or_default().iter().copied().cycle().take(n * size).collect();
    matrix(xs, n, size)
}

/// The KL(q(z_i|x) ‖ N(0, 1)) of each latent unit, averaged over the rows, from (n, q) means and deviations.
///
/// In nats; a unit that carries nothing has 0.
pub fn unit_kl(mean: &Tensor, deviation: &Tensor) -> Result<Vec<f32>> {
    let variance = deviation.sqr()?;
    let kl = ((mean.sqr()? + &variance)? - variance.log()?)?.affine(0.5, -0.5)?;
    Ok(kl.mean(0)?.to_vec1()?)
}

/// A model that trains step by step.
pub trait Model {
    /// The trained variables, ordered and named.
    fn vars(&self) -> &Vars;
    /// One update; the losses in the order of [`Entry::losses`], NaN where this phase computes none.
    ///
    /// # Errors
    /// [`Error::Diverged`] before an update that is not finite; the variables are then as they were.
    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>>;
    /// Changes a setting: see [`crate::params::Params::set`].
    fn set(&mut self, key: &str, value: &Value) -> Result<Effect>;
    /// The optimisers' state by name, for a snapshot.
    fn state(&self) -> Vec<(String, Vec<f32>)>;
    /// Takes back what [`Model::state`] gave.
    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()>;
    /// Values that losses take at the game's equilibrium: (id, value, loss id).
    fn references(&self) -> Vec<(&'static str, f64, &'static str)> {
        Vec::new()
    }
    /// `n` samples as (n, size), all randomness from `rng`; images are shown without pixel noise.
    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor>;
    /// The latent space, if it has one.
    fn latent(&self) -> Option<&dyn Latent> {
        None
    }
    /// Reconstruction, if it can.
    fn reconstruct(&self) -> Option<&dyn Reconstruct> {
        None
    }
    /// The density, if it has one.
    fn density(&self) -> Option<&dyn Density> {
        None
    }
    /// The discriminator, if it has one.
    fn discriminator(&self) -> Option<&dyn Discriminate> {
        None
    }
}

/// The state of an optimiser under a name of its own.
pub fn named_state(name: &str, optimizer: &Optimizer) -> Vec<(String, Vec<f32>)> {
    optimizer.state().into_iter().map(|(key, values)| (format!("{name}/{key}"), values)).collect()
}

/// Gives an optimiser back what [`named_state`] took under this name.
///
/// # Errors
/// If it is another optimiser's state.
pub fn load_named_state(name: &str, optimizer: &mut Optimizer, state: &[(String, Vec<f32>)]) -> Result<()> {
    let own: Vec<_> = state
        .iter()
        .filter_map(|(key, values)| {
            let key = key.strip_prefix(name)?.strip_prefix('/')?;
            Some((key.to_string(), values.clone()))
        })
        .collect();
    optimizer.load_state(&own)
}

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
}

impl Bound {
    /// The id in view results.
    pub fn id(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Importance => "importance",
        }
    }
}

/// A model with a density.
pub trait Density {
    /// How it is computed.
    fn bound(&self) -> Bound;
    /// (n, size) data to n values of log p(x), in nats.
    fn log_prob(&self, xs: &Tensor, rng: &mut Rng) -> Result<Vec<f32>>;
}

/// A model with a discriminator.
pub trait Discriminate {
    /// (n, size) data to n values in −1..=1: how real, 0 being undecided.
    fn realness(&self, xs: &Tensor) -> Result<Vec<f32>>;
}

/// A loss, as the catalogue lists it.
pub struct Loss {
    /// Its id.
    pub id: &'static str,
    /// Its unit: "nats", or "" where it has none.
    pub unit: &'static str,
}

/// A choice's option that only some domains allow.
pub struct OptionDomains {
    /// The setting's key.
    pub key: &'static str,
    /// The option's id.
    pub option: &'static str,
    /// Where it is allowed.
    pub domains: &'static [Domain],
}

/// Makes a model from its settings, the shape of the data and the seed.
pub type Build = fn(&[(String, Value)], &Shape, u32) -> Result<Box<dyn Model>>;

/// A model, as the catalogue lists it.
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// "explicit" or "implicit": whether it has a density.
    pub badge: &'static str,
    /// The kinds of data it takes.
    pub domains: &'static [Domain],
    /// The capability traits that it implements.
    pub capabilities: &'static [&'static str],
    /// Its settings.
    pub specs: fn() -> Vec<Spec>,
    /// Where its defaults differ on a domain.
    pub defaults: fn(Domain) -> Vec<(&'static str, Value)>,
    /// Options that not every domain allows.
    pub option_domains: &'static [OptionDomains],
    /// Its losses, in the order in which steps report them.
    pub losses: &'static [Loss],
    /// The phases that can be stepped alone.
    pub phases: &'static [Phase],
    /// Builds it with fresh weights.
    pub build: Build,
}

impl Entry {
    /// The default of each setting on a domain.
    pub fn defaults_on(&self, domain: Domain) -> Vec<(String, Value)> {
        let special = (self.defaults)(domain);
        (self.specs)()
            .into_iter()
            .map(|spec| {
                let value = special.iter().find(|(key, _)| *key == spec.key).map(|(_, value)| value.clone());
                (spec.key.to_string(), value.unwrap_or(spec.default))
            })
            .collect()
    }

    /// Refuses an option that this domain does not allow.
    pub fn check_option(&self, key: &str, value: &Value, domain: Domain) -> Result<()> {
        for rule in self.option_domains {
            if rule.key == key && *value == Value::Text(rule.option.into()) && !rule.domains.contains(&domain)
            {
                return Err(Error::Config(format!(
                    "{key} = {} needs data in 0..=1: choose a data set of images, or another {key}",
                    rule.option
                )));
            }
        }
        Ok(())
    }
}

/// Every model, in the order of the page.
pub const ALL: &[&Entry] = &[&vae::ENTRY, &gan::ENTRY];

/// The model with this id.
pub fn find(id: &str) -> Result<&'static Entry> {
    ALL.iter()
        .copied()
        .find(|entry| entry.id == id)
        .ok_or_else(|| Error::unknown("model", id, ALL.iter().map(|entry| entry.id)))
}
