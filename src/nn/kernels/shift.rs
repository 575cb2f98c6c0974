//! The products inside a convolution, without the matrix of its windows in memory.
//!
//! The image lies in memory with its padding ([`super::conv`]), so that what tap p of the window sees at the
//! output position q is `values[shifts[p] + q]`: neighbouring positions are neighbours in memory, and a row of
//! the matrix that would be multiplied is a shift.
//!
//! As in [`super::block`], each loop is a function of its own with at most 8 accumulators.

use super::block::{COLUMNS, Half, ROWS, Target, step};
use super::simd::F4;

/// How many positions [`lines`] takes at once.
pub(super) const STRETCH: usize = 32;

/// An image and where each tap of a window begins in it.
#[derive(Clone, Copy)]
pub(super) struct Shifted<'a> {
    pub values: &'a [f32],
    /// In values.
    pub shifts: &'a [usize],
}

impl Shifted<'_> {
    /// Panics unless every tap has `positions` positions.
    fn check(&self, positions: usize) {
        let last = self.values.len().checked_sub(positions);
        let inside = |shift: &usize| last.is_some_and(|last| *shift <= last);
        assert!(self.shifts.iter().all(inside), "a window lies inside its image");
    }
}

/// C[j][q] ← start[j] + Σₚ panel[p][j]·values[shifts[p] + q], for 8 rows j of C, `stride` apart, and the
/// positions q below 4·`blocks`.
pub(super) fn panel_rows(
    image: Shifted,
    panel: &[[Half; 2]],
    start: &[f32; COLUMNS],
    c: &mut [f32],
    stride: usize,
    blocks: usize,
) {
    if blocks == 0 {
        return;
    }
    image.check(blocks * ROWS);
    assert_eq!(image.shifts.len(), panel.len());
    assert!((COLUMNS - 1) * stride + blocks * ROWS <= c.len());
    let low = F4::splat(f32::NEG_INFINITY);
    let to = Target::row(c, stride, start, &low);
    let (values, shifts) = (image.values.as_ptr(), image.shifts.as_ptr());
    // SAFETY: all that is read and written has just been checked.
    unsafe { run_panel(blocks, panel.len(), values, shifts, panel.as_ptr().cast(), to) };
}

/// # Safety
/// Everything holds `blocks` blocks and `depth` taps.
#[inline(never)]
unsafe fn run_panel(
    blocks: usize,
    depth: usize,
    values: *const f32,
    shifts: *const usize,
    panel: *const f32,
    to: Target,
) {
    for i in 0..blocks {
        let at = values.wrapping_add(i * ROWS);
        // SAFETY: the caller's.
        unsafe {
            let mut sums = to.load::<false>(i);
            let mut panel = panel;
            for p in 0..depth {
                let four = at.add(*shifts.add(p));
                sums = step(sums, [*four, *four.add(1), *four.add(2), *four.add(3)], panel);
                panel = panel.add(COLUMNS);
            }
            to.store::<true, false>(i, sums);
        }
    }
}

/// C[q] ← start + Σₚ weights[p]·values[shifts[p] + q], in whole stretches.
pub(super) fn line(image: Shifted, weights: &[f32], start: f32, c: &mut [f32]) {
    image.check(c.len());
    assert_eq!(image.shifts.len(), weights.len());
    let (stretches, rest) = c.as_chunks_mut::<STRETCH>();
    assert!(rest.is_empty(), "whole stretches");
    let mut at = image.values.as_ptr();
    for stretch in stretches {
        // SAFETY: the image holds as many positions as C for each shift, and there is a weight for each.
        unsafe {
            run_line(weights.len(), at, image.shifts.as_ptr(), weights.as_ptr(), start, stretch);
            at = at.add(STRETCH);
        }
    }
}

/// # Safety
/// Everything holds `depth` taps, and each shift has a stretch of values.
#[inline(never)]
unsafe fn run_line(
    depth: usize,
    at: *const f32,
    shifts: *const usize,
    weights: *const f32,
    start: f32,
    c: &mut [f32; STRETCH],
) {
    let mut sums = [F4::splat(start); STRETCH / 4];
    for p in 0..depth {
        // SAFETY: the caller's.
        unsafe {
            let (from, weight) = (at.add(*shifts.add(p)), F4::splat(*weights.add(p)));
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = *sum + weight * F4::load(from.add(4 * i));
            }
        }
    }
    let (fours, _) = c.as_chunks_mut::<4>();
    for (sum, four) in sums.into_iter().zip(fours) {
        sum.write(four);
    }
}

/// C[p][j] ← C[p][j] + Σ_q values[shifts[p] + q]·panel[q][j], for 8 columns j of C, whose rows are `stride`
/// apart. The shifts come in fours.
pub(super) fn add_panel_columns(image: Shifted, panel: &[[Half; 2]], c: &mut [f32], stride: usize) {
    image.check(panel.len());
    let (blocks, rest) = (image.shifts.len() / ROWS, image.shifts.len() % ROWS);
    assert!(rest == 0 && blocks > 0 && (image.shifts.len() - 1) * stride + COLUMNS <= c.len());
    let low = F4::splat(f32::NEG_INFINITY);
    let to = Target::sum(c, stride, &low);
    let (values, shifts) = (image.values.as_ptr(), image.shifts.as_ptr());
    // SAFETY: all that is read and written has just been checked.
    unsafe { run_columns(blocks, panel.len(), values, shifts, panel.as_ptr().cast(), to) };
}

/// # Safety
/// Everything holds `blocks` blocks of four taps, and `depth` positions.
#[inline(never)]
unsafe fn run_columns(
    blocks: usize,
    depth: usize,
    values: *const f32,
    shifts: *const usize,
    panel: *const f32,
    to: Target,
) {
    for i in 0..blocks {
        // SAFETY: the caller's.
        unsafe {
            let row = |r: usize| values.add(*shifts.add(i * ROWS + r));
            let (x, y, z, w) = (row(0), row(1), row(2), row(3));
            let mut sums = to.load::<false>(i);
            let mut panel = panel;
            for q in 0..depth {
                sums = step(sums, [*x.add(q), *y.add(q), *z.add(q), *w.add(q)], panel);
                panel = panel.add(COLUMNS);
            }
            to.store::<false, false>(i, sums);
        }
    }
}

/// C[p] ← C[p] + Σ_q values[shifts[p] + q]·line[q] for every fourth-aligned tap p, `stride` apart in C:
/// for each the sum of four interleaved sums. Shifts and positions come in fours.
pub(super) fn add_dots(image: Shifted, line: &[f32], c: &mut [f32], stride: usize) {
    image.check(line.len());
    let (fours, rest) = line.as_chunks::<4>();
    let (blocks, others) = image.shifts.as_chunks::<4>();
    assert!(rest.is_empty() && others.is_empty(), "positions and taps come in fours");
    for (block, c) in blocks.iter().zip(c.chunks_mut(4 * stride)) {
        // SAFETY: each shift has as many values as the line.
        let sums = unsafe { run_dots(fours, block.map(|shift| image.values.as_ptr().add(shift))) };
        for (sum, c) in sums.into_iter().zip(c.chunks_mut(stride)) {
            c[0] += sum.sum();
        }
    }
}

/// # Safety
/// There are as many values at each of the four places as in `line`.
#[inline(never)]
unsafe fn run_dots(line: &[[f32; 4]], at: [*const f32; 4]) -> [F4; 4] {
    // Even and odd vectors apart: four sums alone would wait for one another.
    let mut sums = [[F4::splat(0.0); 2]; 4];
    let (pairs, last) = line.as_chunks::<2>();
    let mut q = 0;
    for [left, right] in pairs {
        let (left, right) = (F4::from_array(left), F4::from_array(right));
        for (sum, at) in sums.iter_mut().zip(at) {
            // SAFETY: the caller's.
            unsafe {
                sum[0] = sum[0] + F4::load(at.add(q)) * left;
                sum[1] = sum[1] + F4::load(at.add(q + 4)) * right;
            }
        }
        q += 8;
    }
    for four in last {
        for (sum, at) in sums.iter_mut().zip(at) {
            // SAFETY: the caller's.
            sum[0] = sum[0] + unsafe { F4::load(at.add(q)) } * F4::from_array(four);
        }
    }
    sums.map(|[even, odd]| even + odd)
}
