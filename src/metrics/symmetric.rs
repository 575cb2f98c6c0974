//! Eigenvalues and eigenvectors of a symmetric matrix (Jacobi 1846; Golub & Van Loan 2013, §8.5).

use crate::order::falling;

/// What a symmetric matrix does: it stretches along `vectors` by `values`.
pub(super) struct Eigen {
    /// The eigenvalues, the largest first.
    pub values: Vec<f64>,
    /// Their eigenvectors of length 1, one after the other.
    pub vectors: Vec<f64>,
}

/// Sweeps over all pairs; the values off the diagonal are beyond the last digit after six or seven.
const SWEEPS: usize = 30;

/// The eigenvalues and eigenvectors of a symmetric (d, d) matrix.
pub(super) fn eigen(mut matrix: Vec<f64>, d: usize) -> Eigen {
    let mut vectors = vec![0.0; d * d];
    for i in 0..d {
        vectors[i * d + i] = 1.0;
    }
    // What is smaller is beyond the last digit of the largest eigenvalue.
    let nothing = 0.01 * f64::EPSILON * matrix.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    for _ in 0..SWEEPS {
        let mut turned = false;
        for p in 0..d {
            for q in p + 1..d {
                let (a, b, off) = (matrix[p * d + p], matrix[q * d + q], matrix[p * d + q]);
                if off.abs() <= nothing {
                    continue;
                }
                turned = true;
                let theta = (b - a) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let cos = 1.0 / (t * t + 1.0).sqrt();
                let sin = t * cos;
                for k in 0..d {
                    turn(&mut matrix, k * d + p, k * d + q, cos, sin);
                }
                for k in 0..d {
                    turn(&mut matrix, p * d + k, q * d + k, cos, sin);
                    turn(&mut vectors, p * d + k, q * d + k, cos, sin);
                }
            }
        }
        if !turned {
            break;
        }
    }
    let order = falling(&(0..d).map(|i| matrix[i * d + i]).collect::<Vec<_>>());
    Eigen {
        values: order.iter().map(|i| matrix[i * d + i]).collect(),
        vectors: order.iter().flat_map(|i| vectors[i * d..(i + 1) * d].to_vec()).collect(),
    }
}

/// Turns the plane of two values.
fn turn(values: &mut [f64], p: usize, q: usize, cos: f64, sin: f64) {
    let (x, y) = (values[p], values[q]);
    values[p] = cos * x - sin * y;
    values[q] = sin * x + cos * y;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn they_make_up_the_matrix_again() {
        let mut rng = Rng::stream(5, "test");
        for d in [1, 2, 7, 40] {
            let factor: Vec<f64> = (0..d * d).map(|_| rng.normal_f64()).collect();
            // Of one rank less than it could have.
            let entry =
                |i: usize, j: usize| (1..d).map(|k| factor[k * d + i] * factor[k * d + j]).sum::<f64>();
            let matrix: Vec<f64> = (0..d * d).map(|at| entry(at / d, at % d)).collect();
            let Eigen { values, vectors } = eigen(matrix.clone(), d);
            assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
            assert!(values[d - 1].abs() < 1e-10, "{values:?}");
            for i in 0..d {
                for j in 0..d {
                    let sum: f64 = (0..d).map(|k| values[k] * vectors[k * d + i] * vectors[k * d + j]).sum();
                    assert!((sum - matrix[i * d + j]).abs() < 1e-9, "{d}: {sum}, not {}", matrix[i * d + j]);
                    let dot: f64 = (0..d).map(|k| vectors[i * d + k] * vectors[j * d + k]).sum();
                    assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
        }
        let Eigen { values, .. } = eigen(vec![2.0, 1.0, 1.0, 2.0], 2);
        assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 1.0).abs() < 1e-14);
        assert_eq!(eigen(vec![0.0; 9], 3).values, [0.0; 3]);
    }
}
