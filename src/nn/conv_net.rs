//! Convolutional networks from images to features and back; any height and width will do.

use crate::error::{Error, Result};
use crate::nn::penalty::{Critic, off_zero};
use crate::nn::{Activation, Conv2d, Init, Linear, Vars, backward};
use crate::rng::Rng;
use candle_core::{D, Tensor, Var};

/// The windows are 3 × 3, which keep an image's size with one zero on either side.
const KERNEL: usize = 3;

/// A side after so many halvings, each rounded up.
fn halved(side: usize, times: usize) -> usize {
    (0..times).fold(side, |side, _| side.div_ceil(2))
}

/// Convolutions that halve the image each, laid out as features at the end.
#[derive(Debug, Clone)]
pub struct ConvEncoder {
    /// The layers, from the image's side on.
    pub layers: Vec<Conv2d>,
    /// What follows each.
    pub activation: Activation,
    /// Channels, height and width of the images.
    pub image: [usize; 3],
}

impl ConvEncoder {
    /// Adds the variables `<name>.<layer>.weight` and `<name>.<layer>.bias` to `vars`: a layer for each entry of
    /// `channels`, with as many outputs.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        image: [usize; 3],
        channels: &[usize],
        activation: Activation,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let mut layers = Vec::with_capacity(channels.len());
        let mut inputs = image[0];
        for &outputs in channels {
            let name = format!("{name}.{}", layers.len());
            layers.push(Conv2d::new(vars, &name, inputs, outputs, KERNEL, 2, 1, init, rng)?);
            inputs = outputs;
        }
        Ok(Self { layers, activation, image })
    }

    /// How many features come out.
    pub fn features(&self) -> usize {
        let outputs = self.layers.last().and_then(|layer| layer.weight.dims().first());
        let channels = outputs.copied().unwrap_or(self.image[0]);
        channels * halved(self.image[1], self.layers.len()) * halved(self.image[2], self.layers.len())
    }

    /// The features.
    ///
    /// # Shapes
    /// (n, channels·height·width) → (n, features)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let [channels, height, width] = self.image;
        // (n, size) -> (n, channels, height, width)
        let mut xs = xs.reshape(((), channels, height, width))?;
        for layer in &self.layers {
            xs = layer.forward_act(&xs, self.activation)?;
        }
        // (n, channels, height, width) -> (n, features)
        Ok(xs.flatten_from(1)?)
    }

    /// The same network without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { layers: self.layers.iter().map(Conv2d::detached).collect(), ..*self }
    }
}

/// A dense layer to a small image, then convolutions that double it each; cut to the image's size at the end.
///
/// Repeating points before a convolution leaves no checkerboard, as a transposed convolution does
/// (Odena et al. 2016, <https://distill.pub/2016/deconv-checkerboard>).
#[derive(Debug, Clone)]
pub struct ConvDecoder {
    /// From the inputs to the smallest image.
    pub dense: Linear,
    /// The convolutions, each after a doubling.
    pub layers: Vec<Conv2d>,
    /// What follows every layer but the last.
    pub activation: Activation,
    /// What follows the last layer.
    pub output: Activation,
    /// Channels, height and width of the images.
    pub image: [usize; 3],
}

impl ConvDecoder {
    /// Adds the variables `<name>.<layer>.weight` and `<name>.<layer>.bias` to `vars`, the dense layer's first.
    /// `channels` are those of the smallest image, and of each after it but the last.
    #[expect(clippy::too_many_arguments, reason = "each is one word at the call, and none has a default")]
    pub fn new(
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        channels: &[usize],
        image: [usize; 3],
        activation: Activation,
        output: Activation,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let first = channels.first().copied().unwrap_or(image[0]);
        let area = halved(image[1], channels.len()) * halved(image[2], channels.len());
        let dense = Linear::new(vars, &format!("{name}.0"), inputs, first * area, init, rng)?;
        let mut layers = Vec::with_capacity(channels.len());
        for (from, to) in channels.iter().zip(channels.iter().skip(1).chain([&image[0]])) {
            let name = format!("{name}.{}", layers.len() + 1);
            layers.push(Conv2d::new(vars, &name, *from, *to, KERNEL, 1, 1, init, rng)?);
        }
        Ok(Self { dense, layers, activation, output, image })
    }

    /// The images.
    ///
    /// # Shapes
    /// (n, inputs) → (n, channels·height·width)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let [channels, height, width] = self.image;
        let count = self.layers.len();
        let activation = |i: usize| if i == count { self.output } else { self.activation };
        let xs = self.dense.forward_act(xs, activation(0))?;
        let first = self.layers.first().map_or(Ok(channels), |layer| layer.weight.dim(1))?;
        // (n, first·h·w) -> (n, first, h, w)
        let mut xs = xs.reshape(((), first, halved(height, count), halved(width, count)))?;
        for (i, layer) in self.layers.iter().enumerate() {
            xs = layer.forward_upsampled(&xs, 2, activation(i + 1))?;
        }
        for (axis, length) in [(2, height), (3, width)] {
            if xs.dim(axis)? > length {
                xs = xs.narrow(axis, 0, length)?;
            }
        }
        // (n, channels, height, width) -> (n, size)
        Ok(xs.flatten_from(1)?)
    }

    /// The same network without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        let layers = self.layers.iter().map(Conv2d::detached).collect();
        Self { dense: self.dense.detached(), layers, ..*self }
    }
}

/// A [`ConvEncoder`] and one output.
#[derive(Debug, Clone)]
pub struct ConvCritic {
    /// From images to features.
    pub trunk: ConvEncoder,
    /// From features to the output.
    pub head: Linear,
}

/// How far to either side of an image the directional derivative looks; values are of the order of 1.
const REACH: f64 = 1e-2;

impl ConvCritic {
    /// Adds the variables of [`ConvEncoder::new`] and one more layer to `vars`.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        image: [usize; 3],
        channels: &[usize],
        activation: Activation,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let trunk = ConvEncoder::new(vars, name, image, channels, activation, init, rng)?;
        let head = Linear::new(vars, &format!("{name}.{}", channels.len()), trunk.features(), 1, init, rng)?;
        Ok(Self { trunk, head })
    }

    /// The same network without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { trunk: self.trunk.detached(), head: self.head.detached() }
    }
}

impl Critic for ConvCritic {
    fn value(&self, xs: &Tensor) -> Result<Tensor> {
        self.head.forward(&self.trunk.forward(xs)?)
    }

    fn input_gradient(&self, xs: &Tensor) -> Result<Tensor> {
        let xs = Var::from_tensor(&xs.detach())?;
        let gradients = backward(&self.detached().value(xs.as_tensor())?.sum_all()?)?;
        let gradient = gradients.get(&xs).ok_or_else(|| Error::Config("a critic sees nothing".into()))?;
        Ok(gradient.detach())
    }

    /// By central differences: (D(x + h·v/‖v‖) − D(x − h·v/‖v‖))·‖v‖/2h.
    fn jvp(&self, xs: &Tensor, vs: &Tensor) -> Result<Tensor> {
        let length = vs.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        let shift = vs.broadcast_div(&off_zero(&length)?)?.affine(REACH, 0.0)?;
        let n = xs.dim(0)?;
        let values = self.value(&Tensor::cat(&[&(xs + &shift)?, &(xs - &shift)?], 0)?)?;
        let slope = (values.narrow(0, 0, n)? - values.narrow(0, n, n)?)?.affine(0.5 / REACH, 0.0)?;
        Ok((slope * length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, differences, normal, to_f64};
    use crate::nn::ops::{backward, plain};
    use candle_core::DType;

    fn networks(image: [usize; 3]) -> (Vars, ConvEncoder, ConvDecoder) {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(3, "init"));
        let (silu, init) = (Activation::Silu, Init::HeNormal);
        let down = ConvEncoder::new(&mut vars, "down", image, &[3, 4], silu, init, &mut rng).unwrap();
        let up = ConvDecoder::new(&mut vars, "up", 5, &[4, 3], image, silu, Activation::Tanh, init, &mut rng);
        (vars, down, up.unwrap())
    }

    #[test]
    fn images_of_every_size_go_down_and_come_back() {
        for image in [[1, 4, 4], [1, 8, 8], [3, 5, 7], [1, 28, 28], [3, 13, 16], [1, 1, 2], [2, 6, 9]] {
            let (vars, down, up) = networks(image);
            let (size, n) = (image.iter().product::<usize>(), 3);
            let features = down.forward(&normal(&[n, size], 1.0, "x")).unwrap();
            assert_eq!(features.dims(), [n, down.features()], "{image:?}");
            assert_eq!(features.dims()[1], 4 * image[1].div_ceil(2).div_ceil(2) * image[2].div_ceil(4));
            let images = up.forward(&normal(&[n, 5], 1.0, "z")).unwrap();
            assert_eq!(images.dims(), [n, size]);
            let twin = up.detached().forward(&normal(&[n, 5], 1.0, "z")).unwrap();
            assert!(!twin.track_op());
            assert_eq!(to_f64(&twin), to_f64(&images));
            let loss = (features.sqr().unwrap().sum_all().unwrap()
                + images.sqr().unwrap().sum_all().unwrap())
            .unwrap();
            assert_eq!(vars.without_gradient(&backward(&loss).unwrap()), [""; 0], "{image:?}");
        }
        let names: Vec<_> = networks([1, 4, 4]).0.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names[..4], ["down.0.weight", "down.0.bias", "down.1.weight", "down.1.bias"]);
        assert_eq!(names[4..8], ["up.0.weight", "up.0.bias", "up.1.weight", "up.1.bias"]);
    }

    #[test]
    fn gradients_through_a_cut_image_match_differences() {
        let (vars, _, up) = networks([2, 5, 6]);
        let zs = normal(&[2, 5], 1.0, "z");
        let loss = up.forward(&zs).unwrap().sum_all().unwrap();
        let grads = backward(&loss).unwrap();
        let up_vars = vars.select("up");
        let weights: Vec<Tensor> = up_vars.iter().map(|(_, var)| var.as_detached_tensor()).collect();
        // Written out in the library's operations, in double precision.
        let plainly = |w: &[Tensor]| {
            let xs = zs.to_dtype(DType::F64)?;
            let xs = plain::activate(&plain::linear(&xs, &w[0], Some(&w[1]))?, Activation::Silu)?;
            let mut xs = xs.reshape((2, 4, 2, 2))?;
            for (i, activation) in [(2, Activation::Silu), (4, Activation::Tanh)] {
                let large = plain::upsample_nearest2d(&xs, 2)?;
                xs = plain::activate(&plain::conv2d(&large, &w[i], Some(&w[i + 1]), 1, 1)?, activation)?;
            }
            Ok(xs.narrow(2, 0, 5)?.narrow(3, 0, 6)?)
        };
        for ((name, var), expected) in up_vars.iter().zip(differences(plainly, &weights)) {
            assert_close(&to_f64(grads.get(var).unwrap()), &expected, 1e-4, name);
        }
    }

    #[test]
    fn the_slopes_of_a_convolutional_critic_match_differences() {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(3, "init"));
        let (silu, init) = (Activation::Silu, Init::HeNormal);
        let critic = ConvCritic::new(&mut vars, "d", [2, 5, 4], &[3, 4], silu, init, &mut rng).unwrap();
        let (xs, vs) = (normal(&[3, 40], 1.0, "xs"), normal(&[3, 40], 1.0, "vs"));
        let plainly = |xs: &Tensor, w: &[Tensor]| {
            let mut xs = xs.reshape((3, 2, 5, 4))?;
            for i in [0, 2] {
                xs = plain::activate(&plain::conv2d(&xs, &w[i], Some(&w[i + 1]), 2, 1)?, silu)?;
            }
            plain::linear(&xs.flatten_from(1)?, &w[4], Some(&w[5]))
        };
        let wide = |x: &Tensor| x.detach().to_dtype(DType::F64).unwrap();
        let weights: Vec<Tensor> = vars.iter().map(|(_, var)| wide(var)).collect();
        let expected = differences(|x| plainly(&x[0], &weights), std::slice::from_ref(&xs));
        let gradient = critic.input_gradient(&xs).unwrap();
        assert!(!gradient.track_op());
        assert_close(&to_f64(&gradient), &expected[0], 1e-4, "∂D/∂x");
        let along = critic.jvp(&xs, &vs).unwrap();
        let product: Vec<f64> = expected[0].iter().zip(to_f64(&vs)).map(|(g, v)| g * v).collect();
        let sums: Vec<f64> = product.chunks(40).map(|row| row.iter().sum()).collect();
        assert_close(&to_f64(&along), &sums, 1e-3, "J·v");
        // The derivative of J·v in the weights, which a penalty is trained with.
        let grads = backward(&along.sum_all().unwrap()).unwrap();
        let slope = |w: &[Tensor]| {
            let (x, v) = (wide(&xs), (wide(&vs) * 1e-4)?);
            Ok(((plainly(&(&x + &v)?, w)? - plainly(&(&x - &v)?, w)?)? * 5e3)?)
        };
        let narrow: Vec<Tensor> = vars.iter().map(|(_, var)| var.as_detached_tensor()).collect();
        for ((name, var), expected) in vars.iter().zip(differences(slope, &narrow)) {
            assert_close(&to_f64(grads.get(var).unwrap()), &expected, 2e-3, name);
        }
    }
}
