//! The plain twins: the same mathematics in candle's own differentiable operations, in any float type.
//! The tests hold the fused operations against them; they are also the shortest statement of what each does.

use crate::error::Result;
use crate::nn::Activation;
use candle_core::Tensor;

/// √(2/π), of GELU.
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
/// The cubic coefficient of GELU.
const GELU_CUBIC: f64 = 0.044_715;

/// 1 where x > 0, else 0: a constant to the gradient.
fn step(xs: &Tensor) -> Result<Tensor> {
    Ok(xs.gt(&xs.zeros_like()?)?.to_dtype(xs.dtype())?)
}

fn sigmoid(xs: &Tensor) -> Result<Tensor> {
    Ok(candle_nn::ops::sigmoid(xs)?)
}

/// The argument of GELU's tanh.
fn gelu_inner(xs: &Tensor) -> Result<Tensor> {
    Ok(((xs + (xs.sqr()? * xs)?.affine(GELU_CUBIC, 0.0)?)? * GELU_SCALE)?)
}

/// Twin of [`super::activate`].
pub fn activate(xs: &Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => (xs * step(xs)?)?,
        Activation::LeakyRelu => (xs * step(xs)?.affine(0.8, 0.2)?)?,
        Activation::Tanh => xs.tanh()?,
        Activation::Silu => (xs * sigmoid(xs)?)?,
        Activation::Gelu => (xs * gelu_inner(xs)?.tanh()?.affine(0.5, 0.5)?)?,
        Activation::Elu => xs.elu(1.0)?,
        // max(x, 0) + ln(1 + e^−|x|), with |x| = x·(2·step − 1)
        Activation::Softplus => {
            let exponential = (xs * step(xs)?.affine(-2.0, 1.0)?)?.exp()?;
            ((xs * step(xs)?)? + (exponential + 1.0)?.log()?)?
        }
        Activation::Sigmoid => sigmoid(xs)?,
        Activation::Identity => xs.clone(),
    })
}

/// Twin of [`super::activate_derivative`].
pub fn activate_derivative(xs: &Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => step(xs)?,
        Activation::LeakyRelu => step(xs)?.affine(0.8, 0.2)?,
        Activation::Tanh => xs.tanh()?.sqr()?.affine(-1.0, 1.0)?,
        Activation::Silu => {
            let sigmoid = sigmoid(xs)?;
            // σ·(1 + x·(1 − σ))
            (&sigmoid * ((xs * sigmoid.affine(-1.0, 1.0)?)? + 1.0)?)?
        }
        Activation::Gelu => {
            let tanh = gelu_inner(xs)?.tanh()?;
            let inner_slope = xs.sqr()?.affine(3.0 * GELU_CUBIC * GELU_SCALE, GELU_SCALE)?;
            let tanh_slope = (tanh.sqr()?.affine(-1.0, 1.0)? * inner_slope)?;
            (tanh.affine(0.5, 0.5)? + (xs * tanh_slope)?.affine(0.5, 0.0)?)?
        }
        // exp of what is below 0
        Activation::Elu => (xs * step(xs)?.affine(-1.0, 1.0)?)?.exp()?,
        Activation::Softplus => sigmoid(xs)?,
        Activation::Sigmoid => {
            let sigmoid = sigmoid(xs)?;
            (&sigmoid * sigmoid.affine(-1.0, 1.0)?)?
        }
        Activation::Identity => xs.ones_like()?,
    })
}

/// x·Wᵀ + b.
///
/// # Shapes
/// xs (n, inputs), weight (outputs, inputs), bias (outputs) → (n, outputs)
pub fn linear(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let product = xs.matmul(&weight.t()?)?;
    Ok(match bias {
        Some(bias) => product.broadcast_add(bias)?,
        None => product,
    })
}

/// The mean over the batch of sums over the features.
fn batch_mean(xs: &Tensor) -> Result<Tensor> {
    let n = xs.dim(0)?.max(1) as f64;
    Ok((xs.sum_all()? / n)?)
}

/// Twin of [`super::bce_with_logits`].
pub fn bce_with_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    batch_mean(&(activate(logits, Activation::Softplus)? - (logits * targets.detach())?)?)
}

/// Twin of [`super::squared_error`].
pub fn squared_error(xs: &Tensor, ys: &Tensor) -> Result<Tensor> {
    batch_mean(&(xs - ys)?.sqr()?)
}

/// Twin of [`super::gaussian_kl`].
pub fn gaussian_kl(mean: &Tensor, log_std: &Tensor) -> Result<Tensor> {
    let variance = (log_std * 2.0)?.exp()?;
    batch_mean(&((((variance + mean.sqr()?)? - 1.0)? * 0.5)? - log_std)?)
}

/// Twin of [`super::gaussian_sample`].
pub fn gaussian_sample(mean: &Tensor, log_std: &Tensor, eps: &Tensor) -> Result<Tensor> {
    Ok((mean + (log_std.exp()? * eps.detach())?)?)
}

/// A bias for each channel of (n, channels, height, width).
fn add_channels(xs: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    Ok(match bias {
        // (channels), or (n, channels)
        Some(bias) => xs.broadcast_add(&bias.reshape(((), xs.dim(1)?, 1, 1))?)?,
        None => xs.clone(),
    })
}

/// Twin of [`super::conv2d`], without the activation.
pub fn conv2d(
    xs: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    padding: usize,
) -> Result<Tensor> {
    add_channels(&xs.conv2d(weight, padding, stride, 1, 1)?, bias)
}

/// Twin of [`super::conv_transpose2d`], without the activation.
pub fn conv_transpose2d(
    xs: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    padding: usize,
    output_padding: usize,
) -> Result<Tensor> {
    add_channels(&xs.conv_transpose2d(weight, padding, output_padding, stride, 1)?, bias)
}

/// Twin of [`super::upsample_nearest2d`].
pub fn upsample_nearest2d(xs: &Tensor, factor: usize) -> Result<Tensor> {
    let (n, channels, height, width) = xs.dims4()?;
    let blocks = xs.reshape((n * channels, height, 1, width, 1))?;
    let blocks = blocks.broadcast_as((n * channels, height, factor, width, factor))?;
    Ok(blocks.reshape((n, channels, factor * height, factor * width))?)
}

/// Blocks of `size` × `size` points, each in a row.
fn blocks(xs: &Tensor, size: usize) -> Result<Tensor> {
    let (n, channels, height, width) = xs.dims4()?;
    let (rows, columns) = (height / size, width / size);
    let whole = xs.narrow(2, 0, rows * size)?.narrow(3, 0, columns * size)?.contiguous()?;
    let blocks = whole.reshape((n * channels, rows, size, columns, size))?.transpose(2, 3)?;
    Ok(blocks.reshape((n, channels, rows, columns, size * size))?)
}

/// Twin of [`super::avg_pool2d`].
pub fn avg_pool2d(xs: &Tensor, size: usize) -> Result<Tensor> {
    Ok(blocks(xs, size)?.mean(4)?)
}

/// Twin of [`super::max_pool2d`], for blocks without equals.
pub fn max_pool2d(xs: &Tensor, size: usize) -> Result<Tensor> {
    Ok(blocks(xs, size)?.max(4)?)
}
