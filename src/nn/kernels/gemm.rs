//! Matrix products: C ← start + A·B.
//!
//! B is packed into panels of 8 columns, and C is computed in blocks of 4 × 8, whose 8 accumulators are as
//! many vectors as V8 keeps in registers. For each layout of A there is one loop over blocks, in a function
//! of its own with nothing else in it: anything more that is alive across the inner loop, or an inner loop
//! that is unrolled here and not by V8, makes V8 spill (measured: half the speed and less).
//!
//! Every element is the sum `start + a₀b₀ + a₁b₁ + …` in this order, whatever the sizes; only the
//! products with at most three rows or columns ([`super::skinny`]) sum in another fixed order.

use super::simd::F4;
use super::skinny;
use std::cell::RefCell;

/// Rows of a block of C.
const ROWS: usize = 4;
/// Columns of a block of C.
const COLUMNS: usize = 8;
/// The longest stretch of the inner dimension that is taken at once: its panel of B fits into half of a
/// 48 KB first-level cache.
const DEPTH: usize = 1024;

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
    BUFFERS.with_borrow_mut(|buffers| blocks(a, b, c, start, low, buffers));
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = const { RefCell::new(Buffers::new()) };
}

/// Working memory, kept from product to product.
struct Buffers {
    /// A panel of B: 8 columns, row after row.
    panel: Vec<[Half; 2]>,
    /// The last rows of A when they do not fill a block: 4 rows, column after column.
    rest: Vec<Half>,
    /// Blocks of C that reach over its edge.
    aside: Vec<f32>,
}

/// Four neighbours, aligned so that no load crosses a cache line.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Half([f32; 4]);

impl Buffers {
    const fn new() -> Self {
        Self { panel: Vec::new(), rest: Vec::new(), aside: Vec::new() }
    }

    /// Grows to what a product with `rows` rows and `depth` inner values needs.
    fn reserve(&mut self, rows: usize, depth: usize) {
        if self.panel.len() < depth {
            self.panel.resize(depth, [Half([0.0; 4]); 2]);
            self.rest.resize(depth, Half([0.0; 4]));
        }
        if self.aside.len() < (rows + ROWS) * COLUMNS {
            self.aside.resize((rows + ROWS) * COLUMNS, 0.0);
        }
    }
}

fn blocks(a: View, b: View, c: &mut [f32], start: Start, low: f32, buffers: &mut Buffers) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    let whole = m / ROWS * ROWS;
    // Equal parts, at least one, so that an empty inner dimension still gives the start.
    let parts = k.div_ceil(DEPTH).max(1);
    for part in 0..parts {
        let (from, to) = (k * part / parts, k * (part + 1) / parts);
        let depth = to - from;
        buffers.reserve(m, depth);
        let (panel, rest) = (&mut buffers.panel[..depth], &mut buffers.rest[..depth]);
        let low = F4::splat(if to == k { low } else { f32::NEG_INFINITY });
        if whole < m {
            pack_rest(a, from, whole, rest);
        }
        for column in (0..n).step_by(COLUMNS) {
            let columns = (n - column).min(COLUMNS);
            pack_panel(b, from, column, columns, panel);
            let mut row = [0.0; COLUMNS];
            if let (Start::Row(values), 0) = (start, part) {
                row[..columns].copy_from_slice(&values[column..column + columns]);
            }
            let row = (part == 0 && !matches!(start, Start::Sum)).then_some(&row);
            let job = Job { n, column, columns, row, low };
            if whole > 0 {
                let lines = Lines::of(a, from, depth, whole);
                job.run(lines, panel, c, 0, whole, &mut buffers.aside);
            }
            if whole < m {
                let lines = Lines { at: rest.as_ptr().cast(), stride: ROWS, next: 0, neighbours: true };
                job.run(lines, panel, c, whole, m - whole, &mut buffers.aside);
            }
        }
    }
}

/// Copies row `row` of A and those after it, `rest.len()` columns from column `from` on.
/// Missing rows are zero.
fn pack_rest(a: View, from: usize, row: usize, rest: &mut [Half]) {
    let (row_stride, depth_stride) = a.strides();
    for (i, Half(four)) in rest.iter_mut().enumerate() {
        *four = [0.0; ROWS];
        for (r, value) in four[..a.rows - row].iter_mut().enumerate() {
            *value = a.values[(row + r) * row_stride + (from + i) * depth_stride];
        }
    }
}

/// Copies `columns` (at most 8) columns of B, `panel.len()` rows from row `from` on.
/// Missing columns are zero.
fn pack_panel(b: View, from: usize, column: usize, columns: usize, panel: &mut [[Half; 2]]) {
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
            let lines: [&[f32]; 4] = std::array::from_fn(|j| &b.values[first + j * b.rows..][..depth]);
            let fours: [_; 4] = lines.map(|line| line.as_chunks::<4>().0);
            let (blocks, last) = panel.as_chunks_mut::<4>();
            for (i, block) in blocks.iter_mut().enumerate() {
                let turned = F4::transpose(fours.map(|fours| F4::from_array(&fours[i])));
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

/// Blocks of four rows of A, one after the other.
#[derive(Clone, Copy)]
struct Lines {
    at: *const f32,
    /// From a row to the next, or, when the rows are neighbours, from a column to the next.
    stride: usize,
    /// From a block to the next.
    next: usize,
    /// Whether the four rows are neighbours.
    neighbours: bool,
}

impl Lines {
    /// The first `whole` rows of A, `depth` columns from column `from` on.
    fn of(a: View, from: usize, depth: usize, whole: usize) -> Self {
        let (row_stride, depth_stride) = a.strides();
        assert!(a.values.len() >= a.rows * a.columns && whole <= a.rows && from + depth <= a.columns);
        Self {
            at: a.values.as_ptr().wrapping_add(from * depth_stride),
            stride: if a.transposed { depth_stride } else { row_stride },
            next: ROWS * row_stride,
            neighbours: a.transposed,
        }
    }
}

/// At most 8 columns of C.
struct Job<'a> {
    n: usize,
    column: usize,
    columns: usize,
    /// What every row starts from; without it each starts from what is there.
    row: Option<&'a [f32; COLUMNS]>,
    low: F4,
}

impl Job<'_> {
    /// Computes `rows` rows of C from row `first` on, aside if they do not fill their blocks.
    fn run(
        &self,
        lines: Lines,
        panel: &[[Half; 2]],
        c: &mut [f32],
        first: usize,
        rows: usize,
        aside: &mut [f32],
    ) {
        let c = &mut c[first * self.n + self.column..];
        let blocks = rows.div_ceil(ROWS);
        if self.columns == COLUMNS && rows.is_multiple_of(ROWS) {
            return self.run_blocks(blocks, lines, panel, c, self.n);
        }
        if self.row.is_none() {
            for (from, to) in c.chunks(self.n).zip(aside.chunks_mut(COLUMNS)).take(rows) {
                to[..self.columns].copy_from_slice(&from[..self.columns]);
            }
        }
        self.run_blocks(blocks, lines, panel, aside, COLUMNS);
        for (to, from) in c.chunks_mut(self.n).zip(aside.chunks(COLUMNS)).take(rows) {
            to[..self.columns].copy_from_slice(&from[..self.columns]);
        }
    }

    fn run_blocks(&self, blocks: usize, lines: Lines, panel: &[[Half; 2]], c: &mut [f32], stride: usize) {
        assert!(c.len() >= (blocks * ROWS - 1) * stride + COLUMNS);
        let c = c.as_mut_ptr();
        let (start, start_stride) = self.row.map_or((c.cast_const(), stride), |row| (row.as_ptr(), 0));
        let to = Target { c, stride, start, start_stride, low: &raw const self.low };
        let (depth, panel) = (panel.len(), panel.as_ptr().cast());
        // SAFETY: `Lines` has its rows by construction, the panel is `depth` deep, and C has just been
        // checked; it is also the start, or that is one row of 8 and its stride 0.
        unsafe {
            if lines.neighbours {
                run_neighbours(blocks, depth, lines.at, lines.stride, lines.next, panel, to);
            } else {
                run_rows(blocks, depth, lines.at, lines.stride, panel, to);
            }
        }
    }
}

/// Where blocks go, and what they start from.
#[derive(Clone, Copy)]
struct Target {
    c: *mut f32,
    stride: usize,
    start: *const f32,
    start_stride: usize,
    low: *const F4,
}

impl Target {
    /// The left and the right halves of a block's four rows.
    ///
    /// # Safety
    /// The start holds block `i`.
    #[inline(always)]
    unsafe fn load(&self, i: usize) -> [[F4; 2]; ROWS] {
        std::array::from_fn(|r| {
            let at = self.start.wrapping_add((i * ROWS + r) * self.start_stride);
            // SAFETY: the caller's.
            unsafe { [F4::load(at), F4::load(at.add(4))] }
        })
    }

    /// # Safety
    /// C holds block `i`, and `low` is valid.
    #[inline(always)]
    unsafe fn store(&self, i: usize, sums: [[F4; 2]; ROWS]) {
        // SAFETY: the caller's. The read is volatile because it is wanted here: moved out of the loops it
        // would take a register from them.
        let low = unsafe { self.low.read_volatile() };
        for (r, [left, right]) in sums.into_iter().enumerate() {
            let at = self.c.wrapping_add((i * ROWS + r) * self.stride);
            // SAFETY: the caller's.
            unsafe {
                left.at_least(low).store(at);
                right.at_least(low).store(at.add(4));
            }
        }
    }
}

/// One step of the inner loop: adds a column of A times a row of the panel to the block.
///
/// # Safety
/// `panel` can be read to 8 values.
#[inline(always)]
unsafe fn step(sums: &mut [[F4; 2]; ROWS], column: [f32; ROWS], panel: *const f32) {
    // SAFETY: the caller's.
    let (left, right) = unsafe { (F4::load(panel), F4::load(panel.add(4))) };
    for (sum, x) in sums.iter_mut().zip(column) {
        let x = F4::splat(x);
        *sum = [sum[0] + x * left, sum[1] + x * right];
    }
}

/// Blocks whose rows are apart, each row's values being neighbours.
///
/// # Safety
/// `at` holds 4·blocks rows of `depth` values at `stride`, `panel` holds `depth` rows, the target fits.
#[inline(never)]
unsafe fn run_rows(
    blocks: usize,
    depth: usize,
    at: *const f32,
    stride: usize,
    panel: *const f32,
    to: Target,
) {
    for i in 0..blocks {
        let rows: [_; ROWS] = std::array::from_fn(|r| at.wrapping_add((i * ROWS + r) * stride));
        // SAFETY: the caller's.
        unsafe {
            let mut sums = to.load(i);
            let mut panel = panel;
            for p in 0..depth {
                step(&mut sums, rows.map(|row| *row.add(p)), panel);
                panel = panel.add(COLUMNS);
            }
            to.store(i, sums);
        }
    }
}

/// Blocks whose four rows are neighbours, each row's values being `stride` apart.
///
/// # Safety
/// `at` holds `depth` times four values at `stride` for each block, the blocks being `next` apart; `panel`
/// holds `depth` rows; the target fits.
#[inline(never)]
unsafe fn run_neighbours(
    blocks: usize,
    depth: usize,
    at: *const f32,
    stride: usize,
    next: usize,
    panel: *const f32,
    to: Target,
) {
    for i in 0..blocks {
        let mut column = at.wrapping_add(i * next);
        // SAFETY: the caller's.
        unsafe {
            let mut sums = to.load(i);
            let mut panel = panel;
            for _ in 0..depth {
                step(&mut sums, std::array::from_fn(|r| *column.add(r)), panel);
                column = column.wrapping_add(stride);
                panel = panel.add(COLUMNS);
            }
            to.store(i, sums);
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
        }
        // Deeper than one panel.
        check(6, 2 * DEPTH + 3, 10, &mut rng);
    }

    #[test]
    fn blocks_sum_in_order() {
        let mut rng = Rng::stream(2, "gemm");
        let (m, k, n) = (7, 2500, 13);
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
