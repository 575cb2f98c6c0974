//! The block that Transformers are stacked from.

use crate::error::Result;
use crate::nn::ops::Growing;
use crate::nn::{Activation, Init, LayerNorm, Linear, Vars, ops};
use crate::rng::Rng;
use candle_core::Tensor;

/// Attention of several heads, to a position itself and to those before it
/// (Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>).
#[derive(Debug, Clone)]
pub struct CausalAttention {
    /// Queries, keys and values: (3·width, width).
    pub packed: Linear,
    /// What is made of the heads' results: (width, width).
    pub output: Linear,
    /// How many heads there are.
    pub heads: usize,
}

impl CausalAttention {
    /// Adds the variables of `<name>.packed` and `<name>.output` to `vars`.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        width: usize,
        heads: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let packed = Linear::new(vars, &format!("{name}.packed"), width, 3 * width, init, rng)?;
        let output = Linear::new(vars, &format!("{name}.output"), width, width, init, rng)?;
        Ok(Self { packed, output, heads })
    }

    /// # Shapes
    /// (Σ lengths, width), word after word → the same
    ///
    /// # Errors
    /// When the shape differs from this, or the heads do not divide the width.
    pub fn forward(&self, xs: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        let heads = ops::attention(&self.packed.forward(xs)?, lengths, self.heads)?;
        self.output.forward(&heads)
    }

    /// So many words of at most this length, for [`CausalAttention::next`].
    pub fn growing(&self, words: usize, length: usize) -> Result<Growing> {
        Ok(Growing::new(words, length, self.heads, self.output.weight.dim(1)?))
    }

    /// What [`CausalAttention::forward`] gives for the next position of those words that go on.
    ///
    /// # Shapes
    /// (words, width) → the same
    ///
    /// # Errors
    /// When the shape differs from this, or the words are not among those that grow.
    pub fn next(&self, xs: &Tensor, words: &[usize], grown: &mut Growing) -> Result<Tensor> {
        self.output.forward(&grown.next(&self.packed.forward(xs)?, words)?)
    }

    /// The same layer without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { packed: self.packed.detached(), output: self.output.detached(), heads: self.heads }
    }
}

/// x + attention(norm(x)), then x + MLP(norm(x)) with one hidden layer four times as wide, GELU in it.
#[derive(Debug, Clone)]
pub struct TransformerBlock {
    /// Before the attention.
    pub first_norm: LayerNorm,
    /// What looks at other positions.
    pub attention: CausalAttention,
    /// Before the MLP.
    pub second_norm: LayerNorm,
    /// The MLP's hidden layer: (4·width, width).
    pub hidden: Linear,
    /// The MLP's output: (width, 4·width).
    pub output: Linear,
}

impl TransformerBlock {
    /// Adds the variables of `<name>.norm1`, `<name>.attention`, `<name>.norm2`, `<name>.mlp.0` and
    /// `<name>.mlp.1` to `vars`.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        width: usize,
        heads: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        Ok(Self {
            first_norm: LayerNorm::new(vars, &format!("{name}.norm1"), width)?,
            attention: CausalAttention::new(vars, &format!("{name}.attention"), width, heads, init, rng)?,
            second_norm: LayerNorm::new(vars, &format!("{name}.norm2"), width)?,
            hidden: Linear::new(vars, &format!("{name}.mlp.0"), width, 4 * width, init, rng)?,
            output: Linear::new(vars, &format!("{name}.mlp.1"), 4 * width, width, init, rng)?,
        })
    }

    /// # Shapes
    /// (Σ lengths, width), word after word → the same
    ///
    /// # Errors
    /// When the shape differs from this, or the heads do not divide the width.
    pub fn forward(&self, xs: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        self.with(xs, |normed| self.attention.forward(normed, lengths))
    }

    /// What [`TransformerBlock::forward`] gives for the next position of those words that go on.
    ///
    /// # Shapes
    /// (words, width) → the same
    ///
    /// # Errors
    /// When the shape differs from this, or the words are not among those that grow.
    pub fn next(&self, xs: &Tensor, words: &[usize], grown: &mut Growing) -> Result<Tensor> {
        self.with(xs, |normed| self.attention.next(normed, words, grown))
    }

    /// The block with this attention.
    fn with(&self, xs: &Tensor, attention: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let xs = (xs + attention(&self.first_norm.forward(xs)?)?)?;
        let normed = self.second_norm.forward(&xs)?;
        let stages = [
            (&self.hidden.weight, self.hidden.bias.as_ref(), Activation::Gelu),
            (&self.output.weight, self.output.bias.as_ref(), Activation::Identity),
        ];
        let changes = match ops::perceptron(&normed, &stages)? {
            Some(changes) => changes,
            None => self.output.forward(&self.hidden.forward_act(&normed, Activation::Gelu)?)?,
        };
        Ok((&xs + changes)?)
    }

    /// The same block without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self {
            first_norm: self.first_norm.detached(),
            attention: self.attention.detached(),
            second_norm: self.second_norm.detached(),
            hidden: self.hidden.detached(),
            output: self.output.detached(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, normal, to_f64};
    use crate::nn::{Embedding, GroupNorm, Gru};
    use candle_core::DType;

    const INIT: Init = Init::Normal { std: 0.3 };
    const LENGTHS: [usize; 4] = [5, 7, 0, 3];

    fn block() -> (Vars, TransformerBlock) {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(3, "init"));
        let block = TransformerBlock::new(&mut vars, "block", 8, 2, INIT, &mut rng).unwrap();
        (vars, block)
    }

    /// The block's value in double precision, from the plain twins.
    fn plainly(block: &TransformerBlock, xs: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        use crate::nn::ops::{plain, plain_layers};
        let wide = |x: &Tensor| x.detach().to_dtype(DType::F64);
        let linear = |layer: &Linear, xs: &Tensor| {
            plain::linear(xs, &wide(&layer.weight)?, layer.bias.as_ref().map(wide).transpose()?.as_ref())
        };
        let norm = |layer: &LayerNorm, xs: &Tensor| {
            plain_layers::layer_norm(xs, &wide(&layer.weight)?, &wide(&layer.bias)?)
        };
        let packed = linear(&block.attention.packed, &norm(&block.first_norm, xs)?)?;
        let heads = plain_layers::attention(&packed, lengths, block.attention.heads)?;
        let xs = (xs + linear(&block.attention.output, &heads)?)?;
        let hidden = linear(&block.hidden, &norm(&block.second_norm, &xs)?)?;
        Ok((&xs + linear(&block.output, &plain::activate(&hidden, Activation::Gelu)?)?)?)
    }

    #[test]
    fn a_block_is_what_it_says_and_every_variable_gets_a_gradient() {
        let (vars, block) = block();
        let xs = normal(&[15, 8], 1.0, "xs");
        let ys = block.forward(&xs, &LENGTHS).unwrap();
        let expected = to_f64(&plainly(&block, &xs.to_dtype(DType::F64).unwrap(), &LENGTHS).unwrap());
        assert_close(&to_f64(&ys), &expected, 1e-6, "value");
        let grads = crate::nn::backward(&ys.sqr().unwrap().sum_all().unwrap()).unwrap();
        assert_eq!(vars.without_gradient(&grads), [""; 0]);
        assert_eq!(vars.len(), 12);
        // Each number against a difference quotient, in double precision.
        for (name, var) in vars.iter() {
            let value = var.as_detached_tensor();
            let (flat, gradient) = (to_f64(&value), to_f64(grads.get(var).unwrap()));
            let moved = |i: usize, by: f64| {
                let mut flat: Vec<f32> = flat.iter().map(|x| *x as f32).collect();
                flat[i] += by as f32;
                var.set(&Tensor::from_vec(flat, var.dims(), &candle_core::Device::Cpu).unwrap()).unwrap();
                let ys = plainly(&block, &xs.to_dtype(DType::F64).unwrap(), &LENGTHS).unwrap();
                ys.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap()
            };
            let keep = value.copy().unwrap();
            for i in [0, flat.len() / 2, flat.len() - 1] {
                let h = 1.0 / 1024.0;
                let slope = (moved(i, h) - moved(i, -h)) / (2.0 * h);
                var.set(&keep).unwrap();
                assert_close(&[gradient[i]], &[slope], 2e-3, &format!("{name}, number {i}"));
            }
        }
    }

    #[test]
    fn a_block_is_causal_and_its_sequences_do_not_meet() {
        let (_, block) = block();
        let block = block.detached();
        let (xs, ys) = (normal(&[12, 8], 1.0, "xs"), normal(&[12, 8], 1.0, "ys"));
        // The first sequence whole and two positions of the second one, then something else.
        let mixed = Tensor::cat(&[xs.narrow(0, 0, 8).unwrap(), ys.narrow(0, 8, 4).unwrap()], 0).unwrap();
        let [a, b] = [&xs, &mixed].map(|xs| to_f64(&block.forward(xs, &[6, 6]).unwrap()));
        assert_eq!(a[..64], b[..64]);
        assert!(a[64..].iter().zip(&b[64..]).all(|(a, b)| a != b));
        assert!(block.forward(&xs, &[5, 5]).is_err());
    }

    #[test]
    fn detached_layers_record_nothing_and_see_updates() {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(3, "init"));
        let table = Embedding::new(&mut vars, "table", 5, 8, INIT, &mut rng).unwrap();
        let block = TransformerBlock::new(&mut vars, "block", 8, 2, INIT, &mut rng).unwrap();
        let unit = Gru::new(&mut vars, "unit", 8, 8, INIT, &mut rng).unwrap();
        let norm = GroupNorm::new(&mut vars, "norm", 8, 4).unwrap();
        let ids = [0, 4, 2, 2, 1, 3];
        let run = |table: &Embedding, block: &TransformerBlock, unit: &Gru, norm: &GroupNorm| {
            let xs = block.forward(&table.forward(&ids)?, &[4, 2])?;
            norm.forward_act(&unit.forward(&xs, &[3, 2, 1], None)?, Activation::Silu)
        };
        let twins = (table.detached(), block.detached(), unit.detached(), norm.detached());
        let twin = || run(&twins.0, &twins.1, &twins.2, &twins.3).unwrap();
        let tracked = || run(&table, &block, &unit, &norm).unwrap();
        let before = to_f64(&twin());
        assert!(!twin().track_op());
        assert_eq!(before, to_f64(&tracked()));
        let loss = tracked().sqr().unwrap().sum_all().unwrap();
        let weights = normal(&[6, 8], 1.0, "weights");
        let grads = crate::nn::backward(&(loss + (tracked() * weights).unwrap().sum_all().unwrap()).unwrap())
            .unwrap();
        assert_eq!(vars.without_gradient(&grads), [""; 0]);
        let mut optimizer = crate::nn::Optimizer::new(crate::nn::OptimizerKind::adam(0.9), &vars);
        assert_eq!(optimizer.step(&vars, &grads.into(), 0.01).unwrap(), crate::nn::Update::Applied);
        assert_ne!(before, to_f64(&twin()));
        assert_eq!(to_f64(&twin()), to_f64(&tracked()));
    }
}
