//! Rows that are scored, and what images among them look like.

use std::cell::OnceCell;
use std::ops::Deref;

use crate::metrics::features::{Features, Look};

/// (n, size) rows. Images are looked at once, whichever scores ask what is on them.
#[derive(Default)]
pub struct Sample {
    rows: Vec<f32>,
    look: OnceCell<Option<Look>>,
}

impl Sample {
    /// These rows.
    pub fn new(rows: Vec<f32>) -> Self {
        Self { rows, look: OnceCell::new() }
    }

    /// Adds rows.
    pub fn extend(&mut self, rows: Vec<f32>) {
        self.look = OnceCell::new();
        self.rows.extend(rows);
    }

    /// What they look like to the data's features, the same ones every time; none where that cannot be said.
    pub fn look(&self, features: &Features) -> Option<&Look> {
        self.look.get_or_init(|| features.look(&self.rows)).as_ref()
    }
}

impl Deref for Sample {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.rows
    }
}
