//! The objectives of the adversarial game, as functions of the discriminator's logits.
//!
//! `real` and `fake` are the logits (critic values) a = D(x) and b = D(G(z)), any shape; sp is softplus.
//!
//! | loss | discriminator minimises | generator minimises | both at p_g = p_data |
//! |---|---|---|---|
//! | min-max (Goodfellow et al. 2014) | E sp(−a) + E sp(b) | −E sp(b) | ln 4, −ln 2 |
//! | non-saturating (same paper) | E sp(−a) + E sp(b) | E sp(−b) | ln 4, ln 2 |
//! | least squares (Mao et al. 2017) | ½ E(a−1)² + ½ E b² | ½ E(b−1)² | ¼, ⅛ |
//! | hinge (Lim & Ye 2017) | E relu(1−a) + E relu(1+b) | −E b | 2, 0 |
//! | Wasserstein (Arjovsky et al. 2017) | E b − E a | −E b | 0, – |

use candle_core::Tensor;

use crate::choices;
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::ops::softplus;

choices! {
    /// The game's objective.
    pub enum GanLoss {
        /// The generator minimises log(1 − D(G(z))): the article's min-max game.
        MinMax = "minMax",
        /// The generator minimises −log D(G(z)).
        NonSaturating = "nonSaturating",
        /// Squares instead of logarithms.
        LeastSquares = "leastSquares",
        /// Margins instead of logarithms.
        Hinge = "hinge",
        /// A critic with clipped weights.
        Wgan = "wgan",
        /// A critic whose gradient's norm is held near 1.
        WganGp = "wganGp",
    }
}

impl GanLoss {
    /// What the discriminator minimises, a scalar.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn discriminator(self, real: &Tensor, fake: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::MinMax | Self::NonSaturating => {
                (softplus(&real.neg()?)?.mean_all()? + softplus(fake)?.mean_all()?)?
            }
            Self::LeastSquares => (((real - 1.0)?.sqr()?.mean_all()? + fake.sqr()?.mean_all()?)? * 0.5)?,
            Self::Hinge => {
                {
                    // The library's own relu has a comparison in its gradient, which the package leaves out.
                    let relu = |xs: Tensor| Activation::Relu.forward(&xs);
                    (relu(real.affine(-1.0, 1.0)?)?.mean_all()? + relu((fake + 1.0)?)?.mean_all()?)?
                }
            }
            Self::Wgan | Self::WganGp => (fake.mean_all()? - real.mean_all()?)?,
        })
    }

    /// What the generator minimises, a scalar.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn generator(self, fake: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::MinMax => softplus(fake)?.mean_all()?.neg()?,
            Self::NonSaturating => softplus(&fake.neg()?)?.mean_all()?,
            Self::LeastSquares => ((fake - 1.0)?.sqr()?.mean_all()? * 0.5)?,
            Self::Hinge | Self::Wgan | Self::WganGp => fake.mean_all()?.neg()?,
        })
    }

    /// The values of both losses where generator and data agree and the discriminator is optimal:
    /// (id, value, loss).
    pub fn references(self) -> Vec<(&'static str, f64, &'static str)> {
        let ln_2 = std::f64::consts::LN_2;
        match self {
            Self::MinMax => vec![("log4", 2.0 * ln_2, "discriminator"), ("minusLog2", -ln_2, "generator")],
            Self::NonSaturating => vec![("log4", 2.0 * ln_2, "discriminator"), ("log2", ln_2, "generator")],
            Self::LeastSquares => vec![("quarter", 0.25, "discriminator"), ("eighth", 0.125, "generator")],
            Self::Hinge => vec![("two", 2.0, "discriminator")],
            Self::Wgan | Self::WganGp => vec![("zero", 0.0, "discriminator")],
        }
    }

    /// Turns logits into −1..=1, 0 being undecided.
    ///
    /// A critic has no fixed zero: the mean of the values given stands in, in units of their spread.
    pub fn realness(self, logits: &mut [f32]) {
        match self {
            Self::MinMax | Self::NonSaturating => logits.iter_mut().for_each(|a| *a = (*a / 2.0).tanh()),
            Self::LeastSquares => logits.iter_mut().for_each(|a| *a = (2.0 * *a - 1.0).clamp(-1.0, 1.0)),
            Self::Hinge => logits.iter_mut().for_each(|a| *a = a.clamp(-1.0, 1.0)),
            Self::Wgan | Self::WganGp => {
                let n = logits.len().max(1) as f32;
                let middle = logits.iter().sum::<f32>() / n;
                let spread = (logits.iter().map(|a| (a - middle).powi(2)).sum::<f32>() / n).sqrt().max(1e-12);
                logits.iter_mut().for_each(|a| *a = ((*a - middle) / (2.0 * spread)).clamp(-1.0, 1.0));
            }
        }
    }
}
