//! Gaussian arms, twisted round the centre.
//!
//! Arm k is N(r, (0.3 r)²) along and N(0, σ²) across, turned by 2πk/K + twist · exp(ρ/r), where ρ is the distance from
//! the centre. Johnson et al. 2016 (<https://arxiv.org/abs/1603.06277>) twist by the coordinate along the arm
//! instead of by the distance; the two differ by b²/2a at the place (a, b). Turning by an angle that depends on the
//! distance alone preserves area, so that ours has an exact density: that of the arms before they were twisted.

use std::f64::consts::TAU;
use std::sync::{Arc, OnceLock};

use super::density::{finite_pair, log_normal, log_sum_exp};
use super::{Data, Entry, LogDensity, Shape, points};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};

params! {
    /// Settings of the pinwheel.
    pub struct Settings {
        /// How many arms there are.
        arms("arms"): usize = 5, integer(2, 9), Restart;
        /// The distance of the arms' middles from the centre.
        radius("radius"): f64 = 2.0, linear(0.5, 4.0), Restart;
        /// How much farther the arms are turned the farther out they are.
        twist("twist"): f64 = 0.25, linear(0.0, 1.0), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units: half of an arm's width.
        noise("noise"): f64 = 0.2, log(0.01, 1.0), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The pinwheel, as the catalogue lists it.
pub const ENTRY: Entry = Entry {
    id: "pinwheel",
    shape: Shape::points(2),
    classes: 5,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

/// The standard deviation along an arm, as a share of the radius.
const ALONG: f64 = 0.3;

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { arms, radius, twist, noise, samples } = Settings::from_values(values)?;
    let wheel = Arc::new(Wheel { arms, radius, twist, sigma: noise, entropy: OnceLock::new() });
    // What lies beyond the third standard deviation along an arm may lie beyond the margin, too.
    let reach = libm::hypot((1.0 + 3.0 * ALONG) * radius, 3.5 * noise);
    Ok(Data {
        density: Some(wheel.clone()),
        ..points::sampled(samples, seed, arms, points::square([0.0; 2], reach, 0.0), |rng| {
            let arm = rng.below(arms as u32);
            let along = radius + ALONG * radius * rng.normal_f64();
            let point = [along, noise * rng.normal_f64()];
            (wheel.turned(point, f64::from(arm), 1.0), arm)
        })
    })
}

struct Wheel {
    arms: usize,
    radius: f64,
    twist: f64,
    sigma: f64,
    entropy: OnceLock<f64>,
}

impl Wheel {
    /// The place where `point` of arm 0 is in arm `arm`, or with `sign` −1 the way back.
    fn turned(&self, [a, b]: [f64; 2], arm: f64, sign: f64) -> [f64; 2] {
        // Beyond eight radii the twist stays what it is there, so that the exponential stays small.
        let distance = (libm::hypot(a, b) / self.radius).min(8.0);
        let angle = TAU * arm / self.arms as f64 + self.twist * libm::exp(distance);
        let (sin, cos) = libm::sincos(sign * angle);
        [a * cos + b * sin, b * cos - a * sin]
    }

    /// log p at a place given in the coordinates of arm 0, untwisted.
    fn log_prob_untwisted(&self, [a, b]: [f64; 2]) -> f64 {
        let arm = |k: usize| {
            let (sin, cos) = libm::sincos(TAU * k as f64 / self.arms as f64);
            let along = log_normal(a * cos + b * sin - self.radius, ALONG * self.radius);
            along + log_normal(b * cos - a * sin, self.sigma)
        };
        log_sum_exp((0..self.arms).map(arm)) - libm::log(self.arms as f64)
    }

    /// −E log p over arm 0, which is as good as any other, by the midpoint rule out to 7 standard deviations.
    fn quadrature(&self) -> f64 {
        let (along, across) = (ALONG * self.radius, self.sigma);
        // Where arms meet, log p changes as fast as the thinner direction of an arm in either coordinate.
        let step = 0.25 * along.min(across);
        let cells = |sigma: f64| (14.0 * sigma / step) as usize + 1;
        let (n, m) = (cells(along), cells(across));
        let at = |i: usize, n: usize| 14.0 * ((i as f64 + 0.5) / n as f64 - 0.5);
        let gauss = |z: f64| libm::exp(log_normal(z, 1.0));
        let mut sum = 0.0;
        for i in 0..n {
            let z = at(i, n);
            for j in 0..m {
                let w = at(j, m);
                let place = [self.radius + along * z, across * w];
                sum -= gauss(z) * gauss(w) * self.log_prob_untwisted(place);
            }
        }
        sum * (14.0 / n as f64) * (14.0 / m as f64)
    }
}

impl LogDensity for Wheel {
    fn log_prob(&self, x: &[f64]) -> f64 {
        match finite_pair(x) {
            Some(place) => self.log_prob_untwisted(self.turned(place, 0.0, -1.0)),
            None => f64::NEG_INFINITY,
        }
    }

    fn entropy(&self) -> Option<f64> {
        Some(*self.entropy.get_or_init(|| self.quadrature()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_back_undoes_turning() {
        let wheel = Wheel { arms: 5, radius: 2.0, twist: 0.25, sigma: 0.2, entropy: OnceLock::new() };
        for place in [[2.0, 0.1], [0.01, -0.3], [-5.0, 7.0], [1e6, 1e-6], [0.0, 0.0]] {
            for arm in 0..5 {
                let there = wheel.turned(place, f64::from(arm), 1.0);
                let back = wheel.turned(there, f64::from(arm), -1.0);
                for (x, y) in place.iter().zip(back) {
                    assert!((x - y).abs() <= 1e-9 * libm::hypot(place[0], place[1]), "{place:?} {back:?}");
                }
            }
        }
    }

    #[test]
    fn two_straight_arms_far_apart_have_the_entropy_of_their_gaussians() {
        let wheel = Wheel { arms: 2, radius: 2.0, twist: 1.0, sigma: 0.1, entropy: OnceLock::new() };
        // ln K + ln(2πe · 0.6 · 0.1), less what the arms' overlap at the centre (3.3 σ away) takes.
        let apart = 2.0_f64.ln() + (TAU * std::f64::consts::E * 0.6 * 0.1).ln();
        let entropy = wheel.entropy().unwrap();
        assert!(entropy < apart && entropy > apart - 2e-3, "{entropy} {apart}");
    }
}
