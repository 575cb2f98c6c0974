//! Sums over the columns, the rows, or everything.

use super::simd::F4;

/// Adds the rows of an (m, n) matrix to `out` (n), the first row first.
///
/// # Panics
/// When the sizes do not fit together.
pub fn add_rows(values: &[f32], out: &mut [f32]) {
    let n = out.len();
    if n == 0 {
        return;
    }
    assert_eq!(values.len() % n, 0, "whole rows");
    // Two vectors at a time keep the sums in registers down all the rows.
    let (blocks, rest) = out.as_chunks_mut::<8>();
    let mut column = 0;
    for block in blocks {
        let (fours, _) = block.as_chunks_mut::<4>();
        let first = (F4::from_array(&fours[0]), F4::from_array(&fours[1]));
        let (left, right) = values.chunks_exact(n).fold(first, |(left, right), row| {
            let (fours, _) = row[column..column + 8].as_chunks::<4>();
            (left + F4::from_array(&fours[0]), right + F4::from_array(&fours[1]))
        });
        left.write(&mut fours[0]);
        right.write(&mut fours[1]);
        column += 8;
    }
    for (i, sum) in rest.iter_mut().enumerate() {
        *sum = values.chunks_exact(n).fold(*sum, |sum, row| sum + row[column + i]);
    }
}

/// Adds to each channel's sum the values of its planes, image after image, each plane in eight interleaved sums.
///
/// # Shapes
/// values (n, channels, plane), sums (channels)
///
/// # Panics
/// When the sizes do not fit together.
#[inline(never)]
pub fn add_planes(values: &[f32], plane: usize, sums: &mut [f32]) {
    if plane == 0 || sums.is_empty() {
        return;
    }
    assert_eq!(values.len() % (plane * sums.len()), 0, "whole images");
    for image in values.chunks(plane * sums.len()) {
        for (plane, sum) in image.chunks(plane).zip(&mut *sums) {
            let (blocks, rest) = plane.as_chunks::<8>();
            let (left, right) =
                blocks.iter().fold((F4::splat(0.0), F4::splat(0.0)), |(left, right), block| {
                    let (fours, _) = block.as_chunks::<4>();
                    (left + F4::from_array(&fours[0]), right + F4::from_array(&fours[1]))
                });
            *sum = rest.iter().fold(*sum + (left + right).sum(), |sum, x| sum + x);
        }
    }
}

/// Σ x, in double precision: four interleaved sums, then their sum.
pub fn sum(xs: &[f32]) -> f64 {
    sum_of(xs, f64::from)
}

/// Σ x², in double precision: four interleaved sums, then their sum.
pub fn sum_of_squares(xs: &[f32]) -> f64 {
    sum_of(xs, |x| f64::from(x) * f64::from(x))
}

fn sum_of(xs: &[f32], f: impl Fn(f32) -> f64) -> f64 {
    let (fours, rest) = xs.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for four in fours {
        for (sum, &x) in sums.iter_mut().zip(four) {
            *sum += f(x);
        }
    }
    let [a, b, c, d] = sums;
    rest.iter().fold((a + b) + (c + d), |total, &x| total + f(x))
}

/// The largest |x|; NaN when a value is NaN or infinite; 0 for none.
pub fn largest(xs: &[f32]) -> f32 {
    let (blocks, rest) = xs.as_chunks::<16>();
    let zero = F4::splat(0.0);
    // `at_least` keeps what it has when the comparison with a NaN fails: 0·x brings NaN and ∞ through.
    let mut sums = [(zero, zero); 4];
    for block in blocks {
        let (fours, _) = block.as_chunks::<4>();
        for ((largest, poison), four) in sums.iter_mut().zip(fours) {
            let x = F4::from_array(four);
            *largest = largest.at_least(x.abs());
            *poison = *poison + x * zero;
        }
    }
    let poison = sums.iter().fold(0.0, |total, (_, poison)| total + poison.sum());
    let lanes = sums.iter().flat_map(|(largest, _)| largest.to_array());
    let largest = lanes.fold(0.0_f32, |a, x| if x > a { x } else { a });
    rest.iter().fold(largest + poison, |a, x| (if x.abs() > a { x.abs() } else { a }) + 0.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn sums_match_the_definition_at_every_size() {
        let mut rng = Rng::stream(1, "reduce");
        for n in (0..20).chain([64, 65]) {
            for m in [0, 1, 2, 5, 16] {
                let values = rng.normals(m * n);
                let mut out = rng.normals(n);
                let expected: Vec<f32> =
                    (0..n).map(|j| (0..m).fold(out[j], |total, i| total + values[i * n + j])).collect();
                add_rows(&values, &mut out);
                assert_eq!(out, expected, "{m} × {n}");
                let wide: Vec<f64> = values.iter().map(|x| f64::from(*x)).collect();
                assert!((sum(&values) - wide.iter().sum::<f64>()).abs() < 1e-12);
                assert!((sum_of_squares(&values) - wide.iter().map(|x| x * x).sum::<f64>()).abs() < 1e-10);
                assert_eq!(largest(&values), values.iter().fold(0.0, |a: f32, x| a.max(x.abs())));
            }
        }
    }

    #[test]
    fn sums_of_channels_match_the_definition_at_every_size() {
        let mut rng = Rng::stream(2, "reduce");
        for (n, channels, plane) in
            [(0, 2, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1), (3, 2, 7), (2, 5, 17), (4, 1, 40)]
        {
            let values = rng.normals(n * channels * plane);
            let mut sums = rng.normals(channels);
            let expected = |c: usize, first: f32| {
                let of = |i: usize| &values[(i * channels + c) * plane..][..plane];
                (0..n).flat_map(of).fold(f64::from(first), |sum, x| sum + f64::from(*x))
            };
            let expected: Vec<f64> = sums.iter().enumerate().map(|(c, first)| expected(c, *first)).collect();
            add_planes(&values, plane, &mut sums);
            for (got, expected) in sums.iter().zip(expected) {
                assert!((f64::from(*got) - expected).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_largest_lets_nothing_through_that_is_not_finite() {
        for n in 1..40 {
            for i in 0..n {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut values = vec![1.0; n];
                    values[i] = bad;
                    assert!(largest(&values).is_nan(), "{bad} at {i} of {n}");
                }
            }
        }
        assert_eq!(largest(&[f32::MAX, -1.0, 0.0, 2.0, -3.0]), f32::MAX);
    }
}
