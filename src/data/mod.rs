//! The data sets, each in a file of its own.
//!
//! A data set is registered by one line in [`ALL`].
//! Its settings are flat keys that no other kind of setting uses; `noise`, `radius` and `samples` mean the same
//! in every set that has them.
//! Sets whose law is known keep it, so that scores can be exact.

pub mod bars_and_stripes;
mod boxes;
pub mod checkerboard;
pub mod circles;
pub mod dates;
pub mod density;
pub mod digits;
pub mod drawn;
pub mod dyck;
pub mod faces;
mod finite;
pub mod grid;
mod images;
mod ising;
pub mod load;
pub mod moons;
pub mod pinwheel;
mod points;
mod range_coder;
pub mod ring;
pub mod sequences;
pub mod shapes;
pub mod spirals;
pub mod strokes;
pub mod sums;
pub mod swiss_roll;
#[cfg(test)]
mod tests;
pub mod textures;
pub mod typed;
pub mod words;

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::params::{Kind, Spec, Value};
use crate::rng::Rng;
use crate::supply::Supply;

/// The setting that says how many rows there are to train on; more of them are the same ones and more.
pub const SAMPLES: &str = "samples";

/// What kind of thing one row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// A point of a space with few dimensions, mostly the plane.
    Points,
    /// An image, channel after channel, row after row from the top.
    Images,
    /// A word of tokens: whole numbers below the vocabulary's size, 0 from its end on.
    Sequences,
}

impl Domain {
    /// The id in the catalogue.
    pub fn id(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Images => "images",
            Self::Sequences => "sequences",
        }
    }
}

/// The shape of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// What the row is.
    pub domain: Domain,
    /// Colour channels; 1 for points.
    pub channels: usize,
    /// Rows of pixels; 1 for points.
    pub height: usize,
    /// Columns of pixels; the number of coordinates for points; the longest word's length for sequences.
    pub width: usize,
    /// How many different tokens there are, the end included; 0 where values are not tokens.
    pub vocabulary: usize,
}

impl Shape {
    /// Points with so many coordinates.
    pub const fn points(dims: usize) -> Self {
        Self { domain: Domain::Points, channels: 1, height: 1, width: dims, vocabulary: 0 }
    }

    /// Images with `c` channels of `h` rows and `w` columns.
    pub const fn image(c: usize, h: usize, w: usize) -> Self {
        Self { domain: Domain::Images, channels: c, height: h, width: w, vocabulary: 0 }
    }

    /// Words of at most `length` tokens, each below `vocabulary`; token 0 ends a word and fills what is left.
    pub const fn sequence(length: usize, vocabulary: usize) -> Self {
        Self { domain: Domain::Sequences, channels: 1, height: 1, width: length, vocabulary }
    }

    /// Whether rows are points of the plane.
    pub fn is_plane(&self) -> bool {
        self.domain == Domain::Points && self.size() == 2
    }

    /// How many values a row has.
    pub const fn size(&self) -> usize {
        self.channels * self.height * self.width
    }
}

/// A law that is known exactly.
pub trait LogDensity: Send + Sync {
    /// log p(x) in nats, of a density or, where values are tokens or bits, of a probability; −∞ where there is none.
    fn log_prob(&self, x: &[f64]) -> f64;
    /// The entropy −∫ p log p, or −Σ p log p, in nats, which is the best held-out loss there is.
    ///
    /// The first call may take a moment; the value is kept.
    fn entropy(&self) -> Option<f64>;
}

/// The modes of a mixture of equal round Gaussians, for counting which of them a model covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Modes {
    /// The means.
    pub centres: Vec<[f64; 2]>,
    /// The standard deviation in each coordinate.
    pub sigma: f64,
}

/// What the labels of images tell apart, where that is something that can be seen in any image of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// The ten digits.
    Digits,
    /// The kinds of shapes.
    Shapes,
    /// Smile and glasses of a face.
    Expression,
    /// The colour of a face's hair.
    Hair,
    /// The colour of a face's skin.
    Skin,
}

/// Whether a word keeps the rule that its data set was made by.
pub type Rule = fn(&str) -> bool;

/// Rows, and their labels where there are any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Split {
    /// Row-major (n, size).
    pub xs: Vec<f32>,
    /// One label a row, below [`Data::classes`].
    pub labels: Option<Vec<u32>>,
}

impl Split {
    /// How many whole rows there are.
    pub fn len(&self, shape: &Shape) -> usize {
        self.xs.len().checked_div(shape.size()).unwrap_or(0)
    }

    /// Row `i`; empty if there is none.
    pub fn row(&self, shape: &Shape, i: usize) -> &[f32] {
        let size = shape.size();
        let start = i.saturating_mul(size);
        self.xs.get(start..start.saturating_add(size)).unwrap_or_default()
    }
}

/// A data set, ready to train on.
#[derive(Clone)]
pub struct Data {
    /// The shape of a row.
    pub shape: Shape,
    /// What models learn from.
    pub train: Split,
    /// What they are scored on: rows from the same source that no model sees.
    pub held_out: Split,
    /// How many classes the labels tell apart; 0 if there are no labels.
    pub classes: usize,
    /// x₀, x₁, y₀, y₁: the square that shows the data with some margin; 0, 1, 0, 1 for images.
    pub extent: [f32; 4],
    /// The closed range that every value lies in, if there is one.
    pub range: Option<[f32; 2]>,
    /// The law of the rows, if it is known.
    pub density: Option<Arc<dyn LogDensity>>,
    /// The modes, if the law is a mixture of equal round Gaussians.
    pub modes: Option<Modes>,
    /// The characters that tokens 1, 2, … stand for; empty where values are not tokens.
    pub alphabet: Vec<char>,
    /// What the labels tell apart, if images without labels can be asked for it too.
    pub topic: Option<Topic>,
    /// The rule that words keep, if there is one; it may hold for words that are none of these.
    pub rule: Option<Rule>,
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Data")
            .field("shape", &self.shape)
            .field("train", &self.train.len(&self.shape))
            .field("held_out", &self.held_out.len(&self.shape))
            .field("classes", &self.classes)
            .field("extent", &self.extent)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

impl Data {
    /// Data from rows that someone has, with no labels and no known law.
    ///
    /// # Errors
    /// If a part is empty, ends inside a row, or holds a value that is not a finite number.
    pub fn from_rows(shape: Shape, train: Vec<f32>, held_out: Vec<f32>) -> Result<Self> {
        for (part, xs) in [("training", &train), ("held-out", &held_out)] {
            check_rows(part, xs, shape.size())?;
        }
        let all = || train.iter().chain(&held_out).copied();
        let (extent, range) = match shape.domain {
            Domain::Points => (points::extent_of(all(), shape.size()), None),
            Domain::Images => {
                ([0.0, 1.0, 0.0, 1.0], all().all(|x| (0.0..=1.0).contains(&x)).then_some([0.0, 1.0]))
            }
            Domain::Sequences => ([0.0, 1.0, 0.0, 1.0], None),
        };
        let split = |xs| Split { xs, labels: None };
        Ok(Self {
            shape,
            train: split(train),
            held_out: split(held_out),
            classes: 0,
            extent,
            range,
            density: None,
            modes: None,
            alphabet: Vec::new(),
            topic: None,
            rule: None,
        })
    }

    /// Data from rows that someone has, with labels and an alphabet where there are any.
    ///
    /// # Errors
    /// Those of [`Data::from_rows`]; labels or tokens that are too many, too few or too large.
    pub fn from_parts(
        shape: Shape,
        train: Split,
        held_out: Split,
        classes: usize,
        alphabet: Vec<char>,
    ) -> Result<Self> {
        let refuse = |what: &str| Err(Error::Config(what.into()));
        let data = Self::from_rows(shape, train.xs, held_out.xs)?;
        for (split, labels) in [(&data.train, &train.labels), (&data.held_out, &held_out.labels)] {
            let fits = match labels {
                None => classes == 0,
                Some(labels) => {
                    labels.len() == split.len(&shape)
                        && labels.iter().all(|label| (*label as usize) < classes)
                }
            };
            if !fits {
                return refuse("the labels do not belong to the rows");
            }
            let token = |x: &f32| x.fract() == 0.0 && (0.0..shape.vocabulary as f32).contains(x);
            let words = shape.domain == Domain::Sequences;
            if words && !(alphabet.len() + 1 == shape.vocabulary && split.xs.iter().all(token)) {
                return refuse("the tokens are none of the alphabet's");
            }
        }
        let with = |xs, labels| Split { xs, labels };
        Ok(Self {
            train: with(data.train.xs, train.labels),
            held_out: with(data.held_out.xs, held_out.labels),
            classes,
            alphabet,
            ..data
        })
    }
}

fn check_rows(part: &str, xs: &[f32], size: usize) -> Result<()> {
    if size == 0 {
        return Err(Error::Config("a row must have at least one value".into()));
    }
    if xs.is_empty() {
        return Err(Error::Config(format!("there are no {part} rows; give at least one")));
    }
    if !xs.len().is_multiple_of(size) {
        return Err(Error::Config(format!(
            "{} {part} values are no whole number of rows; each row has {size} values",
            xs.len()
        )));
    }
    match xs.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(Error::Config(format!(
            "value {} of {part} row {} is {}; every value must be a finite number",
            at % size + 1,
            at / size + 1,
            xs.get(at).copied().unwrap_or(f32::NAN)
        ))),
        None => Ok(()),
    }
}

/// Settings that others have used, under a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset {
    /// Its id.
    pub id: &'static str,
    /// The settings that it changes.
    pub values: &'static [(&'static str, f64)],
}

/// Makes a data set from its settings and a seed.
pub type Generate = fn(values: &[(String, Value)], seed: u32) -> Result<Data>;

/// The first rows of a stored data set, at most `n`, if so many are known without its file.
pub type Glimpse = fn(values: &[(String, Value)], n: usize) -> Result<Option<Data>>;

/// The file that a data set is stored in.
pub struct Stored {
    /// The file.
    pub file: &'static Supply,
    /// Enough rows to see what the set is like.
    pub glimpse: Glimpse,
}

/// A data set, as the catalogue lists it.
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// The shape of its rows at the default settings, and what they are.
    pub shape: Shape,
    /// How many classes its labels tell apart; 0 if there are no labels.
    pub classes: usize,
    /// Its settings.
    pub specs: fn() -> Vec<Spec>,
    /// Published settings.
    pub presets: &'static [Preset],
    /// Whether the visitor makes it by drawing.
    pub drawable: bool,
    /// Whom to thank, where the licence asks for it.
    pub attribution: Option<&'static str>,
    /// What it is stored in, if it is not computed.
    pub stored: Option<Stored>,
    /// Makes it from these settings and this seed; settings that are not given have their defaults.
    pub generate: Generate,
}

impl Entry {
    /// `n` rows of the law that these settings have, drawn anew; nothing where all rows that there are, are given.
    ///
    /// They are like samples of a perfect model: what a score says of them is the best that it can say of any.
    /// They are fewer where the set does not make so many.
    ///
    /// # Errors
    /// Settings that do not make a data set.
    pub fn fresh(&self, values: &[(String, Value)], seed: u32, n: usize) -> Result<Option<Split>> {
        let Some(Kind::Integer { low, high, .. }) =
            (self.specs)().into_iter().find(|spec| spec.key == SAMPLES).map(|spec| spec.kind)
        else {
            return Ok(None);
        };
        let mut values = values.to_vec();
        values.push((SAMPLES.into(), Value::Number(n.clamp(low, high) as f64)));
        let data = (self.generate)(&values, Rng::stream(seed, "fresh data").next_u32())?;
        let Split { mut xs, mut labels } = data.train;
        xs.truncate(n * data.shape.size());
        if let Some(labels) = &mut labels {
            labels.truncate(n);
        }
        Ok(Some(Split { xs, labels }))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Every data set, in the order of the page.
pub const ALL: &[&Entry] = &[
    &ring::ENTRY,
    &grid::ENTRY,
    &moons::ENTRY,
    &circles::ENTRY,
    &spirals::ENTRY,
    &checkerboard::ENTRY,
    &pinwheel::ENTRY,
    &swiss_roll::ENTRY,
    &drawn::ENTRY,
    &digits::ENTRY,
    &strokes::ENTRY,
    &shapes::ENTRY,
    &faces::ENTRY,
    &bars_and_stripes::ENTRY,
    &textures::ENTRY,
    &words::ENTRY,
    &dyck::ENTRY,
    &dates::ENTRY,
    &sums::ENTRY,
    &typed::ENTRY,
];

/// The data set with this id.
///
/// # Errors
/// If there is none; the message lists those that there are.
pub fn find(id: &str) -> Result<&'static Entry> {
    ALL.iter()
        .chain(load::ALL)
        .copied()
        .find(|entry| entry.id == id)
        .ok_or_else(|| Error::unknown("data set", id, ALL.iter().map(|entry| entry.id)))
}
