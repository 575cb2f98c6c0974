//! Products with a matrix of which much is 0: what relu gave, and gradients that have passed through it.
//!
//! The values that are not 0 are listed, row by row, and a row of C is computed from those alone, 32 columns at a time.
//! Every element is the sum that [`super::gemm`] computes, in its order, without the terms whose factor in A is 0: what
//! is not finite in B counts only where A has something for it.

use super::block::Half;
use super::functions::{Function, Relu};
use super::matrix::{Start, View};
use super::pack::{grow, pack};
use super::simd::F4;
use std::cell::RefCell;

/// Columns of a panel of B: 8 accumulators.
const WIDTH: usize = 32;
/// The longest inner dimension: so a panel fits into a first-level cache of 32 KB.
const DEPTH: usize = 256;
/// How many values of A are listed at once, at most.
const LISTED: usize = 1 << 15;
/// No row of a panel.
const NOWHERE: u32 = u32::MAX;
/// How many rows, and how many values of each, are looked at before it is decided.
const SAMPLE: usize = 16;

/// A value of A, and where the row of a panel begins that it is multiplied with.
#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    value: f32,
    row: u32,
}

/// Working memory, kept from product to product.
struct Buffers {
    /// For each row as much room as it has values.
    entries: Vec<Entry>,
    /// Where each row's entries end.
    ends: Vec<u32>,
    /// The panels of B, row after row, in vectors of four.
    panels: Vec<Half>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = const {
        RefCell::new(Buffers {
            entries: Vec::new(),
            ends: Vec::new(),
            panels: Vec::new(),
        })
    };
}

/// C ← max(start + A·B, low), times relu′ where it is given what relu gave there.
/// False if it does not pay: then nothing has been done.
///
/// # Panics
/// When the sizes do not fit together.
pub(super) fn product(
    a: View,
    b: View,
    c: &mut [f32],
    start: Start,
    low: f32,
    through: Option<&[f32]>,
) -> bool {
    let (n, size) = (b.columns, stretch(a) * b.columns);
    pays(a, b)
        && BUFFERS.with_borrow_mut(|buffers| {
            grow(&mut buffers.panels, n * b.rows / 4, Half([0.0; 4]));
            pack(8, b, (0, b.rows), (0, n), &mut buffers.panels);
            for (i, c) in c.chunks_mut(size).enumerate() {
                match start {
                    Start::Zero => c.fill(0.0),
                    Start::Row(row) => c.chunks_exact_mut(row.len()).for_each(|c| c.copy_from_slice(row)),
                    Start::Sum => {}
                }
                let ys = through.map(|ys| &ys[i * size..][..c.len()]);
                buffers.compute(a, n, i * stretch(a), c, low, ys);
            }
            true
        })
}

/// How many rows of A are listed at once.
fn stretch(a: View) -> usize {
    (LISTED / a.columns.max(1) / 4 * 4).max(4)
}

/// Whether A has so few values that are not 0 that listing them is worth it.
fn pays(a: View, b: View) -> bool {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    if m < SAMPLE || !(SAMPLE..=DEPTH).contains(&k) || n == 0 || !n.is_multiple_of(WIDTH) {
        return false;
    }
    // Measured in nanoseconds for each value of A: a column takes 0.056 where it is not 0, and 0.05 in gemm; listing
    // takes 1, packing a column of B 0.5 once for all rows, beginning a row 0.2 once for all its values.
    let share = (0.045 - 0.5 / m as f32 - 0.2 / k as f32 - 1.0 / n as f32) / 0.056;
    let most = share * (SAMPLE * SAMPLE) as f32;
    if most < 1.0 {
        return false;
    }
    let (row, column) = a.strides();
    let sample =
        (0..SAMPLE).flat_map(|i| (0..SAMPLE).map(move |j| i * m / SAMPLE * row + j * k / SAMPLE * column));
    (sample.filter(|&place| a.values[place] != 0.0).count() as f32) < most
}

impl Buffers {
    /// Rows of C, from row `first` of A on: what is there, and A·B.
    fn compute(&mut self, a: View, n: usize, first: usize, c: &mut [f32], low: f32, through: Option<&[f32]>) {
        let (depth, rows) = (a.columns, c.len() / n);
        self.list(a, first, rows);
        assert!(through.is_none_or(|ys| ys.len() == c.len()));
        let through = through.map_or(std::ptr::null(), <[f32]>::as_ptr);
        let (ends, entries) = (&self.ends[..rows], self.entries.as_ptr());
        for (panel, column) in self.panels.chunks_exact(depth * WIDTH / 4).zip((0..n).step_by(WIDTH)) {
            let ys = if through.is_null() { through } else { through.wrapping_add(column) };
            let target = Target { low, depth, stride: n, through: ys };
            // SAFETY: `list` has filled as many rows; C and what relu gave have these columns of each.
            unsafe { run(ends, entries, panel.as_ptr().cast(), c[column..].as_mut_ptr(), target) };
        }
    }

    /// Lists what is not 0 of `rows` rows of A.
    fn list(&mut self, a: View, first: usize, rows: usize) {
        let (row, column) = a.strides();
        let depth = a.columns;
        grow(&mut self.entries, rows.next_multiple_of(4) * depth, Entry { value: 0.0, row: 0 });
        grow(&mut self.ends, rows.next_multiple_of(4), 0);
        assert!((first + rows - 1) * row + (depth - 1) * column < a.values.len());
        let entries = self.entries.as_mut_ptr();
        for (group, ends) in self.ends.chunks_exact_mut(4).take(rows.div_ceil(4)).enumerate() {
            // Four rows at a time: where A is transposed they are neighbours.
            let lines: [usize; 4] = std::array::from_fn(|r| (first + (4 * group + r).min(rows - 1)) * row);
            let mut at: [usize; 4] = std::array::from_fn(|r| (4 * group + r) * depth);
            for j in 0..depth {
                for (line, at) in lines.iter().zip(&mut at) {
                    // SAFETY: the last value of the last row has been checked; a row has fewer than `depth` entries
                    // before this one.
                    unsafe {
                        let value = *a.values.get_unchecked(line + j * column);
                        *entries.add(*at) = Entry { value, row: (j * WIDTH) as u32 };
                        *at += usize::from(value.to_bits() << 1 != 0);
                    }
                }
            }
            for (end, at) in ends.iter_mut().zip(at) {
                *end = at as u32;
            }
        }
    }
}

/// Where rows go.
#[derive(Clone, Copy)]
struct Target {
    low: f32,
    /// The room of a row's entries.
    depth: usize,
    /// From a row of C to the next.
    stride: usize,
    /// What relu gave where C goes, as far apart; or null.
    through: *const f32,
}

/// 32 columns of rows of C. Nothing else is in this function: V8 keeps the sums in registers.
///
/// # Safety
/// Row i's entries lie from i·depth to its end, and name rows of the panel; C and what relu gave have 32 columns of
/// each row.
#[inline(never)]
unsafe fn run(ends: &[u32], entries: *const Entry, panel: *const f32, c: *mut f32, to: Target) {
    for (i, &end) in ends.iter().enumerate() {
        // SAFETY: the caller's, for everything below.
        unsafe {
            let (mut entry, end) = (entries.add(i * to.depth), entries.add(end as usize));
            let c = c.add(i * to.stride);
            let [mut p, mut q, mut r, mut s]: [F4; 4] = std::array::from_fn(|j| F4::load(c.add(4 * j)));
            let [mut t, mut u, mut v, mut w]: [F4; 4] = std::array::from_fn(|j| F4::load(c.add(16 + 4 * j)));
            while entry != end {
                let value = F4::splat((*entry).value);
                let row = panel.add((*entry).row as usize);
                let add = |sum: F4, j: usize| sum + value * F4::load(row.add(4 * j));
                p = add(p, 0);
                q = add(q, 1);
                r = add(r, 2);
                s = add(s, 3);
                // No entry names it. In one go the compiler would put all eight loads first, and V8 then keep some sums in
                // memory (measured: a quarter slower).
                if (*entry).row == NOWHERE {
                    break;
                }
                t = add(t, 4);
                u = add(u, 5);
                v = add(v, 6);
                w = add(w, 7);
                entry = entry.add(1);
            }
            let sums = [p, q, r, s, t, u, v, w];
            let low = F4::splat((&raw const to.low).read_volatile());
            for (j, sum) in sums.into_iter().enumerate() {
                let mut sum = sum.at_least(low);
                if !to.through.is_null() {
                    let ys = F4::load(to.through.add(i * to.stride + 4 * j));
                    sum = sum * Relu::slope_at_value(ys);
                }
                sum.store(c.add(4 * j));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Half of it 0, and some rows and columns altogether.
    fn matrix(rows: usize, columns: usize, rng: &mut Rng) -> Vec<f32> {
        let mut values = rng.normals(rows * columns);
        for (i, value) in values.iter_mut().enumerate() {
            if i / columns % 5 == 3 || i % columns % 7 == 2 {
                *value = 0.0;
            }
            *value = value.max(0.0);
        }
        values
    }

    #[test]
    fn the_sums_are_those_of_all_terms_in_their_order() {
        let mut rng = Rng::stream(1, "sparse");
        for (m, k, n) in [(48, 32, 128), (51, 33, 160), (300, 128, 96), (70, 256, 96), (1029, 250, 160)] {
            let (a, b) = (matrix(m, k, &mut rng), rng.normals(k * n));
            let (row, before, ys) = (rng.normals(n), rng.normals(m * n), rng.normals(m * n));
            let turned: Vec<f32> = (0..k * m).map(|i| a[i % m * k + i / m]).collect();
            for a in [View::new(&a, m, k), View::new(&turned, k, m).t()] {
                for b in [View::new(&b, k, n), View::new(&b, n, k).t()] {
                    let (row_of_a, column_of_a) = a.strides();
                    let (row_of_b, column_of_b) = b.strides();
                    let sum = |first: f32, i: usize, j: usize| {
                        let term = |p| {
                            a.values[i * row_of_a + p * column_of_a]
                                * b.values[p * row_of_b + j * column_of_b]
                        };
                        (0..k).fold(first, |sum, p| sum + term(p))
                    };
                    for (start, low) in
                        [(Start::Zero, f32::NEG_INFINITY), (Start::Row(&row), 0.0), (Start::Sum, -0.5)]
                    {
                        for through in [None, Some(&*ys)] {
                            let mut c = before.clone();
                            assert!(product(a, b, &mut c, start, low, through), "{m} {k} {n}");
                            for (i, got) in c.iter().enumerate() {
                                let first = match start {
                                    Start::Zero => 0.0,
                                    Start::Row(row) => row[i % n],
                                    Start::Sum => before[i],
                                };
                                let slope = if through.is_some_and(|ys| ys[i] <= 0.0) { 0.0 } else { 1.0 };
                                assert_eq!(
                                    *got,
                                    sum(first, i / n, i % n).max(low) * slope,
                                    "{m} {k} {n} {start:?}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_few_zeros_or_is_too_small_is_left_to_others() {
        let mut rng = Rng::stream(2, "sparse");
        let mut tried = |m: usize, k: usize, n: usize, full: bool| {
            let a = if full { rng.normals(m * k) } else { matrix(m, k, &mut rng) };
            let b = rng.normals(k * n);
            let mut c = vec![7.0; m * n];
            let done = product(View::new(&a, m, k), View::new(&b, k, n), &mut c, Start::Sum, 0.0, None);
            assert!(done || c.iter().all(|c| *c == 7.0));
            done
        };
        assert!(tried(64, 64, 128, false));
        for (m, k, n, full) in [
            (64, 64, 128, true),
            (15, 64, 128, false),
            (64, 15, 128, false),
            (64, 257, 128, false),
            (64, 64, 100, false),
            (64, 64, 0, false),
        ] {
            assert!(!tried(m, k, n, full), "{m} {k} {n} {full}");
        }
    }

    #[test]
    fn nan_counts() {
        let mut a = vec![0.0; 32 * 32];
        a[5] = f32::NAN;
        let (b, mut c) = (vec![1.0; 32 * 64], vec![0.0; 32 * 64]);
        assert!(product(View::new(&a, 32, 32), View::new(&b, 32, 64), &mut c, Start::Zero, 0.0, None));
        assert!(c[..64].iter().all(|x| x.is_nan()) && c[64..].iter().all(|x| *x == 0.0));
    }
}
