//! The operands of a product, copied in the order in which its blocks read them.
//!
//! Read as they are, the values of a block would lie a row apart: each in a cache line of its own, and at the usual
//! widths all of them in the same few sets of the cache.

use super::block::{COLUMNS, Half, ROWS};
use super::matrix::View;
use super::simd::F4;

/// Working memory, kept from product to product.
pub(super) struct Buffers {
    /// The panels of B: 8 columns each, row after row.
    pub(super) panels: Vec<Half>,
    /// A stretch of A: blocks of 4 rows, each column after column.
    pub(super) lines: Vec<Half>,
    /// Blocks of C that reach over its edge.
    pub(super) aside: Vec<f32>,
    /// Rows of C that are not kept.
    pub(super) tile: Vec<f32>,
}

impl Buffers {
    pub(super) const fn new() -> Self {
        Self { panels: Vec::new(), lines: Vec::new(), aside: Vec::new(), tile: Vec::new() }
    }

    /// Grows to what a product of `rows` × `depth` and `depth` × `columns` values needs.
    pub(super) fn reserve(&mut self, rows: usize, columns: usize, depth: usize, stretch: usize) {
        grow(&mut self.panels, columns.div_ceil(COLUMNS) * depth * 2, Half([0.0; 4]));
        grow(&mut self.lines, stretch / ROWS * depth, Half([0.0; 4]));
        grow(&mut self.aside, (rows + ROWS) * COLUMNS, 0.0);
    }
}

/// Grows to at least so many.
#[inline(never)]
pub(super) fn grow<T: Copy>(buffer: &mut Vec<T>, length: usize, value: T) {
    if buffer.len() < length {
        buffer.resize(length, value);
    }
}

/// Packs `lanes` columns of `b` from column `first` on, `depth` of its rows from row `from` on: strips of 4·`halves`
/// columns (1, 2 or 8 of them), one after the other, each row after row. Columns that the last strip lacks are zero.
///
/// # Panics
/// When `b` has fewer values, or `out` less room.
pub(super) fn pack(
    halves: usize,
    b: View,
    (from, depth): (usize, usize),
    (first, lanes): (usize, usize),
    out: &mut [Half],
) {
    let (row, column) = b.strides();
    let start = from * row + first * column;
    if depth == 0 || lanes == 0 {
        return;
    }
    let width = 4 * halves;
    let strips = lanes / width;
    assert!(start + (depth - 1) * row + (lanes - 1) * column < b.values.len());
    assert!(lanes.div_ceil(width) * depth * halves <= out.len());
    if strips > 0 {
        let values = &raw const b.values[start];
        let out = out.as_mut_ptr().cast();
        // SAFETY: all that is read lies before the last value, and all that is written in whole strips; both have
        // just been checked.
        unsafe {
            if b.transposed {
                turn(values, column, depth, strips, halves, out);
            } else {
                match halves {
                    1 => cut::<1>(values, row, depth, strips, out),
                    2 => cut::<2>(values, row, depth, strips, out),
                    _ => cut::<8>(values, row, depth, strips, out),
                }
            }
        }
    }
    let rest = lanes - strips * width;
    if rest > 0 {
        let start = start + strips * width * column;
        for (i, halves) in out[strips * depth * halves..].chunks_mut(halves).take(depth).enumerate() {
            for (j, value) in halves.iter_mut().flat_map(|half| &mut half.0).enumerate() {
                *value = if j < rest { b.values[start + i * row + j * column] } else { 0.0 };
            }
        }
    }
}

/// Strips of rows that lie `stride` apart. As many strips at a time as fill a cache line.
///
/// # Safety
/// `values` can be read to `strips` strips of `depth` rows, and as much written to `out`.
#[inline(never)]
unsafe fn cut<const HALVES: usize>(
    values: *const f32,
    stride: usize,
    depth: usize,
    strips: usize,
    out: *mut f32,
) {
    let (width, group) = (4 * HALVES, 4_usize.div_ceil(HALVES));
    // SAFETY: the caller's, for everything below.
    unsafe {
        let copy = |from: *const f32, to: *mut f32| F4::load(from).store(to);
        let mut strip = 0;
        while strip + group <= strips {
            let mut row = values.add(strip * width);
            let mut to = out.add(strip * depth * width);
            for _ in 0..depth {
                for four in 0..group * HALVES {
                    copy(row.add(4 * four), to.add(four / HALVES * depth * width + 4 * (four % HALVES)));
                }
                row = row.wrapping_add(stride);
                to = to.add(width);
            }
            strip += group;
        }
        for strip in strip..strips {
            let mut row = values.add(strip * width);
            let mut to = out.add(strip * depth * width);
            for _ in 0..depth {
                for half in 0..HALVES {
                    copy(row.add(4 * half), to.add(4 * half));
                }
                row = row.wrapping_add(stride);
                to = to.add(width);
            }
        }
    }
}

/// Strips of columns that lie `stride` apart: four columns, four values deep at a time, are turned in registers.
///
/// # Safety
/// `values` can be read to `strips` strips of `depth` rows, and as much written to `out`.
#[inline(never)]
unsafe fn turn(values: *const f32, stride: usize, depth: usize, strips: usize, halves: usize, out: *mut f32) {
    let width = 4 * halves;
    for half in 0..strips * halves {
        // SAFETY: the caller's, for everything below.
        unsafe {
            let lines: [*const f32; 4] = std::array::from_fn(|r| values.add((4 * half + r) * stride));
            let to = out.add(half / halves * depth * width + half % halves * 4);
            let whole = depth / 4 * 4;
            for i in (0..whole).step_by(4) {
                let turned = F4::transpose(lines.map(|line| F4::load(line.add(i))));
                for (r, four) in turned.into_iter().enumerate() {
                    four.store(to.add((i + r) * width));
                }
            }
            for i in whole..depth {
                for (r, line) in lines.into_iter().enumerate() {
                    to.add(i * width + r).write(*line.add(i));
                }
            }
        }
    }
}
