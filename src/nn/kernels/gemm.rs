//! Matrix products: C ← start + A·B.
//!
//! B is packed into panels of 8 columns, and C is computed in blocks of 4 × 8, whose 8 accumulators are as
//! many vectors as V8 keeps in registers. The block is inlined into one loop per layout of A that is itself
//! never inlined: in larger functions V8 spills (measured: 57 GFLOP/s against 28–50).
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
    PACKED.with_borrow_mut(|packed| blocks(a, b, c, start, low, packed));
}

thread_local! {
    static PACKED: RefCell<Packed> = const { RefCell::new(Packed { a: Vec::new(), b: Vec::new() }) };
}

fn blocks(a: View, b: View, c: &mut [f32], start: Start, low: f32, packed: &mut Packed) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    let (row_stride, depth_stride) = a.strides();
    // Equal parts, at least one, so that an empty inner dimension still gives the start.
    let parts = k.div_ceil(DEPTH).max(1);
    for part in 0..parts {
        let (from, to) = (k * part / parts, k * (part + 1) / parts);
        let depth = to - from;
        packed.reserve(depth);
        let rest = pack_rest(a, from, depth, &mut packed.a);
        let low = if to == k { low } else { f32::NEG_INFINITY };
        for column in (0..n).step_by(COLUMNS) {
            let columns = (n - column).min(COLUMNS);
            pack(b, from, depth, column, columns, &mut packed.b);
            let mut row = [0.0; COLUMNS];
            if let (Start::Row(values), 0) = (start, part) {
                row[..columns].copy_from_slice(&values[column..column + columns]);
            }
            let panel = Panel {
                rows: m,
                columns,
                depth,
                a: a.values.as_ptr().wrapping_add(from * depth_stride),
                row_stride,
                depth_stride,
                rest,
                b: packed.b.as_ptr(),
                row: (part == 0 && !matches!(start, Start::Sum)).then_some(row),
                c: c[column..].as_mut_ptr(),
                c_stride: n,
                low: F4::splat(low),
            };
            // SAFETY: `product` has checked that A holds m rows of k values at these strides and C m rows
            // of n; the packed panels hold `depth` rows, and column + columns ≤ n.
            unsafe { if a.transposed { panel.run::<true>() } else { panel.run::<false>() } }
        }
    }
}

/// The buffers that operands are copied to, kept from product to product.
struct Packed {
    /// The rows of a transposed A that do not fill a block: 4 neighbours for each step of the depth.
    a: Vec<f32>,
    /// A panel of B: 8 neighbours for each step of the depth.
    b: Vec<f32>,
}

impl Packed {
    fn reserve(&mut self, depth: usize) {
        if self.b.len() < depth * COLUMNS {
            self.a.resize(depth * ROWS, 0.0);
            self.b.resize(depth * COLUMNS, 0.0);
        }
    }
}

/// Where the rows of a transposed A go on that do not fill a block; null when there are none.
fn pack_rest(a: View, from: usize, depth: usize, packed: &mut [f32]) -> *const f32 {
    let rest = a.rows % ROWS;
    if !a.transposed || rest == 0 {
        return std::ptr::null();
    }
    let (fours, _) = packed[..depth * ROWS].as_chunks_mut::<ROWS>();
    for (four, line) in fours.iter_mut().zip(a.values[from * a.rows..].chunks(a.rows)) {
        *four = [0.0; ROWS];
        four[..rest].copy_from_slice(&line[a.rows - rest..]);
    }
    packed.as_ptr()
}

/// Copies `columns` (at most 8) columns of B, rows `from..from + depth`, so that each row's 8 values are
/// neighbours. Missing columns are zero.
fn pack(b: View, from: usize, depth: usize, column: usize, columns: usize, packed: &mut [f32]) {
    let (rows, _) = packed[..depth * COLUMNS].as_chunks_mut::<COLUMNS>();
    if columns < COLUMNS {
        let (row_stride, column_stride) = b.strides();
        for (i, row) in rows.iter_mut().enumerate() {
            *row = [0.0; COLUMNS];
            for (j, value) in row[..columns].iter_mut().enumerate() {
                *value = b.values[(from + i) * row_stride + (column + j) * column_stride];
            }
        }
    } else if b.transposed {
        // A column of B is a row in memory: eight of them, four values deep at a time, turned in registers.
        let lines: [&[f32]; COLUMNS] =
            std::array::from_fn(|j| &b.values[(column + j) * b.rows + from..][..depth]);
        let (fours, rest) = rows.as_chunks_mut::<4>();
        for (i, four) in fours.iter_mut().enumerate() {
            for half in 0..2 {
                let turned = F4::transpose(std::array::from_fn(|j| {
                    // SAFETY: the line holds `depth` values, and 4·i + 4 ≤ depth.
                    unsafe { F4::load(lines[4 * half + j].as_ptr().add(4 * i)) }
                }));
                for (row, values) in four.iter_mut().zip(turned) {
                    // SAFETY: the row holds 8 values, and 4·half + 4 ≤ 8.
                    unsafe { values.store(row.as_mut_ptr().add(4 * half)) };
                }
            }
        }
        let done = depth - rest.len();
        for (i, row) in rest.iter_mut().enumerate() {
            for (value, line) in row.iter_mut().zip(&lines) {
                *value = line[done + i];
            }
        }
    } else {
        for (row, line) in rows.iter_mut().zip(b.values[from * b.columns..].chunks(b.columns)) {
            if let Some(values) = line[column..].first_chunk() {
                *row = *values;
            }
        }
    }
}

/// At most 8 columns of C.
struct Panel {
    rows: usize,
    columns: usize,
    depth: usize,
    a: *const f32,
    row_stride: usize,
    depth_stride: usize,
    /// See [`pack_rest`].
    rest: *const f32,
    b: *const f32,
    /// What every row starts from; without it each starts from what is there.
    row: Option<[f32; COLUMNS]>,
    c: *mut f32,
    c_stride: usize,
    low: F4,
}

impl Panel {
    /// # Safety
    /// A, B and C hold what the sizes and strides say; in a transposed A the rows are neighbours.
    #[inline(never)]
    unsafe fn run<const TRANSPOSED: bool>(&self) {
        let mut edge = [0.0_f32; ROWS * COLUMNS];
        for i in (0..self.rows).step_by(ROWS) {
            let rows = (self.rows - i).min(ROWS);
            let whole = rows == ROWS && self.columns == COLUMNS;
            let target = self.c.wrapping_add(i * self.c_stride);
            let (c, c_stride) = if whole { (target, self.c_stride) } else { (edge.as_mut_ptr(), COLUMNS) };
            if !whole && self.row.is_none() {
                // SAFETY: within C by the caller's promise, and within `edge`.
                unsafe { self.copy_edge(rows, target, self.c_stride, c, COLUMNS) };
            }
            let (start, start_stride) = match &self.row {
                Some(row) => (row.as_ptr(), 0),
                None => (c.cast_const(), c_stride),
            };
            let a = if TRANSPOSED && rows < ROWS {
                Lines { at: [self.rest; ROWS], stride: ROWS }
            } else if TRANSPOSED {
                Lines { at: [self.a.wrapping_add(i); ROWS], stride: self.depth_stride }
            } else {
                // Past the last row the last one is computed again, and not kept.
                let line = |r: usize| self.a.wrapping_add((i + r.min(rows - 1)) * self.row_stride);
                Lines { at: [line(0), line(1), line(2), line(3)], stride: 1 }
            };
            // SAFETY: by the caller's promise.
            unsafe { self.block::<TRANSPOSED>(a, start, start_stride, c, c_stride) };
            if !whole {
                // SAFETY: as above.
                unsafe { self.copy_edge(rows, c, COLUMNS, target, self.c_stride) };
            }
        }
    }

    /// # Safety
    /// `rows` rows of this panel's columns can be read and written at these strides.
    unsafe fn copy_edge(
        &self,
        rows: usize,
        from: *const f32,
        from_stride: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        for r in 0..rows {
            // SAFETY: the caller's.
            unsafe {
                from.add(r * from_stride).copy_to_nonoverlapping(to.add(r * to_stride), self.columns);
            }
        }
    }

    /// Four rows by eight columns.
    ///
    /// # Safety
    /// Each line of A holds `depth` values; start and C hold four rows of eight at their strides.
    #[inline(always)]
    unsafe fn block<const TRANSPOSED: bool>(
        &self,
        a: Lines,
        start: *const f32,
        start_stride: usize,
        c: *mut f32,
        c_stride: usize,
    ) {
        // SAFETY: the caller's, for everything below.
        unsafe {
            let mut b = self.b;
            let first = |r: usize| F4::load(start.add(r * start_stride));
            let second = |r: usize| F4::load(start.add(r * start_stride + 4));
            let (mut c0, mut c1, mut c2, mut c3) = (first(0), first(1), first(2), first(3));
            let (mut d0, mut d1, mut d2, mut d3) = (second(0), second(1), second(2), second(3));
            macro_rules! step {
                ($ahead:expr, $a0:expr, $a1:expr, $a2:expr, $a3:expr) => {
                    let (left, right) = (F4::load(b.add(8 * $ahead)), F4::load(b.add(8 * $ahead + 4)));
                    let x = F4::splat(*$a0);
                    c0 = c0 + x * left;
                    d0 = d0 + x * right;
                    let x = F4::splat(*$a1);
                    c1 = c1 + x * left;
                    d1 = d1 + x * right;
                    let x = F4::splat(*$a2);
                    c2 = c2 + x * left;
                    d2 = d2 + x * right;
                    let x = F4::splat(*$a3);
                    c3 = c3 + x * left;
                    d3 = d3 + x * right;
                };
            }
            if TRANSPOSED {
                // The four rows are neighbours.
                let mut x = a.at[0];
                for _ in 0..self.depth {
                    step!(0, x, x.add(1), x.add(2), x.add(3));
                    x = x.wrapping_add(a.stride);
                    b = b.add(COLUMNS);
                }
            } else {
                let [mut x0, mut x1, mut x2, mut x3] = a.at;
                for _ in 0..self.depth / 4 {
                    step!(0, x0, x1, x2, x3);
                    step!(1, x0.add(1), x1.add(1), x2.add(1), x3.add(1));
                    step!(2, x0.add(2), x1.add(2), x2.add(2), x3.add(2));
                    step!(3, x0.add(3), x1.add(3), x2.add(3), x3.add(3));
                    (x0, x1, x2, x3) = (x0.add(4), x1.add(4), x2.add(4), x3.add(4));
                    b = b.add(4 * COLUMNS);
                }
                for _ in 0..self.depth % 4 {
                    step!(0, x0, x1, x2, x3);
                    (x0, x1, x2, x3) = (x0.add(1), x1.add(1), x2.add(1), x3.add(1));
                    b = b.add(COLUMNS);
                }
            }
            for (r, (left, right)) in [(c0, d0), (c1, d1), (c2, d2), (c3, d3)].into_iter().enumerate() {
                left.at_least(self.low).store(c.add(r * c_stride));
                right.at_least(self.low).store(c.add(r * c_stride + 4));
            }
        }
    }
}

/// Four rows of A.
#[derive(Clone, Copy)]
struct Lines {
    at: [*const f32; ROWS],
    stride: usize,
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
