//! A session: one model on one data set, with its random streams, optimiser state and history.

use std::sync::Arc;

use crate::config::Config;
use crate::data::{Data, load};
use crate::error::{Error, Result};
use crate::history::History;
use crate::latent_plane::most_active;
use crate::models::{Model, Phase, Step};
use crate::params::{Effect, Value};
use crate::rng::Rng;
use crate::snapshot;

/// Steps between the states that a diverging run goes back to.
const CHECKPOINT_EVERY: u64 = 200;

/// One model on one data set.
pub struct Session {
    pub(crate) config: Config,
    pub(crate) data: Arc<Data>,
    pub(crate) model: Box<dyn Model>,
    pub(crate) batches: Rng,
    pub(crate) noise: Rng,
    pub(crate) phase: Phase,
    pub(crate) steps: u64,
    pub(crate) history: History,
    /// The two latent dimensions that are shown.
    pub(crate) axes: [usize; 2],
    /// A snapshot that a diverging run goes back to.
    checkpoint: Vec<u8>,
}

impl Session {
    /// A fresh session at step 0.
    ///
    /// # Errors
    /// Settings that do not make a data set or a model.
    pub fn new(config: Config) -> Result<Self> {
        let data = (config.dataset.generate)(&config.data, config.seed)?;
        Self::on(config, Arc::new(data))
    }

    /// A fresh session on data that exist already.
    ///
    /// # Errors
    /// Data that the model does not take, or settings that do not make a model.
    pub fn on(config: Config, data: Arc<Data>) -> Result<Self> {
        if config.domain() != data.shape.domain {
            return Err(Error::Config(format!(
                "these data are not those of the data set \"{}\"",
                config.dataset.id
            )));
        }
        // Their shape may be another than at the default settings.
        if let Some(misfit) = config.model.misfit(&data.shape, data.classes) {
            return Err(Error::Config(format!(
                "the model \"{}\" does not take these data: {}; choose another model, or other settings of the data",
                config.model.id,
                misfit.reason()
            )));
        }
        let model = (config.model.build)(&config.params, &data, config.seed)?;
        Ok(Self {
            batches: Rng::stream(config.seed, "batches"),
            noise: Rng::stream(config.seed, "noise"),
            phase: Phase::Both,
            steps: 0,
            history: History::new(config.model.losses.len()),
            axes: [0, 1],
            checkpoint: Vec::new(),
            config,
            data,
            model,
        })
    }

    /// The same session again, which goes its own way from here: what a snapshot would bring back, without the bytes.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn twin(&self) -> Result<Self> {
        let mut twin = Self::on(self.config.clone(), self.data.clone())?;
        twin.model.vars().copy_from(self.model.vars())?;
        twin.model.load_state(&self.model.state())?;
        twin.batches = self.batches.clone();
        twin.noise = self.noise.clone();
        twin.history = self.history.clone();
        (twin.phase, twin.steps, twin.axes) = (self.phase, self.steps, self.axes);
        Ok(twin)
    }

    /// Takes `n` steps.
    ///
    /// # Errors
    /// [`Error::Diverged`]; the session is then where it last was known to be well, at most 200 steps back.
    pub fn step(&mut self, n: u32) -> Result<()> {
        for _ in 0..n {
            if self.steps.is_multiple_of(CHECKPOINT_EVERY) {
                self.checkpoint = snapshot::save(self, false)?;
            }
            let mut step = Step {
                data: &self.data,
                batches: &mut self.batches,
                noise: &mut self.noise,
                phase: self.phase,
                index: self.steps,
            };
            match self.model.step(&mut step) {
                Ok(losses) => {
                    self.steps += 1;
                    self.history.push(self.steps, &losses);
                    // At steps that do not depend on when somebody looks, and ever more seldom: the picture settles.
                    if self.steps.is_power_of_two() {
                        self.axes = most_active(self.model.latent(), &self.data, self.axes)?;
                    }
                }
                Err(Error::Diverged { step, what, .. }) => return Err(self.go_back(step, what)),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Returns to the checkpoint, and says so.
    fn go_back(&mut self, step: u64, what: String) -> Error {
        let back_to = match snapshot::load(&self.checkpoint, snapshot::Rows::These(&self.data)) {
            Ok(session) => {
                let checkpoint = std::mem::take(&mut self.checkpoint);
                *self = Self { checkpoint, ..session };
                Some(self.steps)
            }
            // Without one, the session stays as it is: the bad update was not applied.
            Err(_) => None,
        };
        Error::Diverged { step, what, back_to }
    }

    /// Changes a setting. A live one takes effect on the next step; any other rebuilds the session at step 0.
    ///
    /// # Errors
    /// An unknown key or a value that is not allowed; the session is then untouched.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        if key == "phase" {
            self.phase = self.find_phase(value)?;
            return Ok(Effect::Live);
        }
        let mut config = self.config.clone();
        let effect = config.set(key, value)?;
        match effect {
            Effect::Live => {
                self.model.set(key, value)?;
                self.config = config;
            }
            Effect::Restart => {
                // What came from a file is what it is, whatever the seed.
                let same_data = load::is_file(config.dataset)
                    || config.data == self.config.data && config.seed == self.config.seed;
                *self = if same_data { Self::on(config, self.data.clone())? } else { Self::new(config)? };
            }
        }
        Ok(effect)
    }

    fn find_phase(&self, value: &Value) -> Result<Phase> {
        let allowed =
            || Phase::ALL.into_iter().filter(|p| *p == Phase::Both || self.config.model.phases.contains(p));
        let Value::Text(id) = value else {
            return Err(Error::wrong_kind("phase", "an id", "something else"));
        };
        allowed()
            .find(|phase| phase.id() == id)
            .ok_or_else(|| Error::unknown("phase", id.as_str(), allowed().map(Phase::id)))
    }

    /// Back to step 0 with the same weights again, at the settings of now.
    ///
    /// # Errors
    /// None that the session's making did not have.
    pub fn reset(&mut self) -> Result<()> {
        *self = Self::on(self.config.clone(), self.data.clone())?;
        Ok(())
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The configuration, live changes included.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The data.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The model.
    pub fn model(&self) -> &dyn Model {
        self.model.as_ref()
    }

    /// The losses so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Everything needed to go on, bit for bit.
    ///
    /// # Errors
    /// If the tensor library cannot give its values.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        snapshot::save(self, load::is_file(self.config.dataset))
    }

    /// [`Session::snapshot`] without rows that came from a file: for whoever has them.
    ///
    /// # Errors
    /// If the tensor library cannot give its values.
    pub fn checkpoint(&self) -> Result<Vec<u8>> {
        snapshot::save(self, false)
    }

    /// Becomes the session that a snapshot or a checkpoint was taken of.
    ///
    /// # Errors
    /// [`Error::File`] for bytes that are no snapshot of this version; the session is then untouched.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        // The rows of a file that this session has are those that its checkpoint left out.
        let own = load::is_file(self.config.dataset).then_some((self.config.dataset, &self.data));
        *self = snapshot::load(bytes, snapshot::Rows::Own(own))?;
        Ok(())
    }

    /// The weights as safetensors, with the configuration in the metadata.
    ///
    /// # Errors
    /// If the tensor library cannot give its values.
    pub fn weights(&self) -> Result<Vec<u8>> {
        snapshot::weights(self)
    }

    /// Takes weights from safetensors: the same names and shapes, finite values.
    ///
    /// # Errors
    /// [`Error::File`] naming the tensor that does not fit; the weights are then untouched.
    pub fn load_weights(&mut self, bytes: &[u8]) -> Result<()> {
        self.model.vars().load_safetensors(bytes)
    }
}

/// The first `n` training rows, at most 20,000, over again where there are fewer, row-major.
pub fn preview(data: &Data, n: u32) -> Vec<f32> {
    let size = data.shape.size();
    data.train.xs.iter().copied().cycle().take((n as usize).min(20_000) * size).collect()
}
