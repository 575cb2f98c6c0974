//! The Gaussian mixture, p(x) = Σ wₖ N(x; μₖ, Σₖ), by expectation–maximisation
//! (Dempster, Laird & Rubin 1977, <https://doi.org/10.1111/j.2517-6161.1977.tb01600.x>).
//!
//! A step is one iteration on all training rows: the share of each component in each row, then the weights, means
//! and covariances that these shares imply. It never lowers the likelihood (but for the floor of the variances).

use candle_core::Tensor;

use super::seeding::{Seeding, weighted};
use super::{Bound, Component, Components, Density, Entry, Filters, Loss, Misfit, Model, Step, matrix};
use crate::choices;
use crate::data::{Data, Domain, Shape};
use crate::error::Result;
use crate::nn::kernels::mixture::{self, Form, Gaussians};
use crate::nn::ops::with_slice;
use crate::nn::{DoubleVars, Vars};
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// The shape of a component.
    pub enum Covariance {
        /// Any ellipsoid.
        Full = "full",
        /// An ellipsoid along the axes.
        Diagonal = "diagonal",
    }
}

params! {
    /// Settings of the Gaussian mixture.
    pub struct GmmParams {
        /// Number of components.
        components("components"): usize = 8, integer(1, 64), Restart;
        /// The components' shape.
        covariance("covariance"): Covariance = Covariance::Full, choice::<Covariance>(), Restart;
        /// Which rows are the first means.
        seeding("seeding"): Seeding = Seeding::PlusPlus, choice::<Seeding>(), Restart;
        /// Added to every variance.
        variance_floor("varianceFloor"): f64 = 1e-6, log(1e-9, 1.0), Live, advanced(true);
    }
}

/// Most values of an image that it takes: a full covariance has their square.
const LARGEST: usize = 64;

/// A mixture of Gaussians.
pub struct Gmm {
    params: GmmParams,
    shape: Shape,
    vars: DoubleVars,
}

impl Gmm {
    /// A mixture that begins at rows of these data.
    ///
    /// With k-means++ the first components are balls as wide as the mean distance to the nearest of them;
    /// with fixed rows, each has the covariance of all data.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: GmmParams, data: &Data, seed: u32) -> Result<Self> {
        let (d, k, form) = (data.shape.size(), params.components, params.form());
        let rows = data.train.len(&data.shape);
        let xs = data.train.xs.get(..rows * d).unwrap_or_default();
        let centres = params.seeding.choose(xs, d, k, &mut Rng::stream(seed, "init"));
        let rows = centres.rows.iter().flat_map(|i| data.train.row(&data.shape, *i));
        let means: Vec<f64> = rows.map(|x| f64::from(*x)).collect();
        let covariance = match params.seeding {
            Seeding::PlusPlus => {
                let variance = centres.spread / d.max(1) as f64 + params.variance_floor;
                ball(form, d, variance)
            }
            Seeding::Rows => overall(form, xs, d),
        };
        let covariances: Vec<f64> = covariance.iter().copied().cycle().take(k * covariance.len()).collect();
        let mut vars = DoubleVars::new();
        vars.add("weights", &[k], &vec![1.0 / k as f64; k])?;
        vars.add("means", &[k, d], &means)?;
        match form {
            Form::Diagonal => vars.add("variances", &[k, d], &covariances)?,
            Form::Full => vars.add("covariances", &[k, d, d], &square(&covariances, d))?,
        }
        Ok(Self { params, shape: data.shape, vars })
    }

    /// The covariances, up to the diagonal where they are full.
    fn covariances(&self) -> Result<Vec<f64>> {
        match self.params.form() {
            Form::Diagonal => self.vars.get("variances"),
            Form::Full => Ok(triangle(&self.vars.get("covariances")?, self.shape.size())),
        }
    }

    /// The components, as their densities need them.
    fn gaussians(&self) -> Result<Gaussians> {
        let (d, form) = (self.shape.size(), self.params.form());
        let mut offsets: Vec<f64> = self.vars.get("weights")?.into_iter().map(libm::log).collect();
        let mut precisions = Vec::new();
        let constant = 0.5 * d as f64 * libm::log(std::f64::consts::TAU);
        for (covariance, offset) in self.covariances()?.chunks_exact(form.len(d)).zip(&mut offsets) {
            let root = root(form, covariance, self.params.variance_floor);
            let inverse = inverse(form, &root, d);
            let log_det: f64 = diagonal(form, &inverse).map(libm::log).sum();
            *offset += log_det - constant;
            precisions.extend(inverse);
        }
        Ok(Gaussians { d, form, means: self.vars.get("means")?, precisions, offsets })
    }

    /// One iteration on these rows; the mean log-likelihood before it, in nats.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn iterate(&mut self, xs: &[f32]) -> Result<f64> {
        let (d, k, form) = (self.shape.size(), self.params.components, self.params.form());
        let mut shares = self.gaussians()?.log_joint(xs);
        let n = (shares.len() / k).max(1) as f64;
        let mean = mixture::responsibilities(&mut shares, k) / n;
        if !mean.is_finite() {
            return Ok(mean);
        }
        // A component with no share at all keeps a weight above 0, so that nothing is divided by 0.
        let counts: Vec<f64> =
            mixture::weights(&shares, k).into_iter().map(|count| count + 10.0 * f64::EPSILON).collect();
        let mut means = mixture::weighted_sums(xs, d, &shares, k);
        divide(&mut means, d, &counts);
        let mut covariances = mixture::weighted_scatter(form, xs, &shares, &means, d);
        divide(&mut covariances, form.len(d), &counts);
        for covariance in covariances.chunks_exact_mut(form.len(d)) {
            for variance in diagonal_mut(form, covariance) {
                *variance += self.params.variance_floor;
            }
        }
        let total: f64 = counts.iter().sum();
        self.vars.set("weights", &counts.iter().map(|count| count / total).collect::<Vec<_>>())?;
        self.vars.set("means", &means)?;
        match form {
            Form::Diagonal => self.vars.set("variances", &covariances)?,
            Form::Full => self.vars.set("covariances", &square(&covariances, d))?,
        }
        Ok(mean)
    }
}

impl GmmParams {
    fn form(&self) -> Form {
        match self.covariance {
            Covariance::Full => Form::Full,
            Covariance::Diagonal => Form::Diagonal,
        }
    }
}

/// Divides each stretch of `size` values by its count.
fn divide(values: &mut [f64], size: usize, counts: &[f64]) {
    for (values, count) in values.chunks_exact_mut(size.max(1)).zip(counts) {
        for x in values {
            *x /= count;
        }
    }
}

/// A ball's covariance.
fn ball(form: Form, d: usize, variance: f64) -> Vec<f64> {
    let mut covariance = vec![0.0; form.len(d)];
    for slot in diagonal_mut(form, &mut covariance) {
        *slot = variance;
    }
    covariance
}

/// The covariance of all rows, by maximum likelihood.
fn overall(form: Form, xs: &[f32], d: usize) -> Vec<f64> {
    let n = [(xs.len() / d.max(1)).max(1) as f64];
    let ones = vec![1.0; xs.len() / d.max(1)];
    let mut mean = mixture::weighted_sums(xs, d, &ones, 1);
    divide(&mut mean, d, &n);
    let mut covariance = mixture::weighted_scatter(form, xs, &ones, &mean, d);
    divide(&mut covariance, form.len(d), &n);
    covariance
}

/// Whether the `i`-th stored number lies on the diagonal.
fn on_diagonal(form: Form, i: usize) -> bool {
    match form {
        Form::Diagonal => true,
        // Row r ends with its diagonal, at r(r + 3)/2: 8i + 9 is then the square of 2r + 3.
        Form::Full => {
            let root = libm::sqrt((8 * i + 9) as f64) as usize;
            root * root == 8 * i + 9
        }
    }
}

fn diagonal(form: Form, values: &[f64]) -> impl Iterator<Item = f64> {
    values.iter().enumerate().filter(move |(i, _)| on_diagonal(form, *i)).map(|(_, x)| *x)
}

fn diagonal_mut(form: Form, values: &mut [f64]) -> impl Iterator<Item = &mut f64> {
    values.iter_mut().enumerate().filter(move |(i, _)| on_diagonal(form, *i)).map(|(_, x)| x)
}

/// The row `i` of a matrix that is stored up to its diagonal.
fn triangle_row(values: &[f64], i: usize) -> &[f64] {
    values.get(i * (i + 1) / 2..(i + 1) * (i + 2) / 2).unwrap_or_default()
}

/// L of L·Lᵀ, or the standard deviations. Pivots are held above `floor`: rounding may bring them below 0.
fn root(form: Form, covariance: &[f64], floor: f64) -> Vec<f64> {
    if form == Form::Diagonal {
        return covariance.iter().map(|variance| libm::sqrt(variance.max(floor))).collect();
    }
    let mut root: Vec<f64> = Vec::with_capacity(covariance.len());
    for i in 0.. {
        let row = triangle_row(covariance, i);
        if row.is_empty() {
            break;
        }
        let mut new: Vec<f64> = Vec::with_capacity(i + 1);
        for (j, value) in row.iter().enumerate() {
            let other = if j < i { triangle_row(&root, j) } else { &new };
            let left = value - new.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
            new.push(match other.get(j) {
                Some(pivot) => left / pivot,
                None => libm::sqrt(left.max(floor)),
            });
        }
        root.extend(new);
    }
    root
}

/// L⁻¹, or the reciprocals of the standard deviations.
fn inverse(form: Form, root: &[f64], d: usize) -> Vec<f64> {
    if form == Form::Diagonal {
        return root.iter().map(|deviation| 1.0 / deviation).collect();
    }
    let mut inverse: Vec<f64> = Vec::with_capacity(root.len());
    for i in 0..d {
        let row = triangle_row(root, i);
        let pivot = row.last().copied().unwrap_or(1.0);
        // Σₘ L[i][m]·L⁻¹[m][j] is 0 for j < i.
        let new: Vec<f64> = (0..i)
            .map(|j| {
                let entries = row.iter().enumerate().take(i).skip(j);
                let sum: f64 =
                    entries.map(|(m, l)| l * triangle_row(&inverse, m).get(j).copied().unwrap_or(0.0)).sum();
                -sum / pivot
            })
            .collect();
        inverse.extend(new);
        inverse.push(1.0 / pivot);
    }
    inverse
}

/// Matrices stored up to their diagonals to whole ones: (k, d(d + 1)/2) -> (k, d, d).
fn square(triangles: &[f64], d: usize) -> Vec<f64> {
    let at = |triangle: &[f64], i: usize, j: usize| {
        triangle_row(triangle, i.max(j)).get(i.min(j)).copied().unwrap_or(0.0)
    };
    let whole = triangles.chunks_exact(Form::Full.len(d).max(1));
    whole.flat_map(|triangle| (0..d * d).map(move |i| at(triangle, i / d, i % d))).collect()
}

/// (k, d, d) -> (k, d(d + 1)/2), the rows up to the diagonal.
fn triangle(squares: &[f64], d: usize) -> Vec<f64> {
    let rows = squares.chunks_exact(d.max(1)).enumerate();
    rows.flat_map(|(i, row)| row.iter().take(i % d + 1).copied()).collect()
}

impl Model for Gmm {
    fn vars(&self) -> &Vars {
        self.vars.vars()
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let (split, shape) = (&step.data.train, &step.data.shape);
        let xs = split.xs.get(..split.len(shape) * shape.size()).unwrap_or_default();
        let mean = self.iterate(xs)?;
        if !mean.is_finite() {
            return Err(step.diverged("the likelihood"));
        }
        Ok(vec![-mean as f32])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        self.params.set(key, value)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        self.vars.state()
    }

    fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        self.vars.load_state(state)
    }

    /// A component by its weight, then a draw from it.
    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let (d, form) = (self.shape.size(), self.params.form());
        let (weights, means) = (self.vars.get("weights")?, self.vars.get("means")?);
        let covariances = self.covariances()?;
        let roots = covariances.chunks_exact(form.len(d).max(1));
        let roots: Vec<_> = roots.map(|c| root(form, c, self.params.variance_floor)).collect();
        let mut xs = Vec::with_capacity(n * d);
        for _ in 0..n {
            let k = weighted(&weights, rng);
            let (root, mean) = (roots.get(k).map_or(&[][..], Vec::as_slice), means.chunks_exact(d).nth(k));
            let eps: Vec<f64> = (0..d).map(|_| rng.normal_f64()).collect();
            for (i, mean) in mean.unwrap_or_default().iter().enumerate() {
                let noise = match form {
                    Form::Diagonal => root.get(i).zip(eps.get(i)).map_or(0.0, |(s, e)| s * e),
                    Form::Full => triangle_row(root, i).iter().zip(&eps).map(|(l, e)| l * e).sum(),
                };
                xs.push((mean + noise) as f32);
            }
        }
        matrix(xs, n, d)
    }

    fn density(&self) -> Option<&dyn Density> {
        Some(self)
    }

    fn components(&self) -> Option<&dyn Components> {
        self.shape.is_plane().then_some(self as &dyn Components)
    }

    fn filters(&self) -> Option<&dyn Filters> {
        (self.shape.domain == Domain::Images).then_some(self as &dyn Filters)
    }
}

impl Density for Gmm {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        let joint = with_slice(&xs.contiguous()?, |xs| self.gaussians().map(|g| g.log_joint(xs)))??;
        Ok(mixture::log_sum_exp(&joint, self.params.components).into_iter().map(|x| x as f32).collect())
    }
}

impl Components for Gmm {
    fn components(&self) -> Vec<Component> {
        let (Ok(weights), Ok(means), Ok(covariances)) =
            (self.vars.get("weights"), self.vars.get("means"), self.covariances())
        else {
            return Vec::new();
        };
        let form = self.params.form();
        let parts = means.as_chunks::<2>().0.iter().zip(covariances.chunks_exact(form.len(2)));
        let entries = parts.zip(weights).map(|((mean, covariance), weight)| {
            let (xx, xy, yy) = match covariance {
                [xx, xy, yy] => (*xx, *xy, *yy),
                [xx, yy] => (*xx, 0.0, *yy),
                _ => (0.0, 0.0, 0.0),
            };
            let covariance = [xx, xy, yy].map(|x| x as f32);
            Component { weight: weight as f32, mean: mean.map(|x| x as f32), covariance }
        });
        entries.collect()
    }
}

impl Filters for Gmm {
    /// The components' means.
    fn filters(&self) -> Result<Tensor> {
        let means = self.vars.get("means")?.into_iter().map(|x| x as f32).collect();
        matrix(means, self.params.components, self.shape.size())
    }
}

/// The Gaussian mixture in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "gmm",
    badge: "explicit",
    example: "ring",
    domains: &[Domain::Points, Domain::Images],
    limits: |shape, _| (shape.size() > LARGEST).then_some(Misfit::Large),
    capabilities: &["density", "components", "filters"],
    specs: GmmParams::specs,
    defaults: |domain| match domain {
        Domain::Points | Domain::Sequences => Vec::new(),
        // Pixels that are black in all images of a component would have no width at all.
        Domain::Images => vec![
            ("components", Value::Number(20.0)),
            ("covariance", Value::Text("diagonal".into())),
            ("varianceFloor", Value::Number(1e-2)),
        ],
    },
    option_domains: &[],
    losses: &[Loss { id: "negativeLogLikelihood", unit: "nats" }],
    phases: &[],
    build: |values, data, seed| Ok(Box::new(Gmm::new(GmmParams::from_values(values)?, data, seed)?)),
};
