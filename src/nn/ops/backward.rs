//! The backward pass, with the gradients of variables gathered where they are computed.

use super::live::Part;
use super::scratch::Scratch;
use super::slices::{constant, with_slice};
use crate::error::Result;
use crate::nn::kernels::gemm::{Start, View, product, product_by_rows};
use crate::nn::kernels::reduce::largest;
use crate::nn::kernels::select::clear;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, bail};
use std::cell::{OnceCell, RefCell};

/// From so many values on, the gradient of a weight matrix is best not kept in memory.
const LARGE: usize = 1 << 15;

type Gathered = Vec<Sum>;

/// A variable and its gradient so far.
struct Sum {
    var: Tensor,
    /// What the gradient is, as long as nothing else is added to it.
    product: Option<Product>,
    /// The gradient, once it is computed.
    whole: OnceCell<Scratch>,
}

impl Sum {
    fn whole(&self) -> candle_core::Result<&Scratch> {
        if let (None, Some(product)) = (self.whole.get(), &self.product) {
            let mut gradient = Scratch::of(self.var.elem_count());
            product.add_to(&mut gradient, Start::Zero)?;
            let _ = self.whole.set(gradient);
        }
        self.whole.get().ok_or_else(lost)
    }

    /// The gradient, to which something else is added now.
    fn grown(&mut self) -> candle_core::Result<&mut Scratch> {
        self.whole()?;
        self.product = None;
        self.whole.get_mut().ok_or_else(lost)
    }
}

/// Where the gradient of a variable is.
fn position(sums: &[Sum], var: &Tensor) -> Option<usize> {
    sums.iter().position(|sum| sum.var.id() == var.id())
}

fn lost() -> candle_core::Error {
    candle_core::Error::Msg("a gradient was lost".into())
}

/// The gradient of a weight matrix (outputs, inputs), as a product that has yet to be computed.
pub(super) struct Product {
    /// The gradient after the product with the weights, (n, outputs that count).
    pub(super) to_zs: Values,
    /// What the weights were multiplied with, (n, inputs that count).
    pub(super) xs: Values,
    /// n, outputs, inputs
    pub(super) sizes: [usize; 3],
    /// Which of the weights may have a gradient that is not 0.
    pub(super) part: Part,
}

/// Values that somebody else holds too, or nobody.
pub(super) enum Values {
    Shared(Tensor),
    Own(Scratch),
}

impl Values {
    pub(super) fn with<R>(&self, f: impl FnOnce(&[f32]) -> R) -> candle_core::Result<R> {
        match self {
            Self::Shared(tensor) => with_slice(tensor, f),
            Self::Own(values) => Ok(f(values)),
        }
    }
}

impl Product {
    /// Whether the weights are so large, and so much larger than what they are computed from, that it is worth it.
    pub(super) fn pays(&self) -> bool {
        let [n, outputs, inputs] = self.sizes;
        outputs * inputs >= LARGE && n * (outputs + inputs) <= outputs * inputs
    }

    fn with_views<R>(&self, f: impl FnOnce(View, View) -> R) -> candle_core::Result<R> {
        let [n, outputs, inputs] = self.sizes;
        let [rows, columns] = self.part.sizes(outputs, inputs);
        self.to_zs
            .with(|to_zs| self.xs.with(|xs| f(View::new(to_zs, n, rows).t(), View::new(xs, n, columns))))?
    }

    pub(super) fn add_to(&self, out: &mut [f32], start: Start) -> candle_core::Result<()> {
        let inputs = self.sizes[2];
        if self.part.is_whole() {
            return self.with_views(|a, b| product(a, b, out, start, f32::NEG_INFINITY));
        }
        if matches!(start, Start::Zero) {
            clear(out);
        }
        let mut part = self.part.of(out, inputs);
        self.with_views(|a, b| product(a, b, &mut part, start, f32::NEG_INFINITY))?;
        self.part.put(&part, 0, out, inputs, 0);
        Ok(())
    }

    /// Calls `each` with the values of some rows at a time, and the number of their first.
    fn by_rows(&self, mut each: impl FnMut(usize, &[f32])) -> candle_core::Result<()> {
        let [_, outputs, inputs] = self.sizes;
        self.with_views(|a, b| {
            product_by_rows(a, b, |row, values| {
                if self.part.is_whole() {
                    return each(row * inputs, values);
                }
                let [first, end] = self.part.span(row, values.len() / b.columns, outputs);
                let mut whole = Scratch::of((end - first) * inputs);
                clear(&mut whole);
                self.part.put(values, row, &mut whole, inputs, first);
                each(first * inputs, &whole);
            });
        })
    }

    /// What no |g| exceeds; NaN where that is not known.
    fn bound(&self) -> candle_core::Result<f64> {
        let largest = |values: &[f32]| f64::from(largest(values));
        // The tenth is more than rounding can add.
        Ok(self.to_zs.with(largest)? * self.xs.with(largest)? * self.sizes[0] as f64 * 1.1)
    }
}

thread_local! {
    /// What has been gathered; nothing outside of a backward pass.
    static SINK: RefCell<Option<Gathered>> = const { RefCell::new(None) };
}

/// The gradients of a loss, for an optimiser.
pub struct Gradients {
    gathered: Gathered,
    others: GradStore,
}

impl Gradients {
    /// Calls `f` with the gradient of a variable, if it has one.
    ///
    /// # Errors
    /// When the gradient is not of `f32`.
    pub fn with<R>(&self, var: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<Option<R>> {
        let (mut f, mut result) = (Some(f), None);
        self.lend(var, &mut |gradient| result = f.take().map(|f| f(gradient)))?;
        Ok(result)
    }

    fn lend(&self, var: &Tensor, f: &mut dyn FnMut(&[f32])) -> Result<()> {
        match (self.gathered(var), self.others.get(var)) {
            (None, None) => {}
            (Some(sum), None) => f(sum.whole()?),
            (None, Some(other)) => with_slice(&other.contiguous()?, f)?,
            // An operation of candle's own has used the variable too.
            (Some(gathered), Some(other)) => {
                let mut sum = other.flatten_all()?.to_vec1::<f32>()?;
                for (sum, x) in sum.iter_mut().zip(gathered.whole()?.iter()) {
                    *sum += x;
                }
                f(&sum);
            }
        }
        Ok(())
    }

    /// Calls `f` with the parts of a variable's gradient, if it has one, and where they begin: a gradient that nobody
    /// has asked for so far is computed part by part, and never goes through memory.
    ///
    /// # Errors
    /// When the gradient is not of `f32`.
    pub fn with_parts(
        &self,
        var: &Tensor,
        mut f: impl FnMut(usize, &[f32]) -> candle_core::Result<()>,
    ) -> Result<()> {
        let Some(product) = self.waiting(var) else {
            return Ok(self.with(var, |gradient| f(0, gradient))?.unwrap_or(Ok(()))?);
        };
        let mut outcome = Ok(());
        product.by_rows(|first, part| {
            if outcome.is_ok() {
                outcome = f(first, part);
            }
        })?;
        Ok(outcome?)
    }

    /// Whether no |g| of a variable is larger than `limit`, and none is NaN.
    ///
    /// # Errors
    /// When the gradient is not of `f32`.
    pub fn within(&self, var: &Tensor, limit: f32) -> Result<bool> {
        if let Some(product) = self.waiting(var)
            && product.bound()? <= f64::from(limit)
        {
            return Ok(true);
        }
        Ok(self.with(var, largest)?.is_none_or(|largest| largest <= limit))
    }

    /// The product that a variable's gradient is, if it has not been computed.
    fn waiting(&self, var: &Tensor) -> Option<&Product> {
        let sum = self.gathered(var).filter(|sum| sum.whole.get().is_none())?;
        sum.product.as_ref().filter(|_| self.others.get(var).is_none())
    }

    fn gathered(&self, var: &Tensor) -> Option<&Sum> {
        self.gathered.get(position(&self.gathered, var)?)
    }
}

impl From<GradStore> for Gradients {
    fn from(others: GradStore) -> Self {
        Self { gathered: Vec::new(), others }
    }
}

/// What candle's own `backward` does, with less traffic.
///
/// candle adds the gradient that an operation returns to zeros, which costs three more passes over every
/// weight matrix. Here the operations of this module add to one buffer for each variable instead.
///
/// # Errors
/// When an operation of the graph has no gradient.
pub fn gradients(loss: &Tensor) -> Result<Gradients> {
    SINK.set(Some(Vec::new()));
    let others = loss.backward();
    let gathered = SINK.take().unwrap_or_default();
    Ok(Gradients { gathered, others: others? })
}

/// [`gradients`] as tensors.
///
/// # Errors
/// When an operation of the graph has no gradient.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    let all = gradients(loss)?;
    let sums = all.gathered.iter().map(|sum| Ok((&sum.var, all.with(&sum.var, <[f32]>::to_vec)?)));
    let sums = sums.collect::<Result<Vec<_>>>()?;
    let mut grads = all.others;
    for (var, gradient) in sums {
        grads.insert(var, constant(gradient.unwrap_or_default(), var.shape())?);
    }
    Ok(grads)
}

/// Whether gradients are being gathered.
pub(super) fn gathering() -> bool {
    SINK.with_borrow(Option::is_some)
}

/// The gradient of an operation's input; `add` adds it to what it is given.
///
/// During [`gradients`] a variable's goes to its buffer, else it is returned, for candle to add.
/// For an input without a graph nothing is computed.
pub(super) fn gradient_of(
    input: &Tensor,
    add: impl FnOnce(&mut [f32]) -> candle_core::Result<()>,
) -> candle_core::Result<Option<Tensor>> {
    gradient_from(input, |out, start| {
        if matches!(start, Start::Zero) {
            clear(out);
        }
        add(out)
    })
}

/// [`gradient_of`] for an operation that can write as well as add: it starts from zero, whatever is there, or from
/// the sum that is there.
pub(super) fn gradient_from(
    input: &Tensor,
    write: impl FnOnce(&mut [f32], Start) -> candle_core::Result<()>,
) -> candle_core::Result<Option<Tensor>> {
    let mut write = Some(write);
    gather(input, &mut |out, start| write.take().map_or(Ok(()), |write| write(out, start)))
}

/// Writes a gradient, or adds to it.
type Write<'a> = &'a mut dyn FnMut(&mut [f32], Start) -> candle_core::Result<()>;

/// [`gradient_from`], once for all operations: each of its own would be a copy in the module.
fn gather(input: &Tensor, write: Write) -> candle_core::Result<Option<Tensor>> {
    if !input.track_op() {
        return Ok(None);
    }
    let gathered = SINK.with_borrow_mut(|sink| {
        let Some(sums) = sink.as_mut().filter(|_| input.is_variable()) else { return Ok(false) };
        match position(sums, input).and_then(|at| sums.get_mut(at)) {
            Some(sum) => write(sum.grown()?, Start::Sum)?,
            None => {
                let mut gradient = Scratch::of(input.elem_count());
                write(&mut gradient, Start::Zero)?;
                sums.push(Sum { var: input.clone(), product: None, whole: gradient.into() });
            }
        }
        Ok::<_, candle_core::Error>(true)
    })?;
    if gathered {
        return Ok(None);
    }
    let mut gradient = vec![0.0; input.elem_count()];
    write(&mut gradient, Start::Sum)?;
    constant(gradient, input.shape()).map(Some)
}

/// [`gradient_from`] for a variable whose gradient is this product, which is computed when it is asked for.
pub(super) fn gather_product(var: &Tensor, product: Product) -> candle_core::Result<()> {
    SINK.with_borrow_mut(|sink| {
        let Some(sums) = sink else { bail!("no gradients are being gathered") };
        if let Some(sum) = position(sums, var).and_then(|at| sums.get_mut(at)) {
            return product.add_to(sum.grown()?, Start::Sum);
        }
        // What others hold may be a view of a variable, which is another when the product is computed.
        let xs = match product.xs {
            Values::Shared(xs) => {
                let mut own = Scratch::of(xs.elem_count());
                with_slice(&xs, |xs| own.copy_from_slice(xs))?;
                Values::Own(own)
            }
            own => own,
        };
        let product = Some(Product { xs, ..product });
        sums.push(Sum { var: var.clone(), product, whole: OnceCell::new() });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{in_parts, layer_by_layer, normal, stages};
    use crate::nn::ops::perceptron;
    use candle_core::Var;

    /// Weights so large that their gradients are computed when they are asked for.
    fn wide() -> Vec<Tensor> {
        let shapes: [&[usize]; 5] = [&[16, 200], &[240, 200], &[240], &[160, 240], &[160]];
        let variable = |(i, shape): (usize, &&[usize])| {
            Var::from_tensor(&normal(shape, 0.2, &format!("{i}"))).unwrap().as_tensor().clone()
        };
        shapes.iter().enumerate().map(variable).collect()
    }

    #[test]
    fn gradients_of_large_weights_are_those_of_the_layers_bit_for_bit_also_in_parts() {
        let x = wide();
        let loss = |by_layer: bool, times: usize| {
            let stages = stages(&x);
            let one = |xs: &Tensor| {
                if by_layer { layer_by_layer(xs, &stages) } else { perceptron(xs, &stages).unwrap().unwrap() }
            };
            let losses = (0..times).map(|i| one(&(&x[0] * (1.0 + i as f64)).unwrap()).sqr().unwrap());
            losses.map(|it| it.sum_all().unwrap()).reduce(|a, b| (a + b).unwrap()).unwrap()
        };
        for times in [1, 2] {
            let (got, expected) =
                (gradients(&loss(false, times)).unwrap(), gradients(&loss(true, times)).unwrap());
            for var in &x[1..] {
                let whole = expected.with(var, <[f32]>::to_vec).unwrap().unwrap();
                let largest = whole.iter().fold(0.0_f32, |a, x| a.max(x.abs()));
                assert!(got.within(var, largest).unwrap() && !got.within(var, 0.999 * largest).unwrap());
                assert_eq!(in_parts(&got, var), whole, "{times}");
                assert_eq!(got.with(var, <[f32]>::to_vec).unwrap().unwrap(), whole);
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_not_within_any_limit() {
        let mut x = wide();
        let bound = |x: &[Tensor]| {
            let ys = perceptron(&x[0], &stages(x)).unwrap().unwrap();
            gradients(&ys.sum_all().unwrap()).unwrap().within(&x[1], 1e18).unwrap()
        };
        assert!(bound(&x));
        x[0] = (&x[0] * f64::INFINITY).unwrap();
        assert!(!bound(&x));
    }

    #[test]
    fn the_gradients_of_a_perceptron_are_had_once() {
        let x = wide();
        let ys = perceptron(&x[0], &stages(&x)).unwrap().unwrap();
        let loss = ys.sum_all().unwrap();
        assert!(gradients(&loss).is_ok());
        assert!(gradients(&loss).is_err());
    }
}
