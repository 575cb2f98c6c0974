//! The coupling layer: some coordinates stay, and decide what happens to the others.

use candle_core::Tensor;

use super::layer::{Layer, Network};
use crate::error::Result;
use crate::nn::ops::{Couple, columns, uncouple};
use crate::nn::{Mlp, Vars};
use crate::rng::Rng;

/// A coupling layer with some elementwise map (Dinh et al. 2015, <https://arxiv.org/abs/1410.8516>).
pub(super) struct Coupling {
    couple: Couple,
    passive: Vec<usize>,
    active: Vec<usize>,
    net: Mlp,
}

impl Coupling {
    /// Layer `index` of a flow of `d` coordinates; `start` are the parameters with which a value begins.
    pub fn new(
        couple: Couple,
        index: usize,
        d: usize,
        start: &[f32],
        network: &Network,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let (active, passive): (Vec<_>, Vec<_>) = (0..d).partition(|column| moves(*column, index, d));
        let start = start.repeat(active.len());
        let net = network.build(vars, &format!("layer{index}"), passive.len(), &start, rng)?;
        Ok(Self { couple, passive, active, net })
    }

    fn parameters(&self, state: &Tensor) -> Result<Tensor> {
        self.net.forward(&columns(state, &self.passive)?)
    }
}

impl Layer for Coupling {
    fn forward(&self, state: &Tensor) -> Result<Tensor> {
        self.couple.forward(state, &self.parameters(state)?, &self.active)
    }

    fn inverse(&self, state: &Tensor) -> Result<Tensor> {
        uncouple(self.couple, state, &self.parameters(state)?, &self.active)
    }

    fn detached(&self) -> Box<dyn Layer> {
        let (passive, active) = (self.passive.clone(), self.active.clone());
        Box::new(Self { couple: self.couple, passive, active, net: self.net.detached() })
    }
}

/// Whether layer `index` moves this coordinate of `d`.
///
/// Two layers go by one bit of the coordinate's number, first those that have it not, then those that have it;
/// the next two go by the next bit. So every coordinate moves in every pair, and any two of them are apart in some.
fn moves(column: usize, index: usize, d: usize) -> bool {
    let bits = usize::BITS - d.saturating_sub(1).max(1).leading_zeros();
    let bit = (index / 2) % bits as usize;
    (column >> bit & 1 == 1) == index.is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::moves;

    #[test]
    fn every_layer_moves_some_and_keeps_some_and_every_pair_of_layers_moves_all() {
        for d in [2, 3, 5, 8, 64] {
            for pair in 0..8 {
                let moved = |index: usize| (0..d).filter(|c| moves(*c, index, d)).collect::<Vec<_>>();
                let (first, second) = (moved(2 * pair), moved(2 * pair + 1));
                assert!(!first.is_empty() && !second.is_empty(), "{d} {pair}");
                let mut all = [first, second].concat();
                all.sort_unstable();
                assert_eq!(all, (0..d).collect::<Vec<_>>());
            }
        }
    }
}
