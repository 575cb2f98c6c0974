//! The seeded generator: xoshiro128++ (Blackman & Vigna 2021, <https://prng.di.unimi.it>), the same bits everywhere.
//!
//! There is one stream per purpose (initial weights, batches, noise, evaluation), so that drawing more
//! of one never shifts another.
//! Transcendental functions come from `libm` or from our own kernels, not from the platform, so that native
//! and wasm agree.

use crate::simd::F4;
use crate::vmath::{ln, sin_cos_turns};

/// A portable, seedable, snapshotable random number generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng {
    state: [u32; 4],
}

impl Rng {
    /// The stream `label` of the experiment with this seed.
    pub fn stream(seed: u32, label: &str) -> Self {
        // FNV-1a keeps the labels apart; splitmix64 spreads the sum over the state.
        let hash = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut mix = hash ^ u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = || {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let (a, b) = (next(), next());
        // All-zero is the one state that xoshiro cannot leave.
        Self { state: [a as u32 | 1, (a >> 32) as u32, b as u32, (b >> 32) as u32] }
    }

    /// The state, for a snapshot.
    pub fn state(&self) -> [u32; 4] {
        self.state
    }

    /// A generator that goes on from a snapshot's state; an all-zero state (never written by us) is refused.
    pub fn from_state(state: [u32; 4]) -> Option<Self> {
        (state != [0; 4]).then_some(Self { state })
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        let s = &mut self.state;
        let out = s[0].wrapping_add(s[3]).rotate_left(7).wrapping_add(s[0]);
        let t = s[1] << 9;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(11);
        out
    }

    /// Uniform on [0, 1), 24 bits.
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform on [0, 1), 53 bits.
    pub fn uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.next_u32() >> 5);
        let low = u64::from(self.next_u32() >> 6);
        ((high << 26) | low) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform on 0..n, without bias (Lemire 2019, <https://arxiv.org/abs/1805.10941>); 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(n);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// One standard normal draw in double precision (Box–Muller, cosine half).
    pub fn normal_f64(&mut self) -> f64 {
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform_f64()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform_f64())
    }

    /// Fills `out` with standard normal draws (Box–Muller, both halves, eight values at a time).
    ///
    /// The first values do not depend on how many are asked for, but the state afterwards does:
    /// two draws of 32 bits are used for every pair begun.
    pub fn fill_normal(&mut self, out: &mut [f32]) {
        for block in out.chunks_mut(8) {
            let (mut first, mut second) = ([0.0; 4], [0.0; 4]);
            for pair in 0..block.len().div_ceil(2) {
                // 1 − u lies in (0, 1], so the logarithm is finite.
                first[pair] = 1.0 - self.uniform();
                second[pair] = self.uniform();
            }
            let logarithm = ln(F4::from_array(&first).at_least(F4::splat(f32::MIN_POSITIVE)));
            let radius = (logarithm * F4::splat(-2.0)).sqrt();
            let (sin, cos) = sin_cos_turns(F4::from_array(&second));
            let pairs = (radius * cos).to_array().into_iter().zip((radius * sin).to_array());
            for (slots, (even, odd)) in block.chunks_mut(2).zip(pairs) {
                for (slot, value) in slots.iter_mut().zip([even, odd]) {
                    *slot = value;
                }
            }
        }
    }

    /// Fills `out` with draws uniform on [low, high).
    pub fn fill_uniform(&mut self, out: &mut [f32], low: f32, high: f32) {
        for slot in out {
            *slot = low + (high - low) * self.uniform();
        }
    }

    /// A vector of `n` standard normal draws.
    pub fn normals(&mut self, n: usize) -> Vec<f32> {
        let mut out = vec![0.0; n];
        self.fill_normal(&mut out);
        out
    }

    /// A random order of 0..n (Fisher–Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i as u32 + 1) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_update_gives_the_reference_sequence() {
        // The authors' C program, state 1, 2, 3, 4: the sequence that rand_xoshiro also tests.
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let expected = [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768];
        for value in expected {
            assert_eq!(rng.next_u32(), value);
        }
    }

    #[test]
    fn normal_moments_and_streams() {
        let mut rng = Rng::stream(7, "noise");
        let xs = rng.normals(200_001);
        let n = xs.len() as f64;
        let moment = |p: i32| xs.iter().map(|x| f64::from(*x).powi(p)).sum::<f64>() / n;
        assert!(moment(1).abs() < 0.01);
        assert!((moment(2) - 1.0).abs() < 0.02);
        assert!((moment(4) - 3.0).abs() < 0.1);
        assert_ne!(Rng::stream(7, "noise"), Rng::stream(7, "batch"));
        assert_ne!(Rng::stream(7, "noise"), Rng::stream(8, "noise"));
    }

    #[test]
    fn bulk_draws_are_the_transform_of_their_bits() {
        for n in (0..20).chain([1000]) {
            let (mut rng, mut bits) = (Rng::stream(9, "noise"), Rng::stream(9, "noise"));
            let xs = rng.normals(n);
            for pair in xs.chunks(2) {
                let radius = (-2.0 * (1.0 - f64::from(bits.uniform())).ln()).sqrt();
                let angle = std::f64::consts::TAU * f64::from(bits.uniform());
                for (x, exact) in pair.iter().zip([radius * angle.cos(), radius * angle.sin()]) {
                    assert!((f64::from(*x) - exact).abs() < 2e-6, "{x} should be {exact}");
                }
            }
            assert_eq!(rng, bits);
        }
        let mut uniform = vec![0.0; 10_000];
        Rng::stream(9, "noise").fill_uniform(&mut uniform, -2.0, 6.0);
        assert!(uniform.iter().all(|x| (-2.0..6.0).contains(x)));
        let mean = uniform.iter().map(|x| f64::from(*x)).sum::<f64>() / 10_000.0;
        assert!((mean - 2.0).abs() < 0.1);
    }

    #[test]
    fn below_is_uniform_and_permutations_are_complete() {
        let mut rng = Rng::stream(1, "batch");
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[rng.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|c| (9_500..10_500).contains(c)), "{counts:?}");
        let mut order = rng.permutation(1000);
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
        assert_eq!(rng.below(0), 0);
    }
}
