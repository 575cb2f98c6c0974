//! Langevin dynamics: x ← x − η ∇U(x) + √b ξ, ξ ~ N(0, I), with or without a correction.
//!
//! For small steps its law tends to exp(−U/T) with the temperature T = b/(2η); published settings often have
//! another temperature than 1 without saying so. Without a correction the law is a little too wide: for
//! U = x²/(2s²) its variance is s²/(1 − η/(2s²)) instead of s² at T = 1, and where the curvature of U exceeds
//! 2/η the chains are thrown out. A Metropolis test of each step makes exp(−U/T) exact, whatever η (Roberts &
//! Tweedie 1996, <https://doi.org/10.2307/3318418>).

use candle_core::Tensor;

use super::matrix;
use crate::choices;
use crate::error::Result;
use crate::nn::kernels::elementwise::add_scaled;
use crate::nn::ops::with_slice;
use crate::rng::Rng;

choices! {
    /// What becomes of a step that was proposed.
    pub enum Correction {
        /// It is taken with the probability that keeps exp(−U/T) as it is, else the chain stays (MALA).
        Metropolis = "metropolis",
        /// It is always taken.
        None = "none",
    }
}

/// How chains move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Langevin {
    /// η; with the correction the greatest of those that are drawn.
    pub step_size: f64,
    /// The noise √b in units of √(2η), that of temperature 1.
    pub noise: f64,
    /// What becomes of a step.
    pub correction: Correction,
    /// With the correction: the share of proposals that are draws from N(0, `spread` I), wherever the chain is.
    /// They are what carries chains between valleys, at their right shares.
    pub jumps: f64,
    /// The variance of a jump's place.
    pub spread: f64,
}

/// U at each row, and ∇U.
pub type Field<'a> = &'a dyn Fn(&Tensor) -> Result<(Vec<f32>, Tensor)>;

/// Corrected steps have sizes from η/30 to η: long ones cross wide valleys, short ones are taken in narrow ones.
const SIZES: f64 = 30.0;

impl Langevin {
    /// T = b/(2η).
    pub fn temperature(&self) -> f64 {
        self.noise * self.noise
    }

    /// Chains `steps` steps on from `xs`, given U and ∇U.
    ///
    /// # Shapes
    /// (n, d) → (n, d)
    ///
    /// # Errors
    /// Those of `field`.
    pub fn run(&self, xs: &Tensor, steps: usize, field: Field, rng: &mut Rng) -> Result<Tensor> {
        match self.correction {
            Correction::Metropolis => self.run_corrected(xs, steps, field, rng),
            Correction::None => self.run_plain(xs, steps, field, rng),
        }
    }

    fn run_plain(&self, xs: &Tensor, steps: usize, field: Field, rng: &mut Rng) -> Result<Tensor> {
        let (n, d) = xs.dims2()?;
        let deviation = self.noise * libm::sqrt(2.0 * self.step_size);
        let mut xs = xs.detach();
        let mut eps = vec![0.0; n * d];
        for _ in 0..steps {
            let mut moved = xs.flatten_all()?.to_vec1()?;
            let slopes = field(&xs)?.1.contiguous()?;
            with_slice(&slopes, |slopes| add_scaled(-self.step_size as f32, slopes, &mut moved))?;
            rng.fill_normal(&mut eps);
            add_scaled(deviation as f32, &eps, &mut moved);
            xs = matrix(moved, n, d)?;
        }
        Ok(xs)
    }

    fn run_corrected(&self, xs: &Tensor, steps: usize, field: Field, rng: &mut Rng) -> Result<Tensor> {
        let (n, d) = xs.dims2()?;
        let flat = |xs: &Tensor| xs.flatten_all()?.to_vec1::<f32>();
        let (mut energies, slopes) = field(xs)?;
        let (mut places, mut slopes) = (flat(xs)?, flat(&slopes)?);
        let mut eps = vec![0.0; n * d];
        for _ in 0..steps {
            rng.fill_normal(&mut eps);
            let moves: Vec<Move> = (0..n).map(|_| self.draw(rng)).collect();
            let mut proposed = eps.clone();
            for (i, &how) in moves.iter().enumerate() {
                let at = i * d..(i + 1) * d;
                self.propose(how, &places[at.clone()], &slopes[at.clone()], &mut proposed[at]);
            }
            let (new_energies, new_slopes) = field(&matrix(proposed.clone(), n, d)?)?;
            let new_slopes = flat(&new_slopes)?;
            for (i, &how) in moves.iter().enumerate() {
                let at = i * d..(i + 1) * d;
                let fall = f64::from(energies[i] - new_energies[i]) / self.temperature();
                let (from, to) = (&places[at.clone()], &proposed[at.clone()]);
                let back = self.log_kernel(how, to, &new_slopes[at.clone()], from);
                let there = self.log_kernel(how, from, &slopes[at.clone()], to);
                // What is not a number is not taken.
                if libm::log(rng.uniform_f64()) < fall + back - there {
                    energies[i] = new_energies[i];
                    places[at.clone()].copy_from_slice(&proposed[at.clone()]);
                    slopes[at.clone()].copy_from_slice(&new_slopes[at]);
                }
            }
        }
        matrix(places, n, d)
    }

    fn draw(&self, rng: &mut Rng) -> Move {
        let (jump, size) = (rng.uniform_f64() < self.jumps, rng.uniform_f64());
        if jump { Move::Jump } else { Move::Step(self.step_size * libm::pow(SIZES, -size)) }
    }

    /// Makes standard normal numbers into the place that is proposed from `x`.
    fn propose(&self, how: Move, x: &[f32], slope: &[f32], eps: &mut [f32]) {
        match how {
            Move::Jump => {
                let deviation = libm::sqrt(self.spread) as f32;
                eps.iter_mut().for_each(|eps| *eps *= deviation);
            }
            Move::Step(size) => {
                let deviation = (self.noise * libm::sqrt(2.0 * size)) as f32;
                for ((eps, x), slope) in eps.iter_mut().zip(x).zip(slope) {
                    *eps = x - size as f32 * slope + deviation * *eps;
                }
            }
        }
    }

    /// log q(y | x) without what is the same for log q(x | y).
    fn log_kernel(&self, how: Move, x: &[f32], slope: &[f32], y: &[f32]) -> f64 {
        match how {
            Move::Jump => -y.iter().map(|y| f64::from(y * y)).sum::<f64>() / (2.0 * self.spread),
            Move::Step(size) => {
                let misses = x.iter().zip(slope).zip(y).map(|((x, slope), y)| y - x + size as f32 * slope);
                -misses.map(|miss| f64::from(miss * miss)).sum::<f64>() / (4.0 * size * self.temperature())
            }
        }
    }
}

/// A way to propose a place.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// Anywhere.
    Jump,
    /// A Langevin step of this size.
    Step(f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Langevin =
        Langevin { step_size: 0.01, noise: 1.0, correction: Correction::None, jumps: 0.0, spread: 4.0 };
    const CORRECTED: Langevin = Langevin { correction: Correction::Metropolis, ..PLAIN };

    /// The mean of x² over many chains in one dimension.
    fn mean_square(langevin: Langevin, n: usize, steps: usize, field: Field) -> f64 {
        let mut rng = Rng::stream(1, "test");
        let start = matrix(rng.normals(n), n, 1).unwrap();
        let end = langevin.run(&start, steps, field, &mut rng).unwrap();
        end.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap().into()
    }

    #[test]
    fn the_stationary_variance_is_that_of_uncorrected_steps() {
        // tests/reference/h_mrf_langevin.json: s²/(1 − η/(2s²)).
        for (s, step_size, expected) in
            [(1.0, 0.1, 1.052_631_6), (1.0, 0.5, 1.333_333_3), (1.0, 1.0, 2.0), (0.5, 0.1, 0.3125)]
        {
            let field = |xs: &Tensor| Ok((Vec::new(), (xs / (s * s))?));
            let got = mean_square(Langevin { step_size, noise: 1.0, ..PLAIN }, 400_000, 80, &field);
            assert!((got / expected - 1.0).abs() < 0.01, "s = {s}, η = {step_size}: {got}, not {expected}");
        }
    }

    #[test]
    fn the_temperature_is_the_square_of_the_noise() {
        // The double well U = (x² − 1)² at the temperatures 1 and ¼: E x² from the same file.
        let field = |xs: &Tensor| Ok((Vec::new(), ((xs.sqr()? - 1.0)? * (xs * 4.0)?)?));
        for (noise, expected) in [(1.0, 0.832_745_5), (0.5, 0.917_670_9)] {
            let langevin = Langevin { step_size: 0.004, noise, ..PLAIN };
            assert_eq!(langevin.temperature(), noise * noise);
            let got = mean_square(langevin, 20_000, 1500, &field);
            assert!((got / expected - 1.0).abs() < 0.02, "noise {noise}: {got}, not {expected}");
        }
    }

    #[test]
    fn the_correction_makes_the_variance_exact_at_any_step_size() {
        for (s, step_size, noise) in [(1.0, 0.5, 1.0), (1.0, 1.5, 1.0), (0.5, 0.1, 1.0), (1.0, 0.5, 0.5)] {
            let field = |xs: &Tensor| {
                let energies = ((xs.sqr()? * (0.5 / (s * s)))?).flatten_all()?.to_vec1()?;
                Ok((energies, (xs / (s * s))?))
            };
            let langevin = Langevin { step_size, noise, ..CORRECTED };
            let expected = s * s * noise * noise;
            let got = mean_square(langevin, 100_000, 300, &field);
            assert!((got / expected - 1.0).abs() < 0.015, "s = {s}, η = {step_size}: {got}, not {expected}");
        }
    }

    #[test]
    fn jumps_give_valleys_their_shares() {
        // ¾ N(−2, 0.1²) + ¼ N(2, 0.1²), which steps alone never balance.
        let field = |xs: &Tensor| {
            let xs: Vec<f32> = xs.flatten_all()?.to_vec1()?;
            let part = |x: f32, mean: f32, weight: f32| weight.ln() - 50.0 * (x - mean) * (x - mean);
            let energies =
                xs.iter().map(|x| -part(*x, -2.0, 0.75).max(part(*x, 2.0, 0.25))).collect::<Vec<f32>>();
            let slopes: Vec<f32> = xs.iter().map(|x| 100.0 * (x - 2.0 * x.signum())).collect();
            Ok((energies, matrix(slopes, xs.len(), 1)?))
        };
        let n = 20_000;
        let mut rng = Rng::stream(1, "test");
        let start = matrix(vec![2.0; n], n, 1).unwrap();
        let share = |langevin: Langevin, rng: &mut Rng| {
            let end: Vec<f32> =
                langevin.run(&start, 300, &field, rng).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            end.iter().filter(|x| **x < 0.0).count() as f64 / n as f64
        };
        assert_eq!(share(CORRECTED, &mut rng), 0.0);
        let got = share(Langevin { jumps: 0.4, ..CORRECTED }, &mut rng);
        assert!((got - 0.75).abs() < 0.015, "{got}");
    }

    #[test]
    fn a_place_without_a_number_is_not_taken() {
        let field = |xs: &Tensor| Ok((vec![f32::NAN; xs.dim(0)?], (xs * f64::NAN)?));
        let mut rng = Rng::stream(1, "test");
        let start = matrix(vec![1.0, 2.0], 1, 2).unwrap();
        let end = Langevin { jumps: 0.5, ..CORRECTED }.run(&start, 20, &field, &mut rng).unwrap();
        assert_eq!(end.to_vec2::<f32>().unwrap(), [[1.0, 2.0]]);
    }
}
