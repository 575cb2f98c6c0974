//! The steps of a normalising flow: invertible maps of chosen columns that add up their log-determinants.
//!
//! A *state* is (n, d + 1): d coordinates, then log |det ∂(state)/∂x| so far.

use super::backward::gradient_of;
use super::slices::{constant, output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::{coupling, spline};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor, bail};

/// What a coupling does to a value, given its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Couple {
    /// x·eˢ + t with s = 2·tanh(o/2): the parameters are the o of all active columns, then their t.
    /// Dinh et al. 2017, <https://arxiv.org/abs/1605.08803>.
    Affine,
    /// A rational-quadratic spline on [−bound, bound], the identity outside. The parameters of a column are
    /// `bins` widths, `bins` heights and `bins` − 1 inner derivatives, column after column.
    /// Durkan et al. 2019, <https://arxiv.org/abs/1906.04032>.
    Spline {
        /// The number of bins, in 2..=64.
        bins: usize,
        /// Half the side of the square that the spline maps to itself.
        bound: f64,
    },
}

impl Couple {
    /// The number of parameters of one value.
    pub fn parameters(self) -> usize {
        match self {
            Self::Affine => 2,
            Self::Spline { bins, .. } => spline::parameters(bins),
        }
    }

    /// The map of the active columns of a state; the last column grows by its log-determinant.
    ///
    /// # Shapes
    /// state (n, d + 1), parameters (n, active·[`Couple::parameters`]) → (n, d + 1)
    ///
    /// # Errors
    /// Other shapes, or an active column that is no coordinate.
    pub fn forward(self, state: &Tensor, parameters: &Tensor, active: &[usize]) -> Result<Tensor> {
        let op = Coupling { couple: self, active: active.to_vec() };
        op.check(state.shape(), parameters.shape())?;
        Ok(state.contiguous()?.apply_op2(&parameters.contiguous()?, op)?)
    }
}

/// The inverse of [`Couple::forward`], without a graph.
///
/// # Shapes
/// state (n, d + 1), parameters (n, active·[`Couple::parameters`]) → (n, d + 1)
///
/// # Errors
/// Other shapes, or an active column that is no coordinate.
pub fn uncouple(couple: Couple, state: &Tensor, parameters: &Tensor, active: &[usize]) -> Result<Tensor> {
    let op = Coupling { couple, active: active.to_vec() };
    let width = op.check(state.shape(), parameters.shape())?;
    let mut rows = state.flatten_all()?.to_vec1()?;
    with_slice(&parameters.contiguous()?, |parameters| match couple {
        Couple::Affine => coupling::affine_inverse(&mut rows, width, active, parameters),
        Couple::Spline { bins, bound } => {
            spline::spline_inverse(&mut rows, width, active, parameters, bins, bound as f32);
        }
    })?;
    Ok(constant(rows, state.shape())?)
}

struct Coupling {
    couple: Couple,
    active: Vec<usize>,
}

impl Coupling {
    /// The width of a state that these shapes fit.
    fn check(&self, state: &Shape, parameters: &Shape) -> candle_core::Result<usize> {
        let ((n, width), (rows, count)) = (state.dims2()?, parameters.dims2()?);
        let coordinates = self.active.iter().all(|column| column + 1 < width);
        let bins = match self.couple {
            Couple::Affine => true,
            Couple::Spline { bins, .. } => (2..=spline::MOST_BINS).contains(&bins),
        };
        if !(coordinates && bins && rows == n && count == self.active.len() * self.couple.parameters()) {
            bail!(
                "a coupling of {} columns got states {state:?} and parameters {parameters:?}",
                self.active.len()
            );
        }
        Ok(width)
    }
}

impl CustomOp2 for Coupling {
    fn name(&self) -> &'static str {
        "coupling"
    }

    fn cpu_fwd(
        &self,
        state: &CpuStorage,
        layout: &Layout,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let width = self.check(layout.shape(), parameters_layout.shape())?;
        let mut rows = storage_slice(state, layout)?.to_vec();
        let parameters = storage_slice(parameters, parameters_layout)?;
        match self.couple {
            Couple::Affine => coupling::affine(&mut rows, width, &self.active, parameters),
            Couple::Spline { bins, bound } => {
                spline::spline(&mut rows, width, &self.active, parameters, bins, bound as f32);
            }
        }
        output(rows, layout.shape().clone())
    }

    fn bwd(
        &self,
        state: &Tensor,
        parameters: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let width = self.check(state.shape(), parameters.shape())?;
        let mut to_state = gradient.flatten_all()?.to_vec1()?;
        let mut to_parameters = vec![0.0; parameters.elem_count()];
        with_slice(state, |rows| {
            with_slice(parameters, |parameters| {
                let (active, to) = (&self.active, &mut to_parameters);
                match self.couple {
                    Couple::Affine => {
                        coupling::affine_backward(rows, width, active, parameters, &mut to_state, to);
                    }
                    Couple::Spline { bins, bound } => {
                        let bound = bound as f32;
                        spline::spline_backward(
                            rows,
                            width,
                            active,
                            parameters,
                            bins,
                            bound,
                            &mut to_state,
                            to,
                        );
                    }
                }
            })
        })??;
        // Both come from one pass, so that they are returned and not gathered.
        let to =
            |input: &Tensor, values| input.track_op().then(|| constant(values, input.shape())).transpose();
        Ok((to(state, to_state)?, to(parameters, to_parameters)?))
    }
}

/// These columns of a matrix, in this order.
///
/// # Shapes
/// (n, width) → (n, columns)
///
/// # Errors
/// A column outside of the matrix.
pub fn columns(xs: &Tensor, columns: &[usize]) -> Result<Tensor> {
    Ok(xs.contiguous()?.apply_op1(Columns { columns: columns.to_vec() })?)
}

struct Columns {
    columns: Vec<usize>,
}

impl CustomOp1 for Columns {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, width) = layout.shape().dims2()?;
        if self.columns.iter().any(|column| *column >= width) {
            bail!("a matrix of {width} columns has not all of {:?}", self.columns);
        }
        let mut out = vec![0.0; n * self.columns.len()];
        coupling::gather(storage_slice(xs, layout)?, width, &self.columns, &mut out);
        output(out, (n, self.columns.len()))
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (width, gradient) = (xs.dim(1)?, gradient.contiguous()?);
        gradient_of(xs, |out| {
            with_slice(&gradient, |gradient| coupling::scatter_add(gradient, width, &self.columns, out))
        })
    }
}

/// −log N(z; 0, I) − log-determinant of a state, in nats, averaged over the batch.
///
/// # Shapes
/// (n, d + 1) → ()
pub fn flow_nll(state: &Tensor) -> Result<Tensor> {
    Ok(state.contiguous()?.apply_op1(FlowNll)?)
}

struct FlowNll;

impl CustomOp1 for FlowNll {
    fn name(&self) -> &'static str {
        "flow_nll"
    }

    fn cpu_fwd(&self, state: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, width) = layout.shape().dims2()?;
        let mut log_prob = vec![0.0; n];
        coupling::log_prob(storage_slice(state, layout)?, width, &mut log_prob);
        let total: f64 = log_prob.iter().map(|x| f64::from(*x)).sum();
        output(vec![(-total / n.max(1) as f64) as f32], ())
    }

    fn bwd(&self, state: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (n, width) = state.dims2()?;
        let scale = -gradient.to_scalar::<f32>()? / n.max(1) as f32;
        gradient_of(state, |out| {
            with_slice(state, |rows| coupling::add_log_prob_slope(scale, rows, width, out))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain_flow as plain;

    const COUPLES: [Couple; 4] = [
        Couple::Affine,
        Couple::Spline { bins: 2, bound: 3.0 },
        Couple::Spline { bins: 5, bound: 1.0 },
        Couple::Spline { bins: 8, bound: 4.0 },
    ];

    /// State, parameters, and weights that make every output count differently.
    fn inputs(couple: Couple, n: usize, width: usize, active: usize, scale: f32) -> Vec<Tensor> {
        vec![
            normal(&[n, width], 1.5, "state"),
            normal(&[n, active * couple.parameters()], scale, "parameters"),
            normal(&[n, width], 1.0, "weights"),
        ]
    }

    #[test]
    fn values_and_gradients_match_the_twins_and_differences() {
        for couple in COUPLES {
            for (n, width, active) in [
                (1, 2, &[0][..]),
                (7, 3, &[1]),
                (3, 7, &[5, 0, 2, 3, 1]),
                (2, 10, &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
            ] {
                // Wide spreads make narrow bins, which magnify rounding.
                for (scale, tolerance) in [(1e-3, 1e-5), (1.0, 2e-5), (2.0, 3e-4)] {
                    let what = format!("{couple:?} {n} {width} {active:?} {scale}");
                    let inputs = inputs(couple, n, width, active.len(), scale);
                    let (pair, weights) = (&inputs[..2], &inputs[2]);
                    let weigh = |out: Tensor| Ok((&out * weights.to_dtype(out.dtype())?)?);
                    let (value, gradients) = backward(|x| weigh(couple.forward(&x[0], &x[1], active)?), pair);
                    let twin = |x: &[Tensor]| weigh(plain::couple(couple, &x[0], &x[1], active)?);
                    let (plain_value, _) = backward(twin, pair);
                    assert_close(&value, &plain_value, 5e-6, &what);
                    for (got, expected) in gradients.iter().zip(differences(twin, pair)) {
                        assert_close(got, &expected, tolerance, &what);
                    }
                }
            }
        }
    }

    #[test]
    fn the_inverse_gives_the_state_back_with_its_log_determinant() {
        for couple in COUPLES {
            let inputs = inputs(couple, 200, 4, 2, 0.5);
            let there = couple.forward(&inputs[0], &inputs[1], &[2, 0]).unwrap();
            let back = uncouple(couple, &there, &inputs[1], &[2, 0]).unwrap();
            assert_close(&to_f64(&back), &to_f64(&inputs[0]), 1e-5, &format!("{couple:?}"));
        }
    }

    #[test]
    fn the_log_determinant_is_that_of_the_differences_of_the_map() {
        for couple in COUPLES {
            let inputs = inputs(couple, 50, 2, 1, 1.0);
            let values = to_f64(&couple.forward(&inputs[0], &inputs[1], &[0]).unwrap());
            let slopes = differences(
                |x| {
                    let parameters = inputs[1].to_dtype(x[0].dtype())?;
                    Ok(plain::couple(couple, &x[0], &parameters, &[0])?.narrow(1, 0, 1)?)
                },
                &inputs[..1],
            );
            for row in 0..50 {
                let before = to_f64(&inputs[0])[2 * row + 1];
                let got = values[2 * row + 1] - before;
                let expected = slopes[0][2 * row].ln();
                assert!((got - expected).abs() < 1e-5, "{couple:?}: {got}, differences {expected}");
            }
        }
    }

    #[test]
    fn columns_and_the_likelihood_match_their_twins_and_differences() {
        let state = [normal(&[5, 4], 1.0, "state")];
        let pick = |x: &[Tensor]| Ok((columns(&x[0], &[2, 0, 2])? * normal(&[5, 3], 1.0, "weights"))?);
        let (value, gradients) = backward(pick, &state);
        assert_eq!(value.len(), 15);
        let twin = |x: &[Tensor]| {
            let weights = normal(&[5, 3], 1.0, "weights").to_dtype(x[0].dtype())?;
            Ok((plain::columns(&x[0], &[2, 0, 2])? * weights)?)
        };
        assert_close(&value, &to_f64(&twin(&state).unwrap()), 1e-7, "columns");
        assert_close(&gradients[0], &differences(twin, &state)[0], 1e-6, "columns");
        let (value, gradients) = backward(|x| flow_nll(&x[0]), &state);
        assert_close(&value, &to_f64(&plain::flow_nll(&state[0]).unwrap()), 1e-6, "flow_nll");
        assert_close(&gradients[0], &differences(|x| plain::flow_nll(&x[0]), &state)[0], 1e-6, "flow_nll");
    }

    #[test]
    fn wrong_shapes_are_refused_and_empty_batches_are_fine() {
        let couple = Couple::Spline { bins: 4, bound: 1.0 };
        let (state, parameters) = (normal(&[3, 3], 1.0, "s"), normal(&[3, 11], 1.0, "p"));
        assert!(couple.forward(&state, &parameters, &[1]).is_ok());
        // The last column is the log-determinant's.
        assert!(couple.forward(&state, &parameters, &[2]).is_err());
        assert!(couple.forward(&state, &parameters, &[0, 1]).is_err());
        assert!(Couple::Affine.forward(&state, &parameters, &[1]).is_err());
        assert!(Couple::Spline { bins: 0, bound: 1.0 }.forward(&state, &parameters, &[1]).is_err());
        assert!(uncouple(couple, &state, &parameters, &[2]).is_err());
        assert!(columns(&state, &[3]).is_err());
        let none = |x: &Tensor| x.narrow(0, 0, 0).unwrap();
        assert_eq!(couple.forward(&none(&state), &none(&parameters), &[1]).unwrap().dims(), [0, 3]);
    }

    #[test]
    fn a_value_outside_of_the_bound_or_not_a_number_stays() {
        let couple = Couple::Spline { bins: 4, bound: 1.0 };
        let state = Tensor::new(&[[1.5_f32, 0.0], [-2.0, 0.0], [f32::NAN, 0.0]], &candle_core::Device::Cpu);
        let state = state.unwrap();
        let out = to_f64(&couple.forward(&state, &normal(&[3, 11], 1.0, "p"), &[0]).unwrap());
        assert_eq!(out[..4], [1.5, 0.0, -2.0, 0.0]);
        assert!(out[4].is_nan() && out[5] == 0.0);
    }
}
