//! A small U-Net (Ronneberger et al. 2015, <https://arxiv.org/abs/1505.04597>) that is told the time, as diffusion models
//! use it (Ho et al. 2020, <https://arxiv.org/abs/2006.11239>): two scales, group norm, SiLU.
//!
//! Large images are seen in patches of 2 × 2 points, at half their height and width: a quarter of the work, and
//! hardly worse images (Hoogeboom et al. 2023, <https://arxiv.org/abs/2301.11093>).

use candle_core::Tensor;

use crate::data::Shape;
use crate::error::Result;
use crate::nn::{Activation, Conv2d, ConvTranspose2d, GroupNorm, Init, Linear, Vars};
use crate::rng::Rng;

/// The shortest side from which on an image is seen in patches, if it can be cut into such.
const PATCHED: usize = 16;

/// Convolutions at two scales, joined by a shortcut.
#[derive(Debug, Clone)]
pub struct UNet {
    shape: Shape,
    embed: Linear,
    first: Conv2d,
    down: Block,
    shrink: Conv2d,
    deep: [Block; 2],
    grow: Conv2d,
    up: Block,
    norm: GroupNorm,
    last: Last,
}

/// Back from channels to an image.
#[derive(Debug, Clone)]
enum Last {
    Points(Conv2d),
    Patches(ConvTranspose2d),
}

/// Names and draws a network's layers.
struct Maker<'a> {
    vars: &'a mut Vars,
    name: &'a str,
    rng: &'a mut Rng,
}

impl Maker<'_> {
    /// Half as high and wide with the stride 2, all of that with 1.
    fn conv(
        &mut self,
        name: &str,
        (from, to): (usize, usize),
        kernel: usize,
        stride: usize,
        init: Init,
    ) -> Result<Conv2d> {
        let name = format!("{}.{name}", self.name);
        Conv2d::new(self.vars, &name, from, to, kernel, stride, (kernel - 1) / 2, init, self.rng)
    }

    /// A convolution whose bias is the time.
    fn told(&mut self, name: &str, (from, to): (usize, usize)) -> Result<Conv2d> {
        let name = format!("{}.{name}", self.name);
        Conv2d::unbiased(self.vars, &name, from, to, 3, 1, 1, Init::KaimingUniform, self.rng)
    }

    fn last(&mut self, name: &str, (from, to): (usize, usize), patched: bool) -> Result<Last> {
        if !patched {
            return self.conv(name, (from, to), 3, 1, Init::Zeros).map(Last::Points);
        }
        let name = format!("{}.{name}", self.name);
        ConvTranspose2d::new(self.vars, &name, from, to, 4, 2, 1, 0, Init::Zeros, self.rng).map(Last::Patches)
    }

    fn norm(&mut self, name: &str, channels: usize) -> Result<GroupNorm> {
        // Eight groups, or as many as the channels can be cut into.
        let groups = (1..=8).rev().find(|groups| channels.is_multiple_of(*groups)).unwrap_or(1);
        GroupNorm::new(self.vars, &format!("{}.{name}", self.name), channels, groups)
    }

    fn linear(&mut self, name: &str, from: usize, to: usize) -> Result<Linear> {
        Linear::new(self.vars, &format!("{}.{name}", self.name), from, to, Init::KaimingUniform, self.rng)
    }

    fn block(&mut self, name: &str, from: usize, to: usize, features: usize) -> Result<Block> {
        let part = |part: &str| format!("{name}.{part}");
        Ok(Block {
            norms: [self.norm(&part("norm0"), from)?, self.norm(&part("norm1"), to)?],
            convs: [
                self.told(&part("conv0"), (from, to))?,
                // Blocks start as their shortcuts.
                self.conv(&part("conv1"), (to, to), 3, 1, Init::Zeros)?,
            ],
            time: self.linear(&part("time"), features, to)?,
            shortcut: match from == to {
                true => None,
                false => Some(self.conv(&part("shortcut"), (from, to), 1, 1, Init::KaimingUniform)?),
            },
        })
    }
}

impl UNet {
    /// Adds its variables below `<name>.` to `vars`; `channels` at the images' own scale, twice as many at the
    /// other.
    pub fn new(
        vars: &mut Vars,
        name: &str,
        shape: Shape,
        channels: usize,
        features: usize,
        rng: &mut Rng,
    ) -> Result<Self> {
        let mut make = Maker { vars, name, rng };
        let (narrow, wide, told) = (channels, 2 * channels, 4 * channels);
        let init = Init::KaimingUniform;
        let sides = [shape.height, shape.width];
        let patched = sides.iter().all(|side| *side >= PATCHED && side.is_multiple_of(2));
        let (kernel, stride) = if patched { (4, 2) } else { (3, 1) };
        Ok(Self {
            shape,
            embed: make.linear("embed", features, told)?,
            first: make.conv("first", (shape.channels, narrow), kernel, stride, init)?,
            down: make.block("down", narrow, narrow, told)?,
            shrink: make.conv("shrink", (narrow, wide), 3, 2, init)?,
            deep: [make.block("deep0", wide, wide, told)?, make.block("deep1", wide, wide, told)?],
            grow: make.conv("grow", (wide, narrow), 3, 1, init)?,
            up: make.block("up", wide, narrow, told)?,
            norm: make.norm("norm", narrow)?,
            last: make.last("last", (narrow, shape.channels), patched)?,
        })
    }

    /// The same network without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        Self {
            shape: self.shape,
            embed: self.embed.detached(),
            first: self.first.detached(),
            down: self.down.detached(),
            shrink: self.shrink.detached(),
            deep: [self.deep[0].detached(), self.deep[1].detached()],
            grow: self.grow.detached(),
            up: self.up.detached(),
            norm: self.norm.detached(),
            last: match &self.last {
                Last::Points(conv) => Last::Points(conv.detached()),
                Last::Patches(conv) => Last::Patches(conv.detached()),
            },
        }
    }

    /// The network's value.
    ///
    /// # Shapes
    /// xs (n, size), features (n, features) → (n, size)
    ///
    /// # Errors
    /// When one has another shape.
    pub fn forward(&self, xs: &Tensor, features: &Tensor) -> Result<Tensor> {
        let (n, Shape { channels, height, width, .. }) = (xs.dim(0)?, self.shape);
        let told = self.embed.forward_act(features, Activation::Silu)?;
        let plain = Activation::Identity;
        // (n, size) -> (n, c, h, w)
        let hs = self.first.forward_act(&xs.reshape((n, channels, height, width))?, plain)?;
        let fine = self.down.forward(&hs, &told)?;
        let mut hs = self.shrink.forward_act(&fine, plain)?;
        for block in &self.deep {
            hs = block.forward(&hs, &told)?;
        }
        let hs = self.grow.forward_upsampled(&hs, 2, plain)?;
        // Odd sizes come back one larger.
        let (_, _, rows, columns) = fine.dims4()?;
        let hs = hs.narrow(2, 0, rows)?.narrow(3, 0, columns)?.contiguous()?;
        let hs = self.up.forward(&Tensor::cat(&[&hs, &fine], 1)?, &told)?;
        let hs = self.norm.forward_act(&hs, Activation::Silu)?;
        let ys = match &self.last {
            Last::Points(conv) => conv.forward_act(&hs, plain)?,
            Last::Patches(conv) => conv.forward_act(&hs, plain)?,
        };
        // (n, c, h, w) -> (n, size)
        Ok(ys.reshape((n, self.shape.size()))?)
    }
}

/// Two convolutions beside a shortcut, the time added to every place between them.
#[derive(Debug, Clone)]
struct Block {
    norms: [GroupNorm; 2],
    convs: [Conv2d; 2],
    time: Linear,
    shortcut: Option<Conv2d>,
}

impl Block {
    fn detached(&self) -> Self {
        Self {
            norms: [self.norms[0].detached(), self.norms[1].detached()],
            convs: [self.convs[0].detached(), self.convs[1].detached()],
            time: self.time.detached(),
            shortcut: self.shortcut.as_ref().map(Conv2d::detached),
        }
    }

    fn forward(&self, xs: &Tensor, told: &Tensor) -> Result<Tensor> {
        let plain = Activation::Identity;
        let hs = self.norms[0].forward_act(xs, Activation::Silu)?;
        let hs = self.convs[0].forward_biased(&hs, &self.time.forward(told)?, plain)?;
        let hs = self.norms[1].forward_act(&hs, Activation::Silu)?;
        let hs = self.convs[1].forward_act(&hs, plain)?;
        Ok(match &self.shortcut {
            Some(shortcut) => (hs + shortcut.forward_act(xs, plain)?)?,
            None => (hs + xs)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::normal;
    use crate::nn::{Optimizer, OptimizerKind, Update, backward, ops};

    #[test]
    fn every_size_comes_back_and_every_variable_learns() {
        for shape in [
            Shape::image(1, 8, 8),
            Shape::image(3, 7, 5),
            Shape::image(1, 2, 2),
            Shape::image(2, 16, 18),
            Shape::image(1, 16, 17),
        ] {
            let (mut vars, mut rng) = (Vars::new(), Rng::stream(1, "init"));
            let net = UNet::new(&mut vars, "net", shape, 6, 5, &mut rng).unwrap();
            let (xs, told) = (normal(&[3, shape.size()], 1.0, "xs"), normal(&[3, 5], 1.0, "told"));
            let ys = net.forward(&xs, &told).unwrap();
            assert_eq!(ys.dims(), [3, shape.size()]);
            assert!(ys.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|y| *y == 0.0));
            assert!(!net.detached().forward(&xs, &told).unwrap().track_op());
            let mut optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
            let values = |vars: &Vars| -> Vec<Vec<f32>> {
                vars.iter().map(|(_, var)| var.flatten_all().unwrap().to_vec1().unwrap()).collect()
            };
            let before = values(&vars);
            let target = normal(&[3, shape.size()], 1.0, "target");
            for _ in 0..4 {
                let loss = ops::squared_error(&net.forward(&xs, &told).unwrap(), &target).unwrap();
                let update = optimizer.step(&vars, &backward(&loss).unwrap().into(), 0.01).unwrap();
                assert_eq!(update, Update::Applied);
            }
            for (((name, _), old), new) in vars.iter().zip(&before).zip(&values(&vars)) {
                assert_ne!(old, new, "{name} at {shape:?}");
            }
        }
    }
}
