//! Potts variables on a grid: p(s) ∝ exp(Σᵢ u(sᵢ) + Σ_⟨ij⟩ C_d [sᵢ = sⱼ]), a coupling for each direction d.
//!
//! Many configurations are taken at once, site after site: (sites, n) states below q.

use super::maps::{map_in_place, zip};
use super::vmath::exp;
use crate::rng::Rng;

/// Below this, a probability counts as this much when its logarithm is taken.
const LEAST: f32 = 1e-30;

/// A grid, and which sites are neighbours.
#[derive(Debug, Clone)]
pub struct Lattice {
    height: usize,
    width: usize,
    /// Rows down and columns to the right that lead to the neighbour, for each direction.
    directions: &'static [(usize, isize)],
    /// (direction, neighbour), both ways, for each site.
    neighbours: Vec<Vec<(usize, usize)>>,
    /// The sites colour after colour: no two of one colour are neighbours, but where an odd side is closed.
    order: Vec<usize>,
}

/// Right and down.
pub const FOUR: &[(usize, isize)] = &[(0, 1), (1, 0)];
/// Right, down, and the two diagonals downwards.
pub const EIGHT: &[(usize, isize)] = &[(0, 1), (1, 0), (1, 1), (1, -1)];

/// What the neighbours' states favour.
#[derive(Debug, Clone, PartialEq)]
pub struct Potentials {
    /// C, one for each direction.
    pub couplings: Vec<f64>,
    /// u, one for each state.
    pub field: Vec<f64>,
}

impl Lattice {
    /// A grid; with `closed`, what leaves it on one side enters it on the other.
    pub fn new(height: usize, width: usize, directions: &'static [(usize, isize)], closed: bool) -> Self {
        let mut neighbours = vec![Vec::new(); height * width];
        for site in 0..height * width {
            let (row, column) = (site / width, site % width);
            for (direction, (down, right)) in directions.iter().enumerate() {
                let (there, across) = (row + down, column as isize + right);
                let inside = there < height && (0..width as isize).contains(&across);
                if !(inside || closed) {
                    continue;
                }
                let other = there % height * width + across.rem_euclid(width as isize) as usize;
                if other == site {
                    continue;
                }
                for (from, to) in [(site, other), (other, site)] {
                    if let Some(list) = neighbours.get_mut(from) {
                        list.push((direction, to));
                    }
                }
            }
        }
        let colour = |site: usize| match (site / width % 2, site % width % 2) {
            (0, 0) => 0,
            (1, 1) => 1,
            (0, _) => 2,
            _ => 3,
        };
        let sites = |wanted: usize| (0..height * width).filter(move |site| colour(*site) == wanted);
        let order = (0..4).flat_map(sites).collect();
        Self { height, width, directions, neighbours, order }
    }

    /// How many sites there are.
    pub fn sites(&self) -> usize {
        self.height * self.width
    }

    /// How many pairs of neighbours there are in each direction.
    pub fn bonds(&self) -> Vec<usize> {
        let mut counts = vec![0; self.directions.len()];
        for (direction, _) in self.neighbours.iter().flatten() {
            if let Some(count) = counts.get_mut(*direction) {
                *count += 1;
            }
        }
        counts.into_iter().map(|count| count / 2).collect()
    }

    /// The probability of each state of a site given its neighbours: (q, n).
    fn conditionals(&self, at: &Potentials, states: &[u8], n: usize, site: usize, out: &mut [f32]) {
        for (row, u) in out.chunks_exact_mut(n).zip(&at.field) {
            row.fill(*u as f32);
        }
        for (direction, other) in self.neighbours.get(site).map_or(&[][..], Vec::as_slice) {
            let coupling = at.couplings.get(*direction).map_or(0.0, |c| *c as f32);
            let theirs = states.get(other * n..(other + 1) * n).unwrap_or_default();
            for (i, state) in theirs.iter().enumerate() {
                if let Some(logit) = out.get_mut(usize::from(*state) * n + i) {
                    *logit += coupling;
                }
            }
        }
        let mut top = vec![f32::NEG_INFINITY; n];
        for row in out.chunks_exact(n) {
            for (top, x) in top.iter_mut().zip(row) {
                *top = if *x > *top { *x } else { *top };
            }
        }
        let mut total = vec![0.0_f32; n];
        for row in out.chunks_exact_mut(n) {
            for (x, top) in row.iter_mut().zip(&top) {
                *x -= top;
            }
            map_in_place(row, exp);
            for (sum, x) in total.iter_mut().zip(row) {
                *sum += *x;
            }
        }
        let mut quotient = vec![0.0; n];
        for row in out.chunks_exact_mut(n) {
            zip(row, &total, &mut quotient, |x, total| x / total);
            row.copy_from_slice(&quotient);
        }
    }

    /// One Gibbs sweep over all sites of `n` configurations: (sites, n).
    #[inline(never)]
    pub fn sweep(&self, at: &Potentials, states: &mut [u8], n: usize, rng: &mut Rng) {
        let mut chances = vec![0.0; at.field.len() * n];
        for &site in &self.order {
            self.conditionals(at, states, n, site, &mut chances);
            for (i, state) in states.iter_mut().skip(site * n).take(n).enumerate() {
                let mut left = rng.uniform();
                let mut chosen = 0;
                for (a, chance) in chances.iter().skip(i).step_by(n).enumerate() {
                    // The last state that has any chance takes what rounding leaves over.
                    if *chance > 0.0 {
                        chosen = a;
                        left -= chance;
                        if left < 0.0 {
                            break;
                        }
                    }
                }
                *state = chosen as u8;
            }
        }
    }

    /// log p(sᵢ | all others) of each site of `n` configurations: (sites, n) → (sites, n).
    pub fn conditional_logs(&self, at: &Potentials, states: &[u8], n: usize) -> Vec<f32> {
        let mut chances = vec![0.0; at.field.len() * n];
        let mut logs = Vec::with_capacity(states.len());
        for (site, own) in states.chunks_exact(n.max(1)).enumerate() {
            self.conditionals(at, states, n, site, &mut chances);
            let chance = |(i, state): (usize, &u8)| chances.get(usize::from(*state) * n + i).copied();
            logs.extend(own.iter().enumerate().map(|own| libm::logf(chance(own).unwrap_or(0.0).max(LEAST))));
        }
        logs
    }

    /// −Σ w Σᵢ log p(sᵢ | all others) of `n` configurations with weights w, and its gradient.
    ///
    /// # Shapes
    /// states (sites, n), weights (n)
    #[inline(never)]
    pub fn pseudo_likelihood(&self, at: &Potentials, states: &[u8], weights: &[f32]) -> (f64, Potentials) {
        let n = weights.len().max(1);
        let mut chances = vec![0.0; at.field.len() * n];
        let mut gradient =
            Potentials { couplings: vec![0.0; at.couplings.len()], field: vec![0.0; at.field.len()] };
        let mut loss = 0.0;
        for (site, own) in states.chunks_exact(n).enumerate() {
            self.conditionals(at, states, n, site, &mut chances);
            for ((i, state), w) in own.iter().enumerate().zip(weights) {
                let chance = chances.get_mut(usize::from(*state) * n + i);
                if let Some(chance) = chance {
                    loss -= f64::from(*w) * f64::from(libm::logf(chance.max(LEAST)));
                    // From here on: p − [this is the state].
                    *chance -= 1.0;
                }
            }
            for (sum, row) in gradient.field.iter_mut().zip(chances.chunks_exact(n)) {
                *sum += row.iter().zip(weights).map(|(p, w)| f64::from(p * w)).sum::<f64>();
            }
            for (direction, other) in self.neighbours.get(site).map_or(&[][..], Vec::as_slice) {
                let theirs = states.get(other * n..(other + 1) * n).unwrap_or_default();
                let slopes = theirs.iter().enumerate().zip(weights).map(|((i, state), w)| {
                    f64::from(chances.get(usize::from(*state) * n + i).copied().unwrap_or(0.0) * w)
                });
                if let Some(sum) = gradient.couplings.get_mut(*direction) {
                    *sum += slopes.sum::<f64>();
                }
            }
        }
        (loss, gradient)
    }

    /// Σᵢ u(sᵢ) + Σ C [sᵢ = sⱼ] of `n` configurations: (sites, n) → n.
    pub fn log_weight(&self, at: &Potentials, states: &[u8], n: usize) -> Vec<f64> {
        let mut out = vec![0.0; n];
        for (site, own) in states.chunks_exact(n.max(1)).enumerate() {
            for (sum, state) in out.iter_mut().zip(own) {
                *sum += at.field.get(usize::from(*state)).copied().unwrap_or(0.0);
            }
            // Every pair once.
            let later = self.neighbours.get(site).map_or(&[][..], Vec::as_slice).iter();
            for (direction, other) in later.filter(|(_, other)| *other > site) {
                let coupling = at.couplings.get(*direction).copied().unwrap_or(0.0);
                let theirs = states.get(other * n..(other + 1) * n).unwrap_or_default();
                for ((sum, a), b) in out.iter_mut().zip(own).zip(theirs) {
                    *sum += if a == b { coupling } else { 0.0 };
                }
            }
        }
        out
    }

    /// log Σ over all configurations, in nats, of an open grid, site after site: what matters of the past are the
    /// states of the last width + 1 sites. Nothing where these are more than `most`.
    #[inline(never)]
    pub fn log_partition_open(&self, at: &Potentials, most: usize) -> Option<f64> {
        let q = at.field.len();
        // The digits of an index are the states of the sites before, the latest first.
        let digits = u32::try_from(self.width + 1).ok()?;
        let all = q.checked_pow(digits).filter(|all| *all <= most)?;
        let rest = all / q.max(1);
        let mut before = vec![0.0; all];
        *before.first_mut()? = 1.0;
        let mut after = vec![0.0; all];
        let mut log_z = 0.0;
        for site in 0..self.sites() {
            // For each neighbour that comes before: its digit, as a divisor, and e^C.
            let earlier: Vec<(usize, f64)> = self
                .neighbours
                .get(site)?
                .iter()
                .filter(|(_, other)| *other < site)
                .filter_map(|(direction, other)| {
                    let divisor = q.checked_pow(u32::try_from(site - other - 1).ok()?)?;
                    Some((divisor, libm::exp(*at.couplings.get(*direction)?)))
                })
                .collect();
            after.fill(0.0);
            for (index, weight) in before.iter().enumerate() {
                for (state, u) in at.field.iter().enumerate() {
                    let mut factor = *weight * libm::exp(*u);
                    for (divisor, favour) in &earlier {
                        if index / divisor % q == state {
                            factor *= favour;
                        }
                    }
                    if let Some(slot) = after.get_mut(state + q * (index % rest)) {
                        *slot += factor;
                    }
                }
            }
            let top = after.iter().copied().fold(0.0, f64::max);
            log_z += libm::log(top);
            for (slot, x) in before.iter_mut().zip(&after) {
                *slot = x / top;
            }
        }
        Some(log_z + libm::log(before.iter().sum()))
    }

    /// log Σ over all configurations, in nats, by adding them up; nothing where they are more than `most`.
    #[inline(never)]
    pub fn log_partition_all(&self, at: &Potentials, most: usize) -> Option<f64> {
        let q = at.field.len();
        let all = q.checked_pow(u32::try_from(self.sites()).ok()?).filter(|all| *all <= most)?;
        let mut states = Vec::with_capacity(all * self.sites());
        let mut divisor = 1;
        for _ in 0..self.sites() {
            states.extend((0..all).map(|index| (index / divisor % q) as u8));
            divisor *= q;
        }
        let logs = self.log_weight(at, &states, all);
        super::mixture::log_sum_exp(&logs, all).first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_after_site_gives_the_sum_over_all() {
        let at = Potentials { couplings: vec![0.3, -0.2, 0.5, 0.1], field: vec![0.1, -0.4, 0.2] };
        for (height, width) in [(3, 3), (2, 4), (4, 2), (5, 1), (1, 6)] {
            for directions in [FOUR, EIGHT] {
                let lattice = Lattice::new(height, width, directions, false);
                let all = lattice.log_partition_all(&at, 1 << 17).unwrap();
                let open = lattice.log_partition_open(&at, 1 << 17).unwrap();
                assert!((all - open).abs() < 1e-9, "{height} × {width}: {open}, not {all}");
            }
        }
        let lattice = Lattice::new(8, 30, FOUR, false);
        assert_eq!((lattice.log_partition_all(&at, 99), lattice.log_partition_open(&at, 99)), (None, None));
    }

    #[test]
    fn neighbours_and_colours_are_those_of_a_checkerboard() {
        let lattice = Lattice::new(4, 4, FOUR, true);
        assert_eq!(lattice.bonds(), [16, 16]);
        assert!(lattice.neighbours.iter().all(|list| list.len() == 4));
        let even = |site: &usize| (site / 4 + site % 4).is_multiple_of(2);
        assert!(lattice.order[..8].iter().all(even) && !lattice.order[8..].iter().any(even));
        assert_eq!(Lattice::new(3, 5, EIGHT, false).bonds(), [12, 10, 8, 8]);
    }

    #[test]
    fn the_slopes_of_the_pseudo_likelihood_match_differences() {
        let lattice = Lattice::new(3, 4, EIGHT, false);
        let mut rng = Rng::stream(6, "test");
        let states: Vec<u8> = (0..12 * 7).map(|_| rng.below(3) as u8).collect();
        let weights: Vec<f32> = (0..7).map(|i| 0.5 + 0.1 * i as f32).collect();
        let at = Potentials { couplings: vec![0.3, -0.2, 0.5, 0.1], field: vec![0.1, -0.4, 0.2] };
        let (_, gradient) = lattice.pseudo_likelihood(&at, &states, &weights);
        let slope = |change: &dyn Fn(&mut Potentials, f64)| {
            let value = |h: f64| {
                let mut at = at.clone();
                change(&mut at, h);
                lattice.pseudo_likelihood(&at, &states, &weights).0
            };
            (value(0.01) - value(-0.01)) / 0.02
        };
        for (i, expected) in gradient.couplings.iter().enumerate() {
            assert!((slope(&|at, h| at.couplings[i] += h) - expected).abs() < 2e-3);
        }
        for (a, expected) in gradient.field.iter().enumerate() {
            assert!((slope(&|at, h| at.field[a] += h) - expected).abs() < 2e-3);
        }
    }
}
