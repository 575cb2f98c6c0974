//! Langevin dynamics without correction: x ← x − η ∇U(x) + √b ξ, ξ ~ N(0, I).
//!
//! For small steps its law tends to exp(−U/T) with the temperature T = b/(2η); published settings often have
//! another temperature than 1 without saying so. The step is not corrected, so the law is a little too wide: for
//! U = x²/(2s²) its variance is s²/(1 − η/(2s²)) instead of s² at T = 1.

use candle_core::Tensor;

use super::matrix;
use crate::error::Result;
use crate::nn::kernels::elementwise::add_scaled;
use crate::nn::ops::with_slice;
use crate::rng::Rng;

/// How chains move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Langevin {
    /// η
    pub step_size: f64,
    /// The noise √b in units of √(2η), that of temperature 1.
    pub noise: f64,
}

impl Langevin {
    /// T = b/(2η).
    pub fn temperature(&self) -> f64 {
        self.noise * self.noise
    }

    /// Chains `steps` steps on from `xs`, given ∇U.
    ///
    /// # Shapes
    /// (n, d) → (n, d)
    ///
    /// # Errors
    /// Those of `gradient`.
    pub fn run(
        &self,
        xs: &Tensor,
        steps: usize,
        gradient: &dyn Fn(&Tensor) -> Result<Tensor>,
        rng: &mut Rng,
    ) -> Result<Tensor> {
        let (n, d) = xs.dims2()?;
        let deviation = self.noise * libm::sqrt(2.0 * self.step_size);
        let mut xs = xs.detach();
        let mut eps = vec![0.0; n * d];
        for _ in 0..steps {
            let mut moved = xs.flatten_all()?.to_vec1()?;
            let slopes = gradient(&xs)?.contiguous()?;
            with_slice(&slopes, |slopes| add_scaled(-self.step_size as f32, slopes, &mut moved))?;
            rng.fill_normal(&mut eps);
            add_scaled(deviation as f32, &eps, &mut moved);
            xs = matrix(moved, n, d)?;
        }
        Ok(xs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of x² over many chains in one dimension.
    fn mean_square(
        langevin: Langevin,
        n: usize,
        steps: usize,
        gradient: &dyn Fn(&Tensor) -> Result<Tensor>,
    ) -> f64 {
        let mut rng = Rng::stream(1, "test");
        let start = matrix(rng.normals(n), n, 1).unwrap();
        let end = langevin.run(&start, steps, gradient, &mut rng).unwrap();
        end.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap().into()
    }

    #[test]
    fn the_stationary_variance_is_that_of_uncorrected_steps() {
        // tests/reference/h_mrf_langevin.json: s²/(1 − η/(2s²)).
        for (s, step_size, expected) in
            [(1.0, 0.1, 1.052_631_6), (1.0, 0.5, 1.333_333_3), (1.0, 1.0, 2.0), (0.5, 0.1, 0.3125)]
        {
            let gradient = |xs: &Tensor| Ok((xs / (s * s))?);
            let got = mean_square(Langevin { step_size, noise: 1.0 }, 400_000, 80, &gradient);
            assert!((got / expected - 1.0).abs() < 0.01, "s = {s}, η = {step_size}: {got}, not {expected}");
        }
    }

    #[test]
    fn the_temperature_is_the_square_of_the_noise() {
        // The double well U = (x² − 1)² at the temperatures 1 and ¼: E x² from the same file.
        let gradient = |xs: &Tensor| Ok(((xs.sqr()? - 1.0)? * (xs * 4.0)?)?);
        for (noise, expected) in [(1.0, 0.832_745_5), (0.5, 0.917_670_9)] {
            let langevin = Langevin { step_size: 0.004, noise };
            assert_eq!(langevin.temperature(), noise * noise);
            let got = mean_square(langevin, 20_000, 1500, &gradient);
            assert!((got / expected - 1.0).abs() < 0.02, "noise {noise}: {got}, not {expected}");
        }
    }
}
