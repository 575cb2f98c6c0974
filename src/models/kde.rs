//! The kernel density estimate, p(x) = (1/m) Σ N(x; xⱼ, h² I): the non-parametric reference
//! (Rosenblatt 1956, Parzen 1962, <https://doi.org/10.1214/aoms/1177704472>).
//!
//! All that there is to learn is the bandwidth h. Sums over all pairs of rows would be slow on large sets:
//! the estimate has at most 2,000 kernels, on evenly spaced training rows.

use candle_core::Tensor;

use super::{Bound, Density, Entry, Loss, Model, Step, matrix};
use crate::choices;
use crate::data::{Data, Domain};
use crate::error::Result;
use crate::nn::Vars;
use crate::nn::kernels::kernel_sums::Centres;
use crate::nn::ops::with_slice;
use crate::params;
use crate::params::{Effect, Params, Value};
use crate::rng::Rng;

choices! {
    /// Where the bandwidth comes from.
    pub enum BandwidthRule {
        /// Each step raises the leave-one-out likelihood.
        LeaveOneOut = "leaveOneOut",
        /// A setting.
        Fixed = "fixed",
    }
}

params! {
    /// Settings of the kernel density estimate.
    pub struct KdeParams {
        /// Where the bandwidth comes from.
        rule("bandwidthRule"): BandwidthRule = BandwidthRule::LeaveOneOut, choice::<BandwidthRule>(), Restart;
        /// The kernels' standard deviation when it is set.
        bandwidth("bandwidth"): f64 = 0.1, log(NARROWEST, WIDEST), Live, when("bandwidthRule" in "fixed");
    }
}

const NARROWEST: f64 = 1e-3;
const WIDEST: f64 = 10.0;
/// Most kernels.
const MOST: usize = 2000;

/// A kernel on each of some training rows.
pub struct Kde {
    params: KdeParams,
    /// The rows, (m, d).
    rows: Vec<f32>,
    centres: Centres,
    d: usize,
    /// log h when it is learned.
    vars: Vars,
}

impl Kde {
    /// Kernels on rows of these data; a learned bandwidth begins at Scott's m^(−1/(d + 4)) standard deviations.
    ///
    /// # Errors
    /// If the tensor library refuses the shapes.
    pub fn new(params: KdeParams, data: &Data) -> Result<Self> {
        let (d, n) = (data.shape.size(), data.train.len(&data.shape));
        let m = n.min(MOST);
        let rows: Vec<f32> = (0..m).flat_map(|i| data.train.row(&data.shape, i * n / m)).copied().collect();
        let mut vars = Vars::new();
        if params.rule == BandwidthRule::LeaveOneOut {
            let scott = deviation(&rows, d) * libm::pow(m as f64, -1.0 / (d as f64 + 4.0));
            vars.add("log_bandwidth", &[], vec![libm::log(scott.clamp(NARROWEST, WIDEST)) as f32])?;
        }
        Ok(Self { params, centres: Centres::new(&rows, d), rows, d, vars })
    }

    /// h
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn bandwidth(&self) -> Result<f64> {
        match self.vars.get("log_bandwidth") {
            Some(log) => Ok(libm::exp(log.as_detached_tensor().to_scalar::<f32>()?.into())),
            None => Ok(self.params.bandwidth),
        }
    }

    /// log of what the sum of kernels is divided by.
    fn log_scale(&self, kernels: usize, bandwidth: f64) -> f64 {
        let constant = 0.5 * self.d as f64 * libm::log(std::f64::consts::TAU * bandwidth * bandwidth);
        libm::log(kernels as f64) + constant
    }

    /// The mean over the kernels' rows of log p(x) without the row's own kernel, in nats, at the bandwidth of now;
    /// and the bandwidth that one iteration of expectation–maximisation makes of it, which is never worse:
    /// h² ← (1/d) E r², r being the distance to a kernel drawn by its share in the row.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn leave_one_out(&self) -> Result<(f64, f64)> {
        let (m, h) = (self.centres.len(), self.bandwidth()?);
        if m < 2 {
            // Nothing is left: the one row's own density.
            return Ok((-self.log_scale(1, h), h));
        }
        let all = self.centres.at(&self.rows, h, true);
        let mean = all.iter().map(|at| at.log_sum).sum::<f64>() / m as f64;
        let square = all.iter().map(|at| at.mean_square).sum::<f64>() / (m * self.d) as f64;
        Ok((mean - self.log_scale(m - 1, h), libm::sqrt(square).clamp(NARROWEST, WIDEST)))
    }
}

/// The root of the mean variance of the coordinates.
fn deviation(rows: &[f32], d: usize) -> f64 {
    let m = (rows.len() / d.max(1)).max(1) as f64;
    let variances = (0..d).map(|i| {
        let column = || rows.iter().skip(i).step_by(d).map(|x| f64::from(*x));
        let mean = column().sum::<f64>() / m;
        column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / m
    });
    libm::sqrt(variances.sum::<f64>() / d.max(1) as f64)
}

impl Model for Kde {
    fn vars(&self) -> &Vars {
        &self.vars
    }

    fn step(&mut self, step: &mut Step) -> Result<Vec<f32>> {
        let (mean, next) = self.leave_one_out()?;
        if !(mean.is_finite() && next.is_finite()) {
            return Err(step.diverged("the leave-one-out likelihood"));
        }
        if let Some(log) = self.vars.get("log_bandwidth") {
            log.set(&Tensor::new(libm::log(next) as f32, log.device())?)?;
        }
        Ok(vec![-mean as f32])
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        self.params.set(key, value)
    }

    fn state(&self) -> Vec<(String, Vec<f32>)> {
        Vec::new()
    }

    fn load_state(&mut self, _: &[(String, Vec<f32>)]) -> Result<()> {
        Ok(())
    }

    /// A row, blurred by its kernel.
    fn sample(&self, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let h = self.bandwidth()? as f32;
        let mut xs = rng.normals(n * self.d);
        for sample in xs.chunks_exact_mut(self.d.max(1)) {
            let at = rng.below(self.centres.len() as u32) as usize * self.d;
            for (x, centre) in sample.iter_mut().zip(self.rows.get(at..).unwrap_or_default()) {
                *x = centre + h * *x;
            }
        }
        matrix(xs, n, self.d)
    }

    fn density(&self) -> Option<&dyn Density> {
        Some(self)
    }
}

impl Density for Kde {
    fn bound(&self) -> Bound {
        Bound::Exact
    }

    fn log_prob(&self, xs: &Tensor, _: &mut Rng) -> Result<Vec<f32>> {
        let h = self.bandwidth()?;
        let scale = self.log_scale(self.centres.len(), h);
        let all = with_slice(&xs.contiguous()?, |xs| self.centres.at(xs, h, false))?;
        Ok(all.iter().map(|at| (at.log_sum - scale) as f32).collect())
    }
}

/// The kernel density estimate in the catalogue.
pub const ENTRY: Entry = Entry {
    id: "kde",
    badge: "explicit",
    example: "ring",
    domains: &[Domain::Points],
    limits: |_, _| None,
    capabilities: &["density"],
    specs: KdeParams::specs,
    defaults: |_| Vec::new(),
    option_domains: &[],
    losses: &[Loss { id: "leaveOneOut", unit: "nats" }],
    phases: &[],
    build: |values, data, _| Ok(Box::new(Kde::new(KdeParams::from_values(values)?, data)?)),
};
