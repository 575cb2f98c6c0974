//! Scaled dot-product attention of short sequences, one head of one sequence at a time.

use super::gemm::{Start, View, product};
use super::softmax;

/// The sizes of an attention.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    /// The length of a sequence.
    pub length: usize,
    /// The heads.
    pub heads: usize,
    /// The width of a head.
    pub width: usize,
    /// Whether a position sees only itself and those before it.
    pub causal: bool,
}

/// One head's matrices, (length, width) each, and a square one.
struct Head {
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    out: Vec<f32>,
    square: Vec<f32>,
}

const UNBOUNDED: f32 = f32::NEG_INFINITY;

impl Attention {
    /// How many attention weights a sequence has.
    pub fn weights(&self) -> usize {
        self.heads * self.length * self.length
    }

    /// The width of all heads together.
    fn all(&self) -> usize {
        self.heads * self.width
    }

    fn sequences(&self, packed: usize, others: usize) -> usize {
        let size = self.length * self.all();
        assert!(size > 0 && packed == 3 * others && others.is_multiple_of(size), "whole sequences");
        others / size
    }

    fn head(&self) -> Head {
        let matrix = || vec![0.0; self.length * self.width];
        let square = vec![0.0; self.length * self.length];
        Head { queries: matrix(), keys: matrix(), values: matrix(), out: matrix(), square }
    }

    fn matrix<'a>(&self, values: &'a [f32]) -> View<'a> {
        View::new(values, self.length, self.width)
    }

    fn square<'a>(&self, values: &'a [f32]) -> View<'a> {
        View::new(values, self.length, self.length)
    }

    /// 1/√width
    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// Copies the queries (times the scale), the keys and the values of a head.
    fn load(&self, packed: &[f32], sequence: usize, head: usize, to: &mut Head) {
        let (all, width, scale) = (self.all(), self.width, self.scale());
        let rows = packed[sequence * self.length * 3 * all..].chunks_exact(3 * all).take(self.length);
        for (i, row) in rows.enumerate() {
            let (from, place) = (head * width, i * width..(i + 1) * width);
            for (to, x) in to.queries[place.clone()].iter_mut().zip(&row[from..from + width]) {
                *to = scale * x;
            }
            to.keys[place.clone()].copy_from_slice(&row[all + from..all + from + width]);
            to.values[place].copy_from_slice(&row[2 * all + from..2 * all + from + width]);
        }
    }

    /// softmax(q·kᵀ/√width)·v for every head, from rows [q | k | v] of all heads.
    ///
    /// The attention weights are kept in `weights`, unless it is empty.
    ///
    /// # Shapes
    /// packed (sequences, length, 3·heads·width), out (sequences, length, heads·width),
    /// weights (sequences, heads, length, length)
    ///
    /// # Panics
    /// When the sizes do not fit together.
    #[inline(never)]
    pub fn forward(&self, packed: &[f32], out: &mut [f32], weights: &mut [f32]) {
        let sequences = self.sequences(packed.len(), out.len());
        let keep = !weights.is_empty();
        assert!(!keep || weights.len() == sequences * self.weights());
        let (all, width, mut own) = (self.all(), self.width, self.head());
        let mut kept = weights.chunks_exact_mut(self.length * self.length);
        for sequence in 0..sequences {
            for head in 0..self.heads {
                self.load(packed, sequence, head, &mut own);
                let Head { queries, keys, values, out: result, square } = &mut own;
                let square = kept.next().unwrap_or(square);
                product(self.matrix(queries), self.matrix(keys).t(), square, Start::Zero, UNBOUNDED);
                if self.causal {
                    softmax::triangle(square, self.length);
                } else {
                    softmax::rows(square, self.length);
                }
                product(self.square(square), self.matrix(values), result, Start::Zero, UNBOUNDED);
                let rows = out[sequence * self.length * all..].chunks_exact_mut(all);
                for (row, result) in rows.zip(result.chunks_exact(width)) {
                    row[head * width..(head + 1) * width].copy_from_slice(result);
                }
            }
        }
    }

    /// Adds to `out` the gradient of [`Attention::forward`] by what is packed.
    ///
    /// # Panics
    /// When the sizes do not fit together.
    #[inline(never)]
    pub fn backward(&self, packed: &[f32], weights: &[f32], gradient: &[f32], out: &mut [f32]) {
        let sequences = self.sequences(packed.len(), gradient.len());
        assert!(out.len() == packed.len() && weights.len() == sequences * self.weights());
        let (all, width) = (self.all(), self.width);
        let (mut own, mut slopes) = (self.head(), self.head());
        let mut weights = weights.chunks_exact(self.length * self.length);
        for sequence in 0..sequences {
            for head in 0..self.heads {
                let Some(weights) = weights.next() else { return };
                self.load(packed, sequence, head, &mut own);
                let rows = gradient[sequence * self.length * all..].chunks_exact(all);
                for (row, to) in rows.zip(own.out.chunks_exact_mut(width)) {
                    to.copy_from_slice(&row[head * width..(head + 1) * width]);
                }
                let (to_out, square) = (self.matrix(&own.out), &mut slopes.square);
                product(self.square(weights).t(), to_out, &mut slopes.values, Start::Zero, UNBOUNDED);
                product(to_out, self.matrix(&own.values).t(), square, Start::Zero, UNBOUNDED);
                softmax::rows_backward(weights, square, self.length);
                let square = self.square(square);
                product(square, self.matrix(&own.keys), &mut slopes.queries, Start::Zero, UNBOUNDED);
                product(square.t(), self.matrix(&own.queries), &mut slopes.keys, Start::Zero, UNBOUNDED);
                let rows = out[sequence * self.length * 3 * all..].chunks_exact_mut(3 * all);
                for (i, row) in rows.take(self.length).enumerate() {
                    let place = i * width..(i + 1) * width;
                    let parts = [(&slopes.queries, self.scale()), (&slopes.keys, 1.0), (&slopes.values, 1.0)];
                    for (part, (from, scale)) in parts.into_iter().enumerate() {
                        let to = &mut row[part * all + head * width..][..width];
                        for (to, x) in to.iter_mut().zip(&from[place.clone()]) {
                            *to += scale * x;
                        }
                    }
                }
            }
        }
    }
}
