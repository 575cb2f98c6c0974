//! The gallery of failures: experiments that fail on purpose, each with the detector that names the failure.

use crate::config::Config;
use crate::error::Result;

/// An experiment that fails.
#[derive(Debug, Clone, Copy)]
pub struct Exhibit {
    /// Its id.
    pub id: &'static str,
    /// The data set's id.
    pub dataset: &'static str,
    /// The model's id.
    pub model: &'static str,
    /// Settings that are not at their default, in the notation of links.
    pub settings: &'static [(&'static str, &'static str)],
    /// Steps until the failure shows.
    pub steps: u64,
    /// The id of the detector that fires.
    pub finding: &'static str,
    /// Steps after the remedy until the detector is silent, counted from the remedy or, where that makes the run
    /// begin again, from its beginning.
    pub remedy_steps: u64,
}

impl Exhibit {
    /// The whole configuration.
    ///
    /// # Errors
    /// A setting that does not exist, or a value that is not allowed: a mistake in the list.
    pub fn config(&self) -> Result<Config> {
        let mut config = Config::new(self.dataset, self.model)?;
        for (key, text) in self.settings {
            config.set_text(key, text)?;
        }
        Ok(config)
    }
}

const fn exhibit(
    id: &'static str,
    [dataset, model]: [&'static str; 2],
    settings: &'static [(&'static str, &'static str)],
    steps: u64,
    finding: &'static str,
    remedy_steps: u64,
) -> Exhibit {
    Exhibit { id, dataset, model, settings, steps, finding, remedy_steps }
}

/// Every exhibit, in the order of the page.
pub const ALL: &[Exhibit] = &[
    // The discriminator learns at 2e-4, the generator at 1e-3: it never catches it. The modes are so narrow that to
    // cover them is not yet to hit them: at equal rates a third of the samples does after 2,000 steps.
    exhibit(
        "ganCollapse",
        ["ring", "gan"],
        &[("noise", "0.02"), ("learningRateD", "0.0002")],
        1000,
        "modeCollapse",
        2000,
    ),
    // The Dirac-GAN (Mescheder et al. 2018, https://arxiv.org/abs/1801.04406) in the plane: data that are nearly one
    // point, a generator that shifts, a discriminator that is a slope. Momentum undoes the damping by the samples'
    // own spread (Gidel et al. 2019, https://arxiv.org/abs/1807.04740).
    exhibit(
        "ganOscillation",
        ["ring", "gan"],
        &[
            ("modes", "1"),
            ("noise", "0.05"),
            ("networkShape", ""),
            ("networkShapeD", ""),
            ("optimizer", "sgd"),
            ("momentum", "0.8"),
            // Narrower than the normal law: the spread of the samples damps the turning, too.
            ("prior", "uniform"),
            ("learningRateG", "0.03"),
            ("learningRateD", "0.03"),
        ],
        600,
        "oscillation",
        300,
    ),
    // Plain gradient descent: Adam divides a faint gradient by its own size, so that it would still move.
    exhibit(
        "vanishingGradient",
        ["pinwheel", "gan"],
        &[
            ("loss", "minMax"),
            ("discriminatorSteps", "10"),
            ("optimizer", "sgd"),
            ("learningRateD", "0.1"),
            ("batchSize", "64"),
        ],
        200,
        "vanishingGradient",
        500,
    ),
    exhibit("posteriorCollapse", ["digits", "vae"], &[("beta", "20")], 600, "posteriorCollapse", 600),
    // A variance of 0.45 for pixels whose own is below 0.1.
    exhibit(
        "blurredVae",
        ["digits", "vae"],
        &[("decoder", "gaussian"), ("variance", "fixed"), ("sigma2", "0.45")],
        1000,
        "overSmoothing",
        1500,
    ),
    exhibit(
        "oneStepEuler",
        ["ring", "flow-matching"],
        &[("solver", "euler"), ("samplingSteps", "1")],
        1000,
        "fewSamplingSteps",
        0,
    ),
    exhibit("realNvpFilaments", ["ring", "flow"], &[("transform", "affine")], 1500, "filaments", 1500),
    exhibit("splineTail", ["ring", "flow"], &[("tailBound", "1")], 500, "tailBound", 500),
    // Chains with half of the noise and no correction: they see the valleys alone, and the density is that of T = ¼.
    exhibit(
        "ebmDensity",
        ["ring", "ebm"],
        &[("langevinCorrection", "none"), ("langevinStepSize", "0.01"), ("langevinNoise", "0.5")],
        500,
        "wrongDensity",
        500,
    ),
    exhibit(
        "memorisingKde",
        ["moons", "kde"],
        &[("samples", "1000"), ("bandwidthRule", "fixed"), ("bandwidth", "0.005")],
        1,
        "memorisation",
        30,
    ),
];
