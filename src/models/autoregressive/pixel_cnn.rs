//! The PixelCNN: masked convolutions.

use candle_core::Tensor;
use std::sync::Arc;

use super::{Cell, Sampling, bit_log_probs};
use crate::data::Shape;
use crate::error::Result;
use crate::models::matrix;
use crate::nn::{Activation, Conv2d, Init, Linear, Vars, ops};
use crate::rng::Rng;

/// How far the first layer's window reaches.
const REACH: usize = 3;

/// A convolution that sees only the pixels above and to the left, then residual blocks that also see the features
/// of the pixel itself (van den Oord et al. 2016, <https://arxiv.org/abs/1601.06759>).
pub struct PixelCnn {
    first: Masked,
    blocks: Vec<[Masked; 3]>,
    head: [Masked; 2],
    height: usize,
    width: usize,
}

/// A convolution some of whose weights are held at 0.
struct Masked {
    layer: Conv2d,
    /// As many values as the weights, if any is held.
    mask: Option<Arc<[f32]>>,
}

impl Masked {
    /// A convolution with windows of (2·reach + 1)² whose middle is the pixel itself.
    /// Without a reach it sees its pixel; else the pixels before it, and its own if `own`.
    fn new(
        name: &str,
        inputs: usize,
        outputs: usize,
        reach: usize,
        own: bool,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let kernel = 2 * reach + 1;
        let layer = Conv2d::new(vars, name, inputs, outputs, kernel, 1, reach, Init::KaimingUniform, rng)?;
        let middle = kernel * kernel / 2;
        let seen = (0..outputs * inputs * kernel * kernel).map(|i| i % (kernel * kernel));
        let mask = seen.map(|at| if at < middle || (own && at == middle) { 1.0 } else { 0.0 });
        Ok(Self { layer, mask: (reach > 0).then(|| mask.collect()) })
    }

    fn detached(&self) -> Self {
        Self { layer: self.layer.detached(), mask: self.mask.clone() }
    }

    /// The weights that count.
    fn weight(&self) -> Result<Tensor> {
        match &self.mask {
            Some(mask) => ops::masked(&self.layer.weight, mask),
            None => Ok(self.layer.weight.clone()),
        }
    }

    fn forward(&self, xs: &Tensor, activation: Activation) -> Result<Tensor> {
        let Conv2d { bias, stride, padding, .. } = &self.layer;
        ops::conv2d(xs, &self.weight()?, bias.as_ref(), *stride, *padding, activation)
    }

    /// The same layer from the window of one pixel, (n, inputs·kernel²) → (n, outputs).
    fn at_one_pixel(&self) -> Result<Linear> {
        Ok(Linear { weight: self.weight()?.flatten_from(1)?, bias: self.layer.bias.clone() })
    }
}

impl PixelCnn {
    pub fn new(
        shape: &Shape,
        channels: usize,
        blocks: usize,
        vars: &mut Vars,
        rng: &mut Rng,
    ) -> Result<Self> {
        let narrow = (channels / 2).max(1);
        let first = Masked::new("first", 1, channels, REACH, false, vars, rng)?;
        let mut layers = Vec::with_capacity(blocks);
        for block in 0..blocks {
            let name = |layer: usize| format!("blocks.{block}.{layer}");
            layers.push([
                Masked::new(&name(0), channels, narrow, 0, true, vars, rng)?,
                Masked::new(&name(1), narrow, narrow, 1, true, vars, rng)?,
                Masked::new(&name(2), narrow, channels, 0, true, vars, rng)?,
            ]);
        }
        let head = [
            Masked::new("head.0", channels, channels, 0, true, vars, rng)?,
            Masked::new("head.1", channels, 1, 0, true, vars, rng)?,
        ];
        Ok(Self { first, blocks: layers, head, height: shape.height, width: shape.width })
    }

    /// The same network without a graph.
    fn detached(&self) -> Self {
        Self {
            first: self.first.detached(),
            blocks: self.blocks.iter().map(|block| block.each_ref().map(Masked::detached)).collect(),
            head: self.head.each_ref().map(Masked::detached),
            ..*self
        }
    }

    /// The logit of each pixel, (n, 1, height, width) → the same, of any height and width.
    fn planes(&self, xs: &Tensor) -> Result<Tensor> {
        let (relu, linear) = (Activation::Relu, Activation::Identity);
        let mut xs = self.first.forward(xs, linear)?;
        for [narrow, look, widen] in &self.blocks {
            let inner = narrow.forward(&relu.forward(&xs)?, relu)?;
            xs = (&xs + widen.forward(&look.forward(&inner, relu)?, linear)?)?;
        }
        let [mix, logits] = &self.head;
        logits.forward(&mix.forward(&relu.forward(&xs)?, relu)?, linear)
    }

    /// The logit of each pixel, (n, size) → (n, size).
    fn logits(&self, xs: &Tensor) -> Result<Tensor> {
        let (n, size) = xs.dims2()?;
        // (n, size) -> (n, 1, height, width) -> (n, size)
        let planes = self.planes(&xs.reshape((n, 1, self.height, self.width))?)?;
        Ok(planes.reshape((n, size))?)
    }
}

/// Images that grow pixel by pixel.
///
/// What a layer knows at a pixel depends only on pixels before it: it is computed once and kept. So a whole image takes
/// no longer than its likelihood.
struct Walk {
    first: Linear,
    blocks: Vec<[Linear; 3]>,
    head: [Linear; 2],
    pixels: Plane,
    /// What the middle layer of each block looks at.
    features: Vec<Plane>,
}

impl Walk {
    fn new(net: &PixelCnn, n: usize) -> Result<Self> {
        let plane = |channels| Plane::new(n, net.height, net.width, channels);
        let (mut blocks, mut features) = (Vec::new(), Vec::new());
        for [narrow, look, widen] in &net.blocks {
            let narrow = narrow.at_one_pixel()?;
            features.push(plane(narrow.weight.dim(0)?));
            blocks.push([narrow, look.at_one_pixel()?, widen.at_one_pixel()?]);
        }
        let [mix, logits] = &net.head;
        Ok(Self {
            first: net.first.at_one_pixel()?,
            blocks,
            head: [mix.at_one_pixel()?, logits.at_one_pixel()?],
            pixels: plane(1),
            features,
        })
    }

    /// The logits of the next pixel, which is number `at`.
    fn logits(&mut self, at: usize) -> Result<Vec<f32>> {
        let (relu, linear) = (Activation::Relu, Activation::Identity);
        let mut xs = self.first.forward_act(&self.pixels.window(at, REACH)?, linear)?;
        for ([narrow, look, widen], features) in self.blocks.iter().zip(&mut self.features) {
            features.put(at, &narrow.forward_act(&relu.forward(&xs)?, relu)?)?;
            let inner = look.forward_act(&features.window(at, 1)?, relu)?;
            xs = (&xs + widen.forward_act(&inner, linear)?)?;
        }
        let [mix, logits] = &self.head;
        let logits = logits.forward_act(&mix.forward_act(&relu.forward(&xs)?, relu)?, linear)?;
        Ok(logits.flatten_all()?.to_vec1()?)
    }
}

/// Values at the pixels so far: (n, height, width, channels).
struct Plane {
    values: Vec<f32>,
    height: usize,
    width: usize,
    channels: usize,
}

impl Plane {
    fn new(n: usize, height: usize, width: usize, channels: usize) -> Self {
        Self { values: vec![0.0; n * height * width * channels], height, width, channels }
    }

    fn images(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut((self.height * self.width * self.channels).max(1))
    }

    /// Keeps (n, channels) values at a pixel.
    fn put(&mut self, at: usize, values: &Tensor) -> Result<()> {
        let channels = self.channels;
        let values = values.to_vec2::<f32>()?;
        for (image, values) in self.images().zip(values) {
            for (slot, value) in image.iter_mut().skip(at * channels).zip(values) {
                *slot = value;
            }
        }
        Ok(())
    }

    /// The windows around a pixel, 0 outside of the image and where nothing is known yet: (n, channels·kernel²).
    fn window(&self, at: usize, reach: usize) -> Result<Tensor> {
        let (kernel, size) = (2 * reach + 1, self.height * self.width * self.channels);
        let mut windows =
            Vec::with_capacity(self.values.len() / size.max(1) * self.channels * kernel * kernel);
        let value = |image: &[f32], channel: usize, i: usize| {
            let row = (at / self.width + i / kernel).checked_sub(reach)?;
            let column = (at % self.width + i % kernel).checked_sub(reach).filter(|c| *c < self.width)?;
            image.get((row * self.width + column) * self.channels + channel).copied()
        };
        let mut n = 0;
        for image in self.values.chunks_exact(size.max(1)) {
            n += 1;
            for channel in 0..self.channels {
                windows.extend((0..kernel * kernel).map(|i| value(image, channel, i).unwrap_or(0.0)));
            }
        }
        matrix(windows, n, self.channels * kernel * kernel)
    }
}

impl Cell for PixelCnn {
    fn conditionals(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.logits(xs)?.unsqueeze(2)?)
    }

    fn loss(&self, xs: &Tensor) -> Result<Tensor> {
        ops::bce_with_logits(&self.logits(xs)?, xs)
    }

    fn log_prob(&self, xs: &Tensor) -> Result<Vec<f32>> {
        bit_log_probs(&self.detached().logits(xs)?, xs)
    }

    fn sample(&self, n: usize, sampling: &Sampling, rng: &mut Rng) -> Result<Tensor> {
        let (size, mut walk) = (self.height * self.width, Walk::new(&self.detached(), n)?);
        for at in (0..size).filter(|_| n > 0) {
            let logits = walk.logits(at)?;
            let bits = logits.into_iter().map(|logit| if sampling.flip(logit, rng) { 1.0 } else { 0.0 });
            walk.pixels.put(at, &matrix(bits.collect(), n, 1)?)?;
        }
        matrix(walk.pixels.values, n, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixel_by_pixel_the_logits_are_those_of_the_whole_image() {
        for blocks in [0, 1, 3] {
            let (mut vars, mut rng) = (Vars::new(), Rng::stream(1, "init"));
            let net = PixelCnn::new(&Shape::image(1, 9, 15), 6, blocks, &mut vars, &mut rng).unwrap();
            let pixels: Vec<f32> = (0..2 * 135).map(|_| rng.below(2) as f32).collect();
            let whole =
                net.logits(&matrix(pixels.clone(), 2, 135).unwrap()).unwrap().to_vec2::<f32>().unwrap();
            let mut walk = Walk::new(&net, 2).unwrap();
            for at in 0..135 {
                for (image, own) in whole.iter().zip(walk.logits(at).unwrap()) {
                    let expected = image[at];
                    assert!(
                        (own - expected).abs() < 1e-6,
                        "{blocks} blocks, pixel {at}: {own}, not {expected}"
                    );
                }
                let bits = matrix(vec![pixels[at], pixels[135 + at]], 2, 1).unwrap();
                walk.pixels.put(at, &bits).unwrap();
            }
        }
    }

    #[test]
    fn the_usual_size_has_the_usual_number_of_weights() {
        let mut vars = Vars::new();
        PixelCnn::new(&Shape::image(1, 8, 8), 32, 3, &mut vars, &mut Rng::stream(1, "init")).unwrap();
        assert_eq!(vars.count(), 12_865);
    }
}
