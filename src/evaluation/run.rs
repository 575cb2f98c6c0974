//! One evaluation, part by part.

use std::collections::VecDeque;

use super::Evaluated;
use super::detect::{self, Finding};
use super::evidence::{Evidence, Inside, Past};
use super::likelihood::{log_probs, mean_loss};
use super::measures::{Measure, Values, measure};
use super::sample::Sample;
use super::scores::{self, By, Score};
use super::yardstick::{COMPARED, NEIGHBOUR, Yardstick};
use crate::data::Domain;
use crate::error::{Error, Result};
use crate::metrics::modes::CEILING;
use crate::metrics::nearest::nearness;
use crate::metrics::neighbours::expected_coverage;
use crate::metrics::sequences::bits_per_character;
use crate::models::{Model, matrix, unit_kl};
use crate::nn::kernels::distances::squared;
use crate::rng::Rng;
use crate::session::Session;

/// Rows that a network encodes, reconstructs or judges at once.
const INSIDE: usize = 256;
/// Rows of each kind that a dear density is asked for.
const FEW: usize = 250;

/// What one call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What the law says of the real rows.
    Law,
    /// The next of the lengths that distances between real rows give.
    Gauge,
    /// The training images nearest to these of the real ones.
    Compare(usize, usize),
    /// So many samples more.
    Samples(usize),
    /// A part of the integral that normalises the model's density.
    Normalizer(usize),
    /// The model's loss on these of the judged rows.
    Likelihood(usize, usize),
    /// What the model itself says of rows.
    Inside,
    /// A measure of fresh real rows.
    Floor(Measure),
    /// A measure of the samples.
    Score(Measure),
    /// The training images nearest to these of the samples.
    Near(usize, usize),
    /// All scores beside their floors.
    Conclude,
    /// Whether one thing is wrong: the detector with this number.
    Detect(usize),
}

/// An evaluation that is under way, of the model as it was when it began.
pub struct Evaluation {
    session: Session,
    parts: VecDeque<Part>,
    rng: Rng,
    likelihood: Rng,
    samples: Sample,
    values: Values,
    /// Rows that the model's density is asked for: real ones, then training rows.
    judged: Vec<f32>,
    /// How many of them are real.
    held_out: usize,
    /// log p of the judged rows.
    logs: Vec<f32>,
    /// The logarithms of the normaliser's parts.
    normalizer: Vec<f64>,
    /// How far samples are from the nearest training image.
    near: Vec<f64>,
    inside: Inside,
    scores: Vec<Score>,
    findings: Vec<Finding>,
}

impl Evaluation {
    /// Keeps the model as it is, and says what is to be done.
    ///
    /// # Errors
    /// If the tensor library cannot give its values.
    pub fn begin(session: &Session, yard: &Yardstick) -> Result<Self> {
        let frozen = session.twin()?;
        let (seed, data) = (session.config.seed, &session.data);
        let most = likelihood_rows(frozen.model.as_ref(), yard) * data.shape.size();
        let held_out = yard.real.get(..most).unwrap_or(&yard.real);
        let judged = [held_out, data.train.xs.get(..most).unwrap_or(&data.train.xs)].concat();
        Ok(Self {
            parts: plan(&frozen, yard, judged.len() / data.shape.size().max(1)),
            held_out: held_out.len() / data.shape.size().max(1),
            judged,
            logs: Vec::new(),
            session: frozen,
            rng: Rng::stream(seed, "scores"),
            likelihood: Rng::stream(seed, "scored likelihoods"),
            samples: Sample::default(),
            values: Vec::new(),
            normalizer: Vec::new(),
            near: Vec::new(),
            inside: Inside::default(),
            scores: Vec::new(),
            findings: Vec::new(),
        })
    }

    /// How many parts are left.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Does the next part; the result after the last one.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for samples that are no numbers; what the tensor library refuses.
    pub fn advance(&mut self, yard: &mut Yardstick, past: &[Past]) -> Result<Option<Evaluated>> {
        let (model, size) = (self.session.model.as_ref(), self.session.data.shape.size());
        match self.parts.pop_front() {
            Some(Part::Law) => yard.judge(),
            Some(Part::Gauge) => yard.gauge(),
            Some(Part::Samples(n)) => {
                let samples = model.sample(n, &mut self.rng)?.flatten_all()?.to_vec1::<f32>()?;
                if samples.iter().any(|x| !x.is_finite()) {
                    return Err(Error::NotFinite { what: "samples" });
                }
                self.samples.extend(samples);
            }
            Some(Part::Compare(from, to)) => yard.compare([from, to]),
            Some(Part::Normalizer(part)) => {
                if let Some(normalizer) = model.density().and_then(|density| density.normalizer()) {
                    self.normalizer.push(normalizer.log_part(part)?);
                }
            }
            Some(Part::Likelihood(from, to)) => {
                let rows = slice(&self.judged, size, [from, to]);
                self.logs.extend(log_probs(model, &self.normalizer, rows, size, &mut self.likelihood)?);
            }
            Some(Part::Inside) => self.look_inside(yard)?,
            Some(Part::Floor(measure)) => yard.measure_fresh(measure),
            Some(Part::Score(which)) => self.values.extend(measure(which, yard, &self.samples)),
            Some(Part::Near(from, to)) => {
                self.near.extend(yard.distances(slice(&self.samples, size, [from, to])));
            }
            Some(Part::Conclude) => self.conclude(yard),
            Some(Part::Detect(which)) => {
                let found = detect::look(which, &self.evidence(yard, past), &self.findings);
                self.findings.extend(found);
            }
            None => {}
        }
        Ok(self.parts.is_empty().then(|| Evaluated {
            step: self.session.steps,
            scores: std::mem::take(&mut self.scores),
            findings: std::mem::take(&mut self.findings),
        }))
    }

    /// The mean of the samples.
    pub fn mean(&self) -> Vec<f32> {
        let size = self.session.data.shape.size();
        let mut mean = vec![0.0; size];
        let n = (self.samples.len() / size.max(1)).max(1) as f32;
        for row in self.samples.chunks_exact(size.max(1)) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / n);
        }
        mean
    }

    fn look_inside(&mut self, yard: &Yardstick) -> Result<()> {
        let (model, data) = (self.session.model.as_ref(), &self.session.data);
        let size = data.shape.size().max(1);
        let rows = |xs: &[f32]| {
            let xs = xs.get(..INSIDE * size).unwrap_or(xs);
            matrix(xs.to_vec(), xs.len() / size, size)
        };
        if let Some(latent) = model.latent()
            && let Some((mean, deviation)) = latent.encode(&rows(&data.train.xs)?)?
        {
            self.inside.unit_kl = unit_kl(&mean, &deviation)?;
        }
        if let Some(discriminator) = model.discriminator() {
            let mean = |xs: &[f32]| -> Result<f64> {
                let values = discriminator.realness(&rows(xs)?)?;
                Ok(values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len().max(1) as f64)
            };
            let both = [mean(&yard.real)?, mean(&self.samples)?];
            self.inside.realness = Some(both).filter(|both| both.iter().all(|x| x.is_finite()));
        }
        if let Some(reconstruct) = model.reconstruct() {
            let xs = rows(&yard.real)?;
            let again = reconstruct.reconstruct(&xs)?.flatten_all()?.to_vec1::<f32>()?;
            let pairs = yard.real.chunks_exact(size).zip(again.chunks_exact(size));
            let error = pairs.map(|(x, y)| squared(x, y)).sum::<f64>() / xs.dim(0)?.max(1) as f64;
            self.inside.reconstruction_error = Some(error).filter(|error| error.is_finite());
        }
        Ok(())
    }

    fn conclude(&mut self, yard: &Yardstick) {
        let (held_out, train) = self.logs.split_at(self.held_out.min(self.logs.len()));
        (self.inside.held_out_nll, self.inside.train_nll) = (mean_loss(held_out), mean_loss(train));
        self.values.extend(nearness(&self.near, &yard.nearest).map(|value| ("nearest", value)));
        let mut all: Vec<Score> = Vec::new();
        for (id, value) in self.values.drain(..) {
            let floor = yard.floors.iter().find(|(other, _)| *other == id).map(|(_, floor)| *floor);
            // It is measured in the distance of held-out rows.
            let floor = if id == "nearest" { Some(1.0) } else { floor };
            let by = (id == "nll").then_some(By::Kde);
            all.push(Score { floor, by, optimum: optimum(id, yard), ..Score::new(id, value) });
        }
        all.extend(self.likelihood(yard));
        let in_order = scores::ALL.iter().filter_map(|entry| all.iter().find(|score| score.id == entry.id));
        self.scores = in_order.copied().collect();
    }

    fn evidence<'a>(&'a self, yard: &'a Yardstick, past: &'a [Past]) -> Evidence<'a> {
        Evidence {
            session: &self.session,
            step: self.session.steps,
            scores: &self.scores,
            samples: &self.samples,
            real: &yard.real,
            inside: &self.inside,
            past,
        }
    }

    /// The score of the model's own density.
    fn likelihood(&self, yard: &Yardstick) -> Option<Score> {
        let density = self.session.model.density()?;
        let (nats, shape) = (self.inside.held_out_nll?, yard.data.shape);
        // Where values are whole, a density may rise beyond all bounds, and cannot be compared with a probability.
        let comparable = density.is_discrete() != (shape.domain == Domain::Points);
        let floor = yard.law_loss(self.held_out).filter(|_| comparable);
        let optimum = yard.entropy().filter(|_| comparable);
        let by = Some(By::Model(density.bound()));
        let score = match shape.domain {
            Domain::Points | Domain::Images => Score { floor, optimum, by, ..Score::new("nll", nats) },
            Domain::Sequences => {
                let rows = slice(&self.judged, shape.size(), [0, self.held_out]);
                let bits = |nats: f64| bits_per_character(nats, rows, shape.size());
                let (floor, optimum) = (floor.and_then(bits), optimum.and_then(bits));
                Score { floor, optimum, by, ..Score::new("bitsPerCharacter", bits(nats)?) }
            }
        };
        Some(score)
    }
}

/// The parts, in order: samples first.
fn plan(session: &Session, yard: &Yardstick, judged: usize) -> VecDeque<Part> {
    let (data, model) = (&session.data, session.model.as_ref());
    let mut parts: VecDeque<Part> = chunks(yard.sizes.rows, samples_at_once(model, data.shape.domain))
        .map(|(from, to)| Part::Samples(to - from))
        .collect();
    if !yard.is_judged() {
        parts.push_back(Part::Law);
    }
    parts.extend((0..yard.gauges()).map(|_| Part::Gauge));
    parts.extend(
        chunks(yard.compared(), yard.compared_at_once())
            .filter(|(_, to)| *to > yard.nearest.len())
            .map(|(from, to)| Part::Compare(from.max(yard.nearest.len()), to)),
    );
    if let Some(density) = model.density() {
        parts.extend((0..density.normalizer().map_or(0, |it| it.parts())).map(Part::Normalizer));
        let steps = chunks(judged, density.rows_at_once());
        parts.extend(steps.map(|(from, to)| Part::Likelihood(from, to)));
    }
    if model.latent().is_some() || model.discriminator().is_some() || model.reconstruct().is_some() {
        parts.push_back(Part::Inside);
    }
    for measure in Measure::of(data, model.density().is_some()) {
        if !yard.has(measure) {
            parts.push_back(Part::Floor(measure));
        }
        parts.push_back(Part::Score(measure));
    }
    if data.shape.domain == Domain::Images {
        let compared = chunks(COMPARED.min(yard.sizes.rows), yard.compared_at_once());
        parts.extend(compared.map(|(from, to)| Part::Near(from, to)));
    }
    parts.push_back(Part::Conclude);
    parts.extend((0..detect::ALL.len()).map(Part::Detect));
    parts
}

/// `n` rows in steps of at most so many.
fn chunks(n: usize, step: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(step.max(1)).map(move |from| (from, from.saturating_add(step).min(n)))
}

/// How many samples a model draws in about the time of a slice.
fn samples_at_once(model: &dyn Model, domain: Domain) -> usize {
    match (domain, model.dear().is_empty()) {
        (Domain::Points, true) => 500,
        (Domain::Points, false) => 100,
        (Domain::Images, true) => 25,
        (Domain::Images, false) => 10,
        (Domain::Sequences, _) => 10,
    }
}

/// How many held-out rows, and as many training rows, a model's density is asked for.
fn likelihood_rows(model: &dyn Model, yard: &Yardstick) -> usize {
    match model.density() {
        None => 0,
        Some(_) if model.dear().contains(&"density") => FEW,
        Some(_) => yard.sizes.pairs,
    }
}

/// The best value that there is, where it is known.
fn optimum(id: &str, yard: &Yardstick) -> Option<f64> {
    let size = yard.data.shape.size();
    match id {
        "nll" => yard.entropy(),
        "modes" => yard.data.modes.as_ref().map(|modes| modes.centres.len() as f64),
        "highQuality" => Some(CEILING),
        "labels" => Some(yard.data.classes as f64),
        // What is best of this depends on how often rows repeat themselves …
        "density" if yard.is_finite() => None,
        // … and of these on how many words there are.
        "novel" | "unique" => None,
        "coverage" => {
            let n = yard.real_pairs().len() / size.max(1);
            Some(expected_coverage(n, yard.sizes.pairs, NEIGHBOUR))
        }
        other => scores::find(other).and_then(|entry| entry.target),
    }
}

/// Some of (n, size) rows.
fn slice(rows: &[f32], size: usize, [from, to]: [usize; 2]) -> &[f32] {
    rows.get(from * size..to * size).unwrap_or_default()
}
