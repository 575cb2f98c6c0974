//! Products with at most three rows or three columns, where blocks of 4 × 8 would mostly multiply zeros:
//! the coordinates of points, and the single output of a critic.

use super::gemm::{Start, View};
use super::simd::F4;

/// What "few" means here.
const FEW: usize = 3;

/// Does what [`super::gemm::product`] does and returns true, if it has a way for these sizes and layouts.
pub(super) fn product(a: View, b: View, c: &mut [f32], start: Start, low: f32) -> bool {
    if b.columns <= FEW && !a.transposed {
        dots(a, b, c, start, low);
    } else if b.columns <= FEW {
        // Cᵀ = Bᵀ·Aᵀ has few rows, and Aᵀ is stored row after row.
        let out = Out { row_stride: 1, column_stride: b.columns, start, start_by_row: true, low };
        few_rows(b.t(), a.t(), c, out);
    } else if a.rows <= FEW && !b.transposed {
        let out = Out { row_stride: b.columns, column_stride: 1, start, start_by_row: false, low };
        few_rows(a, b, c, out);
    } else {
        return false;
    }
    true
}

/// max(x, low), keeping NaN.
fn at_least(x: f32, low: f32) -> f32 {
    if x < low { low } else { x }
}

/// Few columns: each element is a dot product of two stretches of memory.
/// The sum of four interleaved sums, then the rest one by one, then the start.
fn dots(a: View, b: View, c: &mut [f32], start: Start, low: f32) {
    let k = a.columns;
    let turned: Vec<f32>;
    // The columns of B, one after the other.
    let columns = if b.transposed {
        b.values
    } else {
        turned = (0..b.columns).flat_map(|j| (0..k).map(move |i| b.values[i * b.columns + j])).collect();
        &turned
    };
    match b.columns {
        1 => dots_of::<1, 4>(a, columns, c, start, low),
        2 => dots_of::<2, 4>(a, columns, c, start, low),
        _ => dots_of::<3, 2>(a, columns, c, start, low),
    }
}

fn dots_of<const N: usize, const ROWS: usize>(
    a: View,
    columns: &[f32],
    c: &mut [f32],
    start: Start,
    low: f32,
) {
    let k = a.columns;
    let (b_fours, b_rest): ([&[[f32; 4]]; N], [&[f32]; N]) = {
        let split: [_; N] = std::array::from_fn(|j| columns[j * k..(j + 1) * k].as_chunks::<4>());
        (split.map(|(fours, _)| fours), split.map(|(_, rest)| rest))
    };
    for i in (0..a.rows).step_by(ROWS) {
        let rows = (a.rows - i).min(ROWS);
        // Past the last row the last one is computed again, and not kept.
        let lines: [_; ROWS] = std::array::from_fn(|r| {
            let from = (i + r.min(rows - 1)) * k;
            a.values[from..from + k].as_chunks::<4>()
        });
        let mut sums = [[F4::splat(0.0); N]; ROWS];
        for p in 0..k / 4 {
            let right: [F4; N] = std::array::from_fn(|j| F4::from_array(&b_fours[j][p]));
            for (sums, (fours, _)) in sums.iter_mut().zip(&lines) {
                let left = F4::from_array(&fours[p]);
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = *sum + left * right;
                }
            }
        }
        for (r, (sums, (_, rest))) in sums.iter().zip(&lines).take(rows).enumerate() {
            for (j, (sum, b_rest)) in sums.iter().zip(b_rest).enumerate() {
                let total = rest.iter().zip(b_rest).fold(sum.sum(), |total, (x, y)| total + x * y);
                let out = &mut c[(i + r) * N + j];
                let total = match start {
                    Start::Zero => total,
                    Start::Row(row) => total + row[j],
                    Start::Sum => total + *out,
                };
                *out = at_least(total, low);
            }
        }
    }
}

/// Where an element goes, and what it starts from.
struct Out<'a> {
    row_stride: usize,
    column_stride: usize,
    start: Start<'a>,
    /// Whether the starting row runs down the rows, because the product is the transposed one.
    start_by_row: bool,
    low: f32,
}

impl Out<'_> {
    fn add(&self, c: &mut [f32], row: usize, column: usize, total: f32) {
        let out = &mut c[row * self.row_stride + column * self.column_stride];
        let total = match self.start {
            Start::Zero => total,
            Start::Row(values) => total + values[if self.start_by_row { row } else { column }],
            Start::Sum => total + *out,
        };
        *out = at_least(total, self.low);
    }
}

/// Few rows, and B stored row after row: each row of B is used as it is read.
/// The sum in order, then the start.
fn few_rows(a: View, b: View, c: &mut [f32], out: Out) {
    match a.rows {
        1 => few_rows_of::<1, 8>(a, b, c, out),
        2 => few_rows_of::<2, 4>(a, b, c, out),
        _ => few_rows_of::<3, 2>(a, b, c, out),
    }
}

fn few_rows_of<const M: usize, const FOURS: usize>(a: View, b: View, c: &mut [f32], out: Out) {
    let n = b.columns;
    let mut column = 0;
    while column + 4 * FOURS <= n {
        columns_of::<M, FOURS>(a, b, c, &out, column);
        column += 4 * FOURS;
    }
    while column + 4 <= n {
        columns_of::<M, 1>(a, b, c, &out, column);
        column += 4;
    }
    let (row_stride, depth_stride) = a.strides();
    for column in column..n {
        for row in 0..M {
            let total = (0..a.columns).fold(0.0, |total, p| {
                total + a.values[row * row_stride + p * depth_stride] * b.values[p * n + column]
            });
            out.add(c, row, column, total);
        }
    }
}

#[inline(never)]
fn columns_of<const M: usize, const FOURS: usize>(a: View, b: View, c: &mut [f32], out: &Out, column: usize) {
    let (row_stride, depth_stride) = a.strides();
    let mut sums = [[F4::splat(0.0); FOURS]; M];
    for (p, line) in b.values.chunks_exact(b.columns).enumerate() {
        let (fours, _) = line[column..].as_chunks::<4>();
        let fours = &fours[..FOURS];
        for (row, sums) in sums.iter_mut().enumerate() {
            let x = F4::splat(a.values[row * row_stride + p * depth_stride]);
            for (sum, four) in sums.iter_mut().zip(fours) {
                *sum = *sum + x * F4::from_array(four);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (four, sum) in sums.iter().enumerate() {
            for (lane, total) in sum.to_array().into_iter().enumerate() {
                out.add(c, row, column + 4 * four + lane, total);
            }
        }
    }
}
