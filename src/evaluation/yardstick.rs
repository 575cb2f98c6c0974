//! What samples of a data set are measured against, and what real rows score by the same measures.

use std::sync::Arc;

use super::measures::{self, Measure, Values};
use super::sample::Sample;
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::metrics::classifier;
use crate::metrics::discrepancy::median_distance;
use crate::metrics::features::Features;
use crate::metrics::nearest::nearest_distances;
use crate::metrics::neighbours::Balls;
use crate::metrics::sliced::Projections;
use crate::rng::Rng;
use crate::session::Session;

/// The neighbour that balls reach to, as in the paper on density and coverage.
pub const NEIGHBOUR: usize = 5;

/// Images whose nearest training image is looked for …
pub(super) const COMPARED: usize = 100;
/// … among training images of at most so many values …
const MOST_COMPARED: usize = 2_500_000;
/// … of which so many are looked at in some milliseconds.
const AT_ONCE: usize = 50_000_000;

/// How many rows an evaluation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Generated, and real rows beside them.
    pub rows: usize,
    /// Of each of these, in scores that take every pair.
    pub pairs: usize,
}

impl Sizes {
    /// Those for a kind of data: 2,500 points is the number of VEEGAN and PacGAN.
    pub fn of(domain: Domain) -> Self {
        match domain {
            Domain::Points => Self { rows: 2500, pairs: 1000 },
            Domain::Images => Self { rows: 250, pairs: 250 },
            Domain::Sequences => Self { rows: 500, pairs: 500 },
        }
    }
}

/// Real rows, and what follows from them alone.
pub struct Yardstick {
    pub(super) data: Arc<Data>,
    pub(super) sizes: Sizes,
    /// Rows that no model sees, (m, size).
    pub(super) real: Sample,
    /// Other real rows, as many as are generated where there are so many: they stand for a perfect model.
    pub(super) fresh: Sample,
    /// −log p of real rows under their law, and the law's entropy, in nats.
    law: Option<(Vec<f64>, f64)>,
    /// The width of the kernel of the mean discrepancy.
    pub(super) sigma: Option<f64>,
    /// The real rows from every direction.
    pub(super) projections: Option<Projections>,
    /// What images are compared by.
    pub(super) features: Option<Features>,
    /// Balls around the real rows or, of images, around their features.
    pub(super) balls: Option<Balls>,
    /// How far held-out images are from the nearest training image.
    pub(super) nearest: Vec<f64>,
    judged: bool,
    /// How many of [`Yardstick::gauges`] are done.
    gauged: usize,
    /// What the fresh rows score.
    pub(super) floors: Values,
    /// The measures whose floors are known.
    measured: Vec<Measure>,
}

impl Yardstick {
    /// For the data of a session.
    ///
    /// Where rows are drawn from a law, real ones are drawn from it by streams of their own, as many as are needed;
    /// else they are the held-out rows, and fresh ones the training rows.
    ///
    /// # Errors
    /// None that the making of the session's data did not have, and [`crate::error::Error::Missing`] where images are
    /// to be looked at by a classifier that is not there.
    pub fn new(session: &Session) -> Result<Self> {
        let data = session.data.clone();
        if data.topic.is_some() {
            classifier::FILE.bytes()?;
        }
        let (sizes, size) = (Sizes::of(data.shape.domain), data.shape.size());
        let first = |xs: &[f32]| xs.get(..sizes.rows * size).unwrap_or(xs).to_vec();
        let mut seeds = Rng::stream(session.config.seed, "scored data");
        let mut drawn = || session.config.dataset.fresh(&session.config.data, seeds.next_u32(), sizes.rows);
        let (real, fresh) = match (drawn()?, drawn()?) {
            (Some(real), Some(fresh)) => (real.xs, fresh.xs),
            _ if is_finite(&data) => {
                // All rows that there are, each as likely as any other: fresh ones are drawn from them.
                let rows = data.train.len(&data.shape) as u32;
                let row = |_| data.train.row(&data.shape, seeds.below(rows) as usize).to_vec();
                (first(&data.held_out.xs), (0..sizes.rows).flat_map(row).collect())
            }
            _ => (first(&data.held_out.xs), first(&data.train.xs)),
        };
        Ok(Self {
            data,
            sizes,
            real: Sample::new(real),
            fresh: Sample::new(fresh),
            law: None,
            sigma: None,
            projections: None,
            features: None,
            balls: None,
            nearest: Vec::new(),
            judged: false,
            gauged: 0,
            floors: Vec::new(),
            measured: Vec::new(),
        })
    }

    /// Whether there are only so many different rows.
    pub(super) fn is_finite(&self) -> bool {
        is_finite(&self.data)
    }

    /// Whether it is for this session's data.
    pub fn fits(&self, session: &Session) -> bool {
        Arc::ptr_eq(&self.data, &session.data)
    }

    /// The first `n` of these rows.
    pub(super) fn first<'a>(&self, rows: &'a [f32], n: usize) -> &'a [f32] {
        rows.get(..n * self.data.shape.size()).unwrap_or(rows)
    }

    /// The real rows that are compared pair by pair.
    pub(super) fn real_pairs(&self) -> &[f32] {
        self.first(&self.real, self.sizes.pairs)
    }

    /// Whether what the law says is known, if there is one.
    pub(super) fn is_judged(&self) -> bool {
        self.judged || self.data.density.is_none()
    }

    /// What the law says of the real rows, once.
    pub(super) fn judge(&mut self) {
        self.judged = true;
        let Some(law) = &self.data.density else { return };
        let loss = |row: &[f32]| {
            let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
            -law.log_prob(&row)
        };
        let losses = self.real_pairs().chunks_exact(self.data.shape.size().max(1)).map(loss).collect();
        self.law = law.entropy().map(|entropy| (losses, entropy));
    }

    /// The law's entropy in nats.
    pub(super) fn entropy(&self) -> Option<f64> {
        self.law.as_ref().map(|(_, entropy)| *entropy)
    }

    /// The law's own loss on the first `n` real rows, in nats.
    pub(super) fn law_loss(&self, n: usize) -> Option<f64> {
        let losses = self.law.as_ref()?.0.get(..n)?;
        let mean = losses.iter().sum::<f64>() / n as f64;
        mean.is_finite().then_some(mean)
    }

    /// How many calls of [`Yardstick::gauge`] are left until it has all lengths that it takes.
    pub(super) fn gauges(&self) -> usize {
        let all: usize = match self.data.shape.domain {
            Domain::Points => 2 + usize::from(self.data.shape.is_plane()),
            Domain::Images => 2,
            Domain::Sequences => 0,
        };
        all.saturating_sub(self.gauged)
    }

    /// The next of the lengths that distances between real rows give, each once.
    pub(super) fn gauge(&mut self) {
        let size = self.data.shape.size();
        match (self.data.shape.domain, self.gauged) {
            (Domain::Images, 0) => self.features = Features::of(&self.data),
            (Domain::Points, 0) => self.sigma = median_distance(self.real_pairs(), size),
            (Domain::Points, 2) => self.projections = Projections::of(&self.real),
            (_, 1) => self.balls = self.balls(&self.real),
            _ => {}
        }
        self.gauged += 1;
    }

    /// Balls around the rows that are compared pair by pair or, of images, around their features.
    pub(super) fn balls(&self, rows: &Sample) -> Option<Balls> {
        let (rows, size) = match &self.features {
            Some(features) => (&*rows.look(features)?.features, features.size()),
            None => (&**rows, self.data.shape.size()),
        };
        Balls::new(rows.get(..self.sizes.pairs * size).unwrap_or(rows), size, NEIGHBOUR)
    }

    /// How many rows of either kind are compared with the training images; none of what is no image.
    pub(super) fn compared(&self) -> usize {
        match self.data.shape.domain {
            Domain::Images => COMPARED.min(self.real.len() / self.data.shape.size().max(1)),
            _ => 0,
        }
    }

    /// How many of them in about the time of a slice: of one, all training rows are looked at.
    pub(super) fn compared_at_once(&self) -> usize {
        let values = self.data.train.xs.len().clamp(1, MOST_COMPARED);
        (AT_ONCE / values).max(1)
    }

    /// How far these images are from the nearest training image; none where it cannot be said.
    pub(super) fn distances(&self, rows: &[f32]) -> Vec<f64> {
        let size = self.data.shape.size();
        let train = self.first(&self.data.train.xs, MOST_COMPARED / size.max(1));
        nearest_distances(train, rows, size).unwrap_or_default()
    }

    /// Looks for the training images that are nearest to these of the real ones.
    pub(super) fn compare(&mut self, [from, to]: [usize; 2]) {
        let size = self.data.shape.size();
        let distances = self.distances(self.real.get(from * size..to * size).unwrap_or_default());
        self.nearest.extend(distances);
    }

    /// Whether a measure's floors are known.
    pub(super) fn has(&self, measure: Measure) -> bool {
        self.measured.contains(&measure)
    }

    /// Measures the fresh rows.
    pub(super) fn measure_fresh(&mut self, measure: Measure) {
        let mut values = measures::measure(measure, self, &self.fresh);
        if measure == Measure::Words {
            // The training rows may stand for a perfect model, but not where it is asked what is new.
            values.retain(|(id, _)| *id != "novel");
            let held_out = measures::measure(measure, self, &self.real);
            values.extend(held_out.into_iter().filter(|(id, _)| *id == "novel"));
        }
        self.floors.extend(values);
        self.measured.push(measure);
    }
}

/// Whether the held-out rows are the training rows: all that there are.
fn is_finite(data: &Data) -> bool {
    data.held_out.len(&data.shape) == data.train.len(&data.shape)
}
