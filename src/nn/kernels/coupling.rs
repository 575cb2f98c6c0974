//! Maps of chosen columns of a row, with the log-determinant in the row's last column.
//!
//! A batch is a slice of rows of `width` values. What a flow maps stands in the first `width − 1` columns,
//! what its maps have added up to log |det ∂z/∂x| stands in the last.

use super::maps::{load_rest, store_rest};
use super::simd::F4;
use super::vmath;

/// out ← these columns of each row.
///
/// # Panics
/// When a column lies outside of a row.
#[inline(never)]
pub fn gather(rows: &[f32], width: usize, columns: &[usize], out: &mut [f32]) {
    if columns.is_empty() {
        return;
    }
    for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact_mut(columns.len())) {
        for (out, &column) in out.iter_mut().zip(columns) {
            *out = row[column];
        }
    }
}

/// These columns of each row of `sum` ← themselves + `xs`: the transpose of [`gather`].
///
/// # Panics
/// When a column lies outside of a row.
#[inline(never)]
pub fn scatter_add(xs: &[f32], width: usize, columns: &[usize], sum: &mut [f32]) {
    if columns.is_empty() {
        return;
    }
    for (row, xs) in sum.chunks_exact_mut(width).zip(xs.chunks_exact(columns.len())) {
        for (x, &column) in xs.iter().zip(columns) {
            row[column] += x;
        }
    }
}

/// At most four values of a row, then zeros.
#[inline(always)]
fn lanes(row: &[f32], columns: &[usize]) -> F4 {
    let mut four = [0.0; 4];
    for (lane, &column) in four.iter_mut().zip(columns) {
        *lane = row[column];
    }
    F4::from_array(&four)
}

/// The first lanes to these columns.
#[inline(always)]
fn put(values: F4, row: &mut [f32], columns: &[usize]) {
    for (value, &column) in values.to_array().iter().zip(columns) {
        row[column] = *value;
    }
}

/// The log-scale 2·tanh(o/2): close to o near 0, and never beyond ±2.
#[inline(always)]
fn log_scale(o: F4) -> F4 {
    F4::splat(2.0) * vmath::tanh(F4::splat(0.5) * o)
}

/// x ← x·eˢ + t with s = 2·tanh(o/2) in the active columns; the log-determinant grows by Σ s.
///
/// `parameters` holds for each row the o of every active column, then the t of every active column.
///
/// # Panics
/// When a column lies outside of a row.
#[inline(never)]
pub fn affine(rows: &mut [f32], width: usize, active: &[usize], parameters: &[f32]) {
    each_row(rows, width, active, parameters, |x, s, t| (x * vmath::exp(s) + t, s));
}

/// The inverse of [`affine`]: x ← (x − t)·e⁻ˢ; the log-determinant shrinks by Σ s.
///
/// # Panics
/// When a column lies outside of a row.
#[inline(never)]
pub fn affine_inverse(rows: &mut [f32], width: usize, active: &[usize], parameters: &[f32]) {
    each_row(rows, width, active, parameters, |x, s, t| ((x - t) * vmath::exp(-s), -s));
}

/// x ← the first result of f(x, s, t), the log-determinant ← itself + the second.
#[inline(always)]
fn each_row(
    rows: &mut [f32],
    width: usize,
    active: &[usize],
    parameters: &[f32],
    f: impl Fn(F4, F4, F4) -> (F4, F4),
) {
    let m = active.len();
    if m == 0 {
        return;
    }
    for (row, parameters) in rows.chunks_exact_mut(width).zip(parameters.chunks_exact(2 * m)) {
        let (scales, shifts) = parameters.split_at(m);
        let mut log_det = 0.0;
        for ((columns, o), t) in active.chunks(4).zip(scales.chunks(4)).zip(shifts.chunks(4)) {
            // Lanes beyond the rest hold o = 0 and add nothing.
            let (value, part) = f(lanes(row, columns), log_scale(load_rest(o)), load_rest(t));
            put(value, row, columns);
            log_det += part.sum();
        }
        row[width - 1] += log_det;
    }
}

/// The gradients of [`affine`] from that of its result: `to_rows` holds the gradient by the result and takes
/// that by the argument; `to_parameters` takes that by the parameters.
///
/// # Panics
/// When a column lies outside of a row.
#[inline(never)]
pub fn affine_backward(
    rows: &[f32],
    width: usize,
    active: &[usize],
    parameters: &[f32],
    to_rows: &mut [f32],
    to_parameters: &mut [f32],
) {
    let m = active.len();
    if m == 0 {
        return;
    }
    let arguments = rows.chunks_exact(width).zip(parameters.chunks_exact(2 * m));
    let gradients = to_rows.chunks_exact_mut(width).zip(to_parameters.chunks_exact_mut(2 * m));
    for ((row, parameters), (to_row, to_parameters)) in arguments.zip(gradients) {
        let to_log_det = F4::splat(to_row[width - 1]);
        let (to_scales, to_shifts) = to_parameters.split_at_mut(m);
        let outputs = to_scales.chunks_mut(4).zip(to_shifts.chunks_mut(4));
        for ((columns, o), (to_o, to_t)) in active.chunks(4).zip(parameters.chunks(4)).zip(outputs) {
            // The last block of scales runs into the shifts: only its own lanes are stored.
            let s = log_scale(load_rest(o));
            let (x, g, scale) = (lanes(row, columns), lanes(to_row, columns), vmath::exp(s));
            let to_s = g * x * scale + to_log_det;
            // ds/do = 1 − tanh²(o/2)
            let half = F4::splat(0.5) * s;
            store_rest(to_s * (F4::splat(1.0) - half * half), to_o);
            store_rest(g, to_t);
            put(g * scale, to_row, columns);
        }
    }
}

/// log N(z; 0, I) + log-determinant of each row, in nats.
#[inline(never)]
pub fn log_prob(rows: &[f32], width: usize, out: &mut [f32]) {
    let constant = 0.5 * libm::log(std::f64::consts::TAU) * (width - 1) as f64;
    for (row, out) in rows.chunks_exact(width).zip(out) {
        let (zs, log_det) = row.split_at(width - 1);
        let squares: f64 = zs.iter().map(|z| f64::from(*z) * f64::from(*z)).sum();
        *out = (f64::from(log_det[0]) - 0.5 * squares - constant) as f32;
    }
}

/// sum ← sum + scale·∂(Σ log_prob)/∂rows: −z, and 1 for the log-determinant.
#[inline(never)]
pub fn add_log_prob_slope(scale: f32, rows: &[f32], width: usize, sum: &mut [f32]) {
    for (row, sum) in rows.chunks_exact(width).zip(sum.chunks_exact_mut(width)) {
        let (to_zs, to_log_det) = sum.split_at_mut(width - 1);
        for (z, sum) in row.iter().zip(to_zs) {
            *sum -= scale * z;
        }
        to_log_det[0] += scale;
    }
}

/// p ← ln p/(1 − p), for p in (0, 1); returns Σ of the log-derivatives, −ln p − ln(1 − p).
#[inline(never)]
pub fn logit(ps: &mut [f32]) -> f32 {
    let mut log_det = 0.0;
    for ps in ps.chunks_mut(4) {
        let p = load_rest(ps);
        let (ln_p, ln_q) = (vmath::ln(p), vmath::ln(F4::splat(1.0) - p));
        store_rest(ln_p - ln_q, ps);
        log_det -= (ln_p + ln_q).to_array().iter().take(ps.len()).sum::<f32>();
    }
    log_det
}
