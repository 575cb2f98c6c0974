//! Rational-quadratic-spline coupling, as in neural spline flows.

use super::coupling::Coupling;
use super::layer::Network;
use crate::error::Result;
use crate::nn::Vars;
use crate::nn::kernels::spline::UNIT_DERIVATIVE;
use crate::nn::ops::Couple;
use crate::rng::Rng;

/// A monotone spline with `bins` pieces for each value, its knots from the coordinates that stay; it maps
/// [−bound, bound] to itself and leaves what lies beyond alone.
///
/// Durkan et al. 2019, <https://arxiv.org/abs/1906.04032>. It starts as the identity: equal bins, all slopes 1.
pub(super) fn layer(
    bins: usize,
    bound: f64,
    index: usize,
    d: usize,
    network: &Network,
    vars: &mut Vars,
    rng: &mut Rng,
) -> Result<Coupling> {
    let couple = Couple::Spline { bins, bound };
    let mut start = vec![0.0; couple.parameters()];
    for slope in start.iter_mut().skip(2 * bins) {
        *slope = UNIT_DERIVATIVE;
    }
    Coupling::new(couple, index, d, &start, network, vars, rng)
}
