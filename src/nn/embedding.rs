//! A vector for each class.

use crate::error::Result;
use crate::nn::{Init, Vars, ops};
use crate::rng::Rng;
use candle_core::Tensor;

/// A table with a trained row for each class.
#[derive(Debug, Clone)]
pub struct Embedding {
    /// The rows: (classes, width).
    pub table: Tensor,
}

impl Embedding {
    /// Adds the variable `<name>.weight` to `vars`.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        classes: usize,
        width: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let values = init.weights(classes, width, rng);
        Ok(Self { table: vars.add(&format!("{name}.weight"), &[classes, width], values)? })
    }

    /// The rows of these classes.
    ///
    /// # Shapes
    /// n ids → (n, width)
    ///
    /// # Errors
    /// When a class does not exist.
    pub fn forward(&self, ids: &[u32]) -> Result<Tensor> {
        ops::embedding(&self.table, ids)
    }

    /// The same table without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { table: self.table.detach() }
    }
}
