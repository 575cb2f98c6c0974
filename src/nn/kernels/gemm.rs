//! Matrix products: C ← start + A·B.
//!
//! B is packed into panels of 8 columns, a stretch of A at a time into blocks of 4 rows, and C is computed in blocks
//! of 4 × 8 ([`super::block`]).
//! If B is the larger operand, then Cᵀ = Bᵀ·Aᵀ is computed instead, block by block in its place in C: so it is the
//! larger operand of which only a stretch is packed at a time. Where much of A is 0 only the rest of it is taken
//! ([`super::sparse`]).
//!
//! Every element is the sum `start + a₀b₀ + a₁b₁ + …` in this order, whatever the sizes; only the
//! products with at most three rows or columns ([`super::skinny`]) sum in another fixed order.

use super::block::{COLUMNS, Half, ROWS, Target};
use super::functions::{Function, Relu};
pub use super::matrix::{Start, View};
use super::pack::{Buffers, grow, pack};
use super::simd::F4;
use super::{skinny, sparse};
use std::cell::RefCell;

/// The longest part of the inner dimension that is taken at once, …
const DEPTH: usize = 400;
/// … and how many values of A: both, 13 KB of a panel and 16 KB, fit into a first-level cache of 32 KB.
const STRETCH: usize = 4096;
/// How many values of C [`product_by_rows`] gives at once: with three times as many others, a second-level cache of
/// 512 KB holds them.
const TILE: usize = 1 << 15;

/// C ← max(start + A·B, low), C row after row. With `low` = −∞ there is no bound; NaN is kept.
///
/// # Shapes
/// A (m, k), B (k, n), C (m, n), a starting row (n)
///
/// # Panics
/// When the sizes do not fit together.
pub fn product(a: View, b: View, c: &mut [f32], start: Start, low: f32) {
    compute(a, b, c, start, low, None);
}

/// C ← A·B, each element times relu′ at the value of relu in its place in `ys`.
///
/// # Shapes
/// A (m, k), B (k, n), C and ys (m, n)
///
/// # Panics
/// When the sizes do not fit together.
pub fn product_through_relu(a: View, b: View, c: &mut [f32], ys: &[f32]) {
    assert_eq!(ys.len(), c.len(), "one value of relu for each element of C");
    compute(a, b, c, Start::Zero, f32::NEG_INFINITY, Some(ys));
}

/// Calls `each` with the rows of A·B, some at a time, and the number of their first; all at once where there are few.
/// `each` finds them in a near cache, and computes no product itself.
///
/// # Panics
/// When the inner sizes differ, or `each` computes a product.
pub fn product_by_rows(a: View, b: View, mut each: impl FnMut(usize, &[f32])) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    let rows = (TILE / n.max(1)).next_multiple_of(ROWS);
    if k == 0 || k > DEPTH || m <= rows || n <= ROWS {
        let mut c = vec![0.0; m * n];
        product(a, b, &mut c, Start::Zero, f32::NEG_INFINITY);
        each(0, &c);
        return;
    }
    assert_eq!(k, b.rows, "the inner sizes differ");
    let low = f32::NEG_INFINITY;
    let whole = Whole { a, b, start: Start::Zero, low, flipped: false, through: None };
    BUFFERS.with_borrow_mut(|buffers| {
        whole.pack_panels((0, k), rows, buffers);
        let mut tile = std::mem::take(&mut buffers.tile);
        grow(&mut tile, rows * n, 0.0);
        for first in (0..m).step_by(rows) {
            let count = rows.min(m - first);
            let tile = &mut tile[..count * n];
            whole.compute_rows((0, k), (first, count), 0, F4::splat(low), tile, buffers);
            each(first, tile);
        }
        buffers.tile = tile;
    });
}

fn compute(a: View, b: View, c: &mut [f32], start: Start, low: f32, through: Option<&[f32]>) {
    let (m, n) = (a.rows, b.columns);
    assert_eq!(a.columns, b.rows, "the inner sizes differ");
    assert_eq!(c.len(), m * n, "C has the rows of A and the columns of B");
    if let Start::Row(row) = start {
        assert_eq!(row.len(), n, "the starting row has the columns of B");
    }
    if m == 0 || n == 0 {
        return;
    }
    if skinny::product(a, b, c, start, low) {
        through.into_iter().for_each(|ys| mask(c, ys));
        return;
    }
    if sparse::product(a, b, c, start, low, through) {
        return;
    }
    // Which operand is packed a stretch at a time, and which as a whole: the larger one, unless it lies so that its
    // rows are short; and what there is of each is filled up.
    let flipped = m < n && (b.transposed || !a.transposed) || filled(n, m) < filled(m, n);
    BUFFERS.with_borrow_mut(|buffers| {
        if flipped {
            Whole { a: b.t(), b: a.t(), start, low, flipped, through }.compute(c, buffers);
        } else {
            Whole { a, b, start, low, flipped: false, through }.compute(c, buffers);
        }
    });
}

/// How many elements the blocks of an (m, n) matrix have.
fn filled(m: usize, n: usize) -> usize {
    m.next_multiple_of(ROWS) * n.next_multiple_of(COLUMNS)
}

/// x ← x·relu′, from what relu gave.
fn mask(xs: &mut [f32], ys: &[f32]) {
    for (x, y) in xs.iter_mut().zip(ys) {
        *x *= relu_slope(*y);
    }
}

/// relu′, from what relu gave.
fn relu_slope(y: f32) -> f32 {
    Relu::slope_at_value(F4::splat(y)).to_array()[0]
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = const { RefCell::new(Buffers::new()) };
}

/// A product, or its transpose.
struct Whole<'a> {
    a: View<'a>,
    b: View<'a>,
    start: Start<'a>,
    low: f32,
    /// Whether C is stored column after column, and a starting row runs down its columns.
    flipped: bool,
    /// What relu gave in the places of C, whose slope the elements are multiplied by.
    through: Option<&'a [f32]>,
}

impl Whole<'_> {
    fn compute(&self, c: &mut [f32], buffers: &mut Buffers) {
        let (m, k) = (self.a.rows, self.a.columns);
        // Equal parts, at least one, so that an empty inner dimension still gives the start.
        let parts = k.div_ceil(DEPTH).max(1);
        for part in 0..parts {
            let (from, to) = (k * part / parts, k * (part + 1) / parts);
            let depth = to - from;
            // A stretch of A that the first-level cache holds meets all of B before the next one is read.
            let stretch = (STRETCH / depth.max(1)).next_multiple_of(ROWS).max(4 * ROWS);
            let low = F4::splat(if to == k { self.low } else { f32::NEG_INFINITY });
            let start = if part == 0 { self.start } else { Start::Sum };
            let through = self.through.filter(|_| parts == 1);
            let whole = Whole { start, through, ..*self };
            whole.pack_panels((from, depth), stretch, buffers);
            for first in (0..m).step_by(stretch) {
                let rows = (m - first).min(stretch);
                whole.compute_rows((from, depth), (first, rows), first, low, c, buffers);
            }
        }
        if let Some(ys) = self.through.filter(|_| parts > 1) {
            mask(c, ys);
        }
    }

    fn pack_panels(&self, (from, depth): (usize, usize), stretch: usize, buffers: &mut Buffers) {
        buffers.reserve(self.a.rows, self.b.columns, depth, stretch);
        pack(2, self.b, (from, depth), (0, self.b.columns), &mut buffers.panels);
    }

    /// Rows of the product, from packed panels, to row `at` of C and those after it.
    fn compute_rows(
        &self,
        (from, depth): (usize, usize),
        (first, rows): (usize, usize),
        at: usize,
        low: F4,
        c: &mut [f32],
        Buffers { panels, lines, aside, .. }: &mut Buffers,
    ) {
        let (m, n) = (self.a.rows, self.b.columns);
        pack(1, self.a.t(), (from, depth), (first, rows), lines);
        let whole = rows / ROWS * ROWS;
        for column in (0..n).step_by(COLUMNS) {
            let panel = &panels.as_chunks().0[column / COLUMNS * depth..][..depth];
            let columns = (n - column).min(COLUMNS);
            let Whole { start, flipped, through, .. } = *self;
            let strip = Strip { m, n, column, columns, start, low, flipped, through };
            strip.compute(lines, panel, c, at, whole, aside);
            if whole < rows {
                strip.compute(&lines[whole / ROWS * depth..], panel, c, at + whole, rows - whole, aside);
            }
        }
    }
}

/// At most 8 columns of C.
struct Strip<'a> {
    m: usize,
    n: usize,
    column: usize,
    columns: usize,
    start: Start<'a>,
    low: F4,
    flipped: bool,
    through: Option<&'a [f32]>,
}

impl Strip<'_> {
    /// Computes `rows` rows from row `first` on: in place, or aside if they do not fill their blocks.
    fn compute(
        &self,
        lines: &[Half],
        panel: &[[Half; 2]],
        c: &mut [f32],
        first: usize,
        rows: usize,
        aside: &mut [f32],
    ) {
        let blocks = rows.div_ceil(ROWS);
        if blocks == 0 {
            return;
        }
        if self.columns < COLUMNS || rows < blocks * ROWS {
            self.copy_start(c, first, rows, aside);
            Target::sum(aside, COLUMNS, &self.low).compute(blocks, lines, panel);
            for (r, line) in aside.chunks(COLUMNS).enumerate().take(rows) {
                for (j, value) in line.iter().enumerate().take(self.columns) {
                    let place = self.place(first + r, j);
                    c[place] = self.through.map_or(*value, |ys| relu_slope(ys[place]) * value);
                }
            }
            return;
        }
        let mut row = [0.0; COLUMNS];
        let stride = if self.flipped { self.m } else { self.n };
        let place = self.place(first, 0);
        let through = self.through.map(|ys| &ys[place..]);
        let c = &mut c[place..];
        let target = match (self.start, self.flipped) {
            (Start::Sum, false) => Target::sum(c, stride, &self.low),
            (Start::Sum, true) => Target::flipped_sum(c, stride, &self.low),
            (Start::Zero, false) => Target::row(c, stride, &row, &self.low),
            (Start::Zero, true) => Target::flipped_zero(c, stride, &self.low),
            (Start::Row(values), false) => {
                row.copy_from_slice(&values[self.column..self.column + COLUMNS]);
                Target::row(c, stride, &row, &self.low)
            }
            (Start::Row(values), true) => Target::flipped_column(c, stride, &values[first..], &self.low),
        };
        target.through(through).compute(blocks, lines, panel);
    }

    /// Where an element of this strip is in C.
    fn place(&self, row: usize, column: usize) -> usize {
        let column = self.column + column;
        if self.flipped { column * self.m + row } else { row * self.n + column }
    }

    /// Writes to `aside` what the sums start from.
    fn copy_start(&self, c: &[f32], first: usize, rows: usize, aside: &mut [f32]) {
        for (r, line) in aside.chunks_mut(COLUMNS).enumerate().take(rows) {
            for (j, value) in line.iter_mut().enumerate().take(self.columns) {
                *value = match self.start {
                    Start::Zero => 0.0,
                    Start::Row(values) if self.flipped => values[first + r],
                    Start::Row(values) => values[self.column + j],
                    Start::Sum => c[self.place(first + r, j)],
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// A·B by the definition, in double precision.
    fn exact(a: View, b: View) -> Vec<f64> {
        let at = |view: View, i: usize, j: usize| {
            let (row, column) = view.strides();
            f64::from(view.values[i * row + j * column])
        };
        let mut c = Vec::new();
        for i in 0..a.rows {
            for j in 0..b.columns {
                c.push((0..a.columns).map(|p| at(a, i, p) * at(b, p, j)).sum());
            }
        }
        c
    }

    fn check(m: usize, k: usize, n: usize, rng: &mut Rng) {
        let (a, b) = (rng.normals(m * k), rng.normals(k * n));
        let (row, before) = (rng.normals(n), rng.normals(m * n));
        let ways_a = [View::new(&a, m, k), View::new(&a, k, m).t()];
        let ways_b = [View::new(&b, k, n), View::new(&b, n, k).t()];
        for (a, b) in ways_a.into_iter().flat_map(|a| ways_b.map(|b| (a, b))) {
            let expected = exact(a, b);
            for (start, low) in [
                (Start::Zero, f32::NEG_INFINITY),
                (Start::Row(&row), f32::NEG_INFINITY),
                (Start::Row(&row), 0.0),
                (Start::Sum, f32::NEG_INFINITY),
                (Start::Sum, 0.0),
            ] {
                let mut c = before.clone();
                product(a, b, &mut c, start, low);
                for (i, (got, product)) in c.iter().zip(&expected).enumerate() {
                    let first = match start {
                        Start::Zero => 0.0,
                        Start::Row(row) => row[i % n],
                        Start::Sum => before[i],
                    };
                    let exact = (f64::from(first) + product).max(f64::from(low));
                    let tolerance = 1e-6 * (k as f64 + 4.0);
                    let sizes = (m, k, n, a.transposed, b.transposed);
                    assert!(
                        (f64::from(*got) - exact).abs() < tolerance,
                        "{sizes:?} {start:?} {i}: {got} {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn products_match_the_definition_at_every_size_layout_and_start() {
        let mut rng = Rng::stream(1, "gemm");
        let sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 17];
        for m in sizes {
            for k in sizes {
                for n in sizes {
                    check(m, k, n, &mut rng);
                }
            }
        }
        for (m, k, n) in [(33, 64, 40), (64, 2, 65), (2, 70, 64), (65, 66, 2), (1, 100, 37), (37, 100, 1)] {
            check(m, k, n, &mut rng);
            check(n, k, m, &mut rng);
        }
        // Deeper than one panel.
        check(6, 2 * DEPTH + 3, 10, &mut rng);
        check(13, 2 * DEPTH + 3, 9, &mut rng);
    }

    #[test]
    fn a_product_through_relu_is_the_product_times_its_slope() {
        let mut rng = Rng::stream(3, "gemm");
        for (m, k, n) in
            [(1, 5, 9), (9, 5, 1), (7, 30, 13), (13, 30, 40), (40, 2 * DEPTH + 3, 13), (64, 16, 32)]
        {
            let (a, b, ys) = (rng.normals(m * k), rng.normals(k * n), rng.normals(m * n));
            for (a, b) in [
                (View::new(&a, m, k), View::new(&b, k, n)),
                (View::new(&a, m, k), View::new(&b, n, k).t()),
                (View::new(&a, k, m).t(), View::new(&b, k, n)),
            ] {
                let (mut c, mut through) = (vec![0.0; m * n], vec![f32::NAN; m * n]);
                product(a, b, &mut c, Start::Zero, f32::NEG_INFINITY);
                product_through_relu(a, b, &mut through, &ys);
                for ((c, y), got) in c.iter().zip(&ys).zip(&through) {
                    assert_eq!(*got, if *y > 0.0 { *c } else { 0.0 }, "{m} {k} {n}");
                }
            }
        }
    }

    #[test]
    fn rows_at_a_time_are_those_of_the_product() {
        let mut rng = Rng::stream(4, "gemm");
        for (m, k, n) in
            [(5, 3, 7), (300, 9, 301), (130, 1, 257), (1000, 8, 33), (70, DEPTH + 1, 600), (40, 0, 30)]
        {
            let (a, b) = (rng.normals(k * m), rng.normals(k * n));
            let (a, b) = (View::new(&a, k, m).t(), View::new(&b, k, n));
            let mut expected = vec![0.0; m * n];
            product(a, b, &mut expected, Start::Zero, f32::NEG_INFINITY);
            let mut got = Vec::new();
            product_by_rows(a, b, |first, rows| {
                assert_eq!(got.len(), first * n);
                got.extend_from_slice(rows);
            });
            assert_eq!(got, expected, "{m} {k} {n}");
        }
    }

    #[test]
    fn blocks_sum_in_order() {
        let mut rng = Rng::stream(2, "gemm");
        for (m, k, n) in [(7, 2500, 13), (13, 2500, 7), (8, 30, 24), (24, 30, 8)] {
            let (a, b, row) = (rng.normals(m * k), rng.normals(k * n), rng.normals(n));
            let mut c = vec![0.0; m * n];
            product(View::new(&a, m, k), View::new(&b, k, n), &mut c, Start::Row(&row), f32::NEG_INFINITY);
            for i in 0..m {
                for j in 0..n {
                    let expected = (0..k).fold(row[j], |sum, p| sum + a[i * k + p] * b[p * n + j]);
                    assert_eq!(c[i * n + j].to_bits(), expected.to_bits());
                }
            }
        }
    }

    #[test]
    fn nan_and_infinity_reach_the_result_through_the_bound() {
        for (m, n) in [(5, 9), (1, 9), (5, 1)] {
            let (mut a, b) = (vec![1.0; m * 6], vec![1.0; 6 * n]);
            a[2] = f32::NAN;
            let mut c = vec![0.0; m * n];
            product(View::new(&a, m, 6), View::new(&b, 6, n), &mut c, Start::Zero, 0.0);
            assert!(c[..n].iter().all(|x| x.is_nan()) && c[n..].iter().all(|x| *x == 6.0));
        }
    }

    #[test]
    #[should_panic(expected = "the inner sizes differ")]
    fn sizes_that_do_not_fit_are_refused() {
        product(View::new(&[1.0; 6], 2, 3), View::new(&[1.0; 8], 4, 2), &mut [0.0; 4], Start::Zero, 0.0);
    }
}
