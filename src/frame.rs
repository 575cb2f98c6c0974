//! Views: what is drawn from a session, as flat `f32` buffers.
//!
//! Views exist per capability, so that models are compared like for like.
//! Every view draws its randomness from its own stream, afresh each time: the same noise in every frame, and
//! never a draw from the streams that training uses.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::latent_plane::LatentPlane;
use crate::models::{Bound, Component, Latent, first_rows, matrix};
use crate::rng::Rng;
use crate::session::Session;

/// A view to compute; sizes are checked where requests are read.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub enum Request {
    /// Training rows, (n, size).
    Real { n: usize },
    /// Their labels, (n).
    RealLabels { n: usize },
    /// Samples from fixed noise, (n, size).
    Samples { n: usize },
    /// Density of samples per unit area on a grid over the extent, (grid, grid), bottom row first.
    SampleDensity { grid: usize },
    /// log p(x) in nats on the same grid.
    Density { grid: usize },
    /// How real the discriminator finds each place of the same grid, −1..=1.
    Discriminator { grid: usize },
    /// The latent plane's lattice decoded to points, (grid, grid, 2).
    Manifold { grid: usize },
    /// The latent plane's lattice decoded to images, (grid, grid, size).
    LatentMap { grid: usize },
    /// Places in the latent plane with labels, (n, 3): encoded training rows, or the prior's draws.
    LatentPoints { n: usize },
    /// One place of the latent plane decoded, (size).
    Decode { u: f64, v: f64 },
    /// Held-out rows and their reconstructions, (2, n, size).
    Reconstruct { n: usize },
    /// The way of samples from noise to data, (frames, n, size).
    Paths { n: usize, frames: usize },
    /// The energy on the grid of [`Request::Density`].
    Energy { grid: usize },
    /// Samples of each class, (classes, n, size).
    Classes { n: usize },
    /// Components of a mixture: weight, mean x y, covariance xx xy yy, (k, 6).
    Components,
    /// What each unit responds to, (units, size).
    Filters,
    /// Held-out rows as the model sees them, and log p of each of their values given all others in nats, (2, n, size).
    Conditionals { n: usize },
    /// The history: steps, then each loss, (1 + k, columns).
    Losses,
}

impl Request {
    /// The ids of all views.
    pub const IDS: &'static [&'static str] = &[
        "real",
        "realLabels",
        "samples",
        "sampleDensity",
        "density",
        "discriminator",
        "manifold",
        "latentMap",
        "latentPoints",
        "decode",
        "reconstruct",
        "paths",
        "energy",
        "classes",
        "components",
        "filters",
        "conditionals",
        "losses",
    ];

    /// This view's id.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Real { .. } => "real",
            Self::RealLabels { .. } => "realLabels",
            Self::Samples { .. } => "samples",
            Self::SampleDensity { .. } => "sampleDensity",
            Self::Density { .. } => "density",
            Self::Discriminator { .. } => "discriminator",
            Self::Manifold { .. } => "manifold",
            Self::LatentMap { .. } => "latentMap",
            Self::LatentPoints { .. } => "latentPoints",
            Self::Decode { .. } => "decode",
            Self::Reconstruct { .. } => "reconstruct",
            Self::Paths { .. } => "paths",
            Self::Energy { .. } => "energy",
            Self::Classes { .. } => "classes",
            Self::Components => "components",
            Self::Filters => "filters",
            Self::Conditionals { .. } => "conditionals",
            Self::Losses => "losses",
        }
    }
}

/// Where a view lies in the flat buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The view's id.
    pub id: &'static str,
    /// Index of its first value.
    pub offset: usize,
    /// Its shape, row-major.
    pub shape: Vec<usize>,
    /// How its density was computed.
    pub bound: Option<Bound>,
    /// The latent dimensions that its plane shows.
    pub axes: Option<[usize; 2]>,
}

/// Computes views into one flat buffer.
///
/// # Errors
/// [`Error::Incapable`] if the model or the data have no such view.
pub fn prepare(session: &Session, requests: &[Request]) -> Result<(Vec<Section>, Vec<f32>)> {
    let mut sections = Vec::with_capacity(requests.len());
    let mut buffer = Vec::new();
    for request in requests {
        let view = compute(session, *request)?;
        sections.push(Section {
            id: request.id(),
            offset: buffer.len(),
            shape: view.shape,
            bound: view.bound,
            axes: view.axes,
        });
        buffer.extend_from_slice(&view.values);
    }
    Ok((sections, buffer))
}

struct View {
    shape: Vec<usize>,
    values: Vec<f32>,
    bound: Option<Bound>,
    axes: Option<[usize; 2]>,
}

impl View {
    fn new(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        Self { shape: shape.into(), values, bound: None, axes: None }
    }
}

fn flat(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

fn compute(session: &Session, request: Request) -> Result<View> {
    let shape = &session.data.shape;
    let size = shape.size();
    let incapable = |capability| Error::Incapable { model: session.config.model.id.into(), capability };
    let latent = || session.model.latent().ok_or_else(|| incapable("latent"));
    let points = || if shape.is_plane() { Ok(()) } else { Err(incapable("view of points")) };
    let mut rng = Rng::stream(session.config.seed, "views");
    Ok(match request {
        Request::Real { n } => View::new([n, size], flat(&first_rows(&session.data.train, shape, n)?)?),
        Request::RealLabels { n } => {
            let labels = session.data.train.labels.as_ref().ok_or_else(|| incapable("labels"))?;
            View::new([n], labels.iter().cycle().take(n).map(|label| *label as f32).collect())
        }
        Request::Samples { n } => View::new([n, size], flat(&session.model.sample(n, &mut rng)?)?),
        Request::SampleDensity { grid } => {
            points()?;
            let samples = flat(&session.model.sample(4096, &mut rng)?)?;
            View::new([grid, grid], smoothed_histogram(&samples, session.data.extent, grid))
        }
        Request::Density { grid } => {
            points()?;
            let density = session.model.density().ok_or_else(|| incapable("density"))?;
            let values = density.log_prob(&cells(session.data.extent, grid)?, &mut rng)?;
            View { bound: Some(density.bound()), ..View::new([grid, grid], values) }
        }
        Request::Discriminator { grid } => {
            points()?;
            let discriminator = session.model.discriminator().ok_or_else(|| incapable("discriminator"))?;
            View::new([grid, grid], discriminator.realness(&cells(session.data.extent, grid)?)?)
        }
        Request::Manifold { grid } => {
            points()?;
            lattice(session, latent()?, grid)?
        }
        Request::LatentMap { grid } => lattice(session, latent()?, grid)?,
        Request::LatentPoints { n } => latent_points(session, latent()?, n, &mut rng)?,
        Request::Decode { u, v } => {
            let latent = latent()?;
            let z = LatentPlane::of(latent, session.axes).latents(&[(u, v)])?;
            View::new([size], flat(&latent.decode(&z)?)?)
        }
        Request::Reconstruct { n } => {
            let model = session.model.reconstruct().ok_or_else(|| incapable("reconstruct"))?;
            let originals = first_rows(&session.data.held_out, shape, n)?;
            let mut values = flat(&originals)?;
            values.extend(flat(&model.reconstruct(&originals)?)?);
            View::new([2, n, size], values)
        }
        Request::Paths { n, frames } => {
            let paths = session.model.paths().ok_or_else(|| incapable("paths"))?;
            let stages = paths.paths(n, frames, &mut rng)?;
            let values: Vec<Vec<f32>> = stages.iter().map(flat).collect::<Result<_>>()?;
            View::new([stages.len(), n, size], values.concat())
        }
        Request::Energy { grid } => {
            points()?;
            let energy = session.model.energy().ok_or_else(|| incapable("energy"))?;
            View::new([grid, grid], energy.energy(&cells(session.data.extent, grid)?)?)
        }
        Request::Classes { n } => {
            let model = session.model.classes().ok_or_else(|| incapable("classes"))?;
            let mut values = Vec::new();
            for class in 0..model.classes() {
                values.extend(flat(&model.sample_class(class, n, &mut rng)?)?);
            }
            View::new([model.classes(), n, size], values)
        }
        Request::Components => {
            let list = session.model.components().ok_or_else(|| incapable("components"))?.components();
            let row = |c: &Component| {
                [c.weight, c.mean[0], c.mean[1], c.covariance[0], c.covariance[1], c.covariance[2]]
            };
            View::new([list.len(), 6], list.iter().flat_map(row).collect())
        }
        Request::Filters => {
            let filters = session.model.filters().ok_or_else(|| incapable("filters"))?.filters()?;
            View::new([filters.dim(0)?, size], flat(&filters)?)
        }
        Request::Conditionals { n } => {
            let model = session.model.conditionals().ok_or_else(|| incapable("conditionals"))?;
            let (mut values, logs) = model.conditionals(&first_rows(&session.data.held_out, shape, n)?)?;
            values.extend(logs);
            View::new([2, n, size], values)
        }
        Request::Losses => {
            let (n, values) = session.history.columns();
            View::new([1 + session.config.model.losses.len(), n], values)
        }
    })
}

/// The centres of a grid's cells over the extent, (grid², 2), bottom row first.
fn cells([x0, x1, y0, y1]: [f32; 4], grid: usize) -> Result<Tensor> {
    let at = |low: f32, high: f32, i: usize| low + (high - low) * (i as f32 + 0.5) / grid as f32;
    let values = (0..grid).flat_map(|iy| (0..grid).flat_map(move |ix| [at(x0, x1, ix), at(y0, y1, iy)]));
    matrix(values.collect(), grid * grid, 2)
}

/// The latent plane's lattice, decoded.
fn lattice(session: &Session, latent: &dyn Latent, grid: usize) -> Result<View> {
    let at = |i: usize| i as f64 / (grid - 1) as f64;
    let places: Vec<(f64, f64)> =
        (0..grid).flat_map(|iv| (0..grid).map(move |iu| (at(iu), at(iv)))).collect();
    let z = LatentPlane::of(latent, session.axes).latents(&places)?;
    let values = flat(&latent.decode(&z)?)?;
    Ok(View { axes: Some(session.axes), ..View::new([grid, grid, session.data.shape.size()], values) })
}

fn latent_points(session: &Session, latent: &dyn Latent, n: usize, rng: &mut Rng) -> Result<View> {
    let plane = LatentPlane::of(latent, session.axes);
    let rows = first_rows(&session.data.train, &session.data.shape, n)?;
    let (z, labels) = match latent.encode(&rows)? {
        Some((mean, _)) => (mean, session.data.train.labels.as_deref()),
        None => (latent.prior().draw(n, latent.dim(), rng)?, None),
    };
    let label = |i: usize| match labels {
        Some(labels) if !labels.is_empty() => {
            labels.get(i % labels.len()).map_or(-1.0, |label| *label as f32)
        }
        _ => -1.0,
    };
    let places = plane.places(&z)?;
    let values = places.iter().enumerate().flat_map(|(i, (u, v))| [*u as f32, *v as f32, label(i)]).collect();
    Ok(View { axes: Some(session.axes), ..View::new([n, 3], values) })
}

/// Density of points per unit area on a grid: a histogram, blurred by a Gaussian of one cell.
fn smoothed_histogram(points: &[f32], [x0, x1, y0, y1]: [f32; 4], grid: usize) -> Vec<f32> {
    let mut counts = vec![0.0_f32; grid * grid];
    let scale = (grid as f32 / (x1 - x0), grid as f32 / (y1 - y0));
    for point in points.chunks_exact(2) {
        let (ix, iy) = ((point[0] - x0) * scale.0, (point[1] - y0) * scale.1);
        // NaN fails the test, so it is dropped with what lies outside.
        if (0.0..grid as f32).contains(&ix) && (0.0..grid as f32).contains(&iy) {
            counts[iy as usize * grid + ix as usize] += 1.0;
        }
    }
    const RADIUS: usize = 3;
    let kernel: Vec<f32> =
        (0..=2 * RADIUS).map(|i| (-0.5 * (i as f32 - RADIUS as f32).powi(2)).exp()).collect();
    let total: f32 = kernel.iter().sum();
    let blur = |from: &[f32], stride: usize, across: usize| {
        let mut out = vec![0.0; grid * grid];
        for line in 0..grid {
            for i in 0..grid {
                let sum: f32 = kernel
                    .iter()
                    .enumerate()
                    .filter_map(|(k, weight)| {
                        let j = (i + k).checked_sub(RADIUS).filter(|j| *j < grid)?;
                        Some(weight * from[line * across + j * stride])
                    })
                    .sum();
                out[line * across + i * stride] = sum / total;
            }
        }
        out
    };
    let density = scale.0 * scale.1 / (points.len() / 2).max(1) as f32;
    blur(&blur(&counts, 1, grid), grid, 1).into_iter().map(|count| count * density).collect()
}
