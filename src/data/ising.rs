//! The Ising model on a torus: exact samples for all practical purposes, and its exact law.
//!
//! E(s) = −Σ s_i s_j over neighbours, p(s) = e^{−βE(s)} / Z, spins ±1.

use std::f64::consts::PI;

use super::LogDensity;
use crate::rng::Rng;

/// The inverse temperature from which on one colour prevails: ln(1 + √2) / 2.
#[cfg(test)]
pub const CRITICAL: f64 = 0.440_686_793_509_772;

/// A Markov chain whose every state is a sample.
///
/// Sweeps are those of Swendsen & Wang 1987 (<https://doi.org/10.1103/PhysRevLett.58.86>): neighbours that are alike are
/// tied with probability 1 − e^{−2β}, and everything that hangs together is turned at once, which forgets the past in
/// a few sweeps at any temperature.
pub struct Chain {
    side: usize,
    /// The probability of a tie, of 2³².
    tie: u64,
    spins: Vec<bool>,
    /// The way to each cluster's first site.
    parents: Vec<u32>,
}

impl Chain {
    /// A chain that has forgotten where it began.
    pub fn new(side: usize, beta: f64, rng: &mut Rng) -> Self {
        let tie = ((1.0 - libm::exp(-2.0 * beta)) * 4_294_967_296.0) as u64;
        let spins = (0..side * side).map(|_| rng.below(2) == 0).collect();
        let mut chain = Self { side, tie, spins, parents: Vec::new() };
        chain.sweep(100, rng);
        chain
    }

    /// Takes so many sweeps.
    pub fn sweep(&mut self, sweeps: usize, rng: &mut Rng) {
        let (n, sites) = (self.side, self.side * self.side);
        for _ in 0..sweeps {
            self.parents.clear();
            self.parents.extend(0..sites as u32);
            for i in 0..sites {
                let right = if (i + 1).is_multiple_of(n) { i + 1 - n } else { i + 1 };
                let below = if i + n < sites { i + n } else { i + n - sites };
                for j in [right, below] {
                    if self.spins.get(i) == self.spins.get(j) && u64::from(rng.next_u32()) < self.tie {
                        self.join(i as u32, j as u32);
                    }
                }
            }
            // A cluster's first site comes first and is turned or not; the others follow it.
            for i in 0..sites {
                let root = self.root(i as u32) as usize;
                let spin = if root == i {
                    rng.next_u32() >> 31 == 1
                } else {
                    self.spins.get(root).copied().unwrap_or_default()
                };
                if let Some(slot) = self.spins.get_mut(i) {
                    *slot = spin;
                }
            }
        }
    }

    fn parent(&self, i: u32) -> u32 {
        self.parents.get(i as usize).copied().unwrap_or(i)
    }

    fn root(&mut self, mut i: u32) -> u32 {
        while self.parent(i) != i {
            // Every second step of the way is left out for the next time.
            let next = self.parent(self.parent(i));
            if let Some(slot) = self.parents.get_mut(i as usize) {
                *slot = next;
            }
            i = next;
        }
        i
    }

    fn join(&mut self, i: u32, j: u32) {
        let (a, b) = (self.root(i), self.root(j));
        if let Some(slot) = self.parents.get_mut(a.max(b) as usize) {
            *slot = a.min(b);
        }
    }

    /// Writes the state: 1 for up, 0 for down.
    pub fn show(&self, pixels: &mut [f32]) {
        for (pixel, spin) in pixels.iter_mut().zip(&self.spins) {
            *pixel = f32::from(u8::from(*spin));
        }
    }
}

/// log Z of an n × n torus (Kaufman 1949, <https://doi.org/10.1103/PhysRev.76.1232>).
pub fn log_partition(n: usize, beta: f64) -> f64 {
    let (n, sites) = (n as f64, (n * n) as f64);
    if beta <= 0.0 {
        return sites * std::f64::consts::LN_2;
    }
    // e^{−2β} gives all hyperbolic functions of β.
    let decay = libm::exp(-2.0 * beta);
    let log_tanh = libm::log((1.0 - decay) / (1.0 + decay));
    let square = decay * decay;
    let gamma = |l: f64| {
        if l == 0.0 {
            // The one that changes its sign at the critical point.
            return 2.0 * beta + log_tanh;
        }
        // cosh 2β coth 2β − cos(lπ/n), and its inverse hyperbolic cosine.
        let cosh = 0.5 * (1.0 + square) * (1.0 + square) / (decay * (1.0 - square)) - libm::cos(l * PI / n);
        libm::log(cosh + ((cosh - 1.0) * (cosh + 1.0)).sqrt())
    };
    // ln(2 cosh x) and ln|2 sinh x| for x of any size.
    let cosh = |x: f64| x.abs() + libm::log1p(libm::exp(-2.0 * x.abs()));
    let sinh = |x: f64| x.abs() + libm::log(1.0 - libm::exp(-2.0 * x.abs()));
    let mut logs = [0.0; 4];
    let mut r = 0.0;
    while r < n {
        let (odd, even) = (0.5 * n * gamma(2.0 * r + 1.0), 0.5 * n * gamma(2.0 * r));
        for (log, term) in logs.iter_mut().zip([cosh(odd), sinh(odd), cosh(even), sinh(even)]) {
            *log += term;
        }
        r += 1.0;
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let [a, b, c, d] = logs.map(|log| libm::exp(log - most));
    let sum = a + b + c + d * gamma(0.0).signum();
    let log_sinh = 2.0 * beta + libm::log(1.0 - square);
    0.5 * sites * log_sinh + most + libm::log(0.5 * sum)
}

/// The law of images whose white pixels are spins up.
pub struct Law {
    side: usize,
    beta: f64,
    log_z: f64,
}

impl Law {
    /// The law on a torus of this side.
    pub fn new(side: usize, beta: f64) -> Self {
        Self { side, beta, log_z: log_partition(side, beta) }
    }
}

impl LogDensity for Law {
    fn log_prob(&self, x: &[f64]) -> f64 {
        let n = self.side;
        if x.len() != n * n || x.iter().any(|x| *x != 0.0 && *x != 1.0) {
            return f64::NEG_INFINITY;
        }
        let below = x.iter().cycle().skip(n);
        let down = x.iter().zip(below).filter(|(a, b)| a == b).count();
        let rows = x.chunks_exact(n);
        let across: usize =
            rows.map(|row| row.iter().zip(row.iter().cycle().skip(1)).filter(|(a, b)| a == b).count()).sum();
        // Pairs that are alike, less those that are not.
        let bonds = 2.0 * (down + across) as f64 - 2.0 * (n * n) as f64;
        self.beta * bonds - self.log_z
    }

    fn entropy(&self) -> Option<f64> {
        // H = log Z + β E, and E = −∂ log Z / ∂β; the difference's error is far below what a score resolves.
        let h = 1e-4;
        let (low, high) = ((self.beta - h).max(0.0), self.beta + h);
        let slope = (log_partition(self.side, high) - log_partition(self.side, low)) / (high - low);
        Some(self.log_z - self.beta * slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `h_mrf_langevin.py`: sums over all states, `L=…, periodic=True`: (side, β, ln Z, energy a spin, entropy).
    const EXACT: &[(usize, f64, f64, f64, f64)] = &[
        (3, 0.2, 6.669744604314108, -0.5380991112078457, 5.701166204139985),
        (3, 0.4, 8.456456373638876, -1.4621224180923411, 3.1928156685064435),
        (3, 0.4406868, 9.020213495060549, -1.6112464025432034, 2.6297183047260697),
        (3, 0.6, 11.587695013445401, -1.9065580110706688, 1.2922817536637936),
        (3, 1.0, 18.69632005771564, -1.9971087312812499, 0.7223414761843853),
        (4, 0.2, 11.771470358541581, -0.4561353695428466, 10.311837176004477),
        (4, 0.4, 14.561093023844045, -1.3791164822593571, 5.734747537384205),
        (4, 0.4406868, 15.521915621335381, -1.565623813814677, 4.4827196451146385),
        (4, 0.6, 20.056532884346808, -1.908069527831041, 1.7390654171685933),
        (4, 1.0, 32.698721401879325, -1.99715844025575, 0.744186357787051),
    ];

    #[test]
    fn the_partition_function_is_the_sum_over_all_states() {
        for &(side, beta, log_z, _, entropy) in EXACT {
            assert!(
                (log_partition(side, beta) - log_z).abs() < 1e-9,
                "{side} {beta}: {}",
                log_partition(side, beta)
            );
            let found = Law::new(side, beta).entropy().unwrap();
            assert!((found - entropy).abs() < 1e-5, "{side} {beta}: {found}, not {entropy}");
        }
        assert_eq!(log_partition(4, 0.0), 16.0 * std::f64::consts::LN_2);
        // The free energy of the endless lattice at the critical point: ln √2 + 2G/π, G Catalan's constant.
        let endless = 0.5 * std::f64::consts::LN_2 + 2.0 * 0.915_965_594_177_219 / PI;
        assert!((log_partition(64, CRITICAL) / 4096.0 - endless).abs() < 2e-4);
    }

    #[test]
    fn probabilities_add_up_to_one() {
        let law = Law::new(3, 0.4);
        let states = (0..512_u32).map(|s| (0..9).map(|i| f64::from(s >> i & 1)).collect::<Vec<_>>());
        let mass: f64 = states.map(|x| law.log_prob(&x).exp()).sum();
        assert!((mass - 1.0).abs() < 1e-9, "{mass}");
        assert_eq!(law.log_prob(&[0.5; 9]), f64::NEG_INFINITY);
        assert_eq!(law.log_prob(&[1.0; 8]), f64::NEG_INFINITY);
    }

    #[test]
    fn samples_have_the_energy_of_the_law() {
        for &(side, beta, _, energy, _) in EXACT {
            let mut rng = Rng::stream(5, "test");
            let (mut chain, law) = (Chain::new(side, beta, &mut rng), Law::new(side, beta));
            let sites = side * side;
            let mut pixels = vec![0.0; sites];
            let energies: Vec<f64> = (0..20_000)
                .map(|_| {
                    chain.sweep(2, &mut rng);
                    chain.show(&mut pixels);
                    let x: Vec<f64> = pixels.iter().map(|x| f64::from(*x)).collect();
                    -(law.log_prob(&x) + law.log_z) / beta / sites as f64
                })
                .collect();
            let mean = energies.iter().sum::<f64>() / 20_000.0;
            let spread = energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 20_000.0;
            // Neighbouring states hang together a little.
            let allowed = 6.0 * (spread / 20_000.0).sqrt();
            assert!((mean - energy).abs() < allowed, "{side} {beta}: {mean}, not {energy} ± {allowed}");
        }
    }
}
