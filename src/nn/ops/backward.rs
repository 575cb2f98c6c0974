//! The backward pass, with the gradients of variables gathered where they are computed.

use super::scratch::Scratch;
use super::slices::{constant, with_slice};
use crate::error::Result;
use crate::nn::kernels::gemm::Start;
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use std::cell::RefCell;

/// Variables and their gradients so far.
type Gathered = Vec<(Tensor, Scratch)>;

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
        let gathered = self.gathered.iter().find(|(other, _)| other.id() == var.id());
        match (gathered, self.others.get(var)) {
            (None, None) => Ok(None),
            (Some((_, gradient)), None) => Ok(Some(f(gradient))),
            (None, Some(other)) => Ok(Some(with_slice(&other.contiguous()?, f)?)),
            // An operation of candle's own has used the variable too.
            (Some((_, gradient)), Some(other)) => {
                let mut sum = other.flatten_all()?.to_vec1::<f32>()?;
                for (sum, x) in sum.iter_mut().zip(gradient.iter()) {
                    *sum += x;
                }
                Ok(Some(f(&sum)))
            }
        }
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
    let sums = all.gathered.iter().map(|(var, _)| Ok((var, all.with(var, <[f32]>::to_vec)?)));
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
            out.fill(0.0);
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
    if !input.track_op() {
        return Ok(None);
    }
    if !input.is_variable() {
        return computed(input, write);
    }
    SINK.with_borrow_mut(|sink| {
        let Some(sink) = sink else { return computed(input, write) };
        if let Some((_, gradient)) = sink.iter_mut().find(|(var, _)| var.id() == input.id()) {
            write(gradient, Start::Sum)?;
        } else {
            let mut gradient = Scratch::of(input.elem_count());
            write(&mut gradient, Start::Zero)?;
            sink.push((input.clone(), gradient));
        }
        Ok(None)
    })
}

fn computed(
    input: &Tensor,
    write: impl FnOnce(&mut [f32], Start) -> candle_core::Result<()>,
) -> candle_core::Result<Option<Tensor>> {
    let mut gradient = vec![0.0; input.elem_count()];
    write(&mut gradient, Start::Sum)?;
    constant(gradient, input.shape()).map(Some)
}
