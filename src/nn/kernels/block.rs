//! Blocks of a product: four rows of A times a panel of eight columns of B.
//!
//! A block's 8 accumulators are as many vectors as V8 keeps in registers. The loop over the blocks is a function of
//! its own with nothing else in it: anything more that is alive across the inner loop, or an inner loop that is
//! unrolled here and not by V8, makes V8 spill (measured: half the speed and less). Both operands are packed, so that
//! it has two addresses to count up, and not five (measured: a tenth faster).

use super::functions::{Function, Relu};
use super::simd::F4;

/// Rows of a block.
pub(super) const ROWS: usize = 4;
/// Columns of a block.
pub(super) const COLUMNS: usize = 8;

/// Four neighbours, aligned so that no load crosses a cache line.
#[derive(Clone, Copy)]
#[repr(align(16))]
pub(super) struct Half(pub [f32; 4]);

/// Where blocks go, and what they start from.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    c: *mut f32,
    /// How many values `c` holds.
    size: usize,
    /// From a row of C to the next, or, when flipped, from a column to the next.
    stride: usize,
    flipped: bool,
    /// Starting values: eight for every row, or, when flipped, one for each row; null for what is in C.
    start: *const f32,
    /// How many starting values there are.
    starts: usize,
    /// From a row's starting values to the next's.
    start_stride: usize,
    low: &'a F4,
    /// What relu gave where C goes, row for row as far apart; null where sums are written as they are.
    through: *const f32,
}

impl<'a> Target<'a> {
    /// Rows `stride` apart, added to what is there.
    pub(super) fn sum(c: &'a mut [f32], stride: usize, low: &'a F4) -> Self {
        let (size, c) = (c.len(), c.as_mut_ptr());
        let (start, through) = (c.cast_const(), std::ptr::null());
        Self { c, size, stride, flipped: false, start, starts: size, start_stride: stride, low, through }
    }

    /// Rows `stride` apart, each starting from `row`.
    pub(super) fn row(c: &'a mut [f32], stride: usize, row: &'a [f32; COLUMNS], low: &'a F4) -> Self {
        Self { start: row.as_ptr(), starts: COLUMNS, start_stride: 0, ..Self::sum(c, stride, low) }
    }

    /// Columns `stride` apart, added to what is there.
    pub(super) fn flipped_sum(c: &'a mut [f32], stride: usize, low: &'a F4) -> Self {
        let start = std::ptr::null();
        Self { start, starts: 0, start_stride: 0, flipped: true, ..Self::sum(c, stride, low) }
    }

    /// Columns `stride` apart, each starting from `column`.
    pub(super) fn flipped_column(c: &'a mut [f32], stride: usize, column: &'a [f32], low: &'a F4) -> Self {
        let (start, starts) = (column.as_ptr(), column.len());
        Self { start, starts, start_stride: 1, ..Self::flipped_sum(c, stride, low) }
    }

    /// Columns `stride` apart, starting from 0.
    pub(super) fn flipped_zero(c: &'a mut [f32], stride: usize, low: &'a F4) -> Self {
        Self { start: &0.0, starts: 1, ..Self::flipped_sum(c, stride, low) }
    }

    /// The same, each element times relu′ at what relu gave in its place.
    ///
    /// # Panics
    /// When there are fewer of them than places.
    pub(super) fn through(self, ys: Option<&'a [f32]>) -> Self {
        let Some(ys) = ys else { return self };
        assert!(ys.len() >= self.size);
        Self { through: ys.as_ptr(), ..self }
    }

    /// Computes `blocks` blocks.
    ///
    /// # Panics
    /// When they would reach over the edge of anything.
    pub(super) fn compute(&self, blocks: usize, lines: &[Half], panel: &[[Half; 2]]) {
        if blocks == 0 {
            return;
        }
        let (depth, rows) = (panel.len(), blocks * ROWS);
        assert!(blocks * depth <= lines.len());
        let (end, starts) = if self.flipped {
            ((COLUMNS - 1) * self.stride + rows, 1 + (rows - 1) * self.start_stride)
        } else {
            ((rows - 1) * self.stride + COLUMNS, (rows - 1) * self.start_stride + COLUMNS)
        };
        assert!(end <= self.size && (self.start.is_null() || starts <= self.starts));
        let run = if self.flipped { run::<true> } else { run::<false> };
        let (lines, panel) = (lines.as_ptr().cast(), panel.as_ptr().cast());
        // SAFETY: all that is read and written has just been checked.
        unsafe { run(blocks, depth, lines, panel, *self) };
    }

    /// The left and the right halves of a block's four rows, before anything is added.
    ///
    /// # Safety
    /// C and the start hold block `i`.
    #[inline(always)]
    pub(super) unsafe fn load<const FLIPPED: bool>(&self, i: usize) -> Sums {
        let at = |r: usize| self.start.wrapping_add((i * ROWS + r) * self.start_stride);
        // SAFETY: the caller's, for everything below.
        unsafe {
            if !FLIPPED {
                let row = |r: usize| [F4::load(at(r)), F4::load(at(r).add(4))];
                [row(0), row(1), row(2), row(3)]
            } else if !self.start.is_null() {
                let row = |r: usize| [F4::splat(*at(r)), F4::splat(*at(r))];
                [row(0), row(1), row(2), row(3)]
            } else {
                let column = |j: usize| F4::load(self.c.wrapping_add(j * self.stride + i * ROWS));
                let [a, b, c, d] = F4::transpose([column(0), column(1), column(2), column(3)]);
                let [e, f, g, h] = F4::transpose([column(4), column(5), column(6), column(7)]);
                [[a, e], [b, f], [c, g], [d, h]]
            }
        }
    }

    /// Writes max(sums, low), and, where `THROUGH` allows for it, times relu′.
    ///
    /// # Safety
    /// C holds block `i`.
    #[inline(always)]
    pub(super) unsafe fn store<const FLIPPED: bool, const THROUGH: bool>(
        &self,
        i: usize,
        [a, b, c, d]: Sums,
    ) {
        // SAFETY: the caller's, for everything below. The read is volatile because it is wanted here: moved
        // out of the loops it would take a register from them.
        unsafe {
            let low = (&raw const *self.low).read_volatile();
            let put = |place: usize, sums: F4| {
                let mut sums = sums.at_least(low);
                if THROUGH && !self.through.is_null() {
                    sums = sums * Relu::slope_at_value(F4::load(self.through.wrapping_add(place)));
                }
                sums.store(self.c.wrapping_add(place));
            };
            if !FLIPPED {
                let write = |r: usize, [left, right]: [F4; 2]| {
                    let place = (i * ROWS + r) * self.stride;
                    put(place, left);
                    put(place + 4, right);
                };
                write(0, a);
                write(1, b);
                write(2, c);
                write(3, d);
            } else {
                let write = |j: usize, column: F4| put(j * self.stride + i * ROWS, column);
                for half in 0..2 {
                    let [p, q, r, s] = F4::transpose([a[half], b[half], c[half], d[half]]);
                    write(4 * half, p);
                    write(4 * half + 1, q);
                    write(4 * half + 2, r);
                    write(4 * half + 3, s);
                }
            }
        }
    }
}

/// A block: four rows, in halves of four columns.
pub(super) type Sums = [[F4; 2]; ROWS];

/// One step of the inner loop: adds a column of A times a row of the panel.
///
/// # Safety
/// `panel` can be read to 8 values.
#[inline(always)]
pub(super) unsafe fn step(sums: Sums, [x, y, z, w]: [f32; ROWS], panel: *const f32) -> Sums {
    // SAFETY: the caller's.
    let (left, right) = unsafe { (F4::load(panel), F4::load(panel.add(4))) };
    let add = |[p, q]: [F4; 2], x: f32| [p + F4::splat(x) * left, q + F4::splat(x) * right];
    [add(sums[0], x), add(sums[1], y), add(sums[2], z), add(sums[3], w)]
}

/// Blocks, one after the other.
///
/// # Safety
/// `lines` holds `blocks` blocks of `depth` columns, `panel` holds `depth` rows, the target has room.
#[inline(never)]
unsafe fn run<const FLIPPED: bool>(
    blocks: usize,
    depth: usize,
    lines: *const f32,
    panel: *const f32,
    to: Target,
) {
    let mut column = lines;
    for i in 0..blocks {
        // SAFETY: the caller's.
        unsafe {
            let mut sums = to.load::<FLIPPED>(i);
            let mut panel = panel;
            for _ in 0..depth {
                let x = [*column, *column.add(1), *column.add(2), *column.add(3)];
                sums = step(sums, x, panel);
                column = column.add(ROWS);
                panel = panel.add(COLUMNS);
            }
            to.store::<FLIPPED, true>(i, sums);
        }
    }
}
