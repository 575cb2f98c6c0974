//! The backward pass, with the gradients of variables gathered where they are computed.

use super::slices::constant;
use crate::error::Result;
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use std::cell::RefCell;

/// Variables and their gradients so far.
type Gathered = Vec<(Tensor, Vec<f32>)>;

thread_local! {
    /// What has been gathered; nothing outside of [`backward`].
    static SINK: RefCell<Option<Gathered>> = const { RefCell::new(None) };
}

/// What candle's own `backward` does, with less traffic.
///
/// candle adds the gradient that an operation returns to zeros, which costs three more passes over every
/// weight matrix. Here the operations of this module add to one buffer for each variable instead.
///
/// # Errors
/// When an operation of the graph has no gradient.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    SINK.set(Some(Vec::new()));
    let grads = loss.backward();
    let gathered = SINK.take().unwrap_or_default();
    let mut grads = grads?;
    for (var, gradient) in gathered {
        let mut gradient = constant(gradient, var.shape())?;
        // An operation of candle's own may have used the variable too.
        if let Some(other) = grads.get(&var) {
            gradient = (gradient + other)?;
        }
        grads.insert(&var, gradient);
    }
    Ok(grads)
}

/// Whether [`backward`] is at work.
pub(super) fn gathering() -> bool {
    SINK.with_borrow(Option::is_some)
}

/// The gradient of an operation's input; `add` adds it to what it is given.
///
/// During [`backward`] a variable's goes to its buffer, else it is returned, for candle to add.
/// For an input without a graph nothing is computed.
pub(super) fn gradient_of(
    input: &Tensor,
    add: impl FnOnce(&mut [f32]) -> candle_core::Result<()>,
) -> candle_core::Result<Option<Tensor>> {
    if !input.track_op() {
        return Ok(None);
    }
    if !input.is_variable() {
        return computed(input, add);
    }
    SINK.with_borrow_mut(|sink| {
        let Some(sink) = sink else { return computed(input, add) };
        if let Some((_, gradient)) = sink.iter_mut().find(|(var, _)| var.id() == input.id()) {
            add(gradient)?;
        } else {
            let mut gradient = vec![0.0; input.elem_count()];
            add(&mut gradient)?;
            sink.push((input.clone(), gradient));
        }
        Ok(None)
    })
}

fn computed(
    input: &Tensor,
    add: impl FnOnce(&mut [f32]) -> candle_core::Result<()>,
) -> candle_core::Result<Option<Tensor>> {
    let mut gradient = vec![0.0; input.elem_count()];
    add(&mut gradient)?;
    constant(gradient, input.shape()).map(Some)
}
