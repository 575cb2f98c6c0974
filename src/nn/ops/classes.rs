//! Classes as numbers: cross-entropy with a softmax, and the rows of a table.

use super::backward::gradient_of;
use super::slices::{output, storage_slice, with_slice};
use crate::error::Result;
use crate::nn::kernels::elementwise::add_scaled;
use crate::nn::kernels::softmax;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, bail};
use std::sync::Mutex;

/// −log p(targets | logits) of a softmax, in nats: Σ weight·(log Σ eˣ − x_target) over all rows.
///
/// # Shapes
/// logits (rows, classes), one target and one weight a row → ()
///
/// # Errors
/// When there is not one target and one weight a row, or a class that does not exist.
pub fn cross_entropy(logits: &Tensor, targets: &[u32], weights: &[f32]) -> Result<Tensor> {
    check(logits, targets)?;
    if weights.len() != targets.len() {
        let text = format!("{} weights for {} targets", weights.len(), targets.len());
        return Err(candle_core::Error::Msg(text).into());
    }
    let (targets, weights) = (targets.to_vec(), weights.to_vec());
    let op = CrossEntropy { targets, weights, slopes: Mutex::new(Vec::new()) };
    Ok(logits.contiguous()?.apply_op1(op)?)
}

/// log p(target | logits) of each row, in nats and without a graph.
///
/// # Shapes
/// logits (rows, classes), one target a row → (rows)
///
/// # Errors
/// When there is not one target a row, or a class that does not exist.
pub fn class_log_probs(logits: &Tensor, targets: &[u32]) -> Result<Vec<f32>> {
    let classes = check(logits, targets)?;
    let mut out = vec![0.0; targets.len()];
    with_slice(&logits.contiguous()?, |xs| softmax::log_probs(xs, classes, targets, &mut out))?;
    Ok(out)
}

/// The rows of a table with these numbers.
///
/// # Shapes
/// table (classes, d), ids → (ids, d)
///
/// # Errors
/// When a row does not exist.
pub fn embedding(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    let classes = table.dim(0)?;
    if let Some(id) = ids.iter().find(|id| **id as usize >= classes) {
        return Err(candle_core::Error::Msg(format!("row {id} of a table of {classes}")).into());
    }
    Ok(table.contiguous()?.apply_op1(Embedding { ids: ids.to_vec() })?)
}

/// The classes' number, if the targets fit.
fn check(logits: &Tensor, targets: &[u32]) -> Result<usize> {
    let (rows, classes) = logits.dims2()?;
    let wrong = targets.iter().find(|target| **target as usize >= classes);
    if rows != targets.len() || wrong.is_some() {
        let text = format!("{rows} rows of {classes} classes got {} targets, or one beyond", targets.len());
        return Err(candle_core::Error::Msg(text).into());
    }
    Ok(classes)
}

struct CrossEntropy {
    targets: Vec<u32>,
    weights: Vec<f32>,
    /// weight·(softmax − 1{target}), which shares its exponentials with the value.
    slopes: Mutex<Vec<f32>>,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, classes) = layout.shape().dims2()?;
        let xs = storage_slice(logits, layout)?;
        let Ok(mut slopes) = self.slopes.lock() else { bail!("a loss's slopes are locked") };
        *slopes = vec![0.0; xs.len()];
        let sum = softmax::cross_entropy(xs, classes, &self.targets, &self.weights, &mut slopes);
        output(vec![sum as f32], ())
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let scale = gradient.to_scalar::<f32>()?;
        gradient_of(logits, |out| {
            let Ok(slopes) = self.slopes.lock() else { bail!("a loss's slopes are locked") };
            add_scaled(scale, &slopes, out);
            Ok(())
        })
    }
}

struct Embedding {
    ids: Vec<u32>,
}

impl CustomOp1 for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, d) = layout.shape().dims2()?;
        let table = storage_slice(table, layout)?;
        let mut rows = Vec::with_capacity(self.ids.len() * d);
        for id in &self.ids {
            let from = *id as usize * d;
            rows.extend_from_slice(table.get(from..from + d).unwrap_or_default());
        }
        output(rows, (self.ids.len(), d))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let d = table.dim(1)?;
        let gradient = gradient.contiguous()?;
        gradient_of(table, |out| {
            with_slice(&gradient, |gradient| {
                // In the order of the rows, so that the sum is always the same.
                for (id, row) in self.ids.iter().zip(gradient.chunks_exact(d.max(1))) {
                    let from = *id as usize * d;
                    if let Some(sum) = out.get_mut(from..from + d) {
                        add_scaled(1.0, row, sum);
                    }
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, backward, differences, normal, to_f64};
    use crate::nn::ops::plain_layers;
    use candle_core::{Device, Var};

    fn targets(rows: usize, classes: usize) -> (Vec<u32>, Vec<f32>) {
        (
            (0..rows).map(|i| (i * 5 % classes) as u32).collect(),
            (0..rows).map(|i| (i % 4) as f32 / 3.0).collect(),
        )
    }

    #[test]
    fn cross_entropy_matches_the_twin_and_differences() {
        for rows in [1, 3, 7, 17] {
            for classes in [1, 3, 4, 7, 17] {
                for scale in [1e-3, 1.0, 10.0] {
                    let ((targets, weights), what) =
                        (targets(rows, classes), format!("{rows} × {classes}, {scale}"));
                    let inputs = [normal(&[rows, classes], scale, "logits")];
                    let twin = |x: &[Tensor]| plain_layers::cross_entropy(&x[0], &targets, &weights);
                    let (value, gradients) = backward(|x| cross_entropy(&x[0], &targets, &weights), &inputs);
                    let (plain_value, plain_gradients) = backward(twin, &inputs);
                    assert_close(&value, &plain_value, 1e-6, &what);
                    assert_close(&gradients[0], &plain_gradients[0], 1e-6, &what);
                    assert_close(&gradients[0], &differences(twin, &inputs)[0], 1e-6, &what);
                    let rows = class_log_probs(&inputs[0], &targets).unwrap();
                    let terms = rows.iter().zip(&weights).map(|(x, w)| -f64::from(*x) * f64::from(*w));
                    assert_close(&[terms.sum()], &plain_value, 1e-6, &what);
                }
            }
        }
    }

    #[test]
    fn extreme_logits_stay_exact_and_a_row_without_weight_adds_nothing() {
        let logits = Tensor::new(&[[1e4_f32, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4; 3]], &Device::Cpu).unwrap();
        let (value, gradients) =
            backward(|x| cross_entropy(&x[0], &[1, 2, 0], &[1.0; 3]), std::slice::from_ref(&logits));
        assert_close(&value, &[2e4 + 2_f64.ln() + 3_f64.ln()], 1e-7, "value");
        let third = 1.0 / 3.0;
        let expected = [1.0, -1.0, 0.0, 0.0, 0.5, -0.5, third - 1.0, third, third];
        assert_close(&gradients[0], &expected, 1e-7, "gradient");
        let (value, gradients) = backward(|x| cross_entropy(&x[0], &[0; 3], &[0.0; 3]), &[logits]);
        assert_eq!((value[0], &gradients[0][..]), (0.0, &[0.0; 9][..]));
    }

    #[test]
    fn rows_of_a_table_add_their_gradients_in_order() {
        for d in [1, 3, 7, 17] {
            let inputs = [normal(&[5, d], 1.0, "table"), normal(&[6, d], 1.0, "weights")];
            let ids = [4, 0, 4, 4, 2, 0];
            let op = |x: &[Tensor]| Ok((embedding(&x[0], &ids)? * &x[1])?);
            let twin = |x: &[Tensor]| Ok((plain_layers::embedding(&x[0], &ids)? * &x[1])?);
            let ((value, gradients), (plain_value, _)) = (backward(op, &inputs), backward(twin, &inputs));
            assert_close(&value, &plain_value, 0.0, "value");
            for (got, expected) in gradients.iter().zip(differences(twin, &inputs)) {
                assert_close(got, &expected, 1e-6, "gradient");
            }
            assert_eq!(gradients[0][d..2 * d], vec![0.0; d]);
        }
        let empty = embedding(&normal(&[5, 2], 1.0, "table"), &[]).unwrap();
        assert_eq!(empty.dims(), [0, 2]);
    }

    #[test]
    fn what_has_no_graph_gets_none_and_what_does_not_fit_is_refused() {
        let logits = normal(&[2, 3], 1.0, "logits");
        assert!(!cross_entropy(&logits, &[0, 1], &[1.0; 2]).unwrap().track_op());
        assert!(!embedding(&logits, &[1]).unwrap().track_op());
        assert!(cross_entropy(&logits, &[0], &[1.0]).is_err());
        assert!(cross_entropy(&logits, &[0, 1], &[1.0]).is_err());
        assert!(cross_entropy(&logits, &[0, 3], &[1.0; 2]).is_err());
        assert!(class_log_probs(&logits, &[0, 3]).is_err());
        assert!(embedding(&logits, &[2]).is_err());
        // A view, with a graph.
        let var = Var::from_tensor(&logits).unwrap();
        let turned = var.t().unwrap();
        let loss = |logits: &Tensor| to_f64(&cross_entropy(logits, &[0, 1, 1], &[1.0, 2.0, 3.0]).unwrap());
        assert_eq!(loss(&turned), loss(&turned.contiguous().unwrap()));
    }
}
