//! Between the data's units and those of the flow: about zero, about one.

use candle_core::Tensor;

use crate::data::{Data, Domain};
use crate::error::Result;
use crate::models::matrix;
use crate::nn::kernels::coupling::logit;
use crate::nn::kernels::distances::sort;
use crate::rng::Rng;

/// The share of the unit interval that is kept off at either end before the logit, which is infinite there.
const MARGIN: f32 = 0.05;
/// The most grey levels that are told apart; data with more are taken as continuous and cut into these.
const MOST_LEVELS: f32 = 256.0;

/// The first and last step of a flow, which is not trained: (x − mean)/deviation of each coordinate.
///
/// Images of L grey levels are made continuous before that: v = x·(L − 1) + u with u ~ U(0, 1) lies in [0, L), and
/// y = logit(0.05 + 0.9·v/L) on the whole line. Densities are those of v, so that the mean of log p(v) over u never
/// exceeds log P(x) of the discrete image (Theis et al. 2016, <https://arxiv.org/abs/1511.01844>).
#[derive(Debug, Clone)]
pub(super) struct Units {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    /// Σ −ln deviation, and for images the logit's constant part.
    log_det: f32,
    /// The number of grey levels of images.
    levels: Option<f32>,
}

impl Units {
    /// The units of the training rows.
    pub fn new(data: &Data, seed: u32) -> Self {
        let d = data.shape.size();
        let levels = (data.shape.domain == Domain::Images).then(|| levels(&data.train.xs));
        let blank = Self { mean: vec![0.0; d], deviation: vec![1.0; d], log_det: 0.0, levels };
        let mut rng = Rng::stream(seed, "dequantise");
        let whole = data.train.xs.len() / d * d;
        let mut xs = data.train.xs.get(..whole).unwrap_or_default().to_vec();
        if levels.is_some() {
            for row in xs.chunks_exact_mut(d) {
                blank.dequantise(row, Some(&mut rng));
            }
        }
        let n = (whole / d).max(1) as f64;
        let (mut sums, mut squares) = (vec![0.0_f64; d], vec![0.0_f64; d]);
        for (i, x) in xs.iter().enumerate() {
            if let Some(sum) = sums.get_mut(i % d) {
                *sum += f64::from(*x) / n;
            }
        }
        for (i, x) in xs.iter().enumerate() {
            if let (Some(square), Some(mean)) = (squares.get_mut(i % d), sums.get(i % d)) {
                let off = f64::from(*x) - mean;
                *square += off * off / n;
            }
        }
        // A coordinate that never changes keeps its scale.
        let deviation: Vec<f64> = squares.iter().map(|v| if *v > 1e-12 { v.sqrt() } else { 1.0 }).collect();
        let logit =
            levels.map_or(0.0, |levels| d as f64 * libm::log(f64::from((1.0 - 2.0 * MARGIN) / levels)));
        let log_det = logit - deviation.iter().map(|s| libm::log(*s)).sum::<f64>();
        Self {
            mean: sums.iter().map(|x| *x as f32).collect(),
            deviation: deviation.iter().map(|x| *x as f32).collect(),
            log_det: log_det as f32,
            levels,
        }
    }

    /// The numbers that [`Units::leave`] needs.
    pub fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        vec![
            ("mean", self.mean.clone()),
            ("deviation", self.deviation.clone()),
            ("levels", self.levels.into_iter().collect()),
        ]
    }

    /// The number of coordinates.
    pub fn size(&self) -> usize {
        self.mean.len()
    }

    /// Grey values to the line; with u = ½ where there is no randomness. Returns the log-determinant's part.
    fn dequantise(&self, row: &mut [f32], mut rng: Option<&mut Rng>) -> f32 {
        let Some(levels) = self.levels else { return 0.0 };
        for x in row.iter_mut() {
            let u = rng.as_deref_mut().map_or(0.5, Rng::uniform);
            // Data between two levels are taken to the nearest.
            let v = (x.clamp(0.0, 1.0) * (levels - 1.0)).round() + u;
            *x = MARGIN + (1.0 - 2.0 * MARGIN) * v / levels;
        }
        logit(row)
    }

    /// (n, d) data to a state, (n, d + 1).
    pub fn enter(&self, xs: &Tensor, mut rng: Option<&mut Rng>) -> Result<Tensor> {
        let (n, d) = xs.dims2()?;
        let mut values = Vec::with_capacity(n * (d + 1));
        for mut row in xs.to_vec2::<f32>()? {
            let log_det = self.log_det + self.dequantise(&mut row, rng.as_deref_mut());
            let standardised = row.iter().zip(&self.mean).zip(&self.deviation).map(|((x, m), s)| (x - m) / s);
            values.extend(standardised);
            values.push(log_det);
        }
        matrix(values, n, d + 1)
    }

    /// A state, (n, d + 1), to (n, d) data; grey values are rounded down to their level.
    pub fn leave(&self, state: &Tensor) -> Result<Tensor> {
        let (n, d) = (state.dim(0)?, self.size());
        let mut values = Vec::with_capacity(n * d);
        for row in state.to_vec2::<f32>()? {
            let scaled = row.iter().zip(&self.mean).zip(&self.deviation).map(|((y, m), s)| m + y * s);
            values.extend(scaled.map(|y| match self.levels {
                None => y,
                Some(levels) => {
                    let p = 1.0 / (1.0 + libm::expf(-y));
                    let v = (p - MARGIN) / (1.0 - 2.0 * MARGIN) * levels;
                    v.floor().clamp(0.0, levels - 1.0) / (levels - 1.0)
                }
            }));
        }
        matrix(values, n, d)
    }
}

/// How many grey levels these values in 0..=1 have: from the least distance between two that differ.
fn levels(xs: &[f32]) -> f32 {
    let mut sorted: Vec<f64> = xs.iter().copied().map(f64::from).collect();
    sort(&mut sorted);
    let gaps = sorted.iter().zip(sorted.iter().skip(1)).map(|(a, b)| *b as f32 - *a as f32);
    let least = gaps.filter(|gap| *gap > 1e-6).fold(1.0, f32::min);
    ((1.0 / least).round() + 1.0).clamp(2.0, MOST_LEVELS)
}
