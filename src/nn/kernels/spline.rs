//! Monotone rational-quadratic splines of single values, with their log-derivatives and gradients.
//!
//! On [−B, B] the map is one rational-quadratic function a bin, with continuous first derivatives; outside it is
//! the identity (Durkan et al. 2019, <https://arxiv.org/abs/1906.04032>). A value's parameters are K widths and
//! K heights before the softmax, then K − 1 derivatives at the inner knots before the softplus; at ±B the
//! derivative is 1. No share of width or height and no derivative is below [`SMALLEST`].

use super::maps::{load_rest, map};
use super::simd::F4;
use super::vmath;

/// The least share of a bin's width or height, and the least derivative at a knot.
pub const SMALLEST: f32 = 1e-3;
/// The most bins that a spline may have.
pub const MOST_BINS: usize = 64;
/// The parameter of an inner derivative of 1: ln(e^(1 − 0.001) − 1).
pub const UNIT_DERIVATIVE: f32 = 0.539_742_4;

/// How many parameters the spline of one value has.
pub const fn parameters(bins: usize) -> usize {
    3 * bins - 1
}

/// The shares of the bins along one axis.
struct Shares {
    values: [f32; MOST_BINS],
    bins: usize,
    bound: f32,
}

impl Shares {
    /// softmax(u)
    #[inline(always)]
    fn new(u: &[f32], bound: f32) -> Self {
        let (mut values, bins) = ([0.0; MOST_BINS], u.len());
        let top = F4::splat(u.iter().fold(f32::NEG_INFINITY, |top, u| top.max(*u)));
        let own = &mut values[..bins];
        map(u, own, |u| vmath::exp(u - top));
        let scale = 1.0 / own.iter().sum::<f32>();
        own.iter_mut().for_each(|share| *share *= scale);
        Self { values, bins, bound }
    }

    /// ∂size/∂share: a size is 2B·(0.001 + (1 − 0.001·K)·share).
    #[inline(always)]
    fn free(&self) -> f32 {
        2.0 * self.bound * (1.0 - SMALLEST * self.bins as f32)
    }

    #[inline(always)]
    fn size(&self, share: f32) -> f32 {
        2.0 * self.bound * SMALLEST + self.free() * share
    }

    /// Where bin `k` starts, and its size. The last one ends at B, whatever the rounding.
    #[inline(always)]
    fn edge(&self, k: usize) -> (f32, f32) {
        let start = self.values[..k].iter().fold(-self.bound, |start, share| start + self.size(*share));
        (start, if k + 1 == self.bins { self.bound - start } else { self.size(self.values[k]) })
    }

    /// The bin that holds x.
    #[inline(always)]
    fn locate(&self, x: f32) -> usize {
        let mut end = -self.bound;
        for (k, share) in self.values[..self.bins - 1].iter().enumerate() {
            end += self.size(*share);
            if x < end {
                return k;
            }
        }
        self.bins - 1
    }

    /// The gradient by u from those by the start and the size of bin `k`.
    #[inline(always)]
    fn backward(&self, k: usize, to_start: f32, to_size: f32, out: &mut [f32]) {
        // The start is the sum of the sizes before it.
        let before: f32 = self.values[..k].iter().sum();
        let mean = before * to_start + self.values[k] * to_size;
        for (j, (out, share)) in out.iter_mut().zip(&self.values[..self.bins]).enumerate() {
            let own = match j.cmp(&k) {
                std::cmp::Ordering::Less => to_start,
                std::cmp::Ordering::Equal => to_size,
                std::cmp::Ordering::Greater => 0.0,
            };
            *out = self.free() * share * (own - mean);
        }
    }
}

/// One bin: its corner, its size, and the derivatives at its ends.
struct Bin {
    x: f32,
    width: f32,
    y: f32,
    height: f32,
    left: f32,
    right: f32,
}

/// The spline of one value, before a bin is chosen.
struct Spline<'a> {
    widths: Shares,
    heights: Shares,
    derivatives: &'a [f32],
}

impl<'a> Spline<'a> {
    #[inline(always)]
    fn new(parameters: &'a [f32], bins: usize, bound: f32) -> Self {
        let (widths, rest) = parameters.split_at(bins);
        let (heights, derivatives) = rest.split_at(bins);
        Self { widths: Shares::new(widths, bound), heights: Shares::new(heights, bound), derivatives }
    }

    /// The parameters of the derivatives at both ends of bin `k`, where they are no constants.
    #[inline(always)]
    fn ends(&self, k: usize) -> [Option<f32>; 2] {
        [k.checked_sub(1), Some(k)].map(|inner| self.derivatives.get(inner?).copied())
    }

    #[inline(always)]
    fn bin(&self, k: usize) -> Bin {
        let ((x, width), (y, height)) = (self.widths.edge(k), self.heights.edge(k));
        let ends = self.ends(k);
        let [left, right] = ends.map(|u| u.unwrap_or(0.0));
        let [left, right, ..] = vmath::softplus(F4::from_array(&[left, right, 0.0, 0.0])).to_array();
        let derivative = |u: Option<f32>, value: f32| if u.is_some() { SMALLEST + value } else { 1.0 };
        Bin { x, width, y, height, left: derivative(ends[0], left), right: derivative(ends[1], right) }
    }
}

impl Bin {
    /// ln(s²·(d₁θ² + 2sθ(1−θ) + d₀(1−θ)²)/den²), the log-derivative, from its parts.
    #[inline(always)]
    fn log_derivative(slope: f32, numerator: f32, denominator: f32) -> f32 {
        let [s, n, d, _] = vmath::ln(F4::from_array(&[slope, numerator, denominator, 1.0])).to_array();
        2.0 * (s - d) + n
    }

    /// θ(1 − θ), the slope height/width, the denominator, and the log-derivative's numerator.
    #[inline(always)]
    fn parts(&self, theta: f32) -> (f32, f32, f32, f32) {
        let (mixed, slope, rest) = (theta * (1.0 - theta), self.height / self.width, 1.0 - theta);
        let denominator = slope + (self.left + self.right - 2.0 * slope) * mixed;
        let numerator = self.right * theta * theta + 2.0 * slope * mixed + self.left * rest * rest;
        (mixed, slope, denominator, numerator)
    }

    /// The value at x and the log-derivative there.
    #[inline(always)]
    fn value(&self, x: f32) -> (f32, f32) {
        let theta = (x - self.x) / self.width;
        let (mixed, slope, denominator, numerator) = self.parts(theta);
        let rise = self.height * (slope * theta * theta + self.left * mixed) / denominator;
        (self.y + rise, Self::log_derivative(slope, numerator, denominator))
    }

    /// The x of this value, by the root of the quadratic, and the log-derivative there.
    #[inline(always)]
    fn solve(&self, y: f32) -> (f32, f32) {
        // In double precision: the discriminant is a difference of close numbers.
        let wide = |x: f32| f64::from(x);
        let (rise, left, right) = (wide(y) - wide(self.y), wide(self.left), wide(self.right));
        let slope = wide(self.height) / wide(self.width);
        let bend = rise * (left + right - 2.0 * slope);
        let a = bend + wide(self.height) * (slope - left);
        let b = wide(self.height) * left - bend;
        let c = -slope * rise;
        let theta = 2.0 * c / (-b - (b * b - 4.0 * a * c).max(0.0).sqrt());
        let (_, slope, denominator, numerator) = self.parts(theta as f32);
        let x = wide(self.x) + theta * wide(self.width);
        (x as f32, Self::log_derivative(slope, numerator, denominator))
    }

    /// The gradients by x and by the bin, from those by the value and by the log-derivative.
    #[inline(always)]
    fn backward(&self, x: f32, to_value: f32, to_log: f32) -> (f32, Self) {
        let theta = (x - self.x) / self.width;
        let (mixed, slope, denominator, numerator) = self.parts(theta);
        let inner = slope * theta * theta + self.left * mixed;
        let to_inner = to_value * self.height / denominator;
        let to_denominator = -(to_inner * inner + 2.0 * to_log) / denominator;
        let to_numerator = to_log / numerator;
        let excess = self.left + self.right - 2.0 * slope;
        let to_slope = 2.0 * to_log / slope
            + 2.0 * to_numerator * mixed
            + to_inner * theta * theta
            + to_denominator * (1.0 - 2.0 * mixed);
        let to_mixed = 2.0 * to_numerator * slope + to_inner * self.left + to_denominator * excess;
        let to_theta = 2.0 * to_numerator * (self.right * theta - self.left * (1.0 - theta))
            + 2.0 * to_inner * slope * theta
            + to_mixed * (1.0 - 2.0 * theta);
        let to_x = to_theta / self.width;
        let to_left = to_numerator * (1.0 - theta) * (1.0 - theta) + (to_inner + to_denominator) * mixed;
        let bin = Self {
            x: -to_x,
            width: -(to_slope * slope + to_theta * theta) / self.width,
            y: to_value,
            height: to_value * inner / denominator + to_slope / self.width,
            left: to_left,
            right: to_numerator * theta * theta + to_denominator * mixed,
        };
        (to_x, bin)
    }
}

/// Maps the active columns of each row, each by a spline of its own; the last column grows by the log-derivatives.
///
/// `parameters` holds for each row the parameters of every active column, one column after the other.
///
/// # Panics
/// When a column lies outside of a row, or `bins` is outside 1..=[`MOST_BINS`].
#[inline(never)]
pub fn spline(rows: &mut [f32], width: usize, active: &[usize], parameters: &[f32], bins: usize, bound: f32) {
    each_value(rows, width, active, parameters, bins, bound, |spline, x| {
        spline.bin(spline.widths.locate(x)).value(x)
    });
}

/// The inverse of [`spline`]; the last column shrinks by the log-derivatives.
///
/// # Panics
/// When a column lies outside of a row, or `bins` is outside 1..=[`MOST_BINS`].
#[inline(never)]
pub fn spline_inverse(
    rows: &mut [f32],
    width: usize,
    active: &[usize],
    parameters: &[f32],
    bins: usize,
    bound: f32,
) {
    each_value(rows, width, active, parameters, bins, bound, |spline, y| {
        let (x, log_derivative) = spline.bin(spline.heights.locate(y)).solve(y);
        (x, -log_derivative)
    });
}

#[inline(always)]
fn each_value(
    rows: &mut [f32],
    width: usize,
    active: &[usize],
    parameters: &[f32],
    bins: usize,
    bound: f32,
    f: impl Fn(&Spline, f32) -> (f32, f32),
) {
    let count = self::parameters(bins);
    let mut parameters = parameters.chunks_exact(count);
    for row in rows.chunks_exact_mut(width) {
        for (&column, own) in active.iter().zip(parameters.by_ref()) {
            // NaN is outside too, and stays.
            if row[column].abs() <= bound {
                let (value, log_derivative) = f(&Spline::new(own, bins, bound), row[column]);
                row[column] = value;
                row[width - 1] += log_derivative;
            }
        }
    }
}

/// The gradients of [`spline`] from that of its result: `to_rows` holds the gradient by the result and takes
/// that by the argument; `to_parameters`, zero at first, takes that by the parameters.
///
/// # Panics
/// When a column lies outside of a row, or `bins` is outside 1..=[`MOST_BINS`].
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "the arguments of the map, and a gradient for each kind")]
pub fn spline_backward(
    rows: &[f32],
    width: usize,
    active: &[usize],
    parameters: &[f32],
    bins: usize,
    bound: f32,
    to_rows: &mut [f32],
    to_parameters: &mut [f32],
) {
    let count = self::parameters(bins);
    let mut parameters = parameters.chunks_exact(count).zip(to_parameters.chunks_exact_mut(count));
    for (row, to_row) in rows.chunks_exact(width).zip(to_rows.chunks_exact_mut(width)) {
        let to_log = to_row[width - 1];
        for (&column, (own, out)) in active.iter().zip(parameters.by_ref()) {
            let x = row[column];
            if x.abs() > bound || x.is_nan() {
                continue;
            }
            let spline = Spline::new(own, bins, bound);
            let k = spline.widths.locate(x);
            let (to_x, to) = spline.bin(k).backward(x, to_row[column], to_log);
            to_row[column] = to_x;
            let (to_widths, rest) = out.split_at_mut(bins);
            let (to_heights, to_derivatives) = rest.split_at_mut(bins);
            spline.widths.backward(k, to.x, to.width, to_widths);
            spline.heights.backward(k, to.y, to.height, to_heights);
            let ends = spline.ends(k).map(|u| u.unwrap_or(0.0));
            let [left, right, ..] = vmath::sigmoid(load_rest(&ends)).to_array();
            if let Some(out) = k.checked_sub(1).and_then(|inner| to_derivatives.get_mut(inner)) {
                *out = to.left * left;
            }
            if let Some(out) = to_derivatives.get_mut(k) {
                *out = to.right * right;
            }
        }
    }
}
