//! What detectors judge by: the scores, and what else is known of the run.

use super::scores::Score;
use crate::params::Value;
use crate::session::Session;

/// A whole evaluation that has been: what is kept of it for those who look at how things change.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The step that it was of.
    pub step: u64,
    /// Its scores.
    pub scores: Vec<Score>,
    /// The mean of the generated rows, (size).
    pub mean: Vec<f32>,
}

/// How a model that reconstructs or encodes, or that has an opponent, sees the evaluation's rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inside {
    /// KL(q(z_i|x) ‖ N(0, 1)) of each latent unit over training rows, in nats; empty without an encoder.
    pub unit_kl: Vec<f32>,
    /// The discriminator's mean realness, −1..=1, of real and of generated rows.
    pub realness: Option<[f64; 2]>,
    /// −log p of training rows, as many and by the same way as the held-out rows of the score `nll` or
    /// `bitsPerCharacter` (in nats a row); `None` without a density.
    pub train_nll: Option<f64>,
    /// −log p of the held-out rows in nats a row, by the model's density; `None` without one.
    pub held_out_nll: Option<f64>,
    /// The mean squared error of reconstruction over held-out rows, a row; `None` if it does not reconstruct.
    pub reconstruction_error: Option<f64>,
}

/// Everything that a detector may look at.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The session; it may have gone on since the samples were drawn.
    pub session: &'a Session,
    /// The step that the samples are of.
    pub step: u64,
    /// The scores.
    pub scores: &'a [Score],
    /// The generated rows, (n, size); finite.
    pub samples: &'a [f32],
    /// Real rows that no model sees, (m, size).
    pub real: &'a [f32],
    /// What the model itself says of them.
    pub inside: &'a Inside,
    /// Evaluations of this run before this one, the oldest first, at most [`super::REMEMBERED`]; none of another
    /// seed, data set, model, or value of a setting that makes the run begin again.
    pub past: &'a [Past],
}

impl Evidence<'_> {
    /// A score.
    pub fn score(&self, id: &str) -> Option<&Score> {
        self.scores.iter().find(|score| score.id == id)
    }

    /// A score's value.
    pub fn value(&self, id: &str) -> Option<f64> {
        self.score(id).map(|score| score.value)
    }

    /// A score's floor.
    pub fn floor(&self, id: &str) -> Option<f64> {
        self.score(id).and_then(|score| score.floor)
    }

    /// A score's optimum.
    pub fn optimum(&self, id: &str) -> Option<f64> {
        self.score(id).and_then(|score| score.optimum)
    }

    /// How many values a row has.
    pub fn size(&self) -> usize {
        self.session.data().shape.size()
    }

    /// A setting of the data set or the model, if there is one with this key.
    pub fn setting(&self, key: &str) -> Option<&Value> {
        let config = self.session.config();
        config.data.iter().chain(&config.params).find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// A setting that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.setting(key) {
            Some(Value::Number(x)) => Some(*x),
            _ => None,
        }
    }

    /// A setting that is a choice or a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.setting(key) {
            Some(Value::Text(x)) => Some(x),
            _ => None,
        }
    }

    /// Whether the model is this one.
    pub fn is_model(&self, id: &str) -> bool {
        self.session.config().model.id == id
    }

    /// Whether the model has this capability as it is set.
    pub fn can(&self, capability: &str) -> bool {
        self.session.model().capabilities().contains(&capability)
    }

    /// The curve of a loss, (step, mean up to it since the entry before), at the history's resolution; without the
    /// entries in which it was not computed.
    pub fn losses(&self, id: &str) -> Vec<(f32, f32)> {
        let Some(at) = self.session.config().model.losses.iter().position(|loss| loss.id == id) else {
            return Vec::new();
        };
        let (n, columns) = self.session.history().columns();
        let column = |i: usize| columns.iter().skip(i * n).take(n).copied();
        column(0).zip(column(at + 1)).filter(|(_, loss)| loss.is_finite()).collect()
    }

    /// The mean of a loss over its last entries, a tenth of the run but at least `least` of them.
    pub fn recent_loss(&self, id: &str, least: usize) -> Option<f64> {
        let curve = self.losses(id);
        let n = (curve.len() / 10).max(least);
        let last = curve.get(curve.len().checked_sub(n)?..)?;
        (!last.is_empty())
            .then(|| last.iter().map(|(_, loss)| f64::from(*loss)).sum::<f64>() / last.len() as f64)
    }
}
