//! Functions of four values applied to slices of any length, and sums of them.
//!
//! What does not fill four lanes is padded, so that it is computed like everything else.

use super::simd::F4;

/// Writes f(x) for every x.
///
/// # Panics
/// When the two are not equally long.
#[inline(always)]
pub fn map(xs: &[f32], out: &mut [f32], f: impl Fn(F4) -> F4) {
    assert_eq!(xs.len(), out.len());
    let (fours, rest) = xs.as_chunks::<4>();
    let (out_fours, out_rest) = out.as_chunks_mut::<4>();
    for (x, out) in fours.iter().zip(out_fours) {
        f(F4::from_array(x)).write(out);
    }
    if !rest.is_empty() {
        store_rest(f(load_rest(rest)), out_rest);
    }
}

/// Replaces every x by f(x).
#[inline(always)]
pub fn map_in_place(xs: &mut [f32], f: impl Fn(F4) -> F4) {
    let (fours, rest) = xs.as_chunks_mut::<4>();
    for x in fours {
        f(F4::from_array(x)).write(x);
    }
    if !rest.is_empty() {
        store_rest(f(load_rest(rest)), rest);
    }
}

/// Replaces every x by the first result of f, while `out` takes the second.
///
/// # Panics
/// When the two are not equally long.
#[inline(always)]
pub fn map_both(xs: &mut [f32], out: &mut [f32], f: impl Fn(F4) -> (F4, F4)) {
    assert_eq!(xs.len(), out.len());
    let (fours, rest) = xs.as_chunks_mut::<4>();
    let (out_fours, out_rest) = out.as_chunks_mut::<4>();
    for (x, out) in fours.iter_mut().zip(out_fours) {
        let (value, other) = f(F4::from_array(x));
        value.write(x);
        other.write(out);
    }
    if !rest.is_empty() {
        let (value, other) = f(load_rest(rest));
        store_rest(value, rest);
        store_rest(other, out_rest);
    }
}

/// Writes f(x, y) for every pair.
///
/// # Panics
/// When the three are not equally long.
#[inline(always)]
pub fn zip(xs: &[f32], ys: &[f32], out: &mut [f32], f: impl Fn(F4, F4) -> F4) {
    assert!(xs.len() == ys.len() && xs.len() == out.len());
    let (x_fours, x_rest) = xs.as_chunks::<4>();
    let (y_fours, y_rest) = ys.as_chunks::<4>();
    let (out_fours, out_rest) = out.as_chunks_mut::<4>();
    for ((x, y), out) in x_fours.iter().zip(y_fours).zip(out_fours) {
        f(F4::from_array(x), F4::from_array(y)).write(out);
    }
    if !x_rest.is_empty() {
        store_rest(f(load_rest(x_rest), load_rest(y_rest)), out_rest);
    }
}

/// Replaces every z by f(x, y, z).
///
/// # Panics
/// When the three are not equally long.
#[inline(always)]
pub fn update(xs: &[f32], ys: &[f32], zs: &mut [f32], f: impl Fn(F4, F4, F4) -> F4) {
    assert!(xs.len() == ys.len() && xs.len() == zs.len());
    let (x_fours, x_rest) = xs.as_chunks::<4>();
    let (y_fours, y_rest) = ys.as_chunks::<4>();
    let (z_fours, z_rest) = zs.as_chunks_mut::<4>();
    for ((x, y), z) in x_fours.iter().zip(y_fours).zip(z_fours) {
        f(F4::from_array(x), F4::from_array(y), F4::from_array(z)).write(z);
    }
    if !x_rest.is_empty() {
        store_rest(f(load_rest(x_rest), load_rest(y_rest), load_rest(z_rest)), z_rest);
    }
}

/// Σ f(x, y): the sums of stretches of 256 pairs in four interleaved parts, added in double precision.
///
/// # Panics
/// When the two are not equally long.
#[inline(always)]
pub fn sum_pairs(xs: &[f32], ys: &[f32], f: impl Fn(F4, F4) -> F4) -> f64 {
    assert_eq!(xs.len(), ys.len());
    let mut total = 0.0;
    for (xs, ys) in xs.chunks(256).zip(ys.chunks(256)) {
        let (x_fours, x_rest) = xs.as_chunks::<4>();
        let (y_fours, y_rest) = ys.as_chunks::<4>();
        let pairs = x_fours.iter().zip(y_fours);
        let sum = pairs.fold(F4::splat(0.0), |sum, (x, y)| sum + f(F4::from_array(x), F4::from_array(y)));
        total += sum_with_rest(sum, f(load_rest(x_rest), load_rest(y_rest)), x_rest.len());
    }
    total
}

/// [`sum_pairs`] of the first result of f, while `out` takes the second.
///
/// # Panics
/// When the three are not equally long.
#[inline(always)]
pub fn sum_pairs_into(xs: &[f32], ys: &[f32], out: &mut [f32], f: impl Fn(F4, F4) -> (F4, F4)) -> f64 {
    assert!(xs.len() == ys.len() && xs.len() == out.len());
    let mut total = 0.0;
    for ((xs, ys), out) in xs.chunks(256).zip(ys.chunks(256)).zip(out.chunks_mut(256)) {
        let (x_fours, x_rest) = xs.as_chunks::<4>();
        let (y_fours, y_rest) = ys.as_chunks::<4>();
        let (out_fours, out_rest) = out.as_chunks_mut::<4>();
        let mut sum = F4::splat(0.0);
        for ((x, y), out) in x_fours.iter().zip(y_fours).zip(out_fours) {
            let (value, other) = f(F4::from_array(x), F4::from_array(y));
            sum = sum + value;
            other.write(out);
        }
        let (value, other) = f(load_rest(x_rest), load_rest(y_rest));
        store_rest(other, out_rest);
        total += sum_with_rest(sum, value, x_rest.len());
    }
    total
}

/// The lanes of a sum and the first lanes of a rest, together.
#[inline(always)]
fn sum_with_rest(sum: F4, rest: F4, lanes: usize) -> f64 {
    rest.to_array().iter().take(lanes).fold(f64::from(sum.sum()), |total, x| total + f64::from(*x))
}

/// At most three values, then zeros.
#[inline(always)]
pub fn load_rest(rest: &[f32]) -> F4 {
    let mut four = [0.0; 4];
    for (lane, x) in four.iter_mut().zip(rest) {
        *lane = *x;
    }
    F4::from_array(&four)
}

/// The first lanes.
#[inline(always)]
pub fn store_rest(x: F4, rest: &mut [f32]) {
    for (out, lane) in rest.iter_mut().zip(x.to_array()) {
        *out = lane;
    }
}

/// Four values from `at` on, zeros beyond the end.
///
/// # Panics
/// When `at` lies beyond the end.
#[inline(always)]
pub fn load_at(xs: &[f32], at: usize) -> F4 {
    let xs = &xs[at..];
    match xs.first_chunk::<4>() {
        Some(four) => F4::from_array(four),
        None => load_rest(xs),
    }
}

/// Writes four values from `at` on, or as many as there is place for.
///
/// # Panics
/// When `at` lies beyond the end.
#[inline(always)]
pub fn store_at(x: F4, out: &mut [f32], at: usize) {
    let out = &mut out[at..];
    match out.first_chunk_mut::<4>() {
        Some(four) => x.write(four),
        None => store_rest(x, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vmath::tanh;

    #[test]
    fn rests_are_computed_like_whole_vectors() {
        let xs: Vec<f32> = (0..23).map(|i| i as f32 * 0.3 - 3.0).collect();
        for n in 0..xs.len() {
            let mut out = vec![0.0; n];
            map(&xs[..n], &mut out, tanh);
            let mut in_place = xs[..n].to_vec();
            map_in_place(&mut in_place, tanh);
            let mut zipped = vec![0.0; n];
            zip(&xs[..n], &xs[..n], &mut zipped, |x, y| tanh(x) + (x - y));
            let one: Vec<f32> = xs[..n].iter().map(|x| tanh(F4::splat(*x)).to_array()[2]).collect();
            assert_eq!((&out, &in_place, &zipped), (&one, &one, &one));
        }
    }

    #[test]
    fn sums_of_pairs_match_the_definition_at_every_size() {
        let mut rng = crate::rng::Rng::stream(4, "maps");
        for n in (0..10).chain([255, 256, 257, 1030]) {
            let (xs, ys) = (rng.normals(n), rng.normals(n));
            let exact: f64 = xs.iter().zip(&ys).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            let mut out = vec![0.0; n];
            let sum = sum_pairs_into(&xs, &ys, &mut out, |x, y| (x * y, x + y));
            assert_eq!(sum, sum_pairs(&xs, &ys, |x, y| x * y));
            assert!((sum - exact).abs() < 1e-4, "{n}: {sum}, not {exact}");
            assert!(out.iter().zip(xs.iter().zip(&ys)).all(|(out, (x, y))| *out == x + y));
        }
    }
}
