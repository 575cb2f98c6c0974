//! The normaliser of a restricted Boltzmann machine, exactly.

use crate::nn::kernels::bits::sum_softplus;
use crate::nn::kernels::gemm::{Start, View, product};

/// Most units on the side that is summed over: 65,536 states.
pub const MOST: usize = 16;
/// How many states are taken at once.
const STRETCH: usize = 1024;

/// log Σ_s exp(a·s) Πⱼ (1 + e^(o + s·W)ⱼ), the sum being over all bits s, in nats.
///
/// # Shapes
/// W (bits, others), a (bits), o (others)
pub fn log_partition(weights: View, own: &[f32], other: &[f32]) -> f64 {
    let bits = own.len();
    let all = 1_usize << bits.min(MOST);
    let mut log_z = f64::NEG_INFINITY;
    let mut start = 0;
    while start < all {
        let n = STRETCH.min(all - start);
        let states: Vec<f32> =
            (start..start + n).flat_map(|s| (0..bits).map(move |i| (s >> i & 1) as f32)).collect();
        let mut logits = vec![0.0; n * other.len()];
        product(View::new(&states, n, bits), weights, &mut logits, Start::Row(other), f32::NEG_INFINITY);
        for (state, logits) in states.chunks_exact(bits.max(1)).zip(logits.chunks_exact(other.len().max(1))) {
            let linear: f64 = state.iter().zip(own).map(|(s, a)| f64::from(s * a)).sum();
            log_z = log_add(log_z, linear + sum_softplus(logits, 0.0, logits));
        }
        start += n;
    }
    log_z
}

/// log (eᵃ + eᵇ)
fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + libm::log1p(libm::exp(low - high)) }
}
