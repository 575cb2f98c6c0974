//! A whole perceptron in one operation: what lies between its layers never becomes a tensor.

use super::activate::Ending;
use super::backward::{Values, gathering, gradient_from};
use super::layer::{Hidden, Layer};
use super::live::{Part, chosen};
use super::scratch::Scratch;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::Activation;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// One layer: W (outputs, inputs), b (outputs), f.
pub type Stage<'a> = (&'a Tensor, Option<&'a Tensor>, Activation);

/// f_L(… f₁(x·W₁ᵀ + b₁) …·W_Lᵀ + b_L), what [`super::linear`] does layer by layer, bit for bit.
///
/// `None` where it cannot: a weight is neither a variable nor a constant, so that its gradient has to go further.
/// A graph of this operation is for [`super::backward`]; candle's own refuses it.
///
/// # Shapes
/// xs (n, inputs of the first layer) → (n, outputs of the last)
///
/// # Errors
/// When the shapes do not follow each other.
pub fn perceptron(xs: &Tensor, stages: &[Stage]) -> Result<Option<Tensor>> {
    let parts = || stages.iter().flat_map(|(weight, bias, _)| [Some(*weight), *bias]).flatten();
    if stages.len() < 2 || parts().any(|part| part.track_op() && !part.is_variable()) {
        return Ok(None);
    }
    let learning = parts().find(|part| part.is_variable());
    let layers = stages
        .iter()
        .map(|(weight, bias, activation)| {
            let ending = Ending::new(*activation, parts().chain([xs]));
            let bias = bias.map(Tensor::contiguous).transpose()?;
            Ok(Layer { weight: weight.contiguous()?, bias, ending })
        })
        .collect::<Result<_>>()?;
    let tracked = learning.is_some() || xs.track_op();
    let op = Perceptron { layers, tracked, hidden: Mutex::new(Vec::new()) };
    let xs = xs.contiguous()?;
    Ok(Some(match learning {
        // It stands for all that learn: so the graph reaches this operation, which serves the others itself.
        Some(part) => xs.apply_op2(part, op)?,
        None => xs.apply_op1(op)?,
    }))
}

struct Perceptron {
    layers: Vec<Layer>,
    /// Whether there will be a backward pass.
    tracked: bool,
    /// What every layer but the last gave, if there will be a backward pass.
    hidden: Mutex<Vec<Hidden>>,
}

impl Perceptron {
    fn forward(&self, xs: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, mut width) = layout.shape().dims2()?;
        let first = storage_slice(xs, layout)?;
        let mut hidden: Vec<Hidden> = Vec::with_capacity(self.layers.len());
        for (layer, above) in self.layers.iter().zip(self.layers.iter().skip(1)) {
            let outputs = layer.sizes()?.0;
            let mut ys = Scratch::of(n * outputs);
            let xs = hidden.last().map_or(first, |below| &*below.ys);
            layer.forward((xs, n, width), hidden.last(), &mut ys)?;
            let given = layer.keep(ys, n, above)?;
            if !self.tracked {
                hidden.clear();
            }
            hidden.push(given);
            width = outputs;
        }
        let Some(last) = self.layers.last() else { bail!("a perceptron has layers") };
        let outputs = last.sizes()?.0;
        let mut ys = vec![0.0; n * outputs];
        let xs = hidden.last().map_or(first, |below| &*below.ys);
        last.forward((xs, n, width), hidden.last(), &mut ys)?;
        if self.tracked {
            let Ok(mut kept) = self.hidden.lock() else { bail!("a perceptron's values are locked") };
            *kept = hidden;
        }
        output(ys, (n, outputs))
    }

    /// The gradient of `xs`, if it has a graph; those of the layers are gathered.
    fn backward(&self, xs: &Tensor, ys: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        if self.layers.iter().any(|layer| layer.weight.is_variable()) && !gathering() {
            bail!("the gradients of a perceptron are for nn::backward");
        }
        let (Ok(mut hidden), n) = (self.hidden.lock(), xs.dim(0)?) else {
            bail!("a perceptron's values are locked")
        };
        // Some of them go to the gradients.
        let mut hidden = std::mem::take(&mut *hidden);
        if hidden.len() + 1 != self.layers.len() {
            bail!("a perceptron's gradients are had once");
        }
        let first = self.layers.iter().position(|layer| layer.learns());
        // Below it nothing asks for a gradient.
        let lowest = if xs.track_op() { 0 } else { first.unwrap_or(self.layers.len()) };
        // What belongs before the activation of the layer whose turn it is, and for which of its units.
        let (mut to_zs, mut live) = (Values::Shared(gradient.contiguous()?), None);
        if let Some(last) = self.layers.last().filter(|last| !last.ending.is_identity()) {
            let mut scaled = Scratch::of(ys.elem_count());
            to_zs.with(|gradient| with_slice(ys, |ys| last.ending.scale(gradient, ys, &mut scaled)))???;
            live = with_slice(ys, |ys| last.live(ys, n))??;
            if live.is_some() {
                scaled = chosen(&scaled, ys.dim(1)?, [None, live.as_ref()]);
            }
            to_zs = Values::Own(scaled);
        }
        for (i, layer) in self.layers.iter().enumerate().skip(lowest).rev() {
            let Some((below, hidden)) = i.checked_sub(1).zip(hidden.pop()) else {
                let part = Part { rows: live, columns: None };
                let to_xs = gradient_from(xs, |out, start| {
                    to_zs.with(|to_zs| layer.pass_on(to_zs, n, &part, out, start))?
                })?;
                layer.add_gradients(to_zs, Values::Shared(xs.clone()), n, part)?;
                return Ok(to_xs);
            };
            let part = Part { rows: live, columns: hidden.live.clone() };
            let next = match self.layers.get(below) {
                Some(below) if i > lowest => {
                    Some(to_zs.with(|to_zs| layer.pass_below(to_zs, n, &part, (&below.ending, &hidden)))??)
                }
                _ => None,
            };
            layer.add_gradients(to_zs, Values::Own(hidden.ys), n, part)?;
            let Some(next) = next else { break };
            (to_zs, live) = (Values::Own(next), hidden.live);
        }
        Ok(None)
    }
}

impl CustomOp1 for Perceptron {
    fn name(&self) -> &'static str {
        "perceptron"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward(xs, layout)
    }

    fn bwd(&self, xs: &Tensor, ys: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        self.backward(xs, ys, gradient)
    }
}

impl CustomOp2 for Perceptron {
    fn name(&self) -> &'static str {
        "perceptron"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        layout: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward(xs, layout)
    }

    fn bwd(
        &self,
        xs: &Tensor,
        _: &Tensor,
        ys: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((self.backward(xs, ys, gradient)?, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, differences, normal, to_f64};
    use crate::nn::ops::{backward, linear, plain};
    use crate::params::Choice;
    use candle_core::Var;

    const WIDTHS: [usize; 4] = [3, 7, 17, 2];

    /// x, then W and b of each layer.
    fn inputs(n: usize, scale: f32) -> Vec<Tensor> {
        let mut all = vec![normal(&[n, WIDTHS[0]], scale, "x")];
        for (i, pair) in WIDTHS.windows(2).enumerate() {
            all.push(normal(&[pair[1], pair[0]], 0.5 * scale, &format!("w{i}")));
            all.push(normal(&[pair[1]], scale, &format!("b{i}")));
        }
        all
    }

    fn stages(x: &[Tensor], activation: Activation) -> Vec<Stage<'_>> {
        x[1..].chunks(2).map(|pair| (&pair[0], Some(&pair[1]), activation)).collect()
    }

    /// Values, and the gradients of a weighted sum of them, of the operation and of layer after layer.
    fn both(x: &[Tensor], activation: Activation) -> [(Tensor, Vec<Option<Tensor>>); 2] {
        let weights = normal(&[x[0].dim(0).unwrap(), 2], 1.0, "weights");
        let once = perceptron(&x[0], &stages(x, activation)).unwrap().unwrap();
        let mut by_layer = x[0].clone();
        for (weight, bias, f) in stages(x, activation) {
            by_layer = linear(&by_layer, weight, bias, f).unwrap();
        }
        [once, by_layer].map(|ys| {
            let grads = backward(&(&ys * &weights).unwrap().sum_all().unwrap()).unwrap();
            (ys, x.iter().map(|x| grads.get(x).cloned()).collect())
        })
    }

    #[test]
    fn values_and_gradients_are_those_of_the_layers_bit_for_bit_and_match_differences() {
        for id in Activation::IDS {
            let activation = Activation::from_id(id).unwrap();
            for n in [1, 3, 17] {
                for scale in [1e-3, 0.7] {
                    let x: Vec<Tensor> = inputs(n, scale)
                        .iter()
                        .map(|x| Var::from_tensor(x).unwrap().as_tensor().clone())
                        .collect();
                    let [(value, gradients), (expected, by_layer)] = both(&x, activation);
                    assert_eq!(to_f64(&value), to_f64(&expected), "{id} {n}");
                    let twin = |x: &[Tensor]| {
                        let mut ys = x[0].clone();
                        for pair in x[1..].chunks(2) {
                            ys = plain::activate(&plain::linear(&ys, &pair[0], Some(&pair[1]))?, activation)?;
                        }
                        Ok((ys * normal(&[n, 2], 1.0, "weights").to_dtype(x[0].dtype())?)?)
                    };
                    let by_differences = differences(twin, &x);
                    for ((got, by_layer), expected) in gradients.iter().zip(&by_layer).zip(&by_differences) {
                        let (got, by_layer) =
                            (to_f64(got.as_ref().unwrap()), to_f64(by_layer.as_ref().unwrap()));
                        assert_eq!(got, by_layer, "{id} {n}");
                        assert_close(&got, expected, 1e-5, id);
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_go_to_what_learns_and_nowhere_else() {
        let x = inputs(5, 0.7);
        for mask in 0..1_u32 << x.len() {
            let learns = |i: usize| mask >> i & 1 == 1;
            let pick = |(i, x): (usize, &Tensor)| {
                if learns(i) { Var::from_tensor(x).unwrap().as_tensor().clone() } else { x.clone() }
            };
            let x: Vec<Tensor> = x.iter().enumerate().map(pick).collect();
            let [(value, gradients), (expected, by_layer)] = both(&x, Activation::Silu);
            assert_eq!((value.track_op(), to_f64(&value)), (mask > 0, to_f64(&expected)));
            for (i, (got, expected)) in gradients.iter().zip(&by_layer).enumerate() {
                assert_eq!(got.is_some(), learns(i), "{mask:b} {i}");
                assert_eq!(got.as_ref().map(to_f64), expected.as_ref().map(to_f64), "{mask:b} {i}");
            }
        }
    }

    #[test]
    fn a_network_used_twice_and_below_itself_gathers_all_gradients() {
        let x: Vec<Tensor> = [&[4, 3][..], &[6, 3], &[6], &[3, 6], &[3]]
            .iter()
            .enumerate()
            .map(|(i, shape)| {
                Var::from_tensor(&normal(shape, 0.6, &format!("{i}"))).unwrap().as_tensor().clone()
            })
            .collect();
        let twice = |once: &dyn Fn(&Tensor) -> Tensor| {
            let loss =
                (once(&once(&x[0])).sum_all().unwrap() + x[1].sqr().unwrap().sum_all().unwrap()).unwrap();
            let grads = backward(&loss).unwrap();
            x.iter().map(|x| to_f64(grads.get(x).unwrap())).collect::<Vec<_>>()
        };
        let stages = stages(&x, Activation::Tanh);
        let got = twice(&|xs| perceptron(xs, &stages).unwrap().unwrap());
        let expected = twice(&|xs| {
            stages.iter().fold(xs.clone(), |xs, (weight, bias, f)| linear(&xs, weight, *bias, *f).unwrap())
        });
        assert_eq!(got, expected);
    }

    #[test]
    fn what_it_cannot_do_is_left_to_others_or_refused() {
        let mut x = inputs(3, 0.5);
        assert!(perceptron(&x[0], &stages(&x[..3], Activation::Relu)).unwrap().is_none());
        let narrow = x[0].narrow(1, 0, 2).unwrap();
        assert!(perceptron(&narrow, &stages(&x, Activation::Relu)).is_err());
        let none = x[0].narrow(0, 0, 0).unwrap();
        assert_eq!(perceptron(&none, &stages(&x, Activation::Relu)).unwrap().unwrap().dims(), [0, 2]);
        x[1] = Var::from_tensor(&x[1]).unwrap().as_tensor().clone();
        let ys = perceptron(&x[0], &stages(&x, Activation::Relu)).unwrap().unwrap();
        assert!(ys.sum_all().unwrap().backward().is_err());
        x[1] = (&x[1] * 2.0).unwrap();
        assert!(perceptron(&x[0], &stages(&x, Activation::Relu)).unwrap().is_none());
    }
}
