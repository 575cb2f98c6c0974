//! The models, each in a file of its own, and what they can do.
//!
//! A model is registered by one line in [`ALL`]; what it can show is said by the capability traits that it
//! implements, so that views and scores compare models like for like.

pub mod adversarial;
pub mod autoregressive;
mod capability;
pub mod condition;
pub mod denoiser;
pub mod diffusion;
pub mod ebm;
pub mod flow;
pub mod flow_matching;
pub mod gan;
pub mod gmm;
pub mod kde;
pub mod langevin;
mod misfit;
pub mod mrf;
pub mod naive_bayes;
pub mod network;
pub mod path;
pub mod rbm;
pub mod seeding;
mod state;
pub mod unet;
pub mod vae;

pub use capability::{
    Bound, Classes, Component, Components, Conditionals, Density, Discriminate, Energy, Filters, Latent,
    Normalizer, Paths, Prior, Reconstruct,
};

pub use misfit::Misfit;
pub use state::{load_named_state, named_state};

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
        self.rows(n, |_| ())
    }

    /// [`Step::batch`] with the label of each row; no labels where the data have none.
    pub fn labelled_batch(&mut self, n: usize) -> Result<(Tensor, Vec<u32>)> {
        let known = self.data.train.labels.as_deref().unwrap_or_default();
        let mut labels = Vec::new();
        let xs = self.rows(n, |row| labels.extend(known.get(row)))?;
        Ok((xs, labels))
    }

    /// `n` training rows; `seen` is told which.
    fn rows(&mut self, n: usize, mut seen: impl FnMut(usize)) -> Result<Tensor> {
        let (train, shape) = (&self.data.train, &self.data.shape);
        let rows = train.len(shape) as u32;
        let mut xs = Vec::with_capacity(n * shape.size());
        for _ in 0..n {
            let row = self.batches.below(rows) as usize;
            xs.extend_from_slice(train.row(shape, row));
            seen(row);
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
        let gradients = nn::gradients(loss)?;
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
    /// The variables that training changes, ordered and named.
    fn vars(&self) -> &Vars;
    /// How many numbers are trained.
    fn parameters(&self) -> usize {
        self.vars().count()
    }
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
    /// What it took from the data and needs to sample beside its variables, by name.
    fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        Vec::new()
    }
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
    /// The way from noise to data, if samples take one.
    fn paths(&self) -> Option<&dyn Paths> {
        None
    }
    /// The energy, if it has one.
    fn energy(&self) -> Option<&dyn Energy> {
        None
    }
    /// Samples of a chosen class, if it knows classes.
    fn classes(&self) -> Option<&dyn Classes> {
        None
    }
    /// The mixture's components, if it is a mixture of Gaussians.
    fn components(&self) -> Option<&dyn Components> {
        None
    }
    /// What single units respond to, if that can be shown as data.
    fn filters(&self) -> Option<&dyn Filters> {
        None
    }
    /// The law of each value given all others, if it has one.
    fn conditionals(&self) -> Option<&dyn Conditionals> {
        None
    }
    /// The ids of views that take many passes through the network: they are for those who ask.
    fn dear(&self) -> &'static [&'static str] {
        &[]
    }
    /// The ids of what it can show as it is set.
    fn capabilities(&self) -> Vec<&'static str> {
        [
            ("latent", self.latent().is_some()),
            ("reconstruct", self.reconstruct().is_some()),
            ("density", self.density().is_some()),
            ("discriminator", self.discriminator().is_some()),
            ("paths", self.paths().is_some()),
            ("energy", self.energy().is_some()),
            ("classes", self.classes().is_some()),
            ("components", self.components().is_some()),
            ("filters", self.filters().is_some()),
            ("conditionals", self.conditionals().is_some()),
        ]
        .into_iter()
        .filter_map(|(id, has)| has.then_some(id))
        .collect()
    }
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

/// Makes a model from its settings, the data and the seed.
///
/// The data are there for their shape, range and number of classes, and for models that start from rows.
pub type Build = fn(&[(String, Value)], &Data, u32) -> Result<Box<dyn Model>>;

/// A model, as the catalogue lists it.
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// "explicit" or "implicit": whether it has a density.
    pub badge: &'static str,
    /// The data set that it is shown on where nobody names one.
    pub example: &'static str,
    /// The kinds of data it takes.
    pub domains: &'static [Domain],
    /// What else keeps it from taking data of this shape with so many classes, of a kind that it takes.
    pub limits: fn(&Shape, usize) -> Option<Misfit>,
    /// The capability traits that it implements, on some data and at some settings.
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
    /// Why it does not take data of this shape with so many classes, if it does not.
    pub fn misfit(&self, shape: &Shape, classes: usize) -> Option<Misfit> {
        if !self.domains.contains(&shape.domain) {
            return Some(Misfit::Domain);
        }
        (self.limits)(shape, classes)
    }

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
                let domains: Vec<_> = rule.domains.iter().map(|domain| domain.id()).collect();
                return Err(Error::Config(format!(
                    "{key} = {} is for {}: choose such a data set, or another {key}",
                    rule.option,
                    domains.join(" and ")
                )));
            }
        }
        Ok(())
    }
}

/// Every model, in the order of the page.
pub const ALL: &[&Entry] = &[
    &vae::ENTRY,
    &gan::ENTRY,
    &flow::ENTRY,
    &diffusion::ENTRY,
    &flow_matching::ENTRY,
    &autoregressive::ENTRY,
    &gmm::ENTRY,
    &kde::ENTRY,
    &naive_bayes::ENTRY,
    &rbm::ENTRY,
    &mrf::ENTRY,
    &ebm::ENTRY,
];

/// The model with this id.
pub fn find(id: &str) -> Result<&'static Entry> {
    ALL.iter()
        .copied()
        .find(|entry| entry.id == id)
        .ok_or_else(|| Error::unknown("model", id, ALL.iter().map(|entry| entry.id)))
}
