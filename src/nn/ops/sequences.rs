//! What looks along a sequence: attention, and the gated recurrent unit.

use super::backward::gradient_of;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::attention::Attention;
use crate::nn::kernels::elementwise::add_scaled;
use crate::nn::kernels::gemm::{Start, View, product};
use crate::nn::kernels::recurrent;
use crate::nn::kernels::reduce::add_rows;
use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// softmax(q·kᵀ/√width)·v for each head, from rows [q | k | v] of all heads
/// (<https://arxiv.org/abs/1706.03762>). If it is causal, a position sees itself and those before it.
///
/// # Shapes
/// packed (sequences·length, 3·d), sequence after sequence → (sequences·length, d)
///
/// # Errors
/// When the rows are no whole sequences, or the width is not divisible by the heads.
pub fn attention(packed: &Tensor, length: usize, heads: usize, causal: bool) -> Result<Tensor> {
    let (rows, width) = packed.dims2()?;
    let parts = 3 * heads;
    if parts == 0 || length == 0 || width == 0 || rows % length != 0 || width % parts != 0 {
        let text = format!("{rows} rows of {width} are no sequences of {length} with {heads} heads");
        return Err(candle_core::Error::Msg(text).into());
    }
    let sizes = Attention { length, heads, width: width / parts, causal };
    let op = Attend { sizes, tracked: packed.track_op(), weights: Mutex::new(Vec::new()) };
    Ok(packed.contiguous()?.apply_op1(op)?)
}

struct Attend {
    sizes: Attention,
    /// Whether there will be a backward pass.
    tracked: bool,
    /// The attention weights, (sequences, heads, length, length).
    weights: Mutex<Vec<f32>>,
}

impl CustomOp1 for Attend {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, packed: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let Ok(mut weights) = self.weights.lock() else { bail!("attention weights are locked") };
        let kept = if self.tracked { rows / self.sizes.length * self.sizes.weights() } else { 0 };
        *weights = vec![0.0; kept];
        let mut out = vec![0.0; rows * (width / 3)];
        self.sizes.forward(storage_slice(packed, layout)?, &mut out, &mut weights);
        output(out, (rows, width / 3))
    }

    fn bwd(&self, packed: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        gradient_of(packed, |out| {
            let Ok(weights) = self.weights.lock() else { bail!("attention weights are locked") };
            with_slice(packed, |packed| {
                with_slice(&gradient, |gradient| self.sizes.backward(packed, &weights, gradient, out))
            })?
        })
    }
}

/// All states of a gated recurrent unit (<https://arxiv.org/abs/1406.1078>), one step after another:
/// with i the input's part and s = W·h + b the state's, both [r | z | n],
/// r = σ(i + s), z = σ(i + s), n = tanh(i + r·s), h′ = (1 − z)·n + z·h.
///
/// No gradient flows to the initial states, which are 0 if there are none.
///
/// # Shapes
/// inputs (steps·n, 3·d), step after step; weight W (3·d, d), bias b (3·d), initial (n, d) → (steps·n, d)
///
/// # Errors
/// When the shapes differ from these.
pub fn gru(
    inputs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    n: usize,
    initial: Option<&Tensor>,
) -> Result<Tensor> {
    let ((rows, parts), (outputs, d)) = (inputs.dims2()?, weight.dims2()?);
    let initial = match initial {
        Some(initial) => initial.flatten_all()?.to_vec1()?,
        None => vec![0.0; n * d],
    };
    let whole = if n == 0 { rows == 0 } else { rows % n == 0 };
    let fits = d > 0 && parts == 3 * d && outputs == parts && initial.len() == n * d;
    if !whole || !fits || bias.dims1()? != parts {
        let text = format!("a recurrent unit of width {d} got {rows} rows of {parts} for {n} sequences");
        return Err(candle_core::Error::Msg(text).into());
    }
    let op = Gru { n, initial, kept: Mutex::new(Vec::new()) };
    Ok(inputs.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)?)
}

struct Gru {
    n: usize,
    initial: Vec<f32>,
    /// r, z, n and the state's part of n, (steps·n, 4·d).
    kept: Mutex<Vec<f32>>,
}

const UNBOUNDED: f32 = f32::NEG_INFINITY;

impl CustomOp3 for Gru {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, parts) = inputs_layout.shape().dims2()?;
        let (d, n) = (parts / 3, self.n);
        let inputs = storage_slice(inputs, inputs_layout)?;
        let (weight, bias) = (storage_slice(weight, weight_layout)?, storage_slice(bias, bias_layout)?);
        let Ok(mut kept) = self.kept.lock() else { bail!("a unit's gates are locked") };
        *kept = vec![0.0; rows * 4 * d];
        let (mut states, mut part) = (self.initial.clone(), vec![0.0; n * parts]);
        let mut all = Vec::with_capacity(rows * d);
        let steps = inputs.chunks_exact((n * parts).max(1)).zip(kept.chunks_exact_mut((n * 4 * d).max(1)));
        for (inputs, kept) in steps {
            let before = View::new(&states, n, d);
            product(before, View::new(weight, parts, d).t(), &mut part, Start::Row(bias), UNBOUNDED);
            let mut after = vec![0.0; n * d];
            recurrent::gates(inputs, &part, &states, d, &mut after, kept);
            all.extend_from_slice(&after);
            states = after;
        }
        output(all, (rows, d))
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        states: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, parts) = inputs.dims2()?;
        let (d, size) = (parts / 3, self.n * (parts / 3));
        let gradient = gradient.contiguous()?;
        let Ok(kept) = self.kept.lock() else { bail!("a unit's gates are locked") };
        // What each step started from.
        let mut before = self.initial.clone();
        with_slice(states, |states| before.extend(states.iter().take(rows * d - size.min(rows * d))))?;
        let (mut to_inputs, mut to_states) = (vec![0.0; rows * parts], vec![0.0; rows * parts]);
        with_slice(weight, |weight| {
            with_slice(&gradient, |gradient| {
                // The gradient by the states, handed from each step to the one before it.
                let mut carried = vec![0.0; size];
                let steps = kept.chunks_exact(4 * size.max(1)).zip(before.chunks_exact(size.max(1)));
                let steps = steps.zip(gradient.chunks_exact(size.max(1)));
                let steps = steps.zip(to_inputs.chunks_exact_mut(3 * size.max(1)));
                let steps = steps.zip(to_states.chunks_exact_mut(3 * size.max(1)));
                for ((((kept, before), gradient), to_inputs), to_states) in steps.rev() {
                    add_scaled(1.0, gradient, &mut carried);
                    recurrent::gates_backward(kept, before, &mut carried, d, to_inputs, to_states);
                    let to_part = View::new(to_states, self.n, parts);
                    product(to_part, View::new(weight, parts, d), &mut carried, Start::Sum, UNBOUNDED);
                }
            })
        })??;
        let to_weight = gradient_of(weight, |out| {
            let to_part = View::new(&to_states, rows, parts);
            // before (rows, d): each step's states on entry
            let before = View::new(before.get(..rows * d).unwrap_or_default(), rows, d);
            product(to_part.t(), before, out, Start::Sum, UNBOUNDED);
            Ok(())
        })?;
        let to_bias = gradient_of(bias, |out| {
            add_rows(&to_states, out);
            Ok(())
        })?;
        let to_inputs = gradient_of(inputs, |out| {
            add_scaled(1.0, &to_inputs, out);
            Ok(())
        })?;
        Ok((to_inputs, to_weight, to_bias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain_layers;
    use candle_core::{IndexOp, Var};

    #[test]
    fn attention_matches_the_twin_and_differences() {
        for causal in [true, false] {
            for (n, length, heads, width) in
                [(1, 1, 1, 1), (2, 3, 2, 1), (1, 7, 1, 3), (2, 5, 2, 4), (1, 17, 1, 2), (1, 3, 3, 7)]
            {
                for scale in [0.1, 1.0, 3.0] {
                    let d = heads * width;
                    let inputs =
                        [normal(&[n * length, 3 * d], scale, "packed"), normal(&[n * length, d], 1.0, "g")];
                    let what = format!("{n} × {length}, {heads} × {width}, {scale}, causal {causal}");
                    let op = |x: &[Tensor]| Ok((attention(&x[0], length, heads, causal)? * &x[1])?);
                    let twin =
                        |x: &[Tensor]| Ok((plain_layers::attention(&x[0], length, heads, causal)? * &x[1])?);
                    let (value, gradients) = backward(op, &inputs);
                    assert_close(&value, &backward(twin, &inputs).0, 2e-6, &what);
                    for (got, expected) in gradients.iter().zip(differences(twin, &inputs)) {
                        assert_close(got, &expected, 2e-5, &what);
                    }
                }
            }
        }
    }

    #[test]
    fn attention_is_exactly_causal_and_survives_extremes() {
        let (length, d) = (6, 4);
        let packed = normal(&[length, 3 * d], 1e4, "packed");
        let var = Var::from_tensor(&packed).unwrap();
        let out = attention(&var, length, 2, true).unwrap();
        assert!(to_f64(&out).iter().all(|x| x.is_finite()));
        for i in 0..length {
            let grads = out.i(i).unwrap().sum_all().unwrap().backward().unwrap();
            let gradient = to_f64(&grads.get(&var).unwrap().narrow(0, i + 1, length - i - 1).unwrap());
            assert!(gradient.iter().all(|g| *g == 0.0), "position {i}");
        }
        assert_eq!(attention(&packed.narrow(0, 0, 0).unwrap(), length, 2, true).unwrap().dims(), [0, d]);
        // Without a graph the same comes out, and nothing is kept.
        let alone = attention(&packed, length, 2, true).unwrap();
        assert!(!alone.track_op());
        assert_eq!(to_f64(&alone), to_f64(&out));
        for (length, heads) in [(0, 1), (4, 1), (6, 0), (6, 3)] {
            assert!(attention(&packed, length, heads, true).is_err());
        }
    }

    #[test]
    fn the_recurrent_unit_matches_the_twin_and_differences() {
        for (steps, n, d) in [(1, 1, 1), (3, 2, 3), (4, 1, 7), (2, 5, 4), (3, 2, 17)] {
            for scale in [0.1, 1.0, 2.0] {
                let shapes: [&[usize]; 4] = [&[steps * n, 3 * d], &[3 * d, d], &[3 * d], &[steps * n, d]];
                let labels = ["inputs", "weight", "bias", "g"];
                let inputs: Vec<Tensor> =
                    shapes.iter().zip(labels).map(|(shape, label)| normal(shape, scale, label)).collect();
                let what = format!("{steps} steps, {n} × {d}, {scale}");
                let op = |x: &[Tensor]| Ok((gru(&x[0], &x[1], &x[2], n, None)? * &x[3])?);
                let twin = |x: &[Tensor]| Ok((plain_layers::gru(&x[0], &x[1], &x[2], n)? * &x[3])?);
                let (value, gradients) = backward(op, &inputs);
                assert_close(&value, &backward(twin, &inputs).0, 2e-6, &what);
                for (i, (got, expected)) in gradients.iter().zip(differences(twin, &inputs)).enumerate() {
                    assert_close(got, &expected, 2e-5, &format!("{what} ∂{i}"));
                }
            }
        }
    }

    #[test]
    fn states_are_handed_on_exactly_and_do_not_see_what_comes() {
        let (steps, n, d) = (5, 3, 4);
        let inputs = normal(&[steps * n, 3 * d], 1.0, "inputs");
        let (weight, bias) = (normal(&[3 * d, d], 1.0, "weight"), normal(&[3 * d], 1.0, "bias"));
        let whole = gru(&inputs, &weight, &bias, n, None).unwrap();
        let mut state: Option<Tensor> = None;
        for step in 0..steps {
            let input = inputs.narrow(0, step * n, n).unwrap();
            let next = gru(&input, &weight, &bias, n, state.as_ref()).unwrap();
            assert!(!next.track_op());
            assert_eq!(to_f64(&next), to_f64(&whole.narrow(0, step * n, n).unwrap()));
            state = Some(next);
        }
        let var = Var::from_tensor(&inputs).unwrap();
        let states = gru(&var, &weight, &bias, n, None).unwrap();
        for step in 0..steps {
            let grads = states.narrow(0, step * n, n).unwrap().sum_all().unwrap().backward().unwrap();
            let later = (steps - step - 1) * n;
            let gradient = to_f64(&grads.get(&var).unwrap().narrow(0, steps * n - later, later).unwrap());
            assert!(gradient.iter().all(|g| *g == 0.0), "step {step}");
        }
        let none = gru(&inputs.narrow(0, 0, 0).unwrap(), &weight, &bias, 0, None).unwrap();
        assert_eq!(none.dims(), [0, d]);
        assert!(gru(&inputs, &weight, &bias, 4, None).is_err());
        assert!(gru(&inputs, &weight, &bias, 0, None).is_err());
        assert!(gru(&inputs, &bias, &bias, n, None).is_err());
        assert!(gru(&inputs, &weight, &bias, n, Some(&inputs)).is_err());
    }
}
