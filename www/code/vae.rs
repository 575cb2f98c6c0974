//! The variational auto-encoder that Tealight trained, in Rust with candle.
//!
// include parts/head.rs
use std::collections::HashMap;
use std::error::Error;

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module};
use serde_json::Value as Json;

const MODEL: &str = "vae";

fn refuse(file: &File) -> Result<()> {
    match file.text("net")? {
        "mlp" => Ok(()),
        net => Err(format!("net = {net} is not covered here: only the fully connected model (net = mlp) is").into()),
    }
}

/// The encoder x → features → mean and log σ of q(z|x), and the decoder z → p(x|z)'s mean, or its logits.
struct Vae {
    #[allow(dead_code)]
    encoder: Layers,
    #[allow(dead_code)]
    mean: Linear,
    #[allow(dead_code)]
    log_std: Linear,
    decoder: Layers,
    /// σ of the Gaussian decoder.
    sigma: f64,
}

impl Vae {
    fn new(file: &File) -> Result<Self> {
        let (q, classes) = (file.whole("latentDim")?, file.constants("classShares").len());
        let (hidden, activation) = (file.widths(), file.text("activation")?);
        let encoder: Vec<usize> = std::iter::once(file.size() + classes).chain(hidden.iter().copied()).collect();
        let features = encoder[encoder.len() - 1];
        let mut decoder = vec![q + classes];
        decoder.extend(hidden.iter().rev());
        decoder.push(file.size());
        let learned = file.text("decoder")? == "gaussian" && file.text("variance")? == "learned";
        let sigma = match learned {
            true => (0.5 * f64::from(file.tensor("decoder.log_sigma2", &[])?.to_scalar::<f32>()?)).exp(),
            false => file.number("sigma2")?.sqrt(),
        };
        Ok(Self {
            encoder: file.layers("encoder", &encoder, activation, activation)?,
            mean: file.linear("encoder.mean", features, q)?,
            log_std: file.linear("encoder.log_std", features, q)?,
            decoder: file.layers("decoder", &decoder, activation, "linear")?,
            sigma,
        })
    }

    /// The mean and log σ of q(z|x), both (n, latentDim).
    #[allow(dead_code)]
    fn encode(&self, xs: &Tensor) -> Result<(Tensor, Tensor)> {
        let features = self.encoder.forward(xs)?;
        Ok((self.mean.forward(&features)?, self.log_std.forward(&features)?))
    }
}

/// decode(z) with z ~ N(0, I); points with the decoder's noise, images as their means.
fn sample(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    refuse(file)?;
    let vae = Vae::new(file)?;
    let z = rng.normals(n, file.whole("latentDim")?)?;
    let labels = file.draw_classes(n, rng);
    let mean = vae.decoder.forward(&file.beside(&z, &labels)?)?;
    if file.text("decoder")? == "bernoulli" {
        return activation("sigmoid", &mean);
    }
    if file.domain() == "images" {
        return Ok(mean);
    }
    Ok((mean + (rng.normals(n, file.size())? * vae.sigma)?)?)
}

// include parts/common.rs
