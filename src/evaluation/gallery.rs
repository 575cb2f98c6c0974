//! The gallery of failures: experiments that fail on purpose, each with the detector that names the failure.

use crate::config::Config;
use crate::error::Result;

/// An experiment that fails.
#[derive(Debug, Clone, Copy)]
pub struct Exhibit {
    /// Its id.
    pub id: &'static str,
    /// The data set's id.
    pub dataset: &'static str,
    /// The model's id.
    pub model: &'static str,
    /// Settings that are not at their default, in the notation of links.
    pub settings: &'static [(&'static str, &'static str)],
    /// Steps until the failure shows.
    pub steps: u64,
    /// The id of the detector that fires.
    pub finding: &'static str,
    /// Steps after the remedy until the detector is silent, counted from the remedy or, where that makes the run
    /// begin again, from its beginning.
    pub remedy_steps: u64,
}

impl Exhibit {
    /// The whole configuration.
    ///
    /// # Errors
    /// A setting that does not exist, or a value that is not allowed: a mistake in the list.
    pub fn config(&self) -> Result<Config> {
        let mut config = Config::new(self.dataset, self.model)?;
        for (key, text) in self.settings {
            config.set_text(key, text)?;
        }
        Ok(config)
    }
}

/// Every exhibit, in the order of the page.
pub const ALL: &[Exhibit] = &[];
