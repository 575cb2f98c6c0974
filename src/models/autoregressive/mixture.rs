//! A mixture of Gaussians for each coordinate, given those before it.

use candle_core::Tensor;

use super::{Cell, Sampling};
use crate::data::Data;
use crate::error::Result;
use crate::models::matrix;
use crate::nn::{Activation, Init, Mlp, Vars, ops};
use crate::rng::Rng;

/// p(x₁) is a mixture of its own; p(xᵢ | x₁ … xᵢ₋₁) has its weights, means and widths from an MLP
/// (a mixture density network, Bishop 1994, <https://publications.aston.ac.uk/id/eprint/373/>).
pub struct Mixture {
    /// Logits of the weights, means and log standard deviations of the first coordinate: (1, 3·K).
    first: Tensor,
    /// For each further coordinate the network that gives its own.
    nets: Vec<Mlp>,
    /// The least log standard deviation in each coordinate: a thousandth of the data's.
    low: Vec<f32>,
}

impl Mixture {
    pub fn new(
        data: &Data,
        components: usize,
        hidden: &[usize],
        activation: Activation,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let starts: Vec<Vec<f32>> =
            spreads(data).into_iter().map(|spread| start(spread, components)).collect();
        let low = spreads(data)
            .into_iter()
            .map(|(_, deviation)| libm::log(1e-3 * f64::from(deviation)) as f32)
            .collect();
        let first = vars.add("first", &[1, 3 * components], starts.first().cloned().unwrap_or_default())?;
        let mut nets = Vec::new();
        for (i, start) in starts.into_iter().enumerate().skip(1) {
            let (name, output) = (format!("coordinate{i}"), Activation::Identity);
            let init = Init::KaimingUniform;
            let net = Mlp::new(vars, &name, i, hidden, 3 * components, activation, output, init, rng)?;
            if let Some(bias) = vars.get(&format!("{name}.{}.bias", hidden.len())) {
                bias.set(&Tensor::from_vec(start, 3 * components, bias.device())?)?;
            }
            nets.push(net);
        }
        Ok(Self { first, nets, low })
    }

    /// The same networks without a graph.
    fn detached(&self) -> Self {
        Self {
            first: self.first.detach(),
            nets: self.nets.iter().map(Mlp::detached).collect(),
            low: self.low.clone(),
        }
    }

    /// The mixtures of each coordinate, (n, 3·K), or (1, 3·K) for all, from those before it.
    fn rows(&self, xs: &Tensor, i: usize) -> Result<Tensor> {
        match i.checked_sub(1).and_then(|i| self.nets.get(i)) {
            Some(net) => net.forward(&xs.narrow(1, 0, i)?),
            None => Ok(self.first.clone()),
        }
    }

    fn column(xs: &Tensor, i: usize) -> Result<Vec<f32>> {
        Ok(xs.narrow(1, i, 1)?.flatten_all()?.to_vec1()?)
    }
}

/// Mean and standard deviation of each coordinate of the training rows; a deviation of 0 counts as 1.
fn spreads(data: &Data) -> Vec<(f32, f32)> {
    let (size, n) = (data.shape.size(), data.train.len(&data.shape).max(1) as f64);
    let column = |i: usize| data.train.xs.iter().skip(i).step_by(size.max(1)).map(|x| f64::from(*x));
    let spread = |i: usize| {
        let mean = column(i).sum::<f64>() / n;
        let variance = column(i).map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        (mean as f32, if variance > 0.0 { libm::sqrt(variance) as f32 } else { 1.0 })
    };
    (0..size).map(spread).collect()
}

/// Equal components side by side over one and a half standard deviations to both sides.
fn start((mean, deviation): (f32, f32), components: usize) -> Vec<f32> {
    let place = |k: usize| mean + deviation * (3.0 * (k as f32 + 0.5) / components as f32 - 1.5);
    let mut values = vec![0.0; components];
    values.extend((0..components).map(place));
    values.extend(std::iter::repeat_n(libm::log(0.5 * f64::from(deviation)) as f32, components));
    values
}

impl Cell for Mixture {
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        let n = xs.dim(0)?;
        let all = (0..self.low.len()).map(|i| {
            let rows = self.rows(xs, i)?;
            let width = rows.dim(1)?;
            Ok(rows.broadcast_as((n, width))?.contiguous()?)
        });
        Ok(Tensor::stack(&all.collect::<Result<Vec<_>>>()?, 1)?)
    }

    fn loss(&self, xs: &Tensor) -> Result<Tensor> {
        let mut total: Option<Tensor> = None;
        for (i, low) in self.low.iter().enumerate() {
            let term = ops::mixture_nll(&self.rows(xs, i)?, *low, &Self::column(xs, i)?)?;
            total = Some(match total {
                Some(total) => (total + term)?,
                None => term,
            });
        }
        total.map_or_else(|| Ok(xs.sum_all()?), Ok)
    }

    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let net = self.detached();
        let mut total = vec![0.0; xs.dim(0)?];
        for (i, low) in self.low.iter().enumerate() {
            let each = ops::mixture_log_prob(&net.rows(xs, i)?, *low, &Self::column(xs, i)?)?;
            for (total, each) in total.iter_mut().zip(each) {
                *total += each;
            }
        }
        Ok(total)
    }

    fn least(&self) -> Vec<f32> {
        self.low.clone()
    }

    /// A temperature T divides the weights' logits and multiplies the variances.
    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor> {
        let (net, size) = (self.detached(), self.low.len());
        let mut xs = vec![0.0; n * size];
        for (i, low) in self.low.iter().enumerate() {
            let rows = net.rows(&matrix(xs.clone(), n, size)?, i)?.to_vec2::<f32>()?;
            let noise = rng.normals(n);
            for ((x, noise), row) in xs.chunks_exact_mut(size).zip(noise).zip(rows.iter().cycle()) {
                let components = row.len() / 3;
                let component = sampling.draw(row.get(..components).unwrap_or_default(), rng.uniform_f64());
                let number = |part: usize| row.get(part * components + component as usize).copied();
                let (mean, log_std) = (number(1).unwrap_or(0.0), number(2).unwrap_or(0.0).max(*low));
                let width = libm::exp(f64::from(log_std)) * libm::sqrt(sampling.temperature);
                if let Some(x) = x.get_mut(i) {
                    *x = mean + width as f32 * noise;
                }
            }
        }
        matrix(xs, n, size)
    }
}
