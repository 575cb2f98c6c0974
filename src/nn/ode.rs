//! Solvers of ordinary differential equations, with steps of one size.

use crate::choices;
use crate::error::Result;
use crate::nn::kernels::elementwise::add_scaled;

choices! {
    /// The rule by which an ODE is solved.
    pub enum Solver {
        /// First order: one evaluation a step.
        Euler = "euler",
        /// Second order: the slope at the middle of the step, two evaluations.
        Midpoint = "midpoint",
        /// Second order: the mean of the slopes at both ends, two evaluations.
        Heun = "heun",
        /// Fourth order: the classical Runge–Kutta rule, four evaluations.
        Rk4 = "rk4",
    }
}

/// dx/dt at a state and a time.
pub type Slope<'a> = &'a mut dyn FnMut(&[f32], f64) -> Result<Vec<f32>>;

impl Solver {
    /// For each stage: how far along the step it looks, following the slope of the stage before, and the
    /// weight of its slope.
    fn stages(self) -> &'static [(f64, f64)] {
        match self {
            Self::Euler => &[(0.0, 1.0)],
            Self::Midpoint => &[(0.0, 0.0), (0.5, 1.0)],
            Self::Heun => &[(0.0, 0.5), (1.0, 0.5)],
            Self::Rk4 => &[(0.0, 1.0 / 6.0), (0.5, 1.0 / 3.0), (0.5, 1.0 / 3.0), (1.0, 1.0 / 6.0)],
        }
    }

    /// Takes dx/dt = slope(x, t) from `from` to `to` in `steps` equal steps, in place; `seen` is shown every
    /// state, the first and the last included.
    ///
    /// # Errors
    /// Those of `slope`.
    pub fn solve(
        self,
        xs: &mut Vec<f32>,
        [from, to]: [f64; 2],
        steps: usize,
        slope: Slope,
        seen: &mut dyn FnMut(&[f32]),
    ) -> Result<()> {
        let h = (to - from) / steps as f64;
        seen(xs);
        for step in 0..steps {
            let t = from + h * step as f64;
            let mut end = xs.clone();
            let mut last: Vec<f32> = Vec::new();
            for &(ahead, weight) in self.stages() {
                let mut at = xs.clone();
                if ahead > 0.0 {
                    add_scaled((h * ahead) as f32, &last, &mut at);
                }
                last = slope(&at, t + h * ahead)?;
                add_scaled((h * weight) as f32, &last, &mut end);
            }
            *xs = end;
            seen(xs);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Choice;

    /// The error at t = 1 of x′ = x cos t, whose solution is exp(sin t).
    fn error(solver: Solver, steps: usize) -> f64 {
        let mut xs = vec![1.0];
        let mut slope = |xs: &[f32], t: f64| Ok(xs.iter().map(|x| x * t.cos() as f32).collect());
        let mut count = 0;
        solver.solve(&mut xs, [0.0, 1.0], steps, &mut slope, &mut |_| count += 1).unwrap();
        assert_eq!(count, steps + 1);
        (f64::from(xs[0]) - 1.0_f64.sin().exp()).abs()
    }

    #[test]
    fn each_solver_has_its_order() {
        // Few steps for the fourth order, so that the error stays above rounding.
        for (solver, steps, order) in [
            (Solver::Euler, 64, 1.0),
            (Solver::Midpoint, 16, 2.0),
            (Solver::Heun, 16, 2.0),
            (Solver::Rk4, 3, 4.0),
        ] {
            let measured = (error(solver, steps) / error(solver, 2 * steps)).log2();
            assert!((measured - order).abs() < 0.35, "{}: order {measured}", solver.id());
        }
    }

    #[test]
    fn time_can_run_backwards_and_errors_come_out() {
        let mut xs = vec![1.0, 2.0];
        let mut slope = |xs: &[f32], _: f64| Ok(xs.to_vec());
        Solver::Rk4.solve(&mut xs, [0.0, 1.0], 8, &mut slope, &mut |_| ()).unwrap();
        Solver::Rk4.solve(&mut xs, [1.0, 0.0], 8, &mut slope, &mut |_| ()).unwrap();
        assert!((xs[0] - 1.0).abs() < 1e-4 && (xs[1] - 2.0).abs() < 1e-4, "{xs:?}");
        let mut broken = |_: &[f32], _: f64| Err(crate::error::Error::Config("broken".into()));
        assert!(Solver::Euler.solve(&mut xs, [0.0, 1.0], 2, &mut broken, &mut |_| ()).is_err());
    }
}
