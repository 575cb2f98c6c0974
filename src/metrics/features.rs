//! Features of images, in which samples are compared rather than pixel by pixel: what the classifier's last hidden
//! layer says, or, for images that it does not know, the principal components.

use super::classifier::{Classifier, FEATURES, resample};
use super::frechet::Moments;
use super::symmetric::Eigen;
use crate::data::{Data, Domain, Shape};

/// Most principal components.
const COMPONENTS: usize = 16;
/// Most values of a row whose components are sought; images are brought to fewer pixels until they have no more.
const MOST: usize = 75;

/// The directions along which rows differ most, and their mean (Pearson 1901).
pub struct Principal {
    mean: Vec<f64>,
    /// (components, size), of length 1 each, the one with the most variance first.
    directions: Vec<f64>,
}

impl Principal {
    /// Those of (n, size) rows, at most so many; `None` for fewer than two rows, or rows that are not whole or not
    /// finite.
    pub fn of(rows: &[f32], size: usize, most: usize) -> Option<Self> {
        let moments = Moments::of(rows, size)?;
        let Eigen { mut vectors, .. } = moments.eigen();
        vectors.truncate(most * size);
        Some(Self { mean: moments.mean().to_vec(), directions: vectors })
    }

    /// How many there are.
    pub fn components(&self) -> usize {
        self.directions.len() / self.mean.len().max(1)
    }

    /// (n, size) rows to (n, components): how far each lies from the mean along each direction.
    pub fn project(&self, rows: &[f32]) -> Vec<f32> {
        let size = self.mean.len().max(1);
        let along = |row: &[f32], direction: &[f64]| -> f32 {
            let off = row.iter().zip(&self.mean).map(|(x, mean)| f64::from(*x) - mean);
            off.zip(direction).map(|(x, d)| x * d).sum::<f64>() as f32
        };
        let rows = rows.chunks_exact(size);
        rows.flat_map(|row| self.directions.chunks_exact(size).map(move |d| along(row, d))).collect()
    }
}

/// What features of a data set's images are made of.
pub enum Features {
    /// Of images whose labels can be seen in them.
    Classifier(Classifier),
    /// Of others: principal components of the training rows, brought to a few pixels.
    Principal {
        /// The shape of an image.
        shape: Shape,
        /// Height and width after that.
        side: usize,
        /// The components.
        components: Principal,
    },
}

impl Features {
    /// Those of a set of images; `None` for other data.
    pub fn of(data: &Data) -> Option<Self> {
        if data.shape.domain != Domain::Images {
            return None;
        }
        if let Some(classifier) = data.topic.and_then(|topic| Classifier::of(topic, &data.shape)) {
            return Some(Self::Classifier(classifier));
        }
        let Shape { channels, height, width, .. } = data.shape;
        let side = (1..=height.max(width)).rev().find(|side| channels * side * side <= MOST)?;
        let rows = resample(&data.train.xs, &data.shape, side)?;
        let components = Principal::of(&rows, channels * side * side, COMPONENTS)?;
        Some(Self::Principal { shape: data.shape, side, components })
    }

    /// How many features an image has.
    pub fn size(&self) -> usize {
        match self {
            Self::Classifier(_) => FEATURES,
            Self::Principal { components, .. } => components.components(),
        }
    }

    /// The classifier, if it is one.
    pub fn classifier(&self) -> Option<&Classifier> {
        match self {
            Self::Classifier(classifier) => Some(classifier),
            Self::Principal { .. } => None,
        }
    }

    /// (n, size) images to (n, [`Features::size`]); `None` without images, or if they are not whole or not finite.
    pub fn features(&self, xs: &[f32]) -> Option<Vec<f32>> {
        match self {
            Self::Classifier(classifier) => Some(classifier.judge(xs)?.features),
            Self::Principal { shape, side, components } => {
                Some(components.project(&resample(xs, shape, *side)?))
            }
        }
    }
}
