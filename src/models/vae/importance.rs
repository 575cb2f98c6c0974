//! Importance-weighted bounds (Burda et al. 2016, <https://arxiv.org/abs/1509.00519>):
//! L_k = E log (1/k) Σ_i w_i with w_i = p(x, z_i) / q(z_i|x), z_i ~ q(z|x), which rises to log p(x) with k.

use candle_core::Tensor;

use super::net::LogWeight;
use super::{Decoder, Vae};
use crate::error::Result;
use crate::models::{Bound, Density, matrix};
use crate::nn::ops;
use crate::rng::Rng;

/// Latents drawn for each point when the density is estimated.
const IMPORTANCE_SAMPLES: usize = 16;

/// log of the mean of exp, without overflow; −∞ for nothing.
fn log_mean_exp(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let top = values.clone().fold(f32::NEG_INFINITY, f32::max);
    if !top.is_finite() {
        return top;
    }
    let (sum, n) = values.fold((0.0_f32, 0.0_f32), |(sum, n), v| (sum + (v - top).exp(), n + 1.0));
    top + (sum / n).ln()
}

/// [`log_mean_exp`] of each row; `columns` hold one value a row each.
fn bounds(columns: &[Vec<f32>], n: usize) -> Vec<f32> {
    (0..n).map(|row| log_mean_exp(columns.iter().filter_map(|c| c.get(row).copied()))).collect()
}

/// β·ratio − error, value by value.
fn values(weight: &LogWeight, beta: f32) -> Result<Vec<f32>> {
    let (ratio, error) = (weight.ratio.to_vec1::<f32>()?, weight.error.to_vec1::<f32>()?);
    Ok(ratio.iter().zip(&error).map(|(r, e)| beta * r - e).collect())
}

impl Vae {
    /// A draw of log (1/k) Σ p(x, z_i) / q(z_i|x) for each row: at k = 1 of the ELBO, and with k → ∞ log p(x).
    ///
    /// A conditional VAE sums over the classes, log Σ_y p(y) (1/m) Σ p(x, z_i|y) / q(z_i|x, y), with m latents
    /// for each, k in all, rounded up. In nats.
    ///
    /// # Shapes
    /// (n, size) → n
    ///
    /// # Errors
    /// If the rows do not have this model's size.
    pub fn importance_bound(&self, xs: &Tensor, k: usize, rng: &mut Rng) -> Result<Vec<f32>> {
        let (n, q) = (xs.dim(0)?, self.params.latent_dim);
        let (net, classes) = (self.net.detached(), self.condition.classes());
        let each = k.div_ceil(classes.max(1)).max(1);
        let mut columns = Vec::with_capacity(each * classes.max(1));
        for class in 0..classes.max(1) {
            // The mean over all columns divides by the number of classes, which the share is free of.
            let share = self.condition.shares().get(class).map_or(1.0, |share| share * classes as f32);
            let labels = vec![class as u32; n];
            let (mean, log_std) = net.encode(xs, &labels)?;
            for _ in 0..each {
                let eps = matrix(rng.normals(n * q), n, q)?;
                let weight = net.log_weight(&self.params, xs, &labels, (&mean, &log_std), &eps)?;
                columns.push(values(&weight, 1.0)?.iter().map(|w| w + share.ln()).collect());
            }
        }
        Ok(bounds(&columns, n))
    }

    /// What training with k > 1 latents a row minimises, −L_k with the KL's weight `beta`, and the losses to
    /// report: −L_k, E_q[−log p(x|z)] and KL(q(z|x) ‖ p(z)).
    ///
    /// The gradient of log (1/k) Σ w_i is Σ ŵ_i ∇ log w_i with the normalised weights ŵ held fixed.
    pub(super) fn importance_loss(
        &self,
        xs: &Tensor,
        labels: &[u32],
        beta: f64,
        rng: &mut Rng,
    ) -> Result<(Tensor, Vec<f32>)> {
        let (n, q, k) = (xs.dim(0)?, self.params.latent_dim, self.params.importance_samples);
        let (mean, log_std) = self.net.encode(xs, labels)?;
        let weights: Vec<LogWeight> = (0..k)
            .map(|_| {
                let eps = matrix(rng.normals(n * q), n, q)?;
                self.net.log_weight(&self.params, xs, labels, (&mean, &log_std), &eps)
            })
            .collect::<Result<_>>()?;
        let columns =
            |beta: f32| weights.iter().map(|weight| values(weight, beta)).collect::<Result<Vec<_>>>();
        let weighted = columns(beta as f32)?;
        let tops = bounds(&weighted, n);
        let share = 1.0 / (k * n.max(1)) as f32;
        let mut loss = Tensor::zeros((), xs.dtype(), xs.device())?;
        for (weight, column) in weights.iter().zip(&weighted) {
            let normalised: Vec<f32> =
                column.iter().zip(&tops).map(|(w, top)| share * (w - top).exp()).collect();
            let cost = (&weight.error - weight.ratio.affine(beta, 0.0)?)?;
            loss = (loss + (cost * Tensor::from_vec(normalised, n, xs.device())?)?.sum_all()?)?;
        }
        let average = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
        let bound = average(&bounds(&columns(1.0)?, n));
        let errors: Vec<Vec<f32>> =
            weights.iter().map(|weight| Ok(weight.error.to_vec1()?)).collect::<Result<_>>()?;
        let kl = ops::gaussian_kl(&mean.detach(), &log_std.detach())?.to_scalar::<f32>()?;
        Ok((loss, vec![-bound, average(&errors.concat()), kl]))
    }
}

impl Density for Vae {
    fn bound(&self) -> Bound {
        Bound::Importance
    }

    /// [`Vae::importance_bound`] with 16 latents: a lower bound of log p(x) in expectation.
    fn log_prob(&self, xs: &Tensor, rng: &mut Rng) -> Result<Vec<f32>> {
        self.importance_bound(xs, IMPORTANCE_SAMPLES, rng)
    }

    fn is_discrete(&self) -> bool {
        self.params.decoder == Decoder::Bernoulli
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Data, Shape};
    use crate::models::Model;
    use crate::models::vae::{Decoder, VaeParams};

    #[test]
    fn the_gradient_of_the_trained_bound_is_that_of_its_value() {
        for (decoder, k) in [(Decoder::Gaussian, 2), (Decoder::Bernoulli, 5)] {
            let params = VaeParams {
                network_shape: vec![5],
                importance_samples: k,
                conditional: true,
                decoder,
                ..VaeParams::default()
            };
            let rows: Vec<f32> = Rng::stream(1, "rows").normals(3 * 8).iter().map(|x| x.abs()).collect();
            let mut data = Data::from_rows(Shape::points(3), rows.clone(), rows).unwrap();
            let labels = vec![0, 1, 1, 0, 2, 1, 0, 2];
            (data.train.labels, data.classes) = (Some(labels.clone()), 3);
            let vae = Vae::new(params, &data, 1).unwrap();
            let xs = crate::models::first_rows(&data.train, &data.shape, 8).unwrap();
            // The same noise each time: the loss is a function of the weights.
            let loss = || vae.importance_loss(&xs, &labels, 1.0, &mut Rng::stream(2, "noise")).unwrap();
            let grads = crate::nn::backward(&loss().0).unwrap();
            assert_eq!(vae.vars().without_gradient(&grads), [""; 0]);
            for (name, var) in vae.vars().iter() {
                let before = var.as_detached_tensor().copy().unwrap();
                let direction = crate::nn::check::normal(before.dims(), 1.0, name);
                let along = (grads.get(var).unwrap() * &direction).unwrap().sum_all().unwrap();
                let at = |h: f64| {
                    var.set(&(&before + (&direction * h).unwrap()).unwrap()).unwrap();
                    f64::from(loss().1[0])
                };
                let slope = (at(5e-3) - at(-5e-3)) / 1e-2;
                at(0.0);
                let along = f64::from(along.to_scalar::<f32>().unwrap());
                assert!((along - slope).abs() < 2e-3 * (1.0 + slope.abs()), "{name}: {along}, not {slope}");
            }
        }
    }
}
