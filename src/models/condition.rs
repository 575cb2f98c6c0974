//! What conditional models share: the classes, and how a network is told them.

use candle_core::Tensor;

use super::matrix;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// The classes that a model is told, and how often each occurs among the training rows; none if it is told none.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    shares: Vec<f32>,
}

impl Condition {
    /// The classes of these data, if they are `wanted`.
    ///
    /// # Errors
    /// [`Error::Config`] when they are, and the data have no labels.
    pub fn new(wanted: bool, data: &Data) -> Result<Self> {
        if !wanted {
            return Ok(Self::default());
        }
        let labels = data.train.labels.as_deref().unwrap_or_default();
        if labels.is_empty() || data.classes == 0 {
            return Err(Error::Config(
                "conditional = true needs labels, which these data do not have: choose a labelled data set, or \
                 conditional = false"
                    .into(),
            ));
        }
        let mut shares = vec![0.0; data.classes];
        for label in labels {
            if let Some(share) = shares.get_mut(*label as usize) {
                *share += 1.0;
            }
        }
        shares.iter_mut().for_each(|share| *share /= labels.len() as f32);
        Ok(Self { shares })
    }

    /// How many classes there are; 0 if the model is told none.
    pub fn classes(&self) -> usize {
        self.shares.len()
    }

    /// The share of each class among the training rows.
    pub fn shares(&self) -> &[f32] {
        &self.shares
    }

    /// A class for each of `n` samples, as often as among the training rows; none, and no randomness, if the
    /// model is told none.
    pub fn draw(&self, n: usize, rng: &mut Rng) -> Vec<u32> {
        let Some(last) = self.shares.len().checked_sub(1) else { return Vec::new() };
        let mut draw = || {
            let mut rest = rng.uniform();
            let found = self.shares.iter().position(|share| {
                rest -= share;
                rest < 0.0
            });
            found.unwrap_or(last) as u32
        };
        (0..n).map(|_| draw()).collect()
    }

    /// Rows with their class beside them: 1 in the class's plane of `area` values, 0 in the others.
    ///
    /// # Shapes
    /// (n, d) → (n, d + classes·area)
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn beside(&self, xs: &Tensor, labels: &[u32], area: usize) -> Result<Tensor> {
        if self.shares.is_empty() {
            return Ok(xs.clone());
        }
        let (n, width) = (xs.dim(0)?, self.shares.len() * area);
        let mut planes = vec![0.0; n * width];
        for (row, label) in planes.chunks_exact_mut(width.max(1)).zip(labels) {
            row.iter_mut().skip(*label as usize * area).take(area).for_each(|x| *x = 1.0);
        }
        Ok(Tensor::cat(&[xs, &matrix(planes, n, width)?], 1)?)
    }
}
