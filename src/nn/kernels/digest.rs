//! One number that changes when a bit of any kernel's result does.

use super::attention::Attention;
use super::conv::{Axis, Conv};
use super::functions::{Elu, Function, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh};
use super::gemm::{Start, View, product};
use super::maps::{map, sum_pairs};
use super::norm::{Groups, Moments};
use super::{density, norm, recurrent, reduce, softmax, update, vmath};
use crate::rng::Rng;

/// What [`digest`] is on every machine and in every browser.
/// A change of it is a change of every run that people have shared: it is made knowingly or not at all.
pub const DIGEST: [u32; 6] =
    [2_461_808_768, 1_134_378_092, 3_960_936_475, 1_311_308_575, 3_656_755_322, 3_603_975_294];

/// The digests of the elementary functions, the activation functions, the products, sums and updates, of what
/// works row by row, and of the convolutions.
pub fn digest() -> [u32; 6] {
    [elementary(), activations(), products(), sums_and_updates(), rows(), convolutions()]
}

/// FNV-1a over the bits of floats; all NaNs count as one.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, xs: &[f32]) {
        for x in xs {
            let bits = if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() };
            self.0 = (self.0 ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(self) -> u32 {
        (self.0 ^ (self.0 >> 32)) as u32
    }
}

/// Floats of every size, not finite ones among them.
fn floats() -> Vec<f32> {
    (0..=u32::MAX).step_by(20_011).map(f32::from_bits).collect()
}

fn elementary() -> u32 {
    let (xs, mut digest) = (floats(), Digest::new());
    let mut out = vec![0.0; xs.len()];
    map(&xs, &mut out, vmath::exp);
    digest.add(&out);
    map(&xs, &mut out, vmath::exp_m1);
    digest.add(&out);
    map(&xs, &mut out, vmath::ln);
    digest.add(&out);
    map(&xs, &mut out, |x| vmath::sin_cos_turns(x).0);
    digest.add(&out);
    map(&xs, &mut out, |x| vmath::sin_cos_turns(x).1);
    digest.add(&out);
    digest.finish()
}

fn activations() -> u32 {
    fn add<F: Function>(digest: &mut Digest, xs: &[f32]) {
        let (mut ys, mut out) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        map(xs, &mut ys, F::value);
        digest.add(&ys);
        map(xs, &mut out, F::slope);
        digest.add(&out);
        map(xs, &mut out, F::curve);
        digest.add(&out);
        map(&ys, &mut out, F::slope_at_value);
        digest.add(&out);
    }
    let mut digest = Digest::new();
    let xs = [floats(), Rng::stream(1, "digest").normals(5001)].concat();
    add::<Relu>(&mut digest, &xs);
    add::<LeakyRelu>(&mut digest, &xs);
    add::<Tanh>(&mut digest, &xs);
    add::<Silu>(&mut digest, &xs);
    add::<Gelu>(&mut digest, &xs);
    add::<Elu>(&mut digest, &xs);
    add::<Softplus>(&mut digest, &xs);
    add::<Sigmoid>(&mut digest, &xs);
    digest.finish()
}

fn products() -> u32 {
    let (mut digest, mut rng) = (Digest::new(), Rng::stream(2, "digest"));
    for (m, k, n) in [(1, 5, 7), (7, 5, 1), (2, 33, 40), (40, 33, 2), (3, 9, 3), (17, 65, 23), (9, 2100, 5)] {
        let (a, b, row) = (rng.normals(m * k), rng.normals(k * n), rng.normals(n));
        let mut c = rng.normals(m * n);
        for a in [View::new(&a, m, k), View::new(&a, k, m).t()] {
            for b in [View::new(&b, k, n), View::new(&b, n, k).t()] {
                product(a, b, &mut c, Start::Sum, f32::NEG_INFINITY);
                digest.add(&c);
                product(a, b, &mut c, Start::Row(&row), 0.0);
                digest.add(&c);
                product(a, b, &mut c, Start::Zero, -1.0);
                digest.add(&c);
            }
        }
    }
    digest.finish()
}

fn sums_and_updates() -> u32 {
    const N: usize = 7007;
    let (mut digest, mut rng) = (Digest::new(), Rng::stream(3, "digest"));
    let (mut xs, gradient, mut first) = (rng.normals(N), rng.normals(N), rng.normals(N));
    let adam = update::Adam {
        first: [0.9, 0.1],
        second: [0.999, 0.001],
        eps: 1e-8,
        keep: 0.999,
        rate: 0.01,
        spread: 1.3,
        scale: 0.7,
    };
    adam.step(&mut xs, &gradient, &mut first, &mut vec![0.1; N]);
    digest.add(&xs);
    update::sgd(&mut xs, &gradient, &mut first, 0.9, 0.1, 0.5);
    digest.add(&xs);
    update::average(&mut xs, &gradient, 0.9, 0.1);
    digest.add(&xs);
    let pairs = sum_pairs(&xs, &gradient, |x, y| x * y);
    digest.add(&[reduce::sum(&xs) as f32, reduce::sum_of_squares(&xs) as f32, pairs as f32]);
    digest.add(&[reduce::largest(&xs)]);
    let mut rows = [0.0; 11];
    reduce::add_rows(&xs, &mut rows);
    digest.add(&rows);
    digest.finish()
}

fn rows() -> u32 {
    let (mut digest, mut rng) = (Digest::new(), Rng::stream(4, "digest"));
    for d in [1, 3, 8, 21] {
        let n = 5;
        let (xs, gradient, mut sum) = (rng.normals(n * d), rng.normals(n * d), rng.normals(n * d));
        let (weight, bias, mut out) = (rng.normals(d), rng.normals(d), vec![0.0; n * d]);
        let mut moments = vec![Moments::default(); n];
        norm::rows(&xs, &weight, &bias, 1e-5, &mut out, &mut moments);
        norm::rows_to_input(&xs, &weight, &moments, &gradient, &mut out);
        digest.add(&out);
        let mut columns = bias.clone();
        norm::rows_to_weight(&xs, &moments, &gradient, &mut columns);
        digest.add(&columns);
        let groups = Groups { channels: n, together: n, area: d };
        groups.forward(&xs, &gradient[..n], &sum[..n], 1e-5, &mut out, &mut moments[..1]);
        let sums = groups.sums(&xs, &moments[..1], &gradient);
        groups.to_input(&xs, &gradient[..n], &moments[..1], (&gradient, &sums), &mut out);
        groups.to_channels(&sums, true, &mut sum[..n]);
        digest.add(&out);
        digest.add(&sum);
        let mut slopes = vec![0.0; n * d];
        let loss = softmax::cross_entropy(&xs, d, &[0; 5], &[0.5, 0.0, 1.0, 2.0, 1.0], &mut slopes);
        digest.add(&[loss as f32]);
        digest.add(&slopes);
        density::gaussian(&xs, &gradient, &sum, &mut out);
        density::add_gaussian_slopes(density::By::LogStd, &xs, &gradient, &sum, &slopes, &mut out);
        digest.add(&out);
        let (mut log_probs, mut slopes) = (vec![0.0; 7], vec![0.0; 3 * d]);
        let mixture = rng.normals(3 * d);
        density::mixture(&mixture, d, -1.0, &rng.normals(7), &mut log_probs, &mut slopes);
        digest.add(&log_probs);
        digest.add(&slopes);
        let (sizes, lengths) = (Attention { heads: 1, width: d }, [n - 2, 2]);
        let (packed, mut weights) = (rng.normals(n * 3 * d), vec![[0.0; 4]; sizes.weights(&lengths)]);
        sizes.forward(&lengths, &packed, &mut out, &mut weights);
        let mut slopes = vec![0.0; packed.len()];
        sizes.backward(&lengths, &packed, &weights, &gradient, &mut slopes);
        digest.add(&out);
        digest.add(&slopes);
        let (mut kept, mut parts) = (vec![0.0; 4 * n * d], vec![0.0; packed.len()]);
        recurrent::gates(&packed, &slopes, &xs, d, &mut out, &mut kept);
        recurrent::gates_backward(&kept, &xs, &mut out, d, &mut slopes, &mut parts);
        digest.add(&out);
        digest.add(&slopes);
        digest.add(&parts);
    }
    digest.finish()
}

fn convolutions() -> u32 {
    let (mut digest, mut rng) = (Digest::new(), Rng::stream(4, "digest"));
    for (inputs, outputs, side, kernel, stride, padding) in
        [(3, 17, 13, 3, 1, 1), (9, 4, 14, 4, 2, 1), (16, 8, 7, 5, 3, 2), (1, 1, 9, 1, 2, 0)]
    {
        let Some(axis) = Axis::new(side, kernel, stride, padding) else { continue };
        let conv = Conv { batch: 2, inputs, outputs, vertical: axis, horizontal: axis };
        let (mut images, mut maps) = (rng.normals(2 * conv.image_size()), rng.normals(2 * conv.map_size()));
        let mut weights = rng.normals(outputs * conv.window_size());
        let bias = rng.normals(outputs);
        conv.windows(&images, &weights, Start::Row(&bias), 0.0, &mut maps);
        digest.add(&maps);
        conv.spread(&maps, &weights, Start::Sum, f32::NEG_INFINITY, &mut images);
        digest.add(&images);
        conv.add_weights(&images, &maps, &mut weights);
        digest.add(&weights);
        reduce::add_planes(&images, conv.image_size() / inputs, &mut weights[..inputs]);
        digest.add(&weights[..inputs]);
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_as_it_was() {
        assert_eq!(digest(), DIGEST);
    }
}
