//! Drawing from the conditional laws.

use crate::order::falling;
use crate::rng::Rng;

/// How values are drawn from the conditional laws.
pub struct Sampling {
    /// Logits are divided by it.
    pub temperature: f64,
    /// From how many of the likeliest classes; 0 for all.
    pub top_k: usize,
}

impl Sampling {
    /// The class that `u`, uniform on [0, 1), picks from softmax(logits/temperature) over the `top_k` largest.
    pub fn draw(&self, logits: &[f32], u: f64) -> u32 {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        let logit = |class: usize| f64::from(logits.get(class).copied().unwrap_or(f32::NEG_INFINITY));
        if self.top_k > 0 && self.top_k < order.len() {
            let logits: Vec<f64> = order.iter().map(|class| logit(*class)).collect();
            let mut kept = vec![false; logits.len()];
            for class in falling(&logits).into_iter().take(self.top_k) {
                if let Some(kept) = kept.get_mut(class) {
                    *kept = true;
                }
            }
            order.retain(|class| kept.get(*class).copied().unwrap_or(false));
        }
        let top = order.iter().map(|class| logit(*class)).fold(f64::NEG_INFINITY, f64::max);
        let weight = |class: &usize| libm::exp((logit(*class) - top) / self.temperature);
        let weights: Vec<f64> = order.iter().map(weight).collect();
        let mut left = u * weights.iter().sum::<f64>();
        let picked = order.iter().zip(&weights).find(|(_, weight)| {
            left -= *weight;
            left < 0.0
        });
        picked.map(|(class, _)| class).or(order.last()).copied().unwrap_or(0) as u32
    }

    /// A bit with this logit.
    pub fn flip(&self, logit: f32, rng: &mut Rng) -> bool {
        rng.uniform_f64() * (1.0 + libm::exp(-f64::from(logit) / self.temperature)) < 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_temperature_and_the_largest_few() {
        let logits = [1.0_f32, 3.0, 2.0, 3.0].map(|p| p.ln());
        let counts = |temperature: f64, top_k: usize| {
            let (sampling, mut rng) = (Sampling { temperature, top_k }, Rng::stream(1, "test"));
            let mut counts = [0.0; 4];
            for _ in 0..90_000 {
                counts[sampling.draw(&logits, rng.uniform_f64()) as usize] += 1.0 / 90_000.0;
            }
            counts
        };
        let close = |got: [f64; 4], expected: [f64; 4]| {
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01), "{got:?}, not {expected:?}");
        };
        close(counts(1.0, 0), [1.0, 3.0, 2.0, 3.0].map(|p: f64| p / 9.0));
        close(counts(0.5, 0), [1.0, 9.0, 4.0, 9.0].map(|p: f64| p / 23.0));
        close(counts(1.0, 3), [0.0, 3.0, 2.0, 3.0].map(|p: f64| p / 8.0));
        close(counts(1.0, 1), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(Sampling { temperature: 1.0, top_k: 0 }.draw(&[f32::NAN; 3], 0.5), 2);
    }

    #[test]
    fn bits_are_drawn_with_the_probability_of_their_logit() {
        for (logit, temperature, expected) in
            [(0.0, 1.0, 0.5), (1.0, 1.0, 0.731_06), (1.0, 0.5, 0.880_80), (-1e4, 1.0, 0.0), (1e4, 1.0, 1.0)]
        {
            let (sampling, mut rng) = (Sampling { temperature, top_k: 0 }, Rng::stream(1, "test"));
            let share = (0..40_000).filter(|_| sampling.flip(logit, &mut rng)).count() as f64 / 40_000.0;
            assert!((share - expected).abs() < 0.01, "{logit} at {temperature}: {share}, not {expected}");
        }
    }
}
