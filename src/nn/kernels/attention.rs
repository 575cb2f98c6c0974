//! Scaled dot-product attention along words of any lengths: a position sees itself and those before it.
//!
//! Four heads at a time lie in the lanes of vectors. So only the pairs that see each other are computed, a softmax
//! takes no shuffles, and short words are as quick as they are short. The pieces are functions of their own, as copies of
//! them in each direction would weigh five times as much.

use super::simd::F4;
use super::vmath::exp;

/// A value of each of four heads.
pub type Lanes = [f32; 4];

const NOTHING: Lanes = [0.0; 4];

/// The sizes of an attention.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    /// The heads.
    pub heads: usize,
    /// The width of a head.
    pub width: usize,
}

/// Keys and values of the positions so far, for words that grow by one position at a time.
#[derive(Debug, Clone)]
pub struct Memory {
    /// The most positions of a word.
    length: usize,
    /// (words, groups, length, width)
    keys: Vec<Lanes>,
    values: Vec<Lanes>,
}

/// Σ x·y, lane by lane.
#[inline(always)]
fn dot(xs: &[Lanes], ys: &[Lanes]) -> F4 {
    let pairs = xs.iter().zip(ys);
    pairs.fold(F4::splat(0.0), |sum, (x, y)| sum + F4::from_array(x) * F4::from_array(y))
}

/// `N` columns of [`mix`], which stay in registers.
#[inline(always)]
fn mix_columns<const N: usize>(
    factors: &[Lanes],
    rows: &[Lanes],
    width: usize,
    from: usize,
    out: &mut [Lanes],
) {
    let mut sums = [F4::splat(0.0); N];
    for (factor, row) in factors.iter().zip(rows.chunks_exact(width)) {
        let factor = F4::from_array(factor);
        for (sum, x) in sums.iter_mut().zip(&row[from..from + N]) {
            *sum = *sum + factor * F4::from_array(x);
        }
    }
    for (sum, out) in sums.into_iter().zip(&mut out[from..from + N]) {
        sum.write(out);
    }
}

/// out ← Σ factor·row, over as many rows as there are factors.
#[inline(never)]
fn mix(factors: &[Lanes], rows: &[Lanes], width: usize, out: &mut [Lanes]) {
    let mut from = 0;
    while from + 8 <= width {
        mix_columns::<8>(factors, rows, width, from, out);
        from += 8;
    }
    if from + 4 <= width {
        mix_columns::<4>(factors, rows, width, from, out);
        from += 4;
    }
    for from in from..width {
        mix_columns::<1>(factors, rows, width, from, out);
    }
}

/// What one position sees: weights ← softmax(keys·query), out ← Σ weight·value, over as many positions as there
/// are weights.
#[inline(never)]
fn attend(
    query: &[Lanes],
    keys: &[Lanes],
    values: &[Lanes],
    width: usize,
    weights: &mut [Lanes],
    out: &mut [Lanes],
) {
    let mut most = F4::splat(f32::NEG_INFINITY);
    for (key, weight) in keys.chunks_exact(width).zip(&mut *weights) {
        let score = dot(query, key);
        most = most.at_least(score);
        score.write(weight);
    }
    let mut sum = F4::splat(0.0);
    for weight in &mut *weights {
        let e = exp(F4::from_array(weight) - most);
        sum = sum + e;
        e.write(weight);
    }
    let scale = F4::splat(1.0) / sum;
    for weight in &mut *weights {
        (F4::from_array(weight) * scale).write(weight);
    }
    mix(weights, values, width, out);
}

/// i·(i + 1)/2: where row i of a triangle begins.
fn triangle(i: usize) -> usize {
    i * (i + 1) / 2
}

impl Attention {
    /// How many vectors of attention weights words of these lengths have.
    pub fn weights(&self, lengths: &[usize]) -> usize {
        self.groups() * lengths.iter().map(|length| triangle(*length)).sum::<usize>()
    }

    /// The width of all heads together.
    fn all(&self) -> usize {
        self.heads * self.width
    }

    /// How many vectors hold a value of every head.
    fn groups(&self) -> usize {
        self.heads.div_ceil(4)
    }

    /// 1/√width
    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// How many heads a group has, and where their values begin in a row.
    fn part(&self, group: usize) -> (usize, usize) {
        ((self.heads - 4 * group).min(4), 4 * group * self.width)
    }

    /// Turns a group's values of rows, times `scale`, into lanes.
    ///
    /// # Shapes
    /// rows (n, stride), of which [column..] are those of all heads; to (n, width)
    #[inline(never)]
    fn load(
        &self,
        rows: &[f32],
        (stride, column): (usize, usize),
        group: usize,
        scale: f32,
        to: &mut [Lanes],
    ) {
        let ((heads, from), width) = (self.part(group), self.width);
        for (row, to) in rows.chunks_exact(stride).zip(to.chunks_exact_mut(width)) {
            let row = &row[column + from..][..heads * width];
            let mut done = 0;
            if heads == 4 {
                let parts: [&[f32]; 4] = std::array::from_fn(|head| &row[head * width..(head + 1) * width]);
                while done + 4 <= width {
                    let four = |head: usize| {
                        let part = &parts[head][done..done + 4];
                        F4::from_array(&[part[0], part[1], part[2], part[3]]) * F4::splat(scale)
                    };
                    let turned = F4::transpose([four(0), four(1), four(2), four(3)]);
                    for (turned, to) in turned.into_iter().zip(&mut to[done..done + 4]) {
                        turned.write(to);
                    }
                    done += 4;
                }
            }
            for (i, to) in to.iter_mut().enumerate().skip(done) {
                for (head, to) in to.iter_mut().enumerate().take(heads) {
                    *to = scale * row[head * width + i];
                }
            }
        }
    }

    /// Adds lanes, times `scale`, to a group's values of rows: the way back of [`Attention::load`].
    #[inline(never)]
    fn add(
        &self,
        from: &[Lanes],
        group: usize,
        scale: f32,
        rows: &mut [f32],
        (stride, column): (usize, usize),
    ) {
        let ((heads, start), width) = (self.part(group), self.width);
        for (row, from) in rows.chunks_exact_mut(stride).zip(from.chunks_exact(width)) {
            let row = &mut row[column + start..][..heads * width];
            let mut done = 0;
            if heads == 4 {
                while done + 4 <= width {
                    let four = |i: usize| F4::from_array(&from[done + i]) * F4::splat(scale);
                    let turned = F4::transpose([four(0), four(1), four(2), four(3)]);
                    for (head, turned) in turned.into_iter().enumerate() {
                        let part = &mut row[head * width + done..][..4];
                        let sum = F4::from_array(&[part[0], part[1], part[2], part[3]]) + turned;
                        part.copy_from_slice(&sum.to_array());
                    }
                    done += 4;
                }
            }
            for (i, from) in from.iter().enumerate().skip(done) {
                for (head, from) in from.iter().enumerate().take(heads) {
                    row[head * width + i] += scale * from;
                }
            }
        }
    }

    /// Adds to `out` softmax(q·kᵀ/√width)·v for every head, from rows [q | k | v] of all heads.
    ///
    /// The attention weights are kept in `weights`, unless it is empty.
    ///
    /// # Shapes
    /// packed (Σ lengths, 3·heads·width), out (Σ lengths, heads·width), weights ([`Attention::weights`])
    ///
    /// # Panics
    /// When the sizes do not fit together.
    #[inline(never)]
    pub fn forward(&self, lengths: &[usize], packed: &[f32], out: &mut [f32], weights: &mut [Lanes]) {
        let (all, width) = (self.all(), self.width);
        let (longest, rows) = (lengths.iter().copied().max().unwrap_or(0), lengths.iter().sum::<usize>());
        assert!(all > 0 && packed.len() == 3 * rows * all && out.len() == rows * all, "whole words");
        let keep = !weights.is_empty();
        assert!(!keep || weights.len() == self.weights(lengths));
        let mut lanes: [Vec<Lanes>; 4] = std::array::from_fn(|_| vec![NOTHING; longest * width]);
        let [queries, keys, values, result] = &mut lanes;
        let mut aside = vec![NOTHING; if keep { 0 } else { longest }];
        let (mut start, mut used) = (0, 0);
        for &length in lengths {
            let packed = &packed[3 * all * start..][..3 * all * length];
            let out = &mut out[all * start..][..all * length];
            for group in 0..self.groups() {
                let stride = 3 * all;
                self.load(packed, (stride, 0), group, self.scale(), queries);
                self.load(packed, (stride, all), group, 1.0, keys);
                self.load(packed, (stride, 2 * all), group, 1.0, values);
                for i in 0..length {
                    let place = i * width..(i + 1) * width;
                    let row =
                        if keep { &mut weights[used + triangle(i)..][..i + 1] } else { &mut aside[..i + 1] };
                    attend(&queries[place.clone()], keys, values, width, row, &mut result[place]);
                }
                self.add(&result[..length * width], group, 1.0, out, (all, 0));
                used += triangle(length);
            }
            start += length;
        }
    }

    /// Adds to `out` the gradient of [`Attention::forward`] by what is packed.
    ///
    /// # Panics
    /// When the sizes do not fit together.
    #[inline(never)]
    pub fn backward(
        &self,
        lengths: &[usize],
        packed: &[f32],
        weights: &[Lanes],
        gradient: &[f32],
        out: &mut [f32],
    ) {
        let (all, width) = (self.all(), self.width);
        let (longest, rows) = (lengths.iter().copied().max().unwrap_or(0), lengths.iter().sum::<usize>());
        assert!(all > 0 && packed.len() == 3 * rows * all && gradient.len() == rows * all, "whole words");
        assert!(out.len() == packed.len() && weights.len() == self.weights(lengths));
        let mut lanes: [Vec<Lanes>; 5] = std::array::from_fn(|_| vec![NOTHING; longest * width]);
        let [queries, keys, values, to_out, slopes] = &mut lanes;
        let mut row = vec![NOTHING; longest];
        // By columns: what sees a position lies in one stretch.
        let mut columns: [Vec<Lanes>; 2] = std::array::from_fn(|_| vec![NOTHING; longest * longest]);
        let [seen, felt] = &mut columns;
        let (mut start, mut used) = (0, 0);
        for &length in lengths {
            let packed = &packed[3 * all * start..][..3 * all * length];
            let gradient = &gradient[all * start..][..all * length];
            let out = &mut out[3 * all * start..][..3 * all * length];
            for group in 0..self.groups() {
                let stride = 3 * all;
                self.load(packed, (stride, 0), group, self.scale(), queries);
                self.load(packed, (stride, all), group, 1.0, keys);
                self.load(packed, (stride, 2 * all), group, 1.0, values);
                self.load(gradient, (all, 0), group, 1.0, to_out);
                for i in 0..length {
                    let (weights, row) = (&weights[used + triangle(i)..][..i + 1], &mut row[..i + 1]);
                    let place = i * width..(i + 1) * width;
                    let mut sum = F4::splat(0.0);
                    for ((value, weight), row) in values.chunks_exact(width).zip(weights).zip(&mut *row) {
                        let to_weight = dot(&to_out[place.clone()], value);
                        sum = sum + to_weight * F4::from_array(weight);
                        to_weight.write(row);
                    }
                    for (j, (weight, row)) in weights.iter().zip(&mut *row).enumerate() {
                        let to_score = F4::from_array(weight) * (F4::from_array(row) - sum);
                        to_score.write(row);
                        seen[j * length + i] = *weight;
                        felt[j * length + i] = *row;
                    }
                    mix(row, keys, width, &mut slopes[place]);
                }
                self.add(&slopes[..length * width], group, self.scale(), out, (stride, 0));
                for (column, from) in [(&*felt, &*queries), (&*seen, &*to_out)].into_iter().enumerate() {
                    let (factors, rows) = from;
                    for j in 0..length {
                        let factors = &factors[j * length + j..(j + 1) * length];
                        mix(factors, &rows[j * width..], width, &mut slopes[j * width..(j + 1) * width]);
                    }
                    self.add(&slopes[..length * width], group, 1.0, out, (stride, (1 + column) * all));
                }
                used += triangle(length);
            }
            start += length;
        }
    }

    /// An empty memory for so many words of at most this length.
    pub fn memory(&self, words: usize, length: usize) -> Memory {
        let lanes = || vec![NOTHING; words * self.groups() * length * self.width];
        Memory { length, keys: lanes(), values: lanes() }
    }

    /// Adds to `out` what the position `at` of some words sees: the row of [`Attention::forward`], from the packed
    /// rows of this position alone, which are remembered.
    ///
    /// # Shapes
    /// packed (words, 3·heads·width), out (words, heads·width)
    ///
    /// # Panics
    /// When the sizes do not fit together, or the memory has no such word or position.
    #[inline(never)]
    pub fn next(&self, words: &[usize], at: usize, packed: &[f32], memory: &mut Memory, out: &mut [f32]) {
        let (all, width) = (self.all(), self.width);
        assert!(all > 0 && packed.len() == 3 * words.len() * all && out.len() == words.len() * all);
        assert!(at < memory.length, "a position of the memory");
        let mut query = vec![NOTHING; width];
        let (mut result, mut weights) = (query.clone(), vec![NOTHING; at + 1]);
        let rows = packed.chunks_exact(3 * all).zip(out.chunks_exact_mut(all));
        for (&word, (packed, out)) in words.iter().zip(rows) {
            for group in 0..self.groups() {
                let place = (word * self.groups() + group) * memory.length * width;
                let (keys, values) = (&mut memory.keys[place..], &mut memory.values[place..]);
                let new = at * width..(at + 1) * width;
                self.load(packed, (3 * all, 0), group, self.scale(), &mut query);
                self.load(packed, (3 * all, all), group, 1.0, &mut keys[new.clone()]);
                self.load(packed, (3 * all, 2 * all), group, 1.0, &mut values[new]);
                attend(&query, keys, values, width, &mut weights, &mut result);
                self.add(&result, group, 1.0, out, (all, 0));
            }
        }
    }
}
