//! The generative adversarial network (Goodfellow et al. 2014, <https://arxiv.org/abs/1406.2661>).
//!
//! A generator G maps latents to data, a discriminator D tells real from generated; the objectives are in
//! [`super::adversarial`].

mod discriminator;
mod views;

use candle_core::Tensor;

use self::discriminator::Discriminator;
use super::adversarial::GanLoss;
use super::condition::Condition;
use super::network::{CONV_DOMAINS, Expand, NetKind};
use super::{
    Classes, Discriminate, Entry, Latent, Loss, Model, Phase, Rule, Step, load_named_state, matrix,
    named_state,
};
use crate::choices;
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::nn::{Activation, Decay, Init, Optimizer, OptimizerKind, Vars, penalty};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// The law of the generator's input.
    pub enum LatentPrior {
        /// N(0, I).
        Normal = "normal",
        /// U(−1, 1).
        Uniform = "uniform",
    }
}

params! {
    /// Settings of the GAN.
    pub struct GanParams {
        /// The game's objective.
        loss("loss"): GanLoss = GanLoss::NonSaturating, choice::<GanLoss>(), Live;
        /// Bound on the critic's weights.
        clip("clip"): f64 = 0.1, log(1e-3, 1.0), Live, when("loss" in "wgan");
        /// Weight of the penalty on gradient norms other than 1.
        penalty("penalty"): f64 = 1.0, log(1e-2, 100.0), Live, when("loss" in "wganGp");
        /// Weight γ of the penalty (γ/2) E|∇D|² at real data; 0 is none.
        r1("r1"): f64 = 0.0, linear(0.0, 10.0), Live;
        /// Size of the generator's update.
        learning_rate_g("learningRateG"): f64 = 1e-3, log(1e-5, 1e-1), Live, rate(true);
        /// Size of the discriminator's update.
        learning_rate_d("learningRateD"): f64 = 1e-3, log(1e-5, 1e-1), Live, rate(true);
        /// Discriminator updates in each step.
        discriminator_steps("discriminatorSteps"): usize = 1, integer(1, 10), Live;
        /// Whether both networks are fully connected or convolutional.
        net("net"): NetKind = NetKind::Mlp, choice::<NetKind>(), Restart;
        /// Widths of the generator's hidden layers.
        network_shape("networkShape"): Vec<usize> = vec![128, 128], widths(6, 512), Restart, when("net" in "mlp");
        /// Widths of the discriminator's hidden layers.
        network_shape_d("networkShapeD"): Vec<usize> = vec![128, 128], widths(6, 512), Restart, when("net" in "mlp");
        /// Channels at half of the image's size; there are twice as many at a quarter.
        channels("channels"): usize = 16, integer(1, 64), Restart, when("net" in "conv");
        /// Whether both networks are told the class.
        conditional("conditional"): bool = false, flag(), Restart;
        /// How many points the discriminator judges at once.
        pack("pack"): usize = 1, integer(1, 4), Restart;
        /// Whether the discriminator is told the mean standard deviation of its batch.
        minibatch_std("minibatchStd"): bool = false, flag(), Restart;
        /// Whether each of the discriminator's weight matrices is divided by its largest singular value.
        spectral_norm("spectralNorm"): bool = false, flag(), Restart;
        /// Number of latent dimensions.
        latent_dim("latentDim"): usize = 2, integer(1, 64), Restart;
        /// The law of the latents.
        prior("prior"): LatentPrior = LatentPrior::Normal, choice::<LatentPrior>(), Live;
        /// The generator's nonlinearity.
        activation("activation"): Activation = Activation::Relu, choice::<Activation>(), Restart, advanced(true);
        /// The discriminator's nonlinearity.
        activation_d("activationD"): Activation = Activation::LeakyRelu, choice::<Activation>(), Restart, advanced(true);
        /// Real and generated points per update.
        batch_size("batchSize"): usize = 256, log_integer(1, 1024), Live;
        /// The rule that turns gradients into updates.
        optimizer("optimizer"): Rule = Rule::Adam, choice::<Rule>(), Live, advanced(true);
        /// How much of the last updates the direction keeps.
        momentum("momentum"): f64 = 0.5, linear(0.0, 0.99), Live, advanced(true);
        /// How the learning rates fall.
        decay("decay"): Decay = Decay::Constant, choice::<Decay>(), Live, advanced(true);
        /// The step at which the learning rates have fallen to 0.
        decay_steps("decaySteps"): usize = 5000, log_integer(100, 100_000), Live, when("decay" in "linear" | "cosine"), advanced(true);
    }
}

impl GanParams {
    fn kind(&self) -> OptimizerKind {
        self.optimizer.kind(self.momentum, self.momentum)
    }
}

/// Orthogonal weights at this gain: with ReLU, activations keep their scale.
const GAIN: f64 = 1.4;

/// A generator, a discriminator, and an optimiser for each.
pub struct Gan {
    params: GanParams,
    vars: Vars,
    generator_vars: Vars,
    discriminator_vars: Vars,
    condition: Condition,
    generator: Expand,
    discriminator: Discriminator,
    optimizer_g: Optimizer,
    optimizer_d: Optimizer,
}

impl Gan {
    /// A GAN for these data, with fresh weights.
    ///
    /// # Errors
    /// If it is to be conditional and the data have no labels, or the tensor library refuses the shapes.
    pub fn new(params: GanParams, data: &Data, seed: u32) -> Result<Self> {
        let mut rng = Rng::stream(seed, "init");
        let mut vars = Vars::new();
        let condition = Condition::new(params.conditional, data)?;
        let init = Init::Orthogonal { gain: GAIN };
        // Images lie in 0..=1, points anywhere.
        let images = data.shape.domain == Domain::Images;
        let output = if images { Activation::Sigmoid } else { Activation::Identity };
        let generator = Expand::new(
            params.net,
            &mut vars,
            "generator",
            params.latent_dim + condition.classes(),
            &params.network_shape,
            params.channels,
            &data.shape,
            params.activation,
            output,
            init,
            &mut rng,
        )?;
        let discriminator = Discriminator::new(&params, data, condition.clone(), init, &mut vars, &mut rng)?;
        let (generator_vars, discriminator_vars) = (vars.select("generator."), vars.select("discriminator."));
        let kind = params.kind();
        let optimizer_g = Optimizer::new(kind, &generator_vars);
        let optimizer_d = Optimizer::new(kind, &discriminator_vars);
        Ok(Self {
            params,
            vars,
            generator_vars,
            discriminator_vars,
            condition,
            generator,
            discriminator,
            optimizer_g,
            optimizer_d,
        })
    }

    /// How many rows a batch has: whole packs.
    fn rows(&self) -> usize {
        self.params.batch_size.next_multiple_of(self.discriminator.pack)
    }

    /// What a generator makes of latents and classes, (n, size).
    fn generate(&self, generator: &Expand, z: &Tensor, labels: &[u32]) -> Result<Tensor> {
        generator.forward(&self.condition.beside(z, labels, 1)?)
    }

    /// The discriminator's loss on these batches, which have the same classes, tracked in its weights.
    /// Both are whole packs; classes are only looked at by a conditional GAN.
    ///
    /// # Errors
    /// If the batches do not have this model's size.
    pub fn discriminator_loss(&self, real: &Tensor, fake: &Tensor, labels: &[u32]) -> Result<Tensor> {
        let inputs = |xs| self.discriminator.inputs(xs, labels);
        let (real, fake) = (inputs(real)?, inputs(fake)?);
        let n = real.dim(0)?;
        let logits = self.discriminator.forward(&Tensor::cat(&[&real, &fake], 0)?)?;
        self.params.loss.discriminator(&logits.narrow(0, 0, n)?, &logits.narrow(0, n, fake.dim(0)?)?)
    }

    /// One discriminator update: its loss, and the penalties' sum where there is one.
    fn update_discriminator(&mut self, step: &mut Step) -> Result<(f32, f32)> {
        let n = self.rows();
        let (real, labels) = step.labelled_batch(n)?;
        let z = self.prior().draw(n, self.params.latent_dim, step.noise)?;
        let fake = self.generate(&self.generator.detached(), &z, &labels)?;
        self.discriminator.iterate()?;
        let loss = self.discriminator_loss(&real, &fake, &labels)?;
        let penalty = self.penalty(&real, &fake, &labels, step)?;
        let values = (loss.to_scalar()?, penalty.as_ref().map_or(Ok(f32::NAN), Tensor::to_scalar)?);
        let total = match penalty {
            Some(penalty) => (loss + penalty)?,
            None => loss,
        };
        let rate = self.params.learning_rate_d * self.decay(step);
        let what = "the discriminator's loss";
        step.update(&mut self.optimizer_d, &self.discriminator_vars, &total, rate, what)?;
        if self.params.loss == GanLoss::Wgan {
            self.discriminator_vars.clamp(self.params.clip as f32)?;
        }
        Ok(values)
    }

    /// The gradient penalties that the settings ask for, tracked in the discriminator's weights.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn penalty(
        &self,
        real: &Tensor,
        fake: &Tensor,
        labels: &[u32],
        step: &mut Step,
    ) -> Result<Option<Tensor>> {
        let mut penalty = None;
        let mask = self.discriminator.mask()?;
        if self.params.loss == GanLoss::WganGp {
            // Points drawn uniformly on the lines between real and generated ones.
            let n = real.dim(0)?;
            let mut u = vec![0.0; n];
            step.noise.fill_uniform(&mut u, 0.0, 1.0);
            let between = (fake + (real - fake)?.broadcast_mul(&matrix(u, n, 1)?)?)?;
            let between = self.discriminator.inputs(&between, labels)?;
            let one = self.discriminator.with_critic(|d| penalty::one_centred(d, &between, mask.as_ref()))?;
            penalty = Some((one * self.params.penalty)?);
        }
        if self.params.r1 > 0.0 {
            let real = self.discriminator.inputs(real, labels)?;
            let zero = self.discriminator.with_critic(|d| penalty::zero_centred(d, &real, mask.as_ref()))?;
            let r1 = (zero * (self.params.r1 / 2.0))?;
            penalty = Some(match penalty {
                Some(other) => (other + r1)?,
                None => r1,
            });
        }
        Ok(penalty)
    }

    /// One generator update: its loss.
    fn update_generator(&mut self, step: &mut Step) -> Result<f32> {
        let n = self.rows();
        let z = self.prior().draw(n, self.params.latent_dim, step.noise)?;
        let labels = self.condition.draw(n, step.noise);
        let fake = self.generate(&self.generator, &z, &labels)?;
        // The detached discriminator passes the gradient on to G without computing its own.
        let logits = self.discriminator.forward_detached(&self.discriminator.inputs(&fake, &labels)?)?;
        let loss = self.params.loss.generator(&logits)?;
        let value = loss.to_scalar()?;
        let rate = self.params.learning_rate_g * self.decay(step);
        step.update(&mut self.optimizer_g, &self.generator_vars, &loss, rate, "the generator's loss")?;
        Ok(value)
    }

    fn decay(&self, step: &Step) -> f64 {
        self.params.decay.factor(step.index, self.params.decay_steps as u64)
    }
}

impl Model for Gan {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let mut losses = vec![f32::NAN; ENTRY.losses.len()];
        if step.phase != Phase::Generator {
            for _ in 0..self.params.discriminator_steps {
                (losses[0], losses[2]) = self.update_discriminator(step)?;
            }
        }
        if step.phase != Phase::Discriminator {
            losses[1] = self.update_generator(step)?;
        }
        Ok(losses)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        let effect = self.params.set(key, value)?;
        self.optimizer_g.set_kind(self.params.kind());
        self.optimizer_d.set_kind(self.params.kind());
        Ok(effect)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        let mut state = named_state("generator", &self.optimizer_g);
        state.extend(named_state("discriminator", &self.optimizer_d));
        state.extend(self.discriminator.state());
        state
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        load_named_state("generator", &mut self.optimizer_g, state)?;
        load_named_state("discriminator", &mut self.optimizer_d, state)?;
        self.discriminator.load_state(state)
    }

    fn references(&self) -> Vec<(&'static str, f64, &'static str)> {
        self.params.loss.references()
    }

    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let z = self.prior().draw(n, self.params.latent_dim, rng)?;
        self.decode_as(&z, &self.condition.draw(n, rng))
    }

    fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        vec![("classShares", self.condition.shares().to_vec())]
    }

    fn latent(&self) -> Option<&dyn Latent> {
        Some(self)
    }

    fn discriminator(&self) -> Option<&dyn Discriminate> {
        Some(self)
    }

    fn classes(&self) -> Option<&dyn Classes> {
        (self.condition.classes() > 0).then_some(self)
    }
}

/// The GAN in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "gan",
    badge: "implicit",
    example: "ring",
    domains: &[Domain::Points, Domain::Images],
    limits: |_, _| None,
    capabilities: &["latent", "discriminator", "classes"],
    specs: GanParams::specs,
    defaults: |domain| match domain {
        Domain::Points | Domain::Sequences => Vec::new(),
        Domain::Images => vec![
            ("latentDim", Value::Number(16.0)),
            ("networkShapeD", Value::Widths(vec![128])),
            ("learningRateG", Value::Number(5e-4)),
            ("learningRateD", Value::Number(5e-4)),
            ("r1", Value::Number(0.1)),
            ("batchSize", Value::Number(128.0)),
        ],
    },
    option_domains: &[CONV_DOMAINS],
    losses: &[
        // Only the logarithmic objectives are in nats.
        Loss { id: "discriminator", unit: "" },
        Loss { id: "generator", unit: "" },
        Loss { id: "penalty", unit: "" },
    ],
    phases: &[Phase::Discriminator, Phase::Generator],
    build: |values, data, seed| Ok(Box::new(Gan::new(GanParams::from_values(values)?, data, seed)?)),
};
