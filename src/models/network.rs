//! Networks that models share: fully connected for all data, convolutional for images.

use candle_core::Tensor;

use crate::choices;
use crate::data::{Domain, Shape};
use crate::error::Result;
use crate::models::OptionDomains;
use crate::nn::{Activation, ConvDecoder, Init, Mlp, Vars};
use crate::rng::Rng;

choices! {
    /// What a model's networks are made of.
    pub enum NetKind {
        /// Fully connected layers.
        Mlp = "mlp",
        /// Convolutions that halve images, and convolutions after doublings.
        Conv = "conv",
    }
}

/// Convolutions need images.
pub const CONV_DOMAINS: OptionDomains =
    OptionDomains { key: "net", option: "conv", domains: &[Domain::Images] };

/// Channels, height and width of an image.
pub fn image(shape: &Shape) -> [usize; 3] {
    [shape.channels, shape.height, shape.width]
}

/// A network from latents to data.
#[derive(Debug, Clone)]
pub enum Expand {
    /// Fully connected.
    Mlp(Mlp),
    /// Convolutional.
    Conv(ConvDecoder),
}

impl Expand {
    /// Adds the variables `<name>.<layer>.weight` and `<name>.<layer>.bias` to `vars`.
    /// `hidden` are the widths of a fully connected network; a convolutional one has `channels` at the image's
    /// half size and twice as many at a quarter of it.
    #[expect(clippy::too_many_arguments, reason = "each is one word at the call, and none has a default")]
    pub fn new(
        kind: NetKind,
        vars: &mut Vars,
        name: &str,
        inputs: usize,
        hidden: &[usize],
        channels: usize,
        shape: &Shape,
        activation: Activation,
        output: Activation,
        init: Init,
        rng: &mut Rng,
    ) -> Result<Self> {
        Ok(match kind {
            NetKind::Mlp => {
                let size = shape.size();
                Self::Mlp(Mlp::new(vars, name, inputs, hidden, size, activation, output, init, rng)?)
            }
            NetKind::Conv => {
                let (channels, image) = ([2 * channels, channels], image(shape));
                let net =
                    ConvDecoder::new(vars, name, inputs, &channels, image, activation, output, init, rng)?;
                Self::Conv(net)
            }
        })
    }

    /// (n, inputs) → (n, size)
    ///
    /// # Errors
    /// When `xs` has another shape.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        match self {
            Self::Mlp(net) => net.forward(xs),
            Self::Conv(net) => net.forward(xs),
        }
    }

    /// The same network without a graph: it shares the storage, so it sees every later update.
    pub fn detached(&self) -> Self {
        match self {
            Self::Mlp(net) => Self::Mlp(net.detached()),
            Self::Conv(net) => Self::Conv(net.detached()),
        }
    }
}
