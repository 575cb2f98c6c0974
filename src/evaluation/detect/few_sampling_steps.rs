//! A sampler that takes too few steps from noise to data.
//!
//! One Euler step of a flow goes to the mean of the data, whatever the flow has learned. Whether more steps help is
//! not guessed: a twin of the session takes four times as many from the same noise.

use candle_core::Tensor;

use super::Finding;
use crate::error::Result;
use crate::evaluation::Evidence;
use crate::metrics::discrepancy::energy_distance;
use crate::params::Value;
use crate::rng::Rng;

/// The setting that says how many steps there are.
const KEY: &str = "samplingSteps";
/// More steps than these are not doubted: the twin would take too long, and the error of so many is small.
const MOST: f64 = 8.0;
/// How many times as many steps the twin takes.
const TIMES: f64 = 4.0;
/// Samples of each kind.
const ROWS: usize = 256;
/// How much nearer to the data the twin's samples must be.
const NEARER: f64 = 3.0;
/// The share of the data's own mean distance that counts as a difference at all.
const SMALLEST: f64 = 0.01;
/// Steps of training before which every sample is far from the data.
const FIRST: u64 = 300;

fn sample(model: &dyn crate::models::Model, n: usize, seed: u32) -> Result<Vec<f32>> {
    let samples: Tensor = model.sample(n, &mut Rng::stream(seed, "sampling steps"))?;
    Ok(samples.flatten_all()?.to_vec1()?)
}

/// The energy distances from the data: of samples as they are, and with [`TIMES`] as many steps.
fn distances(evidence: &Evidence, steps: f64) -> Result<Option<(f64, f64)>> {
    let (session, size) = (evidence.session, evidence.size());
    let n = ROWS.min(evidence.real.len() / size.max(1));
    let real = evidence.real.get(..n * size).unwrap_or_default();
    let seed = session.config().seed;
    let mut twin = session.twin()?;
    twin.set(KEY, &Value::Number(TIMES * steps))?;
    let of = |samples: Vec<f32>| energy_distance(real, &samples, size);
    let now = of(sample(session.model(), n, seed)?);
    let then = of(sample(twin.model(), n, seed)?);
    Ok(now.zip(then))
}

/// Looks for samples that come much nearer to the data with more steps.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    let steps = evidence.number(KEY).filter(|steps| *steps <= MOST)?;
    if evidence.step < FIRST {
        return None;
    }
    let (now, then) = distances(evidence, steps).ok().flatten()?;
    let size = evidence.size();
    let scale = spread(evidence.real, size);
    if now < SMALLEST * scale || now < NEARER * then {
        return None;
    }
    let mut remedy = vec![(KEY, Value::Number(16.0))];
    if evidence.text("solver") == Some("euler") {
        remedy.push(("solver", Value::Text("midpoint".into())));
    }
    Some(Finding {
        id: "fewSamplingSteps",
        values: vec![("steps", steps), ("distance", now), ("more", TIMES * steps), ("distanceMore", then)],
        remedy,
    })
}

/// The root mean square distance of rows from their mean.
fn spread(rows: &[f32], size: usize) -> f64 {
    let n = (rows.len() / size.max(1)).max(1) as f64;
    let columns = (0..size).map(|i| {
        let column = || rows.iter().skip(i).step_by(size).map(|x| f64::from(*x));
        let mean = column().sum::<f64>() / n;
        column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n
    });
    libm::sqrt(columns.sum::<f64>())
}
