//! A generator that makes only some of what there is.

use super::{Finding, highest};
use crate::data::Domain;
use crate::evaluation::Evidence;
use crate::nn::Decay;
use crate::params::{Choice, Kind, Value};

/// Regions that data without known modes are divided into, as bins for counting (Richardson & Weiss 2018,
/// <https://arxiv.org/abs/1805.12462>).
const REGIONS: usize = 16;
/// Passes of k-means that find them.
const PASSES: usize = 8;
/// A generator that reaches no more than this share of the regions has collapsed.
///
/// True samples reach all; half is far from both the noise of counting and a generator that still learns.
const REACHED: f64 = 0.5;
/// Steps before which a generator has not begun: it starts at one place, whatever the data.
const FIRST: u64 = 300;
/// The same for images.
const FIRST_OF_IMAGES: u64 = 1000;
/// How many times as fast as the generator the discriminator learns that leads (two rates: Heusel et al. 2017,
/// <https://arxiv.org/abs/1706.08500>).
const LEAD: f64 = 5.0;
/// The step at which the rates have fallen to 0: a pair at constant rates never sits still on narrow modes.
const SETTLED: f64 = 2000.0;
/// The widths of the generator's hidden layers.
const LAYERS: &str = "networkShape";

fn squared(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

fn nearest(row: &[f32], centres: &[Vec<f32>]) -> usize {
    let distances = centres.iter().map(|centre| squared(row, centre)).enumerate();
    distances.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(i, _)| i)
}

/// The centres of at most `k` regions of these rows, by k-means from evenly spaced rows.
pub fn regions(rows: &[f32], size: usize, k: usize) -> Vec<Vec<f32>> {
    let n = rows.len() / size.max(1);
    let k = k.min(n);
    let mut centres: Vec<Vec<f32>> =
        rows.chunks_exact(size.max(1)).step_by(n.div_ceil(k.max(1)).max(1)).map(<[f32]>::to_vec).collect();
    for _ in 0..PASSES {
        let mut sums = vec![(vec![0.0_f32; size], 0.0_f32); centres.len()];
        for row in rows.chunks_exact(size.max(1)) {
            if let Some((sum, count)) = sums.get_mut(nearest(row, &centres)) {
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
                *count += 1.0;
            }
        }
        for (centre, (sum, count)) in centres.iter_mut().zip(sums) {
            if count > 0.0 {
                *centre = sum.into_iter().map(|x| x / count).collect();
            }
        }
    }
    centres
}

/// How many of the centres the rows are spread over: e to the entropy of the shares that are nearest to each.
pub fn reached(rows: &[f32], size: usize, centres: &[Vec<f32>]) -> f64 {
    let mut counts = vec![0.0_f64; centres.len()];
    for row in rows.chunks_exact(size.max(1)) {
        if let Some(count) = counts.get_mut(nearest(row, centres)) {
            *count += 1.0;
        }
    }
    let n = counts.iter().sum::<f64>().max(1.0);
    let shares = counts.iter().map(|count| count / n).filter(|share| *share > 0.0);
    libm::exp(-shares.map(|share| share * libm::log(share)).sum::<f64>())
}

/// Looks for a generator that reaches half of the modes or fewer, counting how evenly; of images, half of the labels,
/// because pixels tell more of how sharp images are than of what they show.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    if !evidence.can("discriminator") || evidence.step < FIRST {
        return None;
    }
    let (size, data) = (evidence.size(), evidence.session.data());
    let (made, there) = if data.shape.domain == Domain::Images {
        let labels = evidence.value("labels").filter(|_| evidence.step >= FIRST_OF_IMAGES)?;
        (labels, evidence.optimum("labels")?)
    } else {
        let centres = match &data.modes {
            Some(modes) => modes.centres.iter().map(|centre| centre.map(|x| x as f32).to_vec()).collect(),
            None => regions(evidence.real, size, REGIONS),
        };
        (reached(evidence.samples, size, &centres), reached(evidence.real, size, &centres))
    };
    if there < 2.0 || made > REACHED * there {
        return None;
    }
    let values = vec![("reached", made), ("real", there)];
    Some(Finding { id: "modeCollapse", values, remedy: remedy(evidence) })
}

/// A discriminator that is slower than the generator only ever chases it, and so leads from now on; of images, both at
/// one rate, which is what was measured there. Otherwise a discriminator that sees several samples at once sees that
/// they are all alike (PacGAN).
fn remedy(evidence: &Evidence) -> Vec<(&'static str, Value)> {
    let number = |key: &str| evidence.number(key).unwrap_or(0.0);
    let (rate_g, rate_d) = (number("learningRateG"), number("learningRateD"));
    if rate_d >= rate_g {
        return vec![("pack", Value::Number((number("pack") + 1.0).clamp(2.0, 4.0)))];
    }
    if evidence.session.data().shape.domain == Domain::Images {
        return vec![("learningRateD", Value::Number(rate_g))];
    }
    let fastest = highest(evidence, "learningRateD").unwrap_or(rate_g);
    let mut settings = vec![("learningRateD", Value::Number((LEAD * rate_g).min(fastest)))];
    if let Some(deeper) = deeper(evidence) {
        // The run begins again: only then is it known when the rates will have fallen.
        settings.push(deeper);
        settings.push(("decay", Value::Text(Decay::Linear.id().into())));
        settings.push(("decaySteps", Value::Number(SETTLED)));
    }
    settings
}

/// The generator with each hidden layer twice, as far as it goes; nothing where that is no deeper.
///
/// A continuous generator makes what lies between the modes, too, and less of it the more steeply it can rise there
/// (Khayatkhoei et al. 2018, <https://arxiv.org/abs/1806.00880>; Tanielian et al. 2020,
/// <https://arxiv.org/abs/2006.04596>): on narrow modes two layers leave every fourth sample there, four every
/// fifteenth.
fn deeper(evidence: &Evidence) -> Option<(&'static str, Value)> {
    let spec = (evidence.session.config().model.specs)().into_iter().find(|spec| spec.key == LAYERS)?;
    let (Kind::Widths { layers, .. }, Some(Value::Widths(widths))) = (spec.kind, evidence.setting(LAYERS))
    else {
        return None;
    };
    let twice: Vec<_> = widths.iter().flat_map(|width| [*width; 2]).take(layers).collect();
    (twice.len() > widths.len()).then_some((LAYERS, Value::Widths(twice)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenly_spread_rows_reach_every_region_and_one_place_reaches_one() {
        let rows: Vec<f32> =
            (0..400).flat_map(|i| [(i / 100) as f32 * 10.0 + (i % 7) as f32 * 0.1, 0.0]).collect();
        let centres = regions(&rows, 2, 4);
        assert_eq!(centres.len(), 4);
        assert!((reached(&rows, 2, &centres) - 4.0).abs() < 1e-9);
        assert!((reached(&[10.0, 0.0].repeat(50), 2, &centres) - 1.0).abs() < 1e-9);
        assert!(regions(&[], 2, 4).is_empty());
    }
}
