//! The nearest of many rows.

use super::simd::F4;

/// Values between two looks at whether a row can still be the nearest.
const STRETCH: usize = 16;

/// The squared Euclidean distance of `row` to the nearest of `rows`, which are as long each; ∞ where there is none.
#[inline(never)]
pub fn nearest_squared(row: &[f32], rows: &[f32]) -> f32 {
    let mut least = f32::INFINITY;
    for other in rows.chunks_exact(row.len().max(1)) {
        let mut sum = 0.0;
        for (xs, ys) in row.chunks(STRETCH).zip(other.chunks(STRETCH)) {
            let ((x_fours, x_rest), (y_fours, y_rest)) = (xs.as_chunks::<4>(), ys.as_chunks::<4>());
            let mut fours = F4::splat(0.0);
            for (x, y) in x_fours.iter().zip(y_fours) {
                let off = F4::from_array(x) - F4::from_array(y);
                fours = fours + off * off;
            }
            sum += fours.sum() + x_rest.iter().zip(y_rest).map(|(x, y)| (x - y) * (x - y)).sum::<f32>();
            if sum >= least {
                break;
            }
        }
        least = least.min(sum);
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn it_is_the_least_of_all_distances() {
        let mut rng = Rng::stream(8, "test");
        for size in [1, 2, 4, 7, 16, 17, 64, 100] {
            let (row, rows) = (rng.normals(size), rng.normals(50 * size));
            let distance = |other: &[f32]| {
                row.iter().zip(other).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum::<f64>()
            };
            let least = rows.chunks(size).map(distance).fold(f64::INFINITY, f64::min);
            let got = f64::from(nearest_squared(&row, &rows));
            assert!((got - least).abs() < 1e-5 * (1.0 + least), "{size}: {got}, not {least}");
            assert_eq!(nearest_squared(&rows[size..2 * size], &rows), 0.0);
            assert_eq!(nearest_squared(&row, &[]), f32::INFINITY);
        }
    }
}
