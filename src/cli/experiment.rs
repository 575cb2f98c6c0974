//! What every command that trains is told: the model, the data set, the settings.

use clap::Args;
use tealight::config::Config;
use tealight::error::{Error, Result};
use tealight::models;
use tealight::params::Value;

/// What to train.
#[derive(Args)]
pub struct Experiment {
    /// The model's id (`tealight catalog` lists them).
    #[arg(long, default_value = "vae")]
    pub model: String,
    /// The data set's id; the model's own example unless told.
    #[arg(long)]
    pub dataset: Option<String>,
    /// The seed of all randomness.
    #[arg(long, default_value_t = tealight::config::DEFAULT_SEED)]
    pub seed: u32,
    /// A setting, as in links: --set beta=4 --set networkShape=128,128 (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

impl Experiment {
    /// The whole configuration.
    ///
    /// # Errors
    /// An unknown id or key, or a value that is not allowed.
    pub fn config(&self) -> Result<Config> {
        let model = models::find(&self.model)?;
        let mut config = Config::new(self.dataset.as_deref().unwrap_or(model.example), model.id)?;
        config.set("seed", &Value::Number(self.seed.into()))?;
        for setting in &self.settings {
            let (key, text) = setting
                .split_once('=')
                .ok_or_else(|| Error::Config("a setting is written KEY=VALUE, as in --set beta=4".into()))?;
            config.set_text(key, text)?;
        }
        Ok(config)
    }
}
