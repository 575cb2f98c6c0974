//! The gated recurrent unit over words of different lengths, which lie position after position.

use super::backward::{gradient_from, gradient_of};
use super::scratch::Scratch;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::elementwise::add_scaled;
use crate::nn::kernels::gemm::{Start, View, product};
use crate::nn::kernels::recurrent;
use crate::nn::kernels::reduce::add_rows;
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// All states of a gated recurrent unit (<https://arxiv.org/abs/1406.1078>), one step after another:
/// with i the input's part and s = W·h + b the state's, both [r | z | n],
/// r = σ(i + s), z = σ(i + s), n = tanh(i + r·s), h′ = (1 − z)·n + z·h.
///
/// Of the sequences of one step only the first go on in the next: `counts` of them take each step.
/// No gradient flows to the initial states, which are 0 if there are none.
///
/// # Shapes
/// inputs (Σ counts, 3·d), step after step; weight W (3·d, d), bias b (3·d), initial (the first count, d)
/// → (Σ counts, d)
///
/// # Errors
/// When the shapes differ from these, or a count is larger than the one before it.
pub fn gru(
    inputs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    counts: &[usize],
    initial: Option<&Tensor>,
) -> Result<Tensor> {
    let ((rows, parts), (outputs, d)) = (inputs.dims2()?, weight.dims2()?);
    let n = counts.first().copied().unwrap_or(0);
    let initial = match initial {
        Some(initial) => initial.flatten_all()?.to_vec1()?,
        None => vec![0.0; n * d],
    };
    let falling = counts.is_sorted_by(|before, after| before >= after);
    let fits = d > 0 && parts == 3 * d && outputs == parts && initial.len() == n * d;
    if rows != counts.iter().sum::<usize>() || !falling || !fits || bias.dims1()? != parts {
        let text =
            format!("a recurrent unit of width {d} got {rows} rows of {parts} for steps of {counts:?}");
        return Err(candle_core::Error::Msg(text).into());
    }
    let tracked = [inputs, weight, bias].iter().any(|x| x.track_op());
    let op = Gru { counts: counts.to_vec(), initial, tracked, kept: Mutex::new(None) };
    Ok(inputs.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)?)
}

struct Gru {
    counts: Vec<usize>,
    initial: Vec<f32>,
    /// Whether there will be a backward pass.
    tracked: bool,
    /// r, z, n and the state's part of n, (Σ counts, 4·d).
    kept: Mutex<Option<Scratch>>,
}

const UNBOUNDED: f32 = f32::NEG_INFINITY;

impl Gru {
    /// Where each step's rows begin and how many there are, with where those of the step before it do.
    fn steps(&self) -> Vec<(usize, usize, Option<usize>)> {
        let (mut start, mut before) = (0, None);
        let step = |count: &usize| {
            let step = (start, *count, before);
            before = Some(start);
            start += count;
            step
        };
        self.counts.iter().map(step).collect()
    }

    /// What each step started from: the states before it.
    fn before<'a>(&'a self, states: &'a [f32], from: Option<usize>, count: usize, d: usize) -> &'a [f32] {
        let (states, from) = from.map_or((&self.initial[..], 0), |from| (states, from));
        states.get(from * d..(from + count) * d).unwrap_or_default()
    }
}

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
        let d = parts / 3;
        let inputs = storage_slice(inputs, inputs_layout)?;
        let (weight, bias) = (storage_slice(weight, weight_layout)?, storage_slice(bias, bias_layout)?);
        let most = self.counts.first().copied().unwrap_or(0);
        // Without a backward pass the gates of one step take the place of those of another.
        let mut kept = Scratch::of(4 * d * if self.tracked { rows } else { most });
        let (mut part, mut all) = (Scratch::of(most * parts), vec![0.0; rows * d]);
        for (start, count, from) in self.steps() {
            let (done, rest) = all.split_at_mut(start * d);
            let before = self.before(done, from, count, d);
            let part = &mut part[..count * parts];
            let states = View::new(before, count, d);
            product(states, View::new(weight, parts, d).t(), part, Start::Row(bias), UNBOUNDED);
            let place = if self.tracked { start } else { 0 };
            let kept = &mut kept[place * 4 * d..(place + count) * 4 * d];
            let inputs = &inputs[start * parts..(start + count) * parts];
            recurrent::gates(inputs, part, before, d, &mut rest[..count * d], kept);
        }
        if self.tracked {
            let Ok(mut place) = self.kept.lock() else { bail!("a unit's gates are locked") };
            *place = Some(kept);
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
        let (d, steps) = (parts / 3, self.steps());
        let gradient = gradient.contiguous()?;
        let Ok(kept) = self.kept.lock() else { bail!("a unit's gates are locked") };
        let Some(kept) = kept.as_deref() else { bail!("a unit's gates were not kept") };
        let (mut to_inputs, mut to_states) = (Scratch::of(rows * parts), Scratch::of(rows * parts));
        let mut before = Scratch::of(rows * d);
        with_slice(states, |states| {
            for (start, count, from) in &steps {
                let place = &mut before[start * d..(start + count) * d];
                place.copy_from_slice(self.before(states, *from, *count, d));
            }
        })?;
        with_slice(weight, |weight| {
            with_slice(&gradient, |gradient| {
                // The gradient by the states, handed from each step to the one before it.
                let mut carried = vec![0.0; self.initial.len()];
                for (start, count, _) in steps.iter().rev() {
                    let part = |width: usize| start * width..(start + count) * width;
                    let carried = &mut carried[..count * d];
                    add_scaled(1.0, &gradient[part(d)], carried);
                    let to_part = &mut to_states[part(parts)];
                    let (kept, before) = (&kept[part(4 * d)], &before[part(d)]);
                    recurrent::gates_backward(kept, before, carried, d, &mut to_inputs[part(parts)], to_part);
                    let to_part = View::new(to_part, *count, parts);
                    product(to_part, View::new(weight, parts, d), carried, Start::Sum, UNBOUNDED);
                }
            })
        })??;
        let to_weight = gradient_from(weight, |out, start| {
            let to_part = View::new(&to_states, rows, parts);
            product(to_part.t(), View::new(&before, rows, d), out, start, UNBOUNDED);
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
    use candle_core::Var;

    #[test]
    fn the_recurrent_unit_matches_the_twin_and_differences() {
        for (counts, d) in [
            (vec![1], 1),
            (vec![2, 2, 2], 3),
            (vec![1, 1, 1, 1], 7),
            (vec![5, 2, 1, 0], 4),
            (vec![3, 1], 17),
            (vec![9, 4, 4], 5),
        ] {
            for scale in [0.1, 1.0, 2.0] {
                let rows = counts.iter().sum::<usize>();
                let shapes: [&[usize]; 4] = [&[rows, 3 * d], &[3 * d, d], &[3 * d], &[rows, d]];
                let labels = ["inputs", "weight", "bias", "g"];
                let inputs: Vec<Tensor> =
                    shapes.iter().zip(labels).map(|(shape, label)| normal(shape, scale, label)).collect();
                let what = format!("{counts:?} of {d}, {scale}");
                let op = |x: &[Tensor]| Ok((gru(&x[0], &x[1], &x[2], &counts, None)? * &x[3])?);
                let twin = |x: &[Tensor]| Ok((plain_layers::gru(&x[0], &x[1], &x[2], &counts)? * &x[3])?);
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
        let (counts, d) = ([4, 3, 3, 1], 4);
        let rows = counts.iter().sum::<usize>();
        let inputs = normal(&[rows, 3 * d], 1.0, "inputs");
        let (weight, bias) = (normal(&[3 * d, d], 1.0, "weight"), normal(&[3 * d], 1.0, "bias"));
        let whole = gru(&inputs, &weight, &bias, &counts, None).unwrap();
        let (mut state, mut start): (Option<Tensor>, usize) = (None, 0);
        for count in counts {
            let input = inputs.narrow(0, start, count).unwrap();
            let before = state.map(|state| state.narrow(0, 0, count).unwrap());
            let next = gru(&input, &weight, &bias, &[count], before.as_ref()).unwrap();
            assert!(!next.track_op());
            assert_eq!(to_f64(&next), to_f64(&whole.narrow(0, start, count).unwrap()));
            start += count;
            state = Some(next);
        }
        let var = Var::from_tensor(&inputs).unwrap();
        let states = gru(&var, &weight, &bias, &counts, None).unwrap();
        let mut seen = 0;
        for count in counts {
            let grads = states.narrow(0, seen, count).unwrap().sum_all().unwrap().backward().unwrap();
            seen += count;
            let gradient = to_f64(&grads.get(&var).unwrap().narrow(0, seen, rows - seen).unwrap());
            assert!(gradient.iter().all(|g| *g == 0.0), "{seen} rows");
        }
        let none = gru(&inputs.narrow(0, 0, 0).unwrap(), &weight, &bias, &[], None).unwrap();
        assert_eq!(none.dims(), [0, d]);
        assert!(gru(&inputs, &weight, &bias, &[4, 3, 3], None).is_err());
        assert!(gru(&inputs, &weight, &bias, &[3, 4, 3, 1], None).is_err());
        assert!(gru(&inputs, &bias, &bias, &counts, None).is_err());
        assert!(gru(&inputs, &weight, &bias, &counts, Some(&inputs)).is_err());
    }
}
