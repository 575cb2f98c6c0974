//! What a GAN can show.

use candle_core::Tensor;

use super::{Gan, LatentPrior};
use crate::error::Result;
use crate::models::{Classes, Discriminate, Latent, Prior};
use crate::rng::Rng;

impl Gan {
    /// What the generator makes of each latent and class, without a graph.
    pub(super) fn decode_as(&self, z: &Tensor, labels: &[u32]) -> Result<Tensor> {
        self.generate(&self.generator.detached(), z, labels)
    }
}

impl Latent for Gan {
    fn dim(&self) -> usize {
        self.params.latent_dim
    }

    fn prior(&self) -> Prior {
        match self.params.prior {
            LatentPrior::Normal => Prior::Normal,
            LatentPrior::Uniform => Prior::Uniform,
        }
    }

    /// A conditional GAN decodes to its first class.
    fn decode(&self, z: &Tensor) -> Result<Tensor> {
        self.decode_as(z, &vec![0; z.dim(0)?])
    }

    fn encode(&self, _: &Tensor) -> Result<Option<(Tensor, Tensor)>> {
        Ok(None)
    }
}

impl Discriminate for Gan {
    fn realness(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let mut logits = self.discriminator.judge(xs)?;
        self.params.loss.realness(&mut logits);
        Ok(logits)
    }
}

impl Classes for Gan {
    fn classes(&self) -> usize {
        self.condition.classes()
    }

    fn sample_class(&self, class: usize, n: usize, rng: &mut Rng) -> Result<Tensor> {
        let z = self.prior().draw(n, self.params.latent_dim, rng)?;
        self.decode_as(&z, &vec![class as u32; n])
    }
}
