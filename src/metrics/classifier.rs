//! A small classifier of the images whose labels can be seen in them, and what samples look like to it.
//!
//! Two convolutional networks, one for grey images and one for coloured ones, each with an output for every class of
//! every topic; their weights are written by `tools/train_classifier.rs`, which also says how often they are right.

use tealight_kernels::conv::{Axis, Conv};
use tealight_kernels::gemm::{Start, View, product};

use crate::data::{Shape, Topic};
use crate::supply::Supply;

/// Images are brought to this height and width.
pub const SIDE: usize = 16;
/// The outputs of each convolution; each halves the image.
pub const WIDTHS: [usize; 3] = [8, 16, 16];
/// Units of the last hidden layer.
pub const FEATURES: usize = 16;
/// Levels on either side of 0 that a weight is rounded to; so few that compression finds something.
pub const LEVELS: f32 = 40.0;

/// A network: the channels that it sees, and the topics that it knows with the classes of each.
pub struct Network {
    /// Channels of an image.
    pub channels: usize,
    /// Topics in the order of the outputs.
    pub topics: &'static [(Topic, usize)],
}

/// Every network, in the order of the file.
pub const NETWORKS: [Network; 2] = [
    Network { channels: 1, topics: &[(Topic::Digits, 10), (Topic::Shapes, 5)] },
    Network { channels: 3, topics: &[(Topic::Expression, 4), (Topic::Hair, 5), (Topic::Skin, 4)] },
];

impl Network {
    /// Inputs and outputs of each layer's weights: convolutions with windows of 3 × 3, then two dense layers.
    pub fn layers(&self) -> Vec<[usize; 2]> {
        let (mut inputs, mut side, mut layers) = (self.channels, SIDE, Vec::new());
        for outputs in WIDTHS {
            layers.push([9 * inputs, outputs]);
            (inputs, side) = (outputs, side.div_ceil(2));
        }
        layers.push([inputs * side * side, FEATURES]);
        layers.push([FEATURES, self.topics.iter().map(|(_, classes)| classes).sum()]);
        layers
    }
}

/// The weights of all networks.
pub static FILE: Supply = Supply::new("classifier.bin", include_bytes!("classifier.bin"));

/// Weights (outputs, inputs) and biases (outputs).
struct Layer {
    weights: Vec<f32>,
    biases: Vec<f32>,
}

impl Layer {
    fn read(bytes: &mut &[u8], inputs: usize, outputs: usize) -> Option<Self> {
        let mut values = |n: usize| -> Option<Vec<f32>> {
            let (scale, rest) = bytes.split_first_chunk::<4>()?;
            let (levels, rest) = rest.split_at_checked(n)?;
            *bytes = rest;
            let scale = f32::from_le_bytes(*scale);
            Some(levels.iter().map(|level| scale * f32::from(*level as i8)).collect())
        };
        Some(Self { weights: values(inputs * outputs)?, biases: values(outputs)? })
    }
}

/// What images look like to a classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// How many classes there are.
    pub classes: usize,
    /// p(class | image), (n, classes).
    pub probabilities: Vec<f32>,
    /// The last hidden layer, (n, [`FEATURES`]), none below 0.
    pub features: Vec<f32>,
}

impl Judgement {
    /// The most likely class of each image.
    pub fn labels(&self) -> Vec<u32> {
        let best = |row: &[f32]| {
            let classes = (0..).zip(row);
            classes.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
        };
        self.probabilities.chunks_exact(self.classes.max(1)).map(best).collect()
    }
}

/// A classifier for images of one shape.
pub struct Classifier {
    shape: Shape,
    channels: usize,
    layers: Vec<Layer>,
    /// The first of its outputs, and how many there are.
    outputs: [usize; 2],
}

impl Classifier {
    /// The one that the project ships; nothing where the images have not the topic's channels, or where [`FILE`] is
    /// not there.
    pub fn of(topic: Topic, shape: &Shape) -> Option<Self> {
        Self::from_bytes(FILE.bytes().ok()?, topic, shape)
    }

    /// One whose weights are written as in the project's file: each layer's weights, then its biases, as a scale of
    /// four bytes and a signed byte each; nothing if there are too few.
    pub fn from_bytes(mut bytes: &[u8], topic: Topic, shape: &Shape) -> Option<Self> {
        for network in &NETWORKS {
            let layers: Option<Vec<Layer>> = network
                .layers()
                .into_iter()
                .map(|[inputs, outputs]| Layer::read(&mut bytes, inputs, outputs))
                .collect();
            let layers = layers?;
            let mut first = 0;
            for (known, classes) in network.topics {
                if *known == topic {
                    let (shape, channels) = (*shape, network.channels);
                    let found = Self { shape, channels, layers, outputs: [first, *classes] };
                    return (shape.channels == channels && shape.vocabulary == 0).then_some(found);
                }
                first += classes;
            }
        }
        None
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.outputs[1]
    }

    /// What (n, size) images look like to it; nothing without images, or if they are not whole or not finite.
    pub fn judge(&self, xs: &[f32]) -> Option<Judgement> {
        let (n, [first, classes]) = (xs.len() / self.shape.size().max(1), self.outputs);
        let mut maps = resample(xs, &self.shape, SIDE)?;
        let (mut inputs, mut side) = (self.channels, SIDE);
        let (convolutions, dense) = self.layers.split_at_checked(WIDTHS.len())?;
        let [dense, last] = dense else { return None };
        for (layer, outputs) in convolutions.iter().zip(WIDTHS) {
            let axis = Axis::new(side, 3, 2, 1)?;
            let conv = Conv { batch: n, inputs, outputs, vertical: axis, horizontal: axis };
            let mut out = vec![0.0; n * conv.map_size()];
            conv.windows(&maps, &layer.weights, Start::Row(&layer.biases), 0.0, &mut out);
            (maps, inputs, side) = (out, outputs, axis.map);
        }
        let mut features = vec![0.0; n * FEATURES];
        let depth = inputs * side * side;
        let weights = View::new(&dense.weights, FEATURES, depth).t();
        product(View::new(&maps, n, depth), weights, &mut features, Start::Row(&dense.biases), 0.0);
        let rows = last.weights.get(first * FEATURES..(first + classes) * FEATURES)?;
        let biases = Start::Row(last.biases.get(first..first + classes)?);
        let mut probabilities = vec![0.0; n * classes];
        let rows = View::new(rows, classes, FEATURES).t();
        product(View::new(&features, n, FEATURES), rows, &mut probabilities, biases, f32::NEG_INFINITY);
        softmax(&mut probabilities, classes);
        Some(Judgement { classes, probabilities, features })
    }
}

/// exp(x − ln Σ exp x) of each row.
fn softmax(rows: &mut [f32], width: usize) {
    for row in rows.chunks_exact_mut(width) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for x in row.iter_mut() {
            *x = libm::exp(f64::from(*x - most)) as f32;
            sum += *x;
        }
        row.iter_mut().for_each(|x| *x /= sum);
    }
}

/// (n, channels·height·width) images brought to (n, channels·side·side): a pixel is the mean of what it covers.
///
/// Nothing without images, or if they are not whole or not finite.
pub fn resample(xs: &[f32], shape: &Shape, side: usize) -> Option<Vec<f32>> {
    let (size, area) = (shape.size(), shape.height * shape.width);
    if size == 0 || xs.is_empty() || !xs.len().is_multiple_of(size) || xs.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let (down, across) = (spans(shape.height, side), spans(shape.width, side));
    let mut out = Vec::with_capacity(xs.len() / area * side * side);
    for plane in xs.chunks_exact(area) {
        for (top, heights) in &down {
            for (left, widths) in &across {
                let lines = plane.chunks_exact(shape.width).skip(*top).zip(heights);
                let sum: f32 = lines
                    .map(|(line, height)| {
                        height * line.iter().skip(*left).zip(widths).map(|(x, width)| width * x).sum::<f32>()
                    })
                    .sum();
                out.push(sum);
            }
        }
    }
    Some(out)
}

/// For each of `to` places on a line, the first of `from` places that it covers, and each one's share of it.
fn spans(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    // Both lines are from·to long.
    let span = |i: usize| {
        let (low, high) = (i * from, (i + 1) * from);
        let (first, last) = (low / to, (high - 1) / to);
        let share = |j: usize| (high.min((j + 1) * to) - low.max(j * to)) as f32 / from as f32;
        (first, (first..=last).map(share).collect())
    };
    (0..to).map(span).collect()
}

/// How samples fall on the classes that there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelCoverage {
    /// Classes that at least [`COVERED`] of their share in the data goes to.
    pub covered: usize,
    /// All classes.
    pub classes: usize,
    /// Σ p ln(p/q) of the samples' shares p against the data's shares q, in nats: 0 if they are the same, ln 10 if
    /// all samples are one of ten equally frequent classes.
    ///
    /// Real images do not reach 0, since there are so many and the classifier errs: it is read beside their figure.
    pub kl: f64,
}

/// A class counts as covered from this part of its share in the data on: more than errors of the classifier give it.
pub const COVERED: f64 = 0.2;

/// The share of each class in labels.
pub fn label_shares(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut shares = vec![0.0; classes];
    for label in labels {
        if let Some(share) = shares.get_mut(*label as usize) {
            *share += 1.0 / labels.len() as f64;
        }
    }
    shares
}

/// Compares the shares of classes in samples with those in the data; `None` if they do not belong together, or if
/// either are none.
pub fn label_coverage(samples: &[f64], data: &[f64]) -> Option<LabelCoverage> {
    let is_whole = |shares: &[f64]| (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6;
    if samples.len() != data.len() || !is_whole(samples) || !is_whole(data) {
        return None;
    }
    // A class that the data do not have cannot be covered, and samples of it are infinitely far off.
    let there = || samples.iter().zip(data).filter(|(_, q)| **q > 0.0);
    let missed: f64 = samples.iter().zip(data).filter(|(_, q)| **q <= 0.0).map(|(p, _)| p).sum();
    let kl = there().filter(|(p, _)| **p > 0.0).map(|(p, q)| p * libm::log(p / q)).sum();
    Some(LabelCoverage {
        covered: there().filter(|(p, q)| **p >= COVERED * **q).count(),
        classes: there().count(),
        kl: if missed > 0.0 { f64::INFINITY } else { kl },
    })
}
