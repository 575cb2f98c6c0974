//! The masked autoregressive layer: each coordinate is moved by what stands before it.

use candle_core::{Device, Tensor};

use super::layer::{Layer, Network};
use crate::error::Result;
use crate::nn::ops::{Couple, columns, uncouple};
use crate::nn::{Linear, Mlp, Vars};
use crate::rng::Rng;

/// An affine map of each coordinate whose scale and shift come from those before it, by one masked network.
///
/// Papamakarios et al. 2017, <https://arxiv.org/abs/1705.07057>, with the masks of MADE (Germain et al. 2015,
/// <https://arxiv.org/abs/1502.03509>). All log-densities cost one pass; the inverse costs as many as there are
/// coordinates, because each needs those before it.
pub(super) struct Autoregressive {
    /// The coordinates in the order in which they depend on each other.
    order: Vec<usize>,
    net: Mlp,
    /// 1 where a weight may act, 0 elsewhere; one matrix a layer of the network.
    masks: Vec<Tensor>,
}

impl Autoregressive {
    /// Layer `index` of a flow of `d` coordinates; every other one has them in reverse.
    pub fn new(index: usize, d: usize, network: &Network, vars: &mut Vars, rng: &mut Rng) -> Result<Self> {
        let mut order: Vec<usize> = (0..d).collect();
        if !index.is_multiple_of(2) {
            order.reverse();
        }
        let net = network.build(vars, &format!("layer{index}"), d, &vec![0.0; 2 * d], rng)?;
        // A unit of degree m sees the first m coordinates; coordinate i (from 1) may see those below it.
        let mut degrees: Vec<usize> = (1..=d).collect();
        let mut masks = Vec::with_capacity(network.hidden.len() + 1);
        for &width in network.hidden {
            let next: Vec<usize> = (0..width).map(|unit| 1 + unit % d.saturating_sub(1).max(1)).collect();
            masks.push(mask(&next, &degrees, |unit, input| input <= unit)?);
            degrees = next;
        }
        // The scales of all coordinates, then their shifts.
        let outputs: Vec<usize> = (1..=d).chain(1..=d).collect();
        masks.push(mask(&outputs, &degrees, |output, input| input < output)?);
        Ok(Self { order, net, masks })
    }

    /// The network with the weights that act.
    fn masked(&self) -> Result<Mlp> {
        let layers = self.net.layers.iter().zip(&self.masks);
        let layers = layers
            .map(|(layer, mask)| Ok(Linear { weight: (&layer.weight * mask)?, bias: layer.bias.clone() }));
        Ok(Mlp { layers: layers.collect::<Result<_>>()?, ..self.net.clone() })
    }
}

impl Layer for Autoregressive {
    fn forward(&self, state: &Tensor) -> Result<Tensor> {
        let parameters = self.masked()?.forward(&columns(state, &self.order)?)?;
        Couple::Affine.forward(state, &parameters, &self.order)
    }

    fn inverse(&self, state: &Tensor) -> Result<Tensor> {
        let (net, d) = (self.masked()?, self.order.len());
        let mut state = state.clone();
        for (place, &column) in self.order.iter().enumerate() {
            let parameters = net.forward(&columns(&state, &self.order)?)?;
            let own = columns(&parameters, &[place, d + place])?;
            state = uncouple(Couple::Affine, &state, &own, &[column])?;
        }
        Ok(state)
    }

    fn detached(&self) -> Box<dyn Layer> {
        let (order, masks) = (self.order.clone(), self.masks.clone());
        Box::new(Self { order, net: self.net.detached(), masks })
    }
}

/// (to, from): 1 where `may(to, from)`, else 0.
fn mask(to: &[usize], from: &[usize], may: impl Fn(usize, usize) -> bool) -> Result<Tensor> {
    let rows = to.iter().flat_map(|to| from.iter().map(|from| f32::from(u8::from(may(*to, *from)))));
    Ok(Tensor::from_vec(rows.collect::<Vec<_>>(), (to.len(), from.len()), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::matrix;
    use crate::nn::Activation;

    #[test]
    fn a_coordinate_is_moved_by_those_before_it_alone_and_the_inverse_undoes_it() {
        let (d, n) = (5, 3);
        for hidden in [&[][..], &[1], &[7], &[16, 9]] {
            for index in 0..2 {
                let network = Network { hidden, activation: Activation::Tanh };
                let (mut vars, mut rng) = (Vars::new(), Rng::stream(2, "init"));
                let layer = Autoregressive::new(index, d, &network, &mut vars, &mut rng).unwrap();
                // Weights far from the identity.
                for (_, var) in vars.iter() {
                    let values = rng.normals(var.elem_count());
                    var.set(&Tensor::from_vec(values, var.dims(), &Device::Cpu).unwrap()).unwrap();
                }
                let rows = rng.normals(n * (d + 1));
                let apply = |rows: &[f32]| layer.forward(&matrix(rows.to_vec(), n, d + 1).unwrap()).unwrap();
                let there = apply(&rows);
                let values = there.to_vec2::<f32>().unwrap();
                for column in 0..d {
                    let mut moved = rows.clone();
                    moved.iter_mut().skip(column).step_by(d + 1).for_each(|x| *x += 0.5);
                    let moved = apply(&moved).to_vec2::<f32>().unwrap();
                    let place = |c: usize| layer.order.iter().position(|other| *other == c).unwrap();
                    for other in 0..d {
                        let same = (0..n).all(|row| moved[row][other] == values[row][other]);
                        if place(other) < place(column) {
                            assert!(same, "{hidden:?} {index}: {other} sees {column}");
                        } else if other == column || hidden.len() != 1 || hidden[0] > 1 {
                            assert!(!same, "{hidden:?} {index}: {other} does not see {column}");
                        }
                    }
                }
                let back = layer.detached().inverse(&there).unwrap().flatten_all().unwrap();
                for (a, b) in back.to_vec1::<f32>().unwrap().iter().zip(&rows) {
                    assert!((a - b).abs() < 1e-4, "{hidden:?} {index}: {a}, {b}");
                }
            }
        }
    }
}
