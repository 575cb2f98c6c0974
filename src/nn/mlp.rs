//! The multi-layer perceptron, with the derivatives that adversarial penalties need.

use crate::error::{Error, Result};
use crate::nn::kernels::elementwise::multiply;
use crate::nn::kernels::gemm::{Start, View, product};
use crate::nn::ops::with_slice;
use crate::nn::{Activation, Init, Linear, Vars, ops};
use crate::rng::Rng;
use candle_core::Tensor;

/// Fully connected layers with one activation between them and another at the end.
#[derive(Debug, Clone)]
pub struct Mlp {
    /// The layers, from the input's side to the output's.
    pub layers: Vec<Linear>,
    /// What every layer but the last applies.
    pub activation: Activation,
    /// What the last layer applies.
    pub output: Activation,
}

impl Mlp {
    /// Adds the variables `<name>.<layer>.weight` and `<name>.<layer>.bias` to `vars`.
    #[expect(clippy::too_many_arguments, reason = "each is one word at the call, and none has a default")]
    pub fn new(
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        activation: Activation,
        output: Activation,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        let mut width = inputs;
        for &next in hidden.iter().chain([&outputs]) {
            layers.push(Linear::new(vars, &format!("{name}.{}", layers.len()), width, next, init, rng)?);
            width = next;
        }
        Ok(Self { layers, activation, output })
    }

    /// The same network without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { layers: self.layers.iter().map(Linear::detached).collect(), ..*self }
    }

    /// The layers with the activation that follows each.
    fn stages(&self) -> impl DoubleEndedIterator<Item = (&Linear, Activation)> + ExactSizeIterator {
        let last = self.layers.len().saturating_sub(1);
        self.layers
            .iter()
            .enumerate()
            .map(move |(i, layer)| (layer, if i == last { self.output } else { self.activation }))
    }

    /// The network's value. Its gradients are those of [`ops::backward`].
    ///
    /// # Shapes
    /// (n, inputs) → (n, outputs)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let stages: Vec<ops::Stage> =
            self.stages().map(|(layer, f)| (&layer.weight, layer.bias.as_ref(), f)).collect();
        if let Some(ys) = ops::perceptron(xs, &stages)? {
            return Ok(ys);
        }
        let mut xs = xs.clone();
        for (layer, activation) in self.stages() {
            xs = layer.forward_act(&xs, activation)?;
        }
        Ok(xs)
    }

    /// ∂(sum of the outputs)/∂x at each row, without a graph.
    ///
    /// # Shapes
    /// (n, inputs) → (n, inputs)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn input_gradient(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.value_and_input_gradient(xs)?.1)
    }

    /// The outputs row by row, and ∂(sum of the outputs)/∂x at each row, without a graph.
    ///
    /// # Shapes
    /// (n, inputs) → n · outputs values, and (n, inputs)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn value_and_input_gradient(&self, xs: &Tensor) -> Result<(Vec<f32>, Tensor)> {
        let n = xs.dim(0)?;
        let mut values = xs.flatten_all()?.to_vec1::<f32>()?;
        let mut slopes = Vec::with_capacity(self.layers.len());
        for (layer, activation) in self.stages() {
            let (outputs, inputs) = layer.weight.dims2()?;
            if values.len() != n * inputs {
                return Err(Error::Config(format!("a layer of {inputs} inputs got {:?}", xs.dims())));
            }
            let bias = layer.bias.as_ref().map(|bias| bias.detach().to_vec1::<f32>()).transpose()?;
            let start = bias.as_deref().map_or(Start::Zero, Start::Row);
            let mut zs = vec![0.0; n * outputs];
            with_slice(&layer.weight.contiguous()?, |weight| {
                let weight = View::new(weight, outputs, inputs).t();
                product(View::new(&values, n, inputs), weight, &mut zs, start, f32::NEG_INFINITY);
            })?;
            slopes.push(ops::value_and_slope(activation, &mut zs));
            values = zs;
        }
        let mut gradient = vec![1.0; values.len()];
        for ((layer, _), slope) in self.stages().zip(&slopes).rev() {
            let (outputs, inputs) = layer.weight.dims2()?;
            let mut scaled = vec![0.0; gradient.len()];
            multiply(&gradient, slope, &mut scaled);
            // (n, outputs) · (outputs, inputs) → (n, inputs)
            gradient = vec![0.0; n * inputs];
            with_slice(&layer.weight.contiguous()?, |weight| {
                let weight = View::new(weight, outputs, inputs);
                let scaled = View::new(&scaled, n, outputs);
                product(scaled, weight, &mut gradient, Start::Zero, f32::NEG_INFINITY);
            })?;
        }
        Ok((values, Tensor::from_vec(gradient, xs.shape(), xs.device())?))
    }

    /// The directional derivative J(x)·v at each row, as a graph in the weights.
    ///
    /// This is how the gradient of a function of ∂D/∂x is had without second derivatives from the library:
    /// h′ = f′(z)·(W·h′) along with h = f(z). Gradients flow to the weights only, not to `xs` or `vs`.
    ///
    /// # Shapes
    /// xs and vs (n, inputs) → (n, outputs)
    ///
    /// # Errors
    /// When one has another shape.
    pub fn jvp(&self, xs: &Tensor, vs: &Tensor) -> Result<Tensor> {
        let (mut xs, mut vs) = (xs.detach(), vs.detach());
        let count = self.layers.len();
        for (i, (layer, activation)) in self.stages().enumerate() {
            let zs = layer.forward(&xs)?;
            let tangent = ops::linear(&vs, &layer.weight, None, Activation::Identity)?;
            vs = match activation {
                Activation::Identity => tangent,
                _ => (activation.derivative(&zs)? * tangent)?,
            };
            if i + 1 < count {
                xs = activation.forward(&zs)?;
            }
        }
        Ok(vs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, differences, normal, to_f64};
    use crate::nn::ops::plain;
    use crate::params::Choice;
    use candle_core::Device;

    fn network(activation: Activation, output: Activation) -> (Vars, Mlp) {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(3, "init"));
        let init = Init::KaimingUniform;
        let mlp = Mlp::new(&mut vars, "net", 3, &[6, 5], 2, activation, output, init, &mut rng).unwrap();
        (vars, mlp)
    }

    /// The network's value at `xs`, in whatever type they have.
    fn plain_forward(mlp: &Mlp, xs: &Tensor) -> Result<Tensor> {
        let mut xs = xs.clone();
        for (layer, activation) in mlp.stages() {
            let weight = layer.weight.detach().to_dtype(xs.dtype())?;
            let bias = layer.bias.as_ref().unwrap().detach().to_dtype(xs.dtype())?;
            xs = plain::activate(&plain::linear(&xs, &weight, Some(&bias))?, activation)?;
        }
        Ok(xs)
    }

    #[test]
    fn names_count_and_value() {
        let (vars, mlp) = network(Activation::Tanh, Activation::Sigmoid);
        let names: Vec<_> = vars.iter().map(|(name, _)| name).collect();
        assert_eq!(names[..3], ["net.0.weight", "net.0.bias", "net.1.weight"]);
        assert_eq!(vars.count(), 3 * 6 + 6 + 6 * 5 + 5 + 5 * 2 + 2);
        let xs = normal(&[7, 3], 1.0, "xs");
        let expected = to_f64(&plain_forward(&mlp, &xs).unwrap());
        assert_close(&to_f64(&mlp.forward(&xs).unwrap()), &expected, 1e-6, "forward");
        assert!(mlp.forward(&normal(&[7, 4], 1.0, "xs")).is_err());
    }

    #[test]
    fn a_detached_network_records_nothing_and_sees_updates() {
        let (vars, mlp) = network(Activation::Relu, Activation::Identity);
        let (twin, xs) = (mlp.detached(), normal(&[4, 3], 1.0, "xs"));
        let before = to_f64(&twin.forward(&xs).unwrap());
        assert!(!twin.forward(&xs).unwrap().track_op());
        let all = ops::backward(&mlp.forward(&xs).unwrap().sum_all().unwrap()).unwrap();
        assert_eq!(vars.without_gradient(&all), [""; 0]);
        let mut optimizer = crate::nn::Optimizer::new(crate::nn::OptimizerKind::adam(0.9), &vars);
        assert_eq!(optimizer.step(&vars, &all.into(), 0.1).unwrap(), crate::nn::Update::Applied);
        let after = to_f64(&twin.forward(&xs).unwrap());
        assert_ne!(before, after);
        assert_eq!(after, to_f64(&mlp.forward(&xs).unwrap()));
        // A graph above a detached network goes to its input and to nothing else.
        let (_, upstream) = network(Activation::Tanh, Activation::Identity);
        let inner = Linear { weight: upstream.layers[0].weight.clone(), bias: None };
        let xs = inner.forward(&xs).unwrap().narrow(1, 0, 3).unwrap();
        let grads = ops::backward(&twin.forward(&xs).unwrap().sum_all().unwrap()).unwrap();
        assert_eq!(vars.without_gradient(&grads).len(), vars.len());
        assert!(grads.get(&upstream.layers[0].weight).is_some());
    }

    #[test]
    fn input_gradients_and_directional_derivatives_match_differences() {
        for id in Activation::IDS {
            let activation = Activation::from_id(id).unwrap();
            let (_, mlp) = network(activation, activation);
            let (xs, vs) = (normal(&[5, 3], 1.0, "xs"), normal(&[5, 3], 1.0, "vs"));
            let gradient = mlp.input_gradient(&xs).unwrap();
            assert!(!gradient.track_op());
            let expected = differences(|x| plain_forward(&mlp, &x[0]), std::slice::from_ref(&xs));
            assert_close(&to_f64(&gradient), &expected[0], 1e-4, id);
            let along = mlp.jvp(&xs, &vs).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            let expected: f64 = expected[0].iter().zip(to_f64(&vs)).map(|(a, b)| a * b).sum();
            assert_close(&[f64::from(along)], &[expected], 1e-4, id);
        }
    }

    #[test]
    fn an_empty_batch_is_fine() {
        let (_, mlp) = network(Activation::Silu, Activation::Identity);
        let xs = Tensor::from_vec(Vec::<f32>::new(), (0, 3), &Device::Cpu).unwrap();
        assert_eq!(mlp.forward(&xs).unwrap().dims(), [0, 2]);
    }
}
