//! The one error type: every message says what was wrong, what is allowed, and what to try.

/// Everything that can go wrong between a request and its answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An id that the catalogue does not hold.
    #[error("there is no {what} \"{got}\"; there are: {known}")]
    Unknown {
        /// What kind of thing was looked up: "model", "data set", "setting", "view".
        what: &'static str,
        /// The id that was given.
        got: String,
        /// The ids that exist, separated by commas.
        known: String,
    },
    /// A number outside the range that its declaration allows.
    #[error("{key} = {got} is outside {low}..={high}")]
    OutOfRange {
        /// The setting's key.
        key: String,
        /// The value that was given.
        got: String,
        /// Smallest allowed value.
        low: f64,
        /// Largest allowed value.
        high: f64,
    },
    /// A value of the wrong kind for its setting.
    #[error("{key} must be {expected}, not {got}")]
    WrongKind {
        /// The setting's key.
        key: String,
        /// What the setting takes.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A configuration that is not readable at all, or whose parts do not fit together.
    #[error("{0}")]
    Config(String),
    /// Bytes that are not what they claim to be.
    #[error("this file cannot be used: {0}")]
    File(String),
    /// A file that belongs to the program, and that it was built without.
    #[error(
        "the file \"{file}\" is needed for this; read it from where the package lies, and provide(\"{file}\", bytes)"
    )]
    Missing {
        /// Its name.
        file: &'static str,
    },
    /// The loss or its gradient stopped being finite; the update was not applied.
    #[error(
        "training diverged at step {step} ({what} is not a finite number); {}; try a smaller learning rate",
        match back_to {
            Some(good) => format!("went back to step {good} and the settings of then"),
            None => "the update was not applied".into(),
        }
    )]
    Diverged {
        /// The step that was being taken.
        step: u64,
        /// Which quantity it was: a loss's id or "the gradient".
        what: String,
        /// The step that the session went back to, if it did.
        back_to: Option<u64>,
    },
    /// Something that cannot be scored.
    #[error(
        "the {what} are not finite numbers, so that there is nothing to score; try a smaller learning rate"
    )]
    NotFinite {
        /// What it is: "samples".
        what: &'static str,
    },
    /// A capability that this model does not have.
    #[error("the model \"{model}\" has no {capability}")]
    Incapable {
        /// The model's id.
        model: String,
        /// The capability's id.
        capability: &'static str,
    },
    /// An error from the tensor library: a bug of ours if a user ever sees it.
    #[error("internal: {0}")]
    Tensor(#[from] candle_core::Error),
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An [`Error::Unknown`] that lists what there is.
    pub fn unknown<'a>(
        what: &'static str,
        got: impl Into<String>,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::Unknown {
            what,
            got: clip(&got.into()),
            known: known.into_iter().collect::<Vec<_>>().join(", "),
        }
    }

    /// An [`Error::WrongKind`].
    pub fn wrong_kind(key: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::WrongKind { key: clip(key), expected: expected.into(), got: clip(&got.into()) }
    }
}

/// What came from outside may be of any length; a message quotes at most 80 characters of it.
pub fn clip(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
