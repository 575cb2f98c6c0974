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

/// Features of images that are all alike have no more variance than this: what rounding makes of none.
const LEAST: f64 = 1e-9;

/// Training rows that the features' scale is taken from.
const SCALED_BY: usize = 500;

/// What images look like.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// (n, [`Features::size`]). They have no unit: the variances of the training rows' features are 1 together, so
    /// that the Fréchet distance of real rows from their mean alone is 1.
    pub features: Vec<f32>,
    /// The likeliest class of each, where there is a classifier that knows them.
    pub labels: Option<Vec<u32>>,
}

/// What features of a data set's images are made of.
pub struct Features {
    kind: Kind,
    shape: Shape,
    /// What makes the variances of the training rows' features 1 together.
    scale: f32,
}

enum Kind {
    /// Of images whose labels can be seen in them.
    Classifier(Classifier),
    /// Of others: principal components of the training rows, brought to so high and wide images.
    Principal(Principal, usize),
}

impl Features {
    /// Those of a set of images; `None` for other data, or images that are all alike.
    pub fn of(data: &Data) -> Option<Self> {
        if data.shape.domain != Domain::Images {
            return None;
        }
        let kind = match data.topic.and_then(|topic| Classifier::of(topic, &data.shape)) {
            Some(classifier) => Kind::Classifier(classifier),
            None => {
                let Shape { channels, height, width, .. } = data.shape;
                let side = (1..=height.max(width)).rev().find(|side| channels * side * side <= MOST)?;
                let rows = resample(&data.train.xs, &data.shape, side)?;
                Kind::Principal(Principal::of(&rows, channels * side * side, COMPONENTS)?, side)
            }
        };
        let mut features = Self { kind, shape: data.shape, scale: 1.0 };
        let some = data.train.len(&data.shape).min(SCALED_BY) * data.shape.size();
        let rows = features.features(data.train.xs.get(..some)?)?;
        let variance = Moments::of(&rows, features.size())?.variance();
        features.scale = (1.0 / variance.sqrt()) as f32;
        (variance > LEAST).then_some(features)
    }

    /// How many features an image has.
    pub fn size(&self) -> usize {
        match &self.kind {
            Kind::Classifier(_) => FEATURES,
            Kind::Principal(components, _) => components.components(),
        }
    }

    /// (n, size) images to (n, [`Features::size`]); `None` without images, or if they are not whole or not finite.
    pub fn features(&self, xs: &[f32]) -> Option<Vec<f32>> {
        Some(self.look(xs)?.features)
    }

    /// What (n, size) images look like; `None` without images, or if they are not whole or not finite.
    pub fn look(&self, xs: &[f32]) -> Option<Look> {
        let (mut features, labels) = match &self.kind {
            Kind::Classifier(classifier) => {
                let judgement = classifier.judge(xs)?;
                let labels = judgement.labels();
                (judgement.features, Some(labels))
            }
            Kind::Principal(components, side) => {
                (components.project(&resample(xs, &self.shape, *side)?), None)
            }
        };
        features.iter_mut().for_each(|x| *x *= self.scale);
        Some(Look { features, labels })
    }
}
