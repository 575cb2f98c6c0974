//! How the learning rate changes over a run.

choices! {
    /// The factor on the learning rate over the horizon.
    pub enum Decay {
        /// Always 1.
        Constant = "constant",
        /// A straight line from 1 to 0.
        Linear = "linear",
        /// Half a cosine from 1 to 0 (Loshchilov & Hutter 2017, <https://arxiv.org/abs/1608.03983>).
        Cosine = "cosine",
    }
}

use crate::choices;

impl Decay {
    /// The factor at `step`, in [0, 1]; 0 at and after `horizon`, unless the rate is constant.
    pub fn factor(self, step: u64, horizon: u64) -> f64 {
        // A horizon of 0 is reached at once.
        let t = if step >= horizon { 1.0 } else { step as f64 / horizon as f64 };
        match self {
            Self::Constant => 1.0,
            Self::Linear => 1.0 - t,
            Self::Cosine => 0.5 * (1.0 + libm::cos(std::f64::consts::PI * t)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_pass_through_their_known_points() {
        assert_eq!(Decay::Constant.factor(99, 10), 1.0);
        for (decay, quarter) in [(Decay::Linear, 0.75), (Decay::Cosine, 0.853_553_390_593_273_8)] {
            assert_eq!(decay.factor(0, 1000), 1.0);
            assert!((decay.factor(250, 1000) - quarter).abs() < 1e-12);
            assert!((decay.factor(500, 1000) - 0.5).abs() < 1e-12);
            assert_eq!(decay.factor(1000, 1000), 0.0);
            assert_eq!(decay.factor(2000, 1000), 0.0);
            assert_eq!(decay.factor(0, 0), 0.0);
        }
    }
}
