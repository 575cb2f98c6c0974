//! What the tests of this module share: seeded tensors, and gradients by central differences.

use super::Vars;
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::ops::{Gradients, Stage, linear};
use crate::rng::Rng;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};

/// A constant of standard normal values times `scale`, without zeros.
pub(crate) fn normal(shape: &[usize], scale: f32, label: &str) -> Tensor {
    let count = shape.iter().product();
    let values = Rng::stream(11, label).normals(count).into_iter().map(|x| scale * x).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

pub(crate) fn to_f64(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Fails unless the two agree to `tolerance`, absolutely and relative to the largest value expected.
pub(crate) fn assert_close(got: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}: lengths");
    let largest = expected.iter().fold(1.0_f64, |a, x| a.max(x.abs()));
    for (i, (x, y)) in got.iter().zip(expected).enumerate() {
        assert!((x - y).abs() <= tolerance * largest, "{what}: element {i} is {x}, should be {y}");
    }
}

/// ∂(sum of f)/∂(each input), by central differences in double precision.
pub(crate) fn differences(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Vec<Vec<f64>> {
    let inputs: Vec<Tensor> = inputs.iter().map(|x| x.to_dtype(DType::F64).unwrap()).collect();
    let value = |inputs: &[Tensor]| f(inputs).unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap();
    let mut gradients = Vec::new();
    for (k, input) in inputs.iter().enumerate() {
        let flat = to_f64(input);
        let moved = |i: usize, by: f64| {
            let (mut flat, mut inputs) = (flat.clone(), inputs.clone());
            flat[i] += by;
            inputs[k] = Tensor::from_vec(flat, input.dims(), &Device::Cpu).unwrap();
            value(&inputs)
        };
        let slope = |i: usize| {
            let h = 1e-5 * flat[i].abs().max(1e-3);
            (moved(i, h) - moved(i, -h)) / (2.0 * h)
        };
        gradients.push((0..flat.len()).map(slope).collect());
    }
    gradients
}

/// The value of f and ∂(sum of f)/∂(each input), by our backward pass, having checked it against candle's.
pub(crate) fn backward(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut vars = Vars::new();
    let inputs: Vec<Tensor> = inputs
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let values = x.flatten_all().unwrap().to_vec1().unwrap();
            vars.add(&i.to_string(), x.dims(), values).unwrap()
        })
        .collect();
    let out = f(&inputs).unwrap();
    let total = out.sum_all().unwrap();
    let (grads, others) = (super::backward(&total).unwrap(), total.backward().unwrap());
    let gradient = |grads: &GradStore, x: &Tensor| grads.get(x).map_or_else(Vec::new, to_f64);
    let gradients = |grads| inputs.iter().map(|x| gradient(grads, x)).collect::<Vec<_>>();
    for (ours, others) in gradients(&grads).iter().zip(&gradients(&others)) {
        assert_close(ours, others, 1e-6, "our backward pass and candle's");
    }
    (to_f64(&out), gradients(&grads))
}

/// The layers of relu of x, then W and b of each.
pub(crate) fn stages(x: &[Tensor]) -> Vec<Stage<'_>> {
    x[1..].chunks(2).map(|pair| (&pair[0], Some(&pair[1]), Activation::Relu)).collect()
}

/// What a perceptron is to give.
pub(crate) fn layer_by_layer(xs: &Tensor, stages: &[Stage]) -> Tensor {
    stages.iter().fold(xs.clone(), |xs, (weight, bias, f)| linear(&xs, weight, *bias, *f).unwrap())
}

/// A gradient as its parts, one after the other.
pub(crate) fn in_parts(gradients: &Gradients, var: &Tensor) -> Vec<f32> {
    let mut parts = Vec::new();
    let add = |first: usize, part: &[f32]| {
        assert_eq!(first, parts.len());
        parts.extend_from_slice(part);
        Ok(())
    };
    gradients.with_parts(var, add).unwrap();
    parts
}
