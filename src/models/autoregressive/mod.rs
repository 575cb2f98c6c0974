//! Autoregressive models: p(x) = Π p(xᵢ | x₁ … xᵢ₋₁), exactly, with a cell for each kind of data.
//!
//! The loss is −log p(x) in nats, averaged over the batch.

mod made;
mod mixture;
mod pixel_cnn;
mod recurrent;
mod sampling;
mod transformer;
mod words;

use candle_core::Tensor;

use super::{
    Bound, Density, Entry, Loss, Misfit, Model, OptionDomains, Rule, Step, load_named_state, named_state,
};
use crate::choices;
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::nn::{Activation, Decay, Optimizer, OptimizerKind, Vars, ops};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;
use made::Made;
use mixture::Mixture;
use pixel_cnn::PixelCnn;
use recurrent::Recurrent;
use sampling::Sampling;
use transformer::Transformer;
use words::Words;

choices! {
    /// What gives the law of a value from the values before it.
    pub enum CellKind {
        /// A mixture of Gaussians for each coordinate, from an MLP.
        Mixture = "mixture",
        /// A masked MLP over all pixels at once.
        Made = "made",
        /// Masked convolutions.
        PixelCnn = "pixelCnn",
        /// A gated recurrent unit.
        Gru = "gru",
        /// A causal Transformer.
        Transformer = "transformer",
    }
}

params! {
    /// Settings of the autoregressive model.
    pub struct AutoregressiveParams {
        /// What gives the law of a value from the values before it.
        cell("cell"): CellKind = CellKind::Mixture, choice::<CellKind>(), Restart;
        /// Widths of the hidden layers.
        network_shape("networkShape"): Vec<usize> = vec![64, 64], widths(6, 512), Restart, when("cell" in "mixture" | "made");
        /// The hidden layers' nonlinearity.
        activation("activation"): Activation = Activation::Silu, choice::<Activation>(), Restart, when("cell" in "mixture" | "made");
        /// Gaussians in the mixture of each coordinate.
        components("components"): usize = 8, integer(1, 32), Restart, when("cell" in "mixture");
        /// Numbers that each layer passes on; a Transformer rounds up to a multiple of its heads.
        width("width"): usize = 32, log_integer(4, 256), Restart, when("cell" in "pixelCnn" | "gru" | "transformer");
        /// Blocks one after another.
        blocks("blocks"): usize = 2, integer(1, 6), Restart, when("cell" in "pixelCnn" | "transformer");
        /// Attention heads of each block.
        heads("heads"): usize = 4, integer(1, 8), Restart, when("cell" in "transformer");
        /// Samples are drawn from the conditional laws to the power of one over this.
        temperature("temperature"): f64 = 1.0, linear(0.1, 2.0), Live;
        /// Tokens are drawn from so many of the likeliest; 0 draws from all.
        top_k("topK"): usize = 0, integer(0, 20), Live, when("cell" in "gru" | "transformer");
        /// Size of the update's step.
        learning_rate("learningRate"): f64 = 3e-3, log(1e-5, 1e-1), Live, rate(true);
        /// Data points per step.
        batch_size("batchSize"): usize = 256, log_integer(1, 1024), Live;
        /// The rule that turns gradients into updates.
        optimizer("optimizer"): Rule = Rule::Adam, choice::<Rule>(), Live, advanced(true);
        /// How much of the last updates the direction keeps.
        momentum("momentum"): f64 = 0.9, linear(0.0, 0.99), Live, advanced(true);
        /// How strongly each update pulls all weights towards 0; not where every word that there is is trained on.
        weight_decay("weightDecay"): f64 = 0.0, linear(0.0, 2.0), Live, when("optimizer" in "adam"), advanced(true);
        /// The length that a longer gradient is shortened to.
        clip_norm("clipNorm"): f64 = 1.0, log(0.1, 100.0), Live, advanced(true);
        /// How the learning rate falls.
        decay("decay"): Decay = Decay::Constant, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rate has fallen to 0.
        decay_steps("decaySteps"): usize = 5000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

impl AutoregressiveParams {
    /// The rule; of what is all there, nothing is to be forgotten.
    fn kind(&self, all_there: bool) -> OptimizerKind {
        match self.optimizer.kind(self.momentum, self.momentum) {
            OptimizerKind::Adam { beta1, beta2, eps, .. } => {
                let weight_decay = if all_there { 0.0 } else { self.weight_decay };
                OptimizerKind::Adam { beta1, beta2, eps, weight_decay }
            }
            other => other,
        }
    }
}

/// The law of each value given those before it.
///
/// # Shapes
/// xs (n, size)
trait Cell {
    /// The numbers that each law is made from, (n, size, …).
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor>;
    /// −log p, averaged over the batch.
    fn loss(&self, xs: &Tensor) -> Result<Tensor>;
    /// log p of each row, without a graph.
    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>>;
    /// The least log standard deviation of each coordinate, where there are any.
    fn least(&self) -> Vec<f32> {
        Vec::new()
    }
    /// Rows drawn value by value.
    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor>;
}

/// log p of each row of bits with these logits, (n, size) each.
fn bit_log_probs(logits: &Tensor, xs: &Tensor) -> Result<Vec<f32>> {
    // softplus(l) − x·l is the cross-entropy with logits.
    Ok(((logits * xs)? - ops::softplus(logits)?)?.sum(1)?.to_vec1()?)
}

/// A model of each value given those before it.
pub struct Autoregressive {
    params: AutoregressiveParams,
    domain: Domain,
    /// Whether every word that there is is trained on.
    all_there: bool,
    vars: Vars,
    cell: Box<dyn Cell>,
    optimizer: Optimizer,
}

impl Autoregressive {
    /// A model for data of this shape, with fresh weights.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: AutoregressiveParams, data: &Data, seed: u32) -> Result<Self> {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(seed, "init"));
        let (vars_, rng, shape) = (&mut vars, &mut rng, &data.shape);
        let (hidden, activation, words) = (&params.network_shape[..], params.activation, Words::of(shape));
        let (width, heads) = (params.width.next_multiple_of(params.heads.max(1)), params.heads);
        let cell: Box<dyn Cell> = match params.cell {
            CellKind::Mixture => {
                Box::new(Mixture::new(data, params.components, hidden, activation, vars_, rng)?)
            }
            CellKind::Made => Box::new(Made::new(shape.size(), hidden, activation, vars_, rng)?),
            CellKind::PixelCnn => Box::new(PixelCnn::new(shape, params.width, params.blocks, vars_, rng)?),
            CellKind::Gru => Box::new(Recurrent::new(words, params.width, vars_, rng)?),
            CellKind::Transformer => {
                Box::new(Transformer::new(words, width, params.blocks, heads, vars_, rng)?)
            }
        };
        let all_there = shape.domain == Domain::Sequences && data.density.is_some();
        let mut optimizer = Optimizer::new(params.kind(all_there), &vars);
        optimizer.clip_norm = Some(params.clip_norm);
        Ok(Self { params, domain: shape.domain, all_there, vars, cell, optimizer })
    }

    /// The numbers that the law of each value is made from: the logit of a pixel; the logits of tokens; the logits of
    /// the weights, the means and the log standard deviations of a mixture.
    /// Those of value i do not depend on value i or on any after it.
    ///
    /// # Shapes
    /// (n, size) → (n, size, numbers)
    ///
    /// # Errors
    /// If the rows do not have this model's size.
    pub fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        self.cell.conditionals(xs)
    }

    /// Pixels that are neither 0 nor 1 are drawn, with their values as probabilities.
    fn bits(&self, xs: Tensor, rng: &mut Rng) -> Result<Tensor> {
        if self.domain != Domain::Images {
            return Ok(xs);
        }
        let mut values = xs.flatten_all()?.to_vec1::<f32>()?;
        if values.iter().all(|x| *x == 0.0 || *x == 1.0) {
            return Ok(xs);
        }
        for x in &mut values {
            *x = if rng.uniform() < *x { 1.0 } else { 0.0 };
        }
        Ok(Tensor::from_vec(values, xs.shape(), xs.device())?)
    }
}

impl Model for Autoregressive {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let xs = step.batch(self.params.batch_size)?;
        let loss = self.cell.loss(&self.bits(xs, step.noise)?)?;
        let rate =
            self.params.learning_rate * self.params.decay.factor(step.index, self.params.decay_steps as u64);
        step.update(&mut self.optimizer, &self.vars, &loss, rate, "−log p")?;
        Ok(vec![loss.to_scalar()?])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        let effect = self.params.set(key, value)?;
        self.optimizer.set_kind(self.params.kind(self.all_there));
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
        let sampling = Sampling { temperature: self.params.temperature, top_k: self.params.top_k };
        self.cell.sample(n, &sampling, rng)
    }

    fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        vec![("leastLogStd", self.cell.least())]
    }

    fn density(&self) -> Option<&dyn Density> {
        Some(self)
    }
}

impl Density for Autoregressive {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    /// For grey images of one draw of black and white ones.
    fn log_prob(&self, xs: &Tensor, rng: &mut Rng) -> Result<Vec<f32>> {
        self.cell.log_prob(&self.bits(xs.clone(), rng)?)
    }

    fn is_discrete(&self) -> bool {
        self.domain != Domain::Points
    }
}

/// The autoregressive model in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "autoregressive",
    badge: "explicit",
    example: "ring",
    domains: &[Domain::Points, Domain::Images, Domain::Sequences],
    limits: |shape, _| (shape.channels > 1).then_some(Misfit::Colour),
    capabilities: &["density"],
    specs: AutoregressiveParams::specs,
    defaults: |domain| match domain {
        Domain::Points => Vec::new(),
        Domain::Images => vec![
            ("cell", Value::Text("made".into())),
            ("networkShape", Value::Widths(vec![256])),
            ("activation", Value::Text("relu".into())),
            ("blocks", Value::Number(3.0)),
            ("clipNorm", Value::Number(100.0)),
            ("learningRate", Value::Number(1e-3)),
            ("batchSize", Value::Number(128.0)),
        ],
        Domain::Sequences => vec![
            ("cell", Value::Text("transformer".into())),
            // Lists are short, and a network of this size knows one by heart before it can make up a word.
            ("weightDecay", Value::Number(1.0)),
            ("learningRate", Value::Number(2e-3)),
            ("batchSize", Value::Number(128.0)),
        ],
    },
    option_domains: &[
        OptionDomains { key: "cell", option: "mixture", domains: &[Domain::Points] },
        OptionDomains { key: "cell", option: "made", domains: &[Domain::Images] },
        OptionDomains { key: "cell", option: "pixelCnn", domains: &[Domain::Images] },
        OptionDomains { key: "cell", option: "gru", domains: &[Domain::Sequences] },
        OptionDomains { key: "cell", option: "transformer", domains: &[Domain::Sequences] },
    ],
    losses: &[Loss { id: "negativeLogLikelihood", unit: "nats" }],
    phases: &[],
    build: |values, data, seed| {
        Ok(Box::new(Autoregressive::new(AutoregressiveParams::from_values(values)?, data, seed)?))
    },
};
