//! Every score at its edges: no rows, one row, rows that are all one, modes that nothing reaches, numbers that are none.
//!
//! What cannot be scored is an error, never a number.

use tealight::data::{self, Data, Modes, Shape, Topic};
use tealight::evaluation::Evaluator;
use tealight::metrics::bandwidth::Kernels;
use tealight::metrics::classifier::{Classifier, label_coverage, label_shares, resample};
use tealight::metrics::discrepancy::{energy_distance, median_distance, mmd2};
use tealight::metrics::features::{Features, Principal};
use tealight::metrics::frechet::{Moments, frechet, frechet_distance};
use tealight::metrics::grid::grid_js;
use tealight::metrics::modes::mode_coverage;
use tealight::metrics::nearest::{nearest_distances, nearness};
use tealight::metrics::neighbours::neighbours;
use tealight::metrics::sequences::{bits_per_character, word_shares};
use tealight::metrics::sliced::{Projections, sliced_wasserstein2};
use tealight::metrics::two_sample::nearest_neighbour_accuracy;
use tealight::rng::Rng;

use crate::common::{number, session};

const SQUARE: [f32; 4] = [-5.0, 5.0, -5.0, 5.0];

fn points(n: usize) -> Vec<f32> {
    Rng::stream(3, "points").normals(2 * n)
}

/// Rows of the plane that are no sample: none, not whole, not a number, not finite.
fn broken() -> Vec<Vec<f32>> {
    let with = |x: f32| {
        let mut rows = points(20);
        rows[7] = x;
        rows
    };
    vec![Vec::new(), points(20)[..7].to_vec(), with(f32::NAN), with(f32::INFINITY), with(f32::NEG_INFINITY)]
}

fn modes() -> Modes {
    Modes { centres: vec![[0.0, 0.0], [4.0, 4.0]], sigma: 0.5 }
}

/// Every score of two samples of the plane, by its name.
fn scores(x: &[f32], y: &[f32]) -> Vec<(&'static str, Option<f64>)> {
    let near = neighbours(x, y, 2, 3);
    let mean = |distances: Vec<f64>| distances.iter().sum::<f64>() / distances.len() as f64;
    vec![
        ("kernels", Kernels::fit(y, 2, 1e-3).and_then(|kernels| kernels.loss(x))),
        ("mmd", mmd2(x, y, 2, 1.0)),
        ("energyDistance", energy_distance(x, y, 2)),
        ("frechet", frechet_distance(x, y, 2)),
        ("gridJs", grid_js(x, y, SQUARE, 10)),
        ("nearest", nearest_distances(x, y, 2).map(mean)),
        ("precision", near.map(|near| near.precision)),
        ("recall", near.map(|near| near.recall)),
        ("density", near.map(|near| near.density)),
        ("coverage", near.map(|near| near.coverage)),
        ("slicedWasserstein", sliced_wasserstein2(x, y)),
        ("twoSample", nearest_neighbour_accuracy(x, y, 2)),
    ]
}

/// Those that have a value, and that it is finite.
fn known(x: &[f32], y: &[f32]) -> Vec<&'static str> {
    let known = scores(x, y).into_iter().filter_map(|(id, value)| Some((id, value?)));
    known.inspect(|(id, value)| assert!(value.is_finite(), "{id}: {value}")).map(|(id, _)| id).collect()
}

#[test]
fn what_is_no_sample_has_no_score() {
    let x = points(20);
    for bad in broken() {
        assert_eq!(known(&x, &bad), Vec::<&str>::new(), "{bad:?}");
        assert_eq!(known(&bad, &x), Vec::<&str>::new(), "{bad:?}");
        assert!(Kernels::fit(&bad, 2, 1e-3).is_none() && Projections::of(&bad).is_none());
        assert_eq!(median_distance(&bad, 2), None);
        assert_eq!(mode_coverage(&bad, &modes()), None);
        assert!(Moments::of(&bad, 2).is_none() && Principal::of(&bad, 2, 2).is_none());
    }
    // A kernel, a grid or a ball that is none.
    for width in [0.0, -1.0, f64::NAN] {
        assert_eq!(mmd2(&x, &x, 2, width), None);
        assert!(Kernels::fit(&x, 2, width).is_none());
    }
    assert_eq!(grid_js(&x, &x, SQUARE, 0), None);
    assert_eq!(neighbours(&x, &x, 2, 0), None);
    // Samples of other sizes than each other.
    assert_eq!(nearest_neighbour_accuracy(&x, &x[..10], 2), None);
    assert_eq!(frechet(&Moments::of(&x, 2).unwrap(), &Moments::of(&x, 1).unwrap()), None);
}

#[test]
fn of_one_row_only_what_needs_no_other_has_a_score() {
    let (x, one) = (points(20), [0.5, -0.5]);
    // Others need a variance, a neighbour, or a pair.
    assert_eq!(known(&x, &one), ["gridJs", "nearest", "slicedWasserstein"]);
    assert_eq!(known(&one, &one), ["gridJs", "nearest", "slicedWasserstein"]);
    assert_eq!(median_distance(&one, 2), None);
    assert!(Moments::of(&one, 2).is_none() && Principal::of(&one, 2, 2).is_none());
    // All that can be said of it is right.
    assert_eq!(sliced_wasserstein2(&one, &one), Some(0.0));
    // A point one away: along an angle α it is |cos α| away.
    let away = sliced_wasserstein2(&one, &[1.5, -0.5]).unwrap();
    assert!((away * away - 0.5).abs() < 1e-9, "{away}");
    assert_eq!(
        (grid_js(&one, &one, SQUARE, 10), grid_js(&one, &[4.0, 4.0], SQUARE, 10)),
        (Some(0.0), Some(1.0))
    );
    assert_eq!(nearest_distances(&x, &x[..2], 2), Some(vec![0.0]));
    let score = mode_coverage(&one, &modes()).unwrap();
    assert_eq!((score.covered, score.high_quality), (1, 1.0));
}

#[test]
fn rows_that_are_all_one_have_the_scores_of_a_point() {
    let (here, there) = ([1.0_f32; 20], [3.0_f32; 20]);
    for (id, value) in scores(&here, &here) {
        let expected = match id {
            // As wide as it may be at least: −log N(0; 0, 10⁻⁶).
            "kernels" => (std::f64::consts::TAU * 1e-6).ln(),
            "precision" | "recall" | "coverage" => 1.0,
            // All ten are in the balls of all ten, of which three are wanted.
            "density" => 10.0 / 3.0,
            "twoSample" => 0.5,
            _ => 0.0,
        };
        assert!((value.unwrap() - expected).abs() < 1e-6, "{id}: {value:?}, not {expected}");
    }
    let root = 8.0_f64.sqrt();
    for (id, value) in scores(&here, &there) {
        let expected = match id {
            "kernels" => (std::f64::consts::TAU * 1e-6).ln() + 8.0 / 2e-6,
            // 2 − 2 exp(−8/2)
            "mmd" => 2.0 - 2.0 * (-4.0_f64).exp(),
            "energyDistance" => 2.0 * root,
            "frechet" => 8.0,
            "nearest" => root,
            "slicedWasserstein" => 2.0,
            "gridJs" | "twoSample" => 1.0,
            _ => 0.0,
        };
        assert!(
            (value.unwrap() / expected.max(1.0) - expected / expected.max(1.0)).abs() < 1e-5,
            "{id}: {value:?}, not {expected}"
        );
    }
    // No distance is wide enough for a kernel.
    assert_eq!(median_distance(&here, 2), None);
    // All in the middle of a mode: it has no width.
    assert_eq!(mode_coverage(&[4.0; 20], &modes()).unwrap().spread, 0.0);
}

#[test]
fn modes_that_nothing_reaches_are_not_covered_and_none_are_no_modes() {
    // Between the modes: nothing is good, and nothing has a width.
    let score = mode_coverage(&[2.0, 2.0], &modes()).unwrap();
    assert_eq!((score.covered, score.modes, score.high_quality, score.spread), (0, 2, 0.0, 0.0));
    let centres = |centres: Vec<[f64; 2]>, sigma: f64| mode_coverage(&points(20), &Modes { centres, sigma });
    assert_eq!(centres(Vec::new(), 0.5), None);
    for sigma in [0.0, -0.5, f64::NAN, f64::INFINITY] {
        assert_eq!(centres(vec![[0.0, 0.0]], sigma), None, "{sigma}");
    }
    assert_eq!(centres(vec![[0.0, f64::NAN]], 0.5), None);
}

#[test]
fn the_distance_of_copies_is_none_and_that_of_nothing_unknown() {
    assert_eq!(nearness(&[2.0, 4.0], &[1.0, 2.0]), Some(2.0));
    assert_eq!((nearness(&[3.0], &[1.5]), nearness(&[0.0], &[1.0, 2.0])), (Some(2.0), Some(0.0)));
    for (ours, theirs) in [(&[][..], &[1.0][..]), (&[1.0], &[]), (&[1.0], &[0.0]), (&[f64::NAN], &[1.0])] {
        assert_eq!(nearness(ours, theirs), None);
    }
}

#[test]
fn images_are_judged_one_by_one_and_only_whole_ones() {
    let shape = Shape::image(1, 8, 8);
    let classifier = Classifier::of(Topic::Digits, &shape).unwrap();
    let mut image = vec![0.0; 64];
    Rng::stream(1, "image").fill_uniform(&mut image, 0.0, 1.0);
    let one = classifier.judge(&image).unwrap();
    assert_eq!(one.probabilities.len(), 10);
    // The same image is the same, however often it is there.
    let many = classifier.judge(&image.repeat(5)).unwrap();
    for row in many.probabilities.chunks(10) {
        assert!(row.iter().zip(&one.probabilities).all(|(a, b)| (a - b).abs() < 1e-6));
    }
    assert_eq!(many.labels(), one.labels().repeat(5));
    let mut nan = image.clone();
    nan[9] = f32::NAN;
    let mut infinite = image.clone();
    infinite[9] = f32::INFINITY;
    for bad in [&[][..], &image[..63], &nan, &infinite] {
        assert_eq!(classifier.judge(bad), None);
        assert_eq!(resample(bad, &shape, 16), None);
    }
    // Colours where there are none.
    assert!(Classifier::of(Topic::Digits, &Shape::image(3, 8, 8)).is_none());
    // No labels, and labels that the data do not have.
    assert_eq!(label_shares(&[], 3), [0.0; 3]);
    assert_eq!(label_shares(&[7], 3), [0.0; 3]);
    assert_eq!(label_coverage(&label_shares(&[], 3), &[0.5, 0.25, 0.25]), None);
    assert_eq!(label_coverage(&[f64::NAN, 1.0], &[0.5, 0.5]), None);
    assert_eq!(label_coverage(&[1.0, 0.0], &[0.5, 0.5]).unwrap().covered, 1);
}

#[test]
fn images_that_are_all_alike_have_no_features() {
    let some = |id: &str| (data::find(id).unwrap().generate)(&[], 5).unwrap();
    for id in ["digits", "textures"] {
        let whole = some(id);
        let size = whole.shape.size();
        let alike = |n: usize| {
            let mut data: Data = some(id);
            data.train.xs = whole.train.row(&whole.shape, 0).repeat(n);
            data.train.labels = whole.train.labels.as_ref().map(|labels| vec![labels[0]; n]);
            Features::of(&data).is_some()
        };
        assert!(!alike(1) && !alike(30), "{id}");
        let features = Features::of(&whole).unwrap();
        assert_eq!(features.features(&whole.train.xs[..size]).unwrap().len(), features.size(), "{id}");
        let mut nan = whole.train.xs[..size].to_vec();
        nan[1] = f32::NAN;
        for bad in [&[][..], &whole.train.xs[..size - 1], &nan] {
            assert!(features.features(bad).is_none(), "{id}");
        }
    }
    assert!(Features::of(&some("ring")).is_none());
}

#[test]
fn one_word_and_many_times_the_same_word_are_counted() {
    let alphabet = ['a', 'b'];
    let train = [1.0, 2.0, 0.0];
    let shares = |rows: &[f32]| word_shares(rows, &train, 3, &alphabet, None);
    let one = shares(&train).unwrap();
    assert_eq!((one.unique, one.novel, one.valid), (1.0, 0.0, None));
    let same = shares(&[2.0, 2.0, 0.0].repeat(10)).unwrap();
    assert_eq!((same.unique, same.novel), (0.1, 1.0));
    for bad in [&[][..], &[1.0], &[f32::NAN; 3], &[f32::INFINITY; 3], &[0.5; 3], &[-1.0; 3], &[3.0; 3]] {
        assert_eq!(shares(bad), None, "{bad:?}");
    }
    assert_eq!(word_shares(&train, &[f32::NAN; 3], 3, &alphabet, None), None);
    assert_eq!(word_shares(&train, &train, 0, &alphabet, None), None);
    // The empty word costs its end.
    assert_eq!(bits_per_character(std::f64::consts::LN_2, &[0.0; 3], 3), Some(1.0));
    for (nats, rows) in [(f64::NAN, &train[..]), (1.0, &[f32::NAN; 3]), (1.0, &train[..2]), (1.0, &[])] {
        assert_eq!(bits_per_character(nats, rows, 3), None);
    }
}

/// Weights so large that what comes out is no number any more.
#[test]
fn samples_that_are_no_numbers_end_the_evaluation_with_an_error() {
    for (dataset, model) in [("ring", "vae"), ("digits", "gan"), ("ring", "diffusion")] {
        let session = session(dataset, model, &[("seed", number(3.0))]);
        for (_, var) in session.model().vars().iter() {
            let huge = (var.as_detached_tensor() * 1e30).unwrap();
            var.set(&huge).unwrap();
        }
        let mut evaluator = Evaluator::new();
        let error = evaluator.evaluate(&session).unwrap_err().to_string();
        assert!(error.contains("samples are not finite"), "{model}: {error}");
        // There is none under way any more.
        assert!(evaluator.advance().is_err());
    }
}
