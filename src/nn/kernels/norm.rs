//! Normalisation to mean 0 and variance 1: of rows with a factor for each column, and of groups of channels.

use super::maps::{load_rest, store_rest};
use super::simd::F4;

/// The mean and 1/√(variance + ε) of what is normalised together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    mean: f32,
    scale: f32,
}

impl Moments {
    /// Of these values, in two passes: a row of equal values has exactly the variance 0.
    #[inline(always)]
    fn of(xs: &[f32], eps: f32) -> Self {
        let n = xs.len() as f32;
        let (fours, rest) = xs.as_chunks::<4>();
        let sum = fours.iter().fold(F4::splat(0.0), |sum, four| sum + F4::from_array(four)).sum();
        let near = rest.iter().fold(sum, |sum, x| sum + x) / n;
        let (mut first, mut second) = (F4::splat(0.0), F4::splat(0.0));
        for four in fours {
            let d = F4::from_array(four) - F4::splat(near);
            first = first + d;
            second = second + d * d;
        }
        let (first, second) = rest.iter().fold((first.sum(), second.sum()), |(first, second), x| {
            let d = x - near;
            (first + d, second + d * d)
        });
        // What rounding left of the mean.
        let left = first / n;
        let variance = second / n - left * left;
        Self { mean: near + left, scale: 1.0 / (if variance < 0.0 { 0.0 } else { variance } + eps).sqrt() }
    }
}

/// y = (x − mean)/√(variance + ε)·w + b for each row of as many values as `weight` has.
///
/// # Panics
/// When the sizes do not fit together.
#[inline(never)]
pub fn rows(xs: &[f32], weight: &[f32], bias: &[f32], eps: f32, ys: &mut [f32], moments: &mut [Moments]) {
    let d = weight.len();
    assert!(d > 0 && bias.len() == d && xs.len() == ys.len() && xs.len() == moments.len() * d);
    let (w_fours, w_rest) = weight.as_chunks::<4>();
    let (b_fours, b_rest) = bias.as_chunks::<4>();
    for ((xs, ys), moments) in xs.chunks_exact(d).zip(ys.chunks_exact_mut(d)).zip(moments) {
        *moments = Moments::of(xs, eps);
        let (mean, scale) = (F4::splat(moments.mean), F4::splat(moments.scale));
        let (x_fours, x_rest) = xs.as_chunks::<4>();
        let (y_fours, y_rest) = ys.as_chunks_mut::<4>();
        for (((x, y), w), b) in x_fours.iter().zip(y_fours).zip(w_fours).zip(b_fours) {
            let y_four = (F4::from_array(x) - mean) * scale * F4::from_array(w) + F4::from_array(b);
            y_four.write(y);
        }
        store_rest((load_rest(x_rest) - mean) * scale * load_rest(w_rest) + load_rest(b_rest), y_rest);
    }
}

/// Adds to `out` the gradient of [`rows`] by x.
///
/// # Panics
/// When the sizes do not fit together.
#[inline(never)]
pub fn rows_to_input(xs: &[f32], weight: &[f32], moments: &[Moments], gradient: &[f32], out: &mut [f32]) {
    let d = weight.len();
    assert!(d > 0 && xs.len() == gradient.len() && xs.len() == out.len() && xs.len() == moments.len() * d);
    let (w_fours, w_rest) = weight.as_chunks::<4>();
    let w_rest = load_rest(w_rest);
    let rows = xs.chunks_exact(d).zip(gradient.chunks_exact(d)).zip(out.chunks_exact_mut(d));
    for (((xs, gradient), out), moments) in rows.zip(moments) {
        let (mean, scale) = (F4::splat(moments.mean), F4::splat(moments.scale));
        let (x_fours, x_rest) = xs.as_chunks::<4>();
        let (g_fours, g_rest) = gradient.as_chunks::<4>();
        let (out_fours, out_rest) = out.as_chunks_mut::<4>();
        let (x_rest, g_rest) = (load_rest(x_rest), load_rest(g_rest) * w_rest);
        // The sums of g·w, and of g·w times the normalised x.
        let (mut plain, mut along) = (g_rest, g_rest * ((x_rest - mean) * scale));
        for ((x, g), w) in x_fours.iter().zip(g_fours).zip(w_fours) {
            let g = F4::from_array(g) * F4::from_array(w);
            plain = plain + g;
            along = along + g * ((F4::from_array(x) - mean) * scale);
        }
        let (plain, along) = (F4::splat(plain.sum() / d as f32), F4::splat(along.sum() / d as f32));
        let slope = |x: F4, g: F4| scale * ((g - plain) - (x - mean) * scale * along);
        for (((x, g), w), out) in x_fours.iter().zip(g_fours).zip(w_fours).zip(out_fours) {
            let g = F4::from_array(g) * F4::from_array(w);
            (F4::from_array(out) + slope(F4::from_array(x), g)).write(out);
        }
        store_rest(load_rest(out_rest) + slope(x_rest, g_rest), out_rest);
    }
}

/// Adds to `out` the gradient of [`rows`] by w.
///
/// # Panics
/// When the sizes do not fit together.
#[inline(never)]
pub fn rows_to_weight(xs: &[f32], moments: &[Moments], gradient: &[f32], out: &mut [f32]) {
    let d = out.len();
    assert!(d > 0 && xs.len() == gradient.len() && xs.len() == moments.len() * d);
    for ((xs, gradient), moments) in xs.chunks_exact(d).zip(gradient.chunks_exact(d)).zip(moments) {
        let (mean, scale) = (F4::splat(moments.mean), F4::splat(moments.scale));
        let (x_fours, x_rest) = xs.as_chunks::<4>();
        let (g_fours, g_rest) = gradient.as_chunks::<4>();
        let (out_fours, out_rest) = out.as_chunks_mut::<4>();
        for ((x, g), out) in x_fours.iter().zip(g_fours).zip(out_fours) {
            (F4::from_array(out) + F4::from_array(g) * ((F4::from_array(x) - mean) * scale)).write(out);
        }
        let product = load_rest(g_rest) * ((load_rest(x_rest) - mean) * scale);
        store_rest(load_rest(out_rest) + product, out_rest);
    }
}

/// How images are cut into what is normalised together.
#[derive(Debug, Clone, Copy)]
pub struct Groups {
    /// The channels of an image.
    pub channels: usize,
    /// The channels that are normalised together.
    pub together: usize,
    /// The values of a channel.
    pub area: usize,
}

impl Groups {
    fn check(&self, length: usize, moments: usize) {
        assert!(self.together > 0 && self.area > 0 && self.channels.is_multiple_of(self.together));
        assert_eq!(length, moments * self.together * self.area, "whole groups");
    }

    /// y = (x − mean)/√(variance + ε)·w + b with a factor and a term for each channel.
    ///
    /// # Panics
    /// When the sizes do not fit together.
    #[inline(never)]
    pub fn forward(
        &self,
        xs: &[f32],
        weight: &[f32],
        bias: &[f32],
        eps: f32,
        ys: &mut [f32],
        moments: &mut [Moments],
    ) {
        self.check(xs.len(), moments.len());
        assert!(weight.len() == self.channels && bias.len() == self.channels && ys.len() == xs.len());
        let size = self.together * self.area;
        let mut channel = 0;
        for ((xs, ys), moments) in xs.chunks_exact(size).zip(ys.chunks_exact_mut(size)).zip(moments) {
            *moments = Moments::of(xs, eps);
            let mean = F4::splat(moments.mean);
            for (xs, ys) in xs.chunks_exact(self.area).zip(ys.chunks_exact_mut(self.area)) {
                let scale = F4::splat(moments.scale * weight[channel]);
                let term = F4::splat(bias[channel]);
                let (x_fours, x_rest) = xs.as_chunks::<4>();
                let (y_fours, y_rest) = ys.as_chunks_mut::<4>();
                for (x, y) in x_fours.iter().zip(y_fours) {
                    ((F4::from_array(x) - mean) * scale + term).write(y);
                }
                store_rest((load_rest(x_rest) - mean) * scale + term, y_rest);
                channel = (channel + 1) % self.channels;
            }
        }
    }

    /// Σ g and Σ g·(normalised x) of every channel of every image, which all three gradients are made of.
    ///
    /// # Panics
    /// When the sizes do not fit together.
    #[inline(never)]
    pub fn sums(&self, xs: &[f32], moments: &[Moments], gradient: &[f32]) -> Vec<[f32; 2]> {
        self.check(xs.len(), moments.len());
        assert_eq!(gradient.len(), xs.len());
        let channels = xs.chunks_exact(self.area).zip(gradient.chunks_exact(self.area)).enumerate();
        channels.map(|(i, (xs, gradient))| channel_sums(xs, gradient, moments[i / self.together])).collect()
    }

    /// Adds to `out` the gradient of [`Groups::forward`] by x.
    ///
    /// # Panics
    /// When the sizes do not fit together.
    #[inline(never)]
    pub fn to_input(
        &self,
        xs: &[f32],
        weight: &[f32],
        moments: &[Moments],
        (gradient, sums): (&[f32], &[[f32; 2]]),
        out: &mut [f32],
    ) {
        self.check(xs.len(), moments.len());
        assert!(weight.len() == self.channels && gradient.len() == xs.len() && out.len() == xs.len());
        assert_eq!(sums.len() * self.area, xs.len());
        let (size, mut first) = (self.together * self.area, 0);
        let groups = xs.chunks_exact(size).zip(gradient.chunks_exact(size)).zip(out.chunks_exact_mut(size));
        let groups = groups.zip(sums.chunks_exact(self.together));
        for ((((xs, gradient), out), sums), moments) in groups.zip(moments) {
            let (mean, scale) = (F4::splat(moments.mean), F4::splat(moments.scale));
            let weights = &weight[first..first + self.together];
            first = (first + self.together) % self.channels;
            let (mut plain, mut along) = (0.0, 0.0);
            for ([sum, product], w) in sums.iter().zip(weights) {
                plain += w * sum;
                along += w * product;
            }
            let (plain, along) = (F4::splat(plain / size as f32), F4::splat(along / size as f32));
            let channels = xs.chunks_exact(self.area).zip(gradient.chunks_exact(self.area));
            for (((xs, gradient), out), w) in channels.zip(out.chunks_exact_mut(self.area)).zip(weights) {
                let w = F4::splat(*w);
                let slope = |x: F4, g: F4| scale * ((g * w - plain) - (x - mean) * scale * along);
                let (x_fours, x_rest) = xs.as_chunks::<4>();
                let (g_fours, g_rest) = gradient.as_chunks::<4>();
                let (out_fours, out_rest) = out.as_chunks_mut::<4>();
                for ((x, g), out) in x_fours.iter().zip(g_fours).zip(out_fours) {
                    (F4::from_array(out) + slope(F4::from_array(x), F4::from_array(g))).write(out);
                }
                store_rest(load_rest(out_rest) + slope(load_rest(x_rest), load_rest(g_rest)), out_rest);
            }
        }
    }

    /// Adds to `out` the gradient of [`Groups::forward`] by b, or by w, from [`Groups::sums`].
    ///
    /// # Panics
    /// When the sizes do not fit together.
    pub fn to_channels(&self, sums: &[[f32; 2]], by_weight: bool, out: &mut [f32]) {
        assert_eq!(out.len(), self.channels);
        for image in sums.chunks_exact(self.channels) {
            for (out, sums) in out.iter_mut().zip(image) {
                *out += sums[usize::from(by_weight)];
            }
        }
    }
}

/// Σ g and Σ g·(normalised x).
#[inline(always)]
fn channel_sums(xs: &[f32], gradient: &[f32], moments: Moments) -> [f32; 2] {
    let (mean, scale) = (F4::splat(moments.mean), F4::splat(moments.scale));
    let (x_fours, x_rest) = xs.as_chunks::<4>();
    let (g_fours, g_rest) = gradient.as_chunks::<4>();
    let g_rest = load_rest(g_rest);
    let mut sums = (g_rest, g_rest * ((load_rest(x_rest) - mean) * scale));
    for (x, g) in x_fours.iter().zip(g_fours) {
        let g = F4::from_array(g);
        sums = (sums.0 + g, sums.1 + g * ((F4::from_array(x) - mean) * scale));
    }
    [sums.0.sum(), sums.1.sum()]
}
