//! Initial weights, drawn from the seeded generator.

use crate::rng::Rng;

/// How the weights of a layer start. Biases start at zero. "Inputs" are those that an output is the sum of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// U(−b, b) with b = 1/√inputs, the default of PyTorch's linear layer.
    KaimingUniform,
    /// N(0, 2/inputs), made for ReLU (He et al. 2015, <https://arxiv.org/abs/1502.01852>).
    HeNormal,
    /// N(0, std²), as DCGAN starts (std 0.02, <https://arxiv.org/abs/1511.06434>).
    Normal {
        /// The standard deviation.
        std: f64,
    },
    /// Orthonormal rows or columns, whichever are fewer, times `gain`
    /// (Saxe et al. 2014, <https://arxiv.org/abs/1312.6120>).
    Orthogonal {
        /// Every singular value of the result.
        gain: f64,
    },
    /// [`Init::KaimingUniform`] times a factor: for heads that should start small.
    Scaled(f64),
    /// All zero.
    Zeros,
}

impl Init {
    /// The weights of a layer, row-major.
    ///
    /// # Shapes
    /// (outputs, inputs)
    pub fn weights(self, outputs: usize, inputs: usize, rng: &mut Rng) -> Vec<f32> {
        self.weights_with_fan(outputs, inputs, inputs as f64, rng)
    }

    /// [`Init::weights`] of a layer in which an output is the sum of `fan_in` weighted inputs, not of as many as
    /// the matrix has columns.
    ///
    /// # Shapes
    /// (rows, columns)
    pub fn weights_with_fan(self, rows: usize, columns: usize, fan_in: f64, rng: &mut Rng) -> Vec<f32> {
        let mut weights = vec![0.0; rows * columns];
        let fan_in = fan_in.max(1.0);
        match self {
            Self::KaimingUniform => uniform(&mut weights, 1.0 / fan_in.sqrt(), rng),
            Self::Scaled(factor) => uniform(&mut weights, factor / fan_in.sqrt(), rng),
            Self::HeNormal => normal(&mut weights, (2.0 / fan_in).sqrt(), rng),
            Self::Normal { std } => normal(&mut weights, std, rng),
            Self::Orthogonal { gain } => return orthogonal(rows, columns, gain, rng),
            Self::Zeros => {}
        }
        weights
    }
}

fn uniform(out: &mut [f32], bound: f64, rng: &mut Rng) {
    rng.fill_uniform(out, -bound as f32, bound as f32);
}

fn normal(out: &mut [f32], std: f64, rng: &mut Rng) {
    rng.fill_normal(out);
    for value in out {
        *value *= std as f32;
    }
}

/// Gram–Schmidt on Gaussian vectors, in double precision.
fn orthogonal(outputs: usize, inputs: usize, gain: f64, rng: &mut Rng) -> Vec<f32> {
    let (count, length) = (outputs.min(inputs), outputs.max(inputs));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| rng.normal_f64()).collect();
        // Twice is enough for orthogonality to working precision (Giraud et al. 2005).
        for _ in 0..2 {
            for other in &basis {
                let dot: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                for (a, b) in vector.iter_mut().zip(other) {
                    *a -= dot * b;
                }
            }
        }
        let norm = vector.iter().map(|a| a * a).sum::<f64>().sqrt();
        // A vector inside the span so far has no direction left: draw another.
        if norm > 1e-6 {
            basis.push(vector.into_iter().map(|a| a / norm).collect());
        }
    }
    // The basis as rows, or as columns when those are fewer.
    let (along, across) = if outputs <= inputs { (inputs, 1) } else { (1, inputs) };
    let mut weights = vec![0.0; outputs * inputs];
    for (i, vector) in basis.iter().enumerate() {
        for (j, value) in vector.iter().enumerate() {
            weights[i * along + j * across] = (gain * value) as f32;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_spread_that_is_declared() {
        let variance = |init: Init| {
            let weights = init.weights(300, 200, &mut Rng::stream(3, "init"));
            weights.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / 60_000.0
        };
        let close = |init: Init, expected: f64| assert!((variance(init) / expected - 1.0).abs() < 0.02);
        close(Init::KaimingUniform, 1.0 / (3.0 * 200.0));
        close(Init::Scaled(0.1), 0.01 / (3.0 * 200.0));
        close(Init::HeNormal, 2.0 / 200.0);
        close(Init::Normal { std: 0.02 }, 0.0004);
        assert_eq!(variance(Init::Zeros), 0.0);
        let bound = 1.0 / 200_f32.sqrt();
        let weights = Init::KaimingUniform.weights(300, 200, &mut Rng::stream(3, "init"));
        assert!(weights.iter().all(|w| w.abs() <= bound));
    }

    #[test]
    fn orthogonal_weights_keep_lengths() {
        for (outputs, inputs) in [(5, 5), (3, 8), (8, 3), (1, 4), (4, 1)] {
            let weights =
                Init::Orthogonal { gain: 1.5 }.weights(outputs, inputs, &mut Rng::stream(5, "init"));
            let at = |row: usize, column: usize| f64::from(weights[row * inputs + column]);
            for i in 0..outputs.min(inputs) {
                for j in 0..outputs.min(inputs) {
                    let dot: f64 = if outputs <= inputs {
                        (0..inputs).map(|k| at(i, k) * at(j, k)).sum()
                    } else {
                        (0..outputs).map(|k| at(k, i) * at(k, j)).sum()
                    };
                    let expected = if i == j { 2.25 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-6, "{outputs} {inputs} {i} {j}: {dot}");
                }
            }
        }
    }
}
