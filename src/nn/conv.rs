//! The convolutional layers.

use crate::error::Result;
use crate::nn::{Activation, Init, Vars, ops};
use crate::rng::Rng;
use candle_core::Tensor;

/// The convolution of images with square windows, plus b.
#[derive(Debug, Clone)]
pub struct Conv2d {
    /// The windows: (outputs, inputs, kernel, kernel).
    pub weight: Tensor,
    /// b: (outputs).
    pub bias: Option<Tensor>,
    /// How far a window is from the next.
    pub stride: usize,
    /// How many zeros are on either side of the image.
    pub padding: usize,
}

impl Conv2d {
    /// Adds the variables `<name>.weight` and `<name>.bias` (zero) to `vars`.
    /// The initial weights see inputs·kernel² inputs to an output.
    #[expect(clippy::too_many_arguments, reason = "each is one word at the call, and none has a default")]
    pub fn new(
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let layer = Self::unbiased(vars, name, inputs, outputs, kernel, stride, padding, init, rng)?;
        let bias = vars.add(&format!("{name}.bias"), &[outputs], vec![0.0; outputs])?;
        Ok(Self { bias: Some(bias), ..layer })
    }

    /// [`Conv2d::new`] without the variable `<name>.bias`.
    #[expect(clippy::too_many_arguments, reason = "those of `new`")]
    pub fn unbiased(
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let weights = init.weights(outputs, inputs * kernel * kernel, rng);
        let weight = vars.add(&format!("{name}.weight"), &[outputs, inputs, kernel, kernel], weights)?;
        Ok(Self { weight, bias: None, stride, padding })
    }

    /// f(the convolution), in one operation. No gradient is computed for an `xs` that has no graph.
    ///
    /// # Shapes
    /// (n, inputs, height, width) → (n, outputs, (height + 2·padding − kernel)/stride + 1, likewise the width)
    ///
    /// # Errors
    /// When `xs` has another shape, or is smaller than a window.
    pub fn forward_act(&self, xs: &Tensor, activation: Activation) -> Result<Tensor> {
        ops::conv2d(xs, &self.weight, self.bias.as_ref(), self.stride, self.padding, activation)
    }

    /// [`Conv2d::forward_act`] with a bias for each image, in place of the layer's.
    ///
    /// # Shapes
    /// biases (n, outputs), all else as there
    ///
    /// # Errors
    /// When one has another shape, or `xs` is smaller than a window.
    pub fn forward_biased(&self, xs: &Tensor, biases: &Tensor, activation: Activation) -> Result<Tensor> {
        ops::conv2d(xs, &self.weight, Some(biases), self.stride, self.padding, activation)
    }

    /// f(the convolution of the image made `factor` times as high and wide by repeating points), in one operation.
    /// The layer's own stride is taken as 1.
    ///
    /// # Shapes
    /// (n, inputs, height, width) → (n, outputs, factor·height + 2·padding − kernel + 1, likewise the width)
    ///
    /// # Errors
    /// When `xs` has another shape, or the padding is as large as a window.
    pub fn forward_upsampled(&self, xs: &Tensor, factor: usize, activation: Activation) -> Result<Tensor> {
        ops::upsample_conv2d(xs, &self.weight, self.bias.as_ref(), factor, self.padding, activation)
    }

    /// The same layer without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { weight: self.weight.detach(), bias: self.bias.as_ref().map(Tensor::detach), ..*self }
    }
}

/// The transposed convolution of images with square windows, plus b.
#[derive(Debug, Clone)]
pub struct ConvTranspose2d {
    /// The windows: (inputs, outputs, kernel, kernel).
    pub weight: Tensor,
    /// b: (outputs).
    pub bias: Option<Tensor>,
    /// How far a window is from the next.
    pub stride: usize,
    /// How many points are cut off on either side of the result.
    pub padding: usize,
    /// How many points more there are at the end of the result, fewer than the stride.
    pub output_padding: usize,
}

impl ConvTranspose2d {
    /// Adds the variables `<name>.weight` and `<name>.bias` (zero) to `vars`.
    /// The initial weights see inputs·kernel²/stride² inputs to an output, as many as its windows have there.
    #[expect(clippy::too_many_arguments, reason = "each is one word at the call, and none has a default")]
    pub fn new(
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        output_padding: usize,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        let window = kernel * kernel;
        let fan_in = (inputs * window) as f64 / (stride * stride).max(1) as f64;
        let weights = init.weights_with_fan(inputs, outputs * window, fan_in, rng);
        let weight = vars.add(&format!("{name}.weight"), &[inputs, outputs, kernel, kernel], weights)?;
        let bias = vars.add(&format!("{name}.bias"), &[outputs], vec![0.0; outputs])?;
        Ok(Self { weight, bias: Some(bias), stride, padding, output_padding })
    }

    /// f(the transposed convolution), in one operation. No gradient is computed for an `xs` that has no graph.
    ///
    /// # Shapes
    /// (n, inputs, height, width)
    /// → (n, outputs, (height − 1)·stride + kernel + output_padding − 2·padding, likewise the width)
    ///
    /// # Errors
    /// When `xs` has another shape, or nothing would be left.
    pub fn forward_act(&self, xs: &Tensor, activation: Activation) -> Result<Tensor> {
        let (bias, stride, padding) = (self.bias.as_ref(), self.stride, self.padding);
        ops::conv_transpose2d(xs, &self.weight, bias, stride, padding, self.output_padding, activation)
    }

    /// The same layer without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self { weight: self.weight.detach(), bias: self.bias.as_ref().map(Tensor::detach), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{assert_close, normal, to_f64};
    use crate::nn::ops::plain;

    #[test]
    fn layers_are_named_scaled_and_compute_what_they_say() {
        let (mut vars, mut rng) = (Vars::new(), Rng::stream(3, "init"));
        let init = Init::HeNormal;
        let down = Conv2d::new(&mut vars, "down", 20, 30, 3, 2, 1, init, &mut rng).unwrap();
        let up = ConvTranspose2d::new(&mut vars, "up", 30, 20, 4, 2, 1, 1, init, &mut rng).unwrap();
        let names: Vec<_> = vars.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["down.weight", "down.bias", "up.weight", "up.bias"]);
        let spread = |weight: &Tensor| {
            let weights = to_f64(&weight.detach());
            weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64
        };
        assert!((spread(&down.weight) / (2.0 / (20.0 * 9.0)) - 1.0).abs() < 0.05);
        // Of a window of 4 × 4, 2 × 2 weights meet an output when the stride is 2.
        assert!((spread(&up.weight) / (2.0 / (30.0 * 4.0)) - 1.0).abs() < 0.05);

        let xs = normal(&[2, 20, 8, 6], 1.0, "x");
        let ys = down.forward_act(&xs, Activation::Relu).unwrap();
        assert_eq!(ys.dims(), [2, 30, 4, 3]);
        assert!(ys.track_op());
        let plainly = plain::conv2d(&xs, &down.weight, down.bias.as_ref(), 2, 1).unwrap();
        let plainly = plain::activate(&plainly, Activation::Relu).unwrap();
        assert_close(&to_f64(&ys), &to_f64(&plainly), 1e-5, "down");
        let zs = up.forward_act(&ys, Activation::Identity).unwrap();
        assert_eq!(zs.dims(), [2, 20, 9, 7]);
        let plainly = plain::conv_transpose2d(&ys, &up.weight, up.bias.as_ref(), 2, 1, 1).unwrap();
        assert_close(&to_f64(&zs), &to_f64(&plainly), 1e-5, "up");
        let large = down.forward_upsampled(&xs, 2, Activation::Identity).unwrap();
        let repeated = plain::upsample_nearest2d(&xs, 2).unwrap();
        let plainly = plain::conv2d(&repeated, &down.weight, down.bias.as_ref(), 1, 1).unwrap();
        assert_close(&to_f64(&large), &to_f64(&plainly), 1e-5, "upsampled");

        let twin = up
            .detached()
            .forward_act(&down.detached().forward_act(&xs, Activation::Relu).unwrap(), Activation::Identity);
        let twin = twin.unwrap();
        assert!(!twin.track_op());
        assert_eq!(to_f64(&twin), to_f64(&zs));
    }
}
