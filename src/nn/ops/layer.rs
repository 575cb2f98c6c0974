//! A layer of a perceptron, which leaves out those of its units that are silent throughout a batch.

use super::activate::Ending;
use super::backward::{Product, Values, gather_product, gradient_from, gradient_of};
use super::live::{Live, NARROWEST, Part, chosen, count};
use super::scratch::Scratch;
use super::slices::with_slice;
use crate::nn::kernels::gemm::{Start, View, product, product_through_relu};
use candle_core::{Tensor, bail};

/// W (outputs, inputs), b (outputs), f.
pub(super) struct Layer {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) ending: Ending,
}

impl Layer {
    /// (outputs, inputs)
    pub(super) fn sizes(&self) -> candle_core::Result<(usize, usize)> {
        self.weight.dims2()
    }

    /// Whether it has a gradient.
    pub(super) fn learns(&self) -> bool {
        self.weight.is_variable() || self.bias.as_ref().is_some_and(Tensor::is_variable)
    }

    /// ys ← f(x·Wᵀ + b) of n rows of x; `below` is the layer that gave them, if one did.
    pub(super) fn forward(
        &self,
        (xs, n, width): (&[f32], usize, usize),
        below: Option<&Hidden>,
        ys: &mut [f32],
    ) -> candle_core::Result<()> {
        let (outputs, inputs) = self.sizes()?;
        if width != inputs || self.bias.as_ref().is_some_and(|bias| bias.elem_count() != outputs) {
            bail!("a layer from {inputs} to {outputs} got {width} inputs, or a bias of another length");
        }
        let columns = count(below.and_then(|below| below.live.as_ref()), inputs);
        let compute = |weight: &[f32], start: Start, ys: &mut [f32]| {
            let weight = View::new(weight, outputs, columns).t();
            product(View::new(xs, n, columns), weight, ys, start, self.ending.low());
        };
        let with_weight = |start: Start, ys: &mut [f32]| match below.and_then(|below| below.weight.as_deref())
        {
            Some(weight) => {
                compute(weight, start, ys);
                Ok(())
            }
            None => with_slice(&self.weight, |weight| compute(weight, start, ys)),
        };
        match &self.bias {
            Some(bias) => with_slice(bias, |bias| with_weight(Start::Row(bias), ys))??,
            None => with_weight(Start::Zero, ys)?,
        }
        self.ending.finish(ys)
    }

    /// What the layer gave, for the one above.
    pub(super) fn keep(&self, ys: Scratch, n: usize, above: &Self) -> candle_core::Result<Hidden> {
        let (outputs, inputs) = above.sizes()?;
        let all = Hidden { ys, live: None, weight: None };
        if outputs < NARROWEST || inputs * n != all.ys.len() {
            return Ok(all);
        }
        let Some(live) = self.live(&all.ys, n)? else { return Ok(all) };
        let of = |matrix: &[f32]| chosen(matrix, inputs, [None, Some(&live)]);
        let (ys, weight) = (of(&all.ys), Some(with_slice(&above.weight, of)?));
        Ok(Hidden { ys, live: Some(live), weight })
    }

    /// Those of the layer's units that live; `None`: all count.
    pub(super) fn live(&self, ys: &[f32], n: usize) -> candle_core::Result<Option<Live>> {
        let counts = self.ending.is_relu() && self.sizes()?.1 >= NARROWEST;
        Ok(counts.then(|| Live::among(ys, n)).flatten())
    }

    /// Adds to the gradients of W and b, given the gradient before the activation.
    pub(super) fn add_gradients(
        &self,
        to_zs: Values,
        xs: Values,
        n: usize,
        part: Part,
    ) -> candle_core::Result<()> {
        let (outputs, inputs) = self.sizes()?;
        if let Some(bias) = &self.bias {
            gradient_of(bias, |out| to_zs.with(|to_zs| part.add_rows(to_zs, out)))?;
        }
        let product = Product { to_zs, xs, sizes: [n, outputs, inputs], part };
        if self.weight.is_variable() && product.pays() {
            return gather_product(&self.weight, product);
        }
        gradient_from(&self.weight, |out, start| product.add_to(out, start)).map(|_| ())
    }

    /// The gradient before the activation below the layer, from the one before the layer's own.
    pub(super) fn pass_below(
        &self,
        gradient: &[f32],
        n: usize,
        part: &Part,
        (ending, hidden): (&Ending, &Hidden),
    ) -> candle_core::Result<Scratch> {
        let ys = &hidden.ys;
        let mut out = Scratch::of(ys.len());
        if ending.is_relu() {
            self.with_part(part, hidden.weight.as_deref(), |weight| {
                product_through_relu(View::new(gradient, n, weight.rows), weight, &mut out, ys);
            })?;
            return Ok(out);
        }
        self.pass_on(gradient, n, part, &mut out, Start::Zero)?;
        if ending.is_identity() {
            return Ok(out);
        }
        let mut scaled = Scratch::of(out.len());
        ending.scale(&out, ys, &mut scaled)?;
        Ok(scaled)
    }

    /// The gradient before the layer from the one before its activation.
    pub(super) fn pass_on(
        &self,
        gradient: &[f32],
        n: usize,
        part: &Part,
        out: &mut [f32],
        start: Start,
    ) -> candle_core::Result<()> {
        self.with_part(part, None, |weight| {
            product(View::new(gradient, n, weight.rows), weight, out, start, f32::NEG_INFINITY);
        })
    }

    /// Calls `f` with what counts of the weights, whose columns may have been chosen.
    fn with_part(
        &self,
        part: &Part,
        narrow: Option<&[f32]>,
        f: impl FnOnce(View),
    ) -> candle_core::Result<()> {
        let (outputs, inputs) = self.sizes()?;
        let [rows, columns] = part.sizes(outputs, inputs);
        let choose = |weight: &[f32]| match &part.rows {
            None => f(View::new(weight, rows, columns)),
            live => f(View::new(&chosen(weight, columns, [live.as_ref(), None]), rows, columns)),
        };
        match narrow {
            Some(weight) => choose(weight),
            None => with_slice(&self.weight, choose)?,
        }
        Ok(())
    }
}

/// What a layer gave.
pub(super) struct Hidden {
    /// (n, live units)
    pub(super) ys: Scratch,
    /// `None`: all.
    pub(super) live: Option<Live>,
    /// What the next layer multiplies them with, if not all live.
    weight: Option<Scratch>,
}
