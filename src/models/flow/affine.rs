//! Affine coupling, as in RealNVP.

use super::coupling::Coupling;
use super::layer::Network;
use crate::error::Result;
use crate::nn::Vars;
use crate::nn::ops::Couple;
use crate::rng::Rng;

/// x·eˢ + t with s = 2·tanh(o/2), o and t from the coordinates that stay.
///
/// Dinh et al. 2017, <https://arxiv.org/abs/1605.08803>. The bound on s keeps one layer from stretching anything more
/// than e² ≈ 7.4 times.
pub(super) fn layer(
    index: usize,
    d: usize,
    network: &Network,
    vars: &mut Vars,
    rng: &mut Rng,
) -> Result<Coupling> {
    Coupling::new(Couple::Affine, index, d, &[0.0; 2], network, vars, rng)
}
