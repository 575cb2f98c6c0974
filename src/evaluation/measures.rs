//! Scores of rows alone, whoever made them: the same for a model's samples and for fresh real rows.

use super::likelihood::kernel_loss;
use super::sample::Sample;
use super::yardstick::Yardstick;
use crate::data::{Data, Domain};
use crate::metrics::classifier::{label_coverage, label_shares};
use crate::metrics::discrepancy::{energy_distance, mmd2};
use crate::metrics::frechet::frechet_distance;
use crate::metrics::grid::grid_js;
use crate::metrics::modes::mode_coverage;
use crate::metrics::neighbours::among;
use crate::metrics::sequences::word_shares;
use crate::metrics::sliced::Projections;
use crate::metrics::two_sample::nearest_neighbour_accuracy;

/// Cells along each side of the grid of the Jensen–Shannon divergence.
const CELLS: usize = 30;

/// Scores by their ids.
pub type Values = Vec<(&'static str, f64)>;

/// Scores that come out of one computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Modes covered, high-quality share, spread.
    Modes,
    /// The sliced Wasserstein distance.
    Sliced,
    /// The maximum mean discrepancy.
    Mmd,
    /// The energy distance.
    Energy,
    /// The Jensen–Shannon divergence on a grid.
    Grid,
    /// Precision, recall, density, coverage.
    Neighbours,
    /// The two-sample test.
    TwoSample,
    /// How the classifier labels images.
    Labels,
    /// The Fréchet distance of features.
    Frechet,
    /// Unique, novel and valid words.
    Words,
    /// The held-out loss of a kernel density estimate on the rows.
    Kernels,
}

impl Measure {
    /// Those of a data set; with the kernels for a model without a density.
    pub fn of(data: &Data, has_density: bool) -> Vec<Self> {
        let points = data.shape.domain == Domain::Points;
        let images = data.shape.domain == Domain::Images;
        let plane = data.shape.is_plane();
        [
            (Self::Kernels, points && !has_density),
            (Self::Modes, plane && data.modes.is_some()),
            (Self::Sliced, plane),
            (Self::Mmd, points),
            (Self::Energy, points),
            (Self::Grid, plane),
            (Self::Neighbours, points || images),
            (Self::TwoSample, points),
            (Self::Labels, images && data.topic.is_some()),
            (Self::Frechet, images),
            (Self::Words, data.shape.domain == Domain::Sequences),
        ]
        .into_iter()
        .filter_map(|(measure, applies)| applies.then_some(measure))
        .collect()
    }
}

/// The scores of (n, size) rows; none that cannot be computed.
pub fn measure(measure: Measure, yard: &Yardstick, rows: &Sample) -> Values {
    let (data, size) = (&yard.data, yard.data.shape.size());
    let few = yard.first(rows, yard.sizes.pairs);
    let real = yard.real_pairs();
    let values = match measure {
        Measure::Modes => {
            let coverage = data.modes.as_ref().and_then(|modes| mode_coverage(rows, modes));
            coverage.map(|coverage| {
                vec![
                    ("modes", coverage.covered as f64),
                    ("highQuality", coverage.high_quality),
                    ("spread", coverage.spread),
                ]
            })
        }
        Measure::Sliced => {
            let both = yard.projections.as_ref().zip(Projections::of(rows));
            both.map(|(real, ours)| vec![("slicedWasserstein", ours.distance(real))])
        }
        Measure::Mmd => {
            yard.sigma.and_then(|sigma| mmd2(few, real, size, sigma)).map(|value| vec![("mmd", value)])
        }
        Measure::Energy => energy_distance(few, real, size).map(|value| vec![("energyDistance", value)]),
        Measure::Grid => grid_js(rows, &yard.real, data.extent, CELLS).map(|value| vec![("gridJs", value)]),
        Measure::Neighbours => {
            let both = yard.balls.as_ref().zip(yard.balls(rows));
            both.and_then(|(real, generated)| among(real, &generated)).map(|score| {
                vec![
                    ("precision", score.precision),
                    ("recall", score.recall),
                    ("density", score.density),
                    ("coverage", score.coverage),
                ]
            })
        }
        Measure::TwoSample => {
            let n = few.len().min(real.len());
            let (few, real) = (few.get(..n).unwrap_or_default(), real.get(..n).unwrap_or_default());
            nearest_neighbour_accuracy(few, real, size).map(|value| vec![("twoSample", value)])
        }
        Measure::Labels => {
            let look = yard.features.as_ref().and_then(|features| rows.look(features));
            let labels = look.and_then(|look| look.labels.as_deref());
            let shares = |labels: &[u32]| label_shares(labels, data.classes);
            let both = labels.map(shares).zip(data.train.labels.as_deref().map(shares));
            both.and_then(|(ours, theirs)| label_coverage(&ours, &theirs))
                .map(|score| vec![("labels", score.covered as f64), ("labelKl", score.kl)])
        }
        Measure::Frechet => yard.features.as_ref().and_then(|features| {
            let (ours, theirs) = (&rows.look(features)?.features, &yard.real.look(features)?.features);
            Some(vec![("frechet", frechet_distance(ours, theirs, features.size())?)])
        }),
        // Where the training rows are all words that there are, none can be new.
        Measure::Words => word_shares(rows, &data.train.xs, size, &data.alphabet, data.rule).map(|shares| {
            let novel = data.density.is_none().then_some(shares.novel);
            let all = [("unique", Some(shares.unique)), ("novel", novel), ("valid", shares.valid)];
            all.into_iter().filter_map(|(id, value)| Some((id, value?))).collect()
        }),
        Measure::Kernels => kernel_loss(rows, real, size).map(|value| vec![("nll", value)]),
    };
    values.unwrap_or_default().into_iter().filter(|(_, value)| value.is_finite()).collect()
}
