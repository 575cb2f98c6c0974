//! Matrix products: C ← start + A·B.
//!
//! B is packed into panels of 8 columns, a stretch of A at a time into blocks of 4 rows, and C is computed in blocks
//! of 4 × 8 ([`super::block`]).
//! If B is the larger operand, and stored column after column, then Cᵀ = Bᵀ·Aᵀ is computed instead, block by
//! block in its place in C.
//!
//! Every element is the sum `start + a₀b₀ + a₁b₁ + …` in this order, whatever the sizes; only the
//! products with at most three rows or columns ([`super::skinny`]) sum in another fixed order.

use super::block::{COLUMNS, Half, ROWS, Target};
use super::simd::F4;
use super::skinny;
use std::cell::RefCell;

/// The longest stretch of the inner dimension that is taken at once: its panel of B fits into half of a
/// 48 KB first-level cache.
const DEPTH: usize = 1024;
/// How many values of A are taken at once.
const STRETCH: usize = 8192;

/// A matrix in memory.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Its elements.
    pub values: &'a [f32],
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
    /// Whether `values` holds it column after column instead of row after row.
    pub transposed: bool,
}

impl<'a> View<'a> {
    /// A matrix that is stored row after row.
    ///
    /// # Panics
    /// When `values` is of another length.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix has rows × columns values");
        Self { values, rows, columns, transposed: false }
    }

    /// The transpose, without moving anything.
    pub fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// How far apart neighbours in a column are, and neighbours in a row.
    pub(super) fn strides(&self) -> (usize, usize) {
        if self.transposed { (1, self.rows) } else { (self.columns, 1) }
    }
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// Nothing.
    Zero,
    /// This row, in every row: a bias.
    Row(&'a [f32]),
    /// What is there already.
    Sum,
}

/// C ← max(start + A·B, low), C row after row. With `low` = −∞ there is no bound; NaN is kept.
///
/// # Shapes
/// A (m, k), B (k, n), C (m, n), a starting row (n)
///
/// # Panics
/// When the sizes do not fit together.
pub fn product(a: View, b: View, c: &mut [f32], start: Start, low: f32) {
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
        return;
    }
    BUFFERS.with_borrow_mut(|buffers| {
        if m < n && b.transposed {
            Whole { a: b.t(), b: a.t(), start, low, flipped: true }.compute(c, buffers);
        } else {
            Whole { a, b, start, low, flipped: false }.compute(c, buffers);
        }
    });
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = const { RefCell::new(Buffers::new()) };
}

/// Working memory, kept from product to product.
struct Buffers {
    /// The panels of B: 8 columns each, row after row.
    panels: Vec<[Half; 2]>,
    /// A stretch of A: blocks of 4 rows, each column after column.
    lines: Vec<Half>,
    /// Blocks of C that reach over its edge.
    aside: Vec<f32>,
}

impl Buffers {
    const fn new() -> Self {
        Self { panels: Vec::new(), lines: Vec::new(), aside: Vec::new() }
    }

    /// Grows to what a product of `rows` × `depth` and `depth` × `columns` values needs.
    fn reserve(&mut self, rows: usize, columns: usize, depth: usize, stretch: usize) {
        let grow = |length: usize, needed: usize| length.max(needed);
        self.panels.resize(grow(self.panels.len(), columns.div_ceil(COLUMNS) * depth), [Half([0.0; 4]); 2]);
        self.lines.resize(grow(self.lines.len(), stretch / ROWS * depth), Half([0.0; 4]));
        self.aside.resize(grow(self.aside.len(), (rows + ROWS) * COLUMNS), 0.0);
    }
}

/// A product, or its transpose.
struct Whole<'a> {
    a: View<'a>,
    b: View<'a>,
    start: Start<'a>,
    low: f32,
    /// Whether C is stored column after column, and a starting row runs down its columns.
    flipped: bool,
}

impl Whole<'_> {
    fn compute(&self, c: &mut [f32], buffers: &mut Buffers) {
        let (m, n, k) = (self.a.rows, self.b.columns, self.a.columns);
        // Equal parts, at least one, so that an empty inner dimension still gives the start.
        let parts = k.div_ceil(DEPTH).max(1);
        for part in 0..parts {
            let (from, to) = (k * part / parts, k * (part + 1) / parts);
            let depth = to - from;
            // A stretch of A that the first-level cache holds meets all of B before the next one is read.
            let stretch = (STRETCH / depth.max(1)).next_multiple_of(ROWS).max(4 * ROWS);
            buffers.reserve(m, n, depth, stretch);
            let panels = &mut buffers.panels[..depth * n.div_ceil(COLUMNS)];
            let lines = &mut buffers.lines[..stretch / ROWS * depth];
            let low = F4::splat(if to == k { self.low } else { f32::NEG_INFINITY });
            let start = if part == 0 { self.start } else { Start::Sum };
            let columns = |column: usize| (n - column).min(COLUMNS);
            let every = (0..n).step_by(COLUMNS);
            for (column, panel) in every.clone().zip(panels.chunks_mut(depth.max(1))) {
                pack_panel(self.b, from, column, columns(column), panel);
            }
            for first in (0..m).step_by(stretch) {
                let rows = (m - first).min(stretch);
                for (row, block) in (first..first + rows).step_by(ROWS).zip(lines.chunks_mut(depth.max(1))) {
                    pack_rows(self.a, from, row, block);
                }
                for column in every.clone() {
                    let panel = &panels[column / COLUMNS * depth..][..depth];
                    let columns = columns(column);
                    let strip = Strip { m, n, column, columns, start, low, flipped: self.flipped };
                    let whole = rows / ROWS * ROWS;
                    strip.compute(lines, panel, c, first, whole, &mut buffers.aside);
                    if whole < rows {
                        strip.compute(
                            &lines[whole / ROWS * depth..],
                            panel,
                            c,
                            first + whole,
                            rows - whole,
                            &mut buffers.aside,
                        );
                    }
                }
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
                    c[self.place(first + r, j)] = *value;
                }
            }
            return;
        }
        let mut row = [0.0; COLUMNS];
        let stride = if self.flipped { self.m } else { self.n };
        let c = &mut c[self.place(first, 0)..];
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
        target.compute(blocks, lines, panel);
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

/// Copies the four rows of A from row `row` on, `block.len()` columns from column `from` on.
/// Missing rows are zero.
fn pack_rows(a: View, from: usize, row: usize, block: &mut [Half]) {
    let (rows, depth) = (a.rows - row, block.len());
    let (row_stride, depth_stride) = a.strides();
    if rows < ROWS {
        for (i, Half(four)) in block.iter_mut().enumerate() {
            *four = [0.0; ROWS];
            for (r, value) in four[..rows].iter_mut().enumerate() {
                *value = a.values[(row + r) * row_stride + (from + i) * depth_stride];
            }
        }
    } else if a.transposed {
        let lines = a.values[from * depth_stride..].chunks(depth_stride);
        for (Half(four), line) in block.iter_mut().zip(lines) {
            four.copy_from_slice(&line[row..row + ROWS]);
        }
    } else {
        let line = |r: usize| &a.values[(row + r) * row_stride + from..][..depth];
        let lines: [&[f32]; ROWS] = [line(0), line(1), line(2), line(3)];
        let [x, y, z, w] = lines.map(|line| line.as_chunks::<4>().0);
        let (blocks, last) = block.as_chunks_mut::<4>();
        for ((((block, x), y), z), w) in blocks.iter_mut().zip(x).zip(y).zip(z).zip(w) {
            let turned = F4::transpose([x, y, z, w].map(F4::from_array));
            for (Half(four), values) in block.iter_mut().zip(turned) {
                values.write(four);
            }
        }
        let done = depth - last.len();
        for (i, Half(four)) in last.iter_mut().enumerate() {
            *four = lines.map(|line| line[done + i]);
        }
    }
}

/// Copies `columns` (at most 8) columns of B, `panel.len()` rows from row `from` on.
/// Missing columns are zero.
pub(super) fn pack_panel(b: View, from: usize, column: usize, columns: usize, panel: &mut [[Half; 2]]) {
    let depth = panel.len();
    if columns < COLUMNS {
        let (row_stride, column_stride) = b.strides();
        for (i, halves) in panel.iter_mut().enumerate() {
            for (j, value) in halves.iter_mut().flat_map(|half| &mut half.0).enumerate() {
                let at = (from + i) * row_stride + (column + j) * column_stride;
                *value = if j < columns { b.values[at] } else { 0.0 };
            }
        }
    } else if b.transposed {
        // A column of B is a row in memory: four of them, four values deep at a time, turned in registers.
        for half in 0..2 {
            let first = (column + 4 * half) * b.rows + from;
            let line = |j: usize| &b.values[first + j * b.rows..][..depth];
            let lines: [&[f32]; 4] = [line(0), line(1), line(2), line(3)];
            let [x, y, z, w] = lines.map(|line| line.as_chunks::<4>().0);
            let (blocks, last) = panel.as_chunks_mut::<4>();
            for ((((block, x), y), z), w) in blocks.iter_mut().zip(x).zip(y).zip(z).zip(w) {
                let turned = F4::transpose([x, y, z, w].map(F4::from_array));
                for (halves, values) in block.iter_mut().zip(turned) {
                    values.write(&mut halves[half].0);
                }
            }
            let done = depth - last.len();
            for (i, halves) in last.iter_mut().enumerate() {
                halves[half].0 = lines.map(|line| line[done + i]);
            }
        }
    } else {
        for (halves, line) in panel.iter_mut().zip(b.values[from * b.columns..].chunks(b.columns)) {
            let (fours, _) = line[column..column + COLUMNS].as_chunks();
            *halves = [Half(fours[0]), Half(fours[1])];
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
