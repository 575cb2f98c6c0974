//! The updates of weights, one pass over memory each.

use super::maps::{load_rest, store_rest, update};
use super::simd::F4;

/// A first moment or velocity below it moves no weight any more and becomes 0: of a weight whose gradient stays 0 it
/// would shrink into the subnormal numbers and stay there, and processors take twice the time for those.
const FORGOTTEN: f32 = 1.0 / (1_u128 << 100) as f32;

/// The coefficients of one Adam step, with everything that does not depend on the element worked out.
#[derive(Debug, Clone, Copy)]
pub struct Adam {
    /// β₁ and 1 − β₁.
    pub first: [f32; 2],
    /// β₂ and 1 − β₂.
    pub second: [f32; 2],
    /// ε
    pub eps: f32,
    /// What is kept of the weight: 1 − ηλ.
    pub keep: f32,
    /// η/(1 − β₁ᵗ)
    pub rate: f32,
    /// 1/√(1 − β₂ᵗ)
    pub spread: f32,
    /// What the gradient is multiplied by.
    pub scale: f32,
}

impl Adam {
    /// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², x ← keep·x − rate·m/(√v·spread + ε);
    /// m below 2⁻¹⁰⁰ and subnormal v become 0.
    ///
    /// # Panics
    /// When the four are not equally long.
    pub fn step(&self, xs: &mut [f32], gradient: &[f32], ms: &mut [f32], vs: &mut [f32]) {
        let n = xs.len();
        assert!(gradient.len() == n && ms.len() == n && vs.len() == n);
        let (x_fours, x_rest) = xs.as_chunks_mut::<4>();
        let (g_fours, g_rest) = gradient.as_chunks::<4>();
        let (m_fours, m_rest) = ms.as_chunks_mut::<4>();
        let (v_fours, v_rest) = vs.as_chunks_mut::<4>();
        for (((x, g), m), v) in x_fours.iter_mut().zip(g_fours).zip(m_fours).zip(v_fours) {
            let fours = [F4::from_array(x), F4::from_array(g), F4::from_array(m), F4::from_array(v)];
            let [new_x, new_m, new_v] = self.of(fours);
            new_x.write(x);
            new_m.write(m);
            new_v.write(v);
        }
        if !x_rest.is_empty() {
            let rests = [load_rest(x_rest), load_rest(g_rest), load_rest(m_rest), load_rest(v_rest)];
            let [x, m, v] = self.of(rests);
            store_rest(x, x_rest);
            store_rest(m, m_rest);
            store_rest(v, v_rest);
        }
    }

    #[inline(always)]
    fn of(&self, [x, g, m, v]: [F4; 4]) -> [F4; 3] {
        let c = F4::splat;
        let g = g * c(self.scale);
        let m = without_traces(c(self.first[0]) * m + c(self.first[1]) * g);
        let v = c(self.second[0]) * v + c(self.second[1]) * (g * g);
        let v = v.below(c(f32::MIN_POSITIVE)).clear(v);
        let change = c(self.rate) * m / (v.sqrt() * c(self.spread) + c(self.eps));
        [c(self.keep) * x - change, m, v]
    }
}

/// 0 in place of what is forgotten.
#[inline(always)]
fn without_traces(x: F4) -> F4 {
    x.abs().below(F4::splat(FORGOTTEN)).clear(x)
}

/// v ← momentum·v + scale·g, x ← x − rate·v; v below 2⁻¹⁰⁰ becomes 0.
///
/// # Panics
/// When the three are not equally long.
pub fn sgd(xs: &mut [f32], gradient: &[f32], velocity: &mut [f32], momentum: f32, rate: f32, scale: f32) {
    let (momentum, rate, scale) = (F4::splat(momentum), F4::splat(rate), F4::splat(scale));
    update(gradient, gradient, velocity, |g, _, v| without_traces(momentum * v + g * scale));
    update(velocity, velocity, xs, |v, _, x| x - rate * v);
}

/// e ← decay·e + rest·x.
///
/// # Panics
/// When the two are not equally long.
pub fn average(averages: &mut [f32], xs: &[f32], decay: f32, rest: f32) {
    let (decay, rest) = (F4::splat(decay), F4::splat(rest));
    update(xs, xs, averages, |x, _, e| decay * e + rest * x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moments_of_a_weight_without_gradient_end_at_0_and_leave_it_where_it_is() {
        let adam = Adam {
            first: [0.9, 0.1],
            second: [0.9, 0.1],
            eps: 1e-8,
            keep: 1.0,
            rate: 1e-3,
            spread: 1.0,
            scale: 1.0,
        };
        let (mut xs, mut ms, mut vs) = ([1.0; 7], [-0.5; 7], [0.5; 7]);
        let mut velocity = [-0.5; 7];
        for _ in 0..1000 {
            adam.step(&mut xs, &[0.0; 7], &mut ms, &mut vs);
            sgd(&mut [1.0; 7], &[0.0; 7], &mut velocity, 0.9, 0.1, 1.0);
            let subnormal = |x: &f32| x.is_subnormal();
            assert!(!ms.iter().chain(&vs).chain(&velocity).any(subnormal));
        }
        assert_eq!((ms, vs, velocity), ([0.0; 7], [0.0; 7], [0.0; 7]));
        let before = xs;
        adam.step(&mut xs, &[0.0; 7], &mut ms, &mut vs);
        assert_eq!(xs, before);
    }

    #[test]
    fn what_is_not_a_number_is_not_forgotten() {
        let mut velocity = [0.0; 5];
        sgd(&mut [1.0; 5], &[f32::NAN, 1.0, -1e-20, 0.0, f32::INFINITY], &mut velocity, 0.9, 0.1, 1.0);
        assert!(velocity[0].is_nan());
        assert_eq!(velocity[1..], [1.0, -1e-20, 0.0, f32::INFINITY]);
    }
}
