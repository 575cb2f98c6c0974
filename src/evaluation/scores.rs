//! The scores: what there is, in which unit, and which way is better.

use crate::data::Domain;
use crate::models::Bound;

/// Which way a score is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The lower, the better.
    Lower,
    /// The higher, the better.
    Higher,
    /// The nearer to [`ScoreEntry::target`], the better.
    Target,
}

impl Better {
    /// The id in the catalogue.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
            Self::Target => "target",
        }
    }
}

/// A score, as the catalogue lists it.
#[derive(Debug, Clone, Copy)]
pub struct ScoreEntry {
    /// Its id.
    pub id: &'static str,
    /// Its unit: "nats", "bits", "share" (0..=1), "data" (the unit of the data), or "" where it has none.
    pub unit: &'static str,
    /// Which way it is better.
    pub better: Better,
    /// The value that is best, where it is one value whatever the data.
    pub target: Option<f64>,
    /// The kinds of data that have it.
    pub domains: &'static [Domain],
}

/// How a likelihood was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The model's own density, or something else that is bounded or exact in the same sense.
    Model(Bound),
    /// A kernel density estimate on the model's samples: the law of its samples, a little blurred.
    Kde,
}

impl By {
    /// The id in results.
    pub fn id(self) -> &'static str {
        match self {
            Self::Model(bound) => bound.id(),
            Self::Kde => "kde",
        }
    }
}

/// A score's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The id of its [`ScoreEntry`].
    pub id: &'static str,
    /// Its value; finite.
    pub value: f64,
    /// The value of fresh real rows, as many as were generated: what a perfect model scores.
    pub floor: Option<f64>,
    /// The value of a perfect model with infinitely many samples, where the data's law tells it.
    pub optimum: Option<f64>,
    /// How it was computed, where there are several ways.
    pub by: Option<By>,
}

impl Score {
    /// A value without floor and optimum.
    pub fn new(id: &'static str, value: f64) -> Self {
        Self { id, value, floor: None, optimum: None, by: None }
    }
}

const PLANE: &[Domain] = &[Domain::Points];
const IMAGES: &[Domain] = &[Domain::Images];
const SEQUENCES: &[Domain] = &[Domain::Sequences];
const VECTORS: &[Domain] = &[Domain::Points, Domain::Images];

const fn entry(
    id: &'static str,
    unit: &'static str,
    better: Better,
    target: Option<f64>,
    domains: &'static [Domain],
) -> ScoreEntry {
    ScoreEntry { id, unit, better, target, domains }
}

/// Every score, in the order of the page.
pub const ALL: &[ScoreEntry] = &[
    entry("nll", "nats", Better::Lower, None, VECTORS),
    entry("bitsPerCharacter", "bits", Better::Lower, None, SEQUENCES),
    entry("modes", "", Better::Higher, None, PLANE),
    entry("highQuality", "share", Better::Target, Some(crate::metrics::modes::CEILING), PLANE),
    entry("spread", "", Better::Target, Some(1.0), PLANE),
    entry("labels", "", Better::Higher, None, IMAGES),
    entry("labelKl", "nats", Better::Lower, Some(0.0), IMAGES),
    entry("frechet", "", Better::Lower, Some(0.0), IMAGES),
    entry("slicedWasserstein", "data", Better::Lower, Some(0.0), PLANE),
    entry("mmd", "", Better::Lower, Some(0.0), PLANE),
    entry("energyDistance", "data", Better::Lower, Some(0.0), PLANE),
    entry("gridJs", "bits", Better::Lower, Some(0.0), PLANE),
    entry("precision", "share", Better::Higher, None, VECTORS),
    entry("recall", "share", Better::Higher, None, VECTORS),
    entry("density", "", Better::Target, Some(1.0), VECTORS),
    entry("coverage", "share", Better::Higher, None, VECTORS),
    entry("twoSample", "share", Better::Target, Some(0.5), PLANE),
    entry("nearest", "", Better::Target, Some(1.0), IMAGES),
    entry("unique", "share", Better::Higher, None, SEQUENCES),
    entry("novel", "share", Better::Higher, None, SEQUENCES),
    entry("valid", "share", Better::Higher, Some(1.0), SEQUENCES),
];

/// The score with this id.
pub fn find(id: &str) -> Option<&'static ScoreEntry> {
    ALL.iter().find(|entry| entry.id == id)
}
