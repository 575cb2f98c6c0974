//! Mixtures and kernel densities against scikit-learn and NumPy: `tests/reference/g_classical.json`.

use tealight::data::{Data, Shape, Split};
use tealight::models::gmm::{Covariance, Gmm, GmmParams};
use tealight::models::kde::{BandwidthRule, Kde, KdeParams};
use tealight::models::naive_bayes::{NaiveBayes, NaiveBayesParams, Source};
use tealight::models::seeding::Seeding;
use tealight::models::{Density, Model, Phase, Step, first_rows};
use tealight::rng::Rng;

use crate::common::reference;

const CLASSICAL: &str = include_str!("../reference/g_classical.json");
/// make_moons(500, noise=.1, random_state=0), make_moons(2000, noise=.1, random_state=1) and
/// make_blobs(500, centers=4, cluster_std=.8, random_state=0) of scikit-learn 1.9.1, in single precision.
const MOONS: &str = include_str!("../reference/g_moons500.csv");
const MOONS_TEST: &str = include_str!("../reference/g_moons2000.csv");
const BLOBS: &str = include_str!("../reference/g_blobs500.csv");

fn rows(csv: &str) -> Vec<f32> {
    csv.split(['\n', ',']).filter(|x| !x.is_empty()).map(|x| x.parse().unwrap()).collect()
}

fn points(train: &str) -> Data {
    Data::from_rows(Shape::points(2), rows(train), rows(MOONS_TEST)).unwrap()
}

/// Steps on these data, as a session takes them.
fn train(model: &mut dyn Model, data: &Data, steps: u64) -> Vec<f32> {
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    let mut losses = Vec::new();
    for index in 0..steps {
        let phase = Phase::Both;
        losses =
            model.step(&mut Step { data, batches: &mut batches, noise: &mut noise, phase, index }).unwrap();
    }
    losses
}

/// The mean log-density of a split.
fn mean_log_prob(model: &dyn Density, data: &Data, split: &Split) -> f64 {
    let n = split.len(&data.shape);
    let xs = first_rows(split, &data.shape, n).unwrap();
    let values = model.log_prob(&xs, &mut Rng::stream(1, "test")).unwrap();
    values.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64
}

#[test]
fn a_gaussian_mixture_follows_the_trace_of_em() {
    let json = reference(CLASSICAL);
    for (name, csv, components) in [("moons500", MOONS, 4), ("moons500", MOONS, 8), ("blobs500", BLOBS, 4)] {
        let expected = &json["gmm"][format!("{name},K={components}")];
        let data = points(csv);
        let params = GmmParams { components, seeding: Seeding::Rows, ..GmmParams::default() };
        let mut gmm = Gmm::new(params, &data, 1).unwrap();
        let (mut last, mut worst) = (f64::NEG_INFINITY, 0.0_f64);
        for i in 0..=200 {
            let mean = gmm.iterate(&data.train.xs).unwrap();
            // The floor of the variances may cost as much as it is.
            assert!(mean > last - 1e-9, "{name} {components}: {mean} after {last}");
            last = mean;
            if let Some(value) = expected["avg_ll_after_iter"][i.to_string()].as_f64() {
                assert!((mean - value).abs() < 1e-6, "{name} {components} at {i}: {mean}, not {value}");
                worst = worst.max((mean - value).abs());
            }
        }
        println!("{name}, {components} components: from the trace at most {worst:.1e}");
        if let Some(value) = expected["test_ll"].as_f64() {
            let test = mean_log_prob(&gmm, &data, &data.held_out);
            assert!((test - value).abs() < 2e-5, "{name} {components}: test {test}, not {value}");
        }
    }
}

#[test]
fn em_never_lowers_the_likelihood_and_samples_have_its_moments() {
    for covariance in [Covariance::Full, Covariance::Diagonal] {
        let data = points(MOONS);
        let params = GmmParams { covariance, components: 6, ..GmmParams::default() };
        let mut gmm = Gmm::new(params, &data, 3).unwrap();
        let mut last = f64::NEG_INFINITY;
        for _ in 0..100 {
            let mean = gmm.iterate(&data.train.xs).unwrap();
            assert!(mean > last - 1e-9, "{covariance:?}: {mean} after {last}");
            last = mean;
        }
        // At a fixed point of EM the mixture has the mean and the covariance of the data (Σ for the full form).
        let moments = |xs: &[f32]| {
            let n = (xs.len() / 2) as f64;
            let sum = |f: &dyn Fn(f64, f64) -> f64| {
                xs.chunks(2).map(|p| f(p[0].into(), p[1].into())).sum::<f64>() / n
            };
            [sum(&|x, _| x), sum(&|_, y| y), sum(&|x, _| x * x), sum(&|_, y| y * y)]
        };
        let samples = gmm.sample(50_000, &mut Rng::stream(4, "test")).unwrap().flatten_all().unwrap();
        let (got, expected) = (moments(&samples.to_vec1().unwrap()), moments(&data.train.xs));
        for (a, b) in got.iter().zip(expected) {
            assert!((a - b).abs() < 0.02, "{covariance:?}: {got:?}, {expected:?}");
        }
    }
}

#[test]
fn a_kernel_density_has_the_likelihoods_of_scikit_learn() {
    let json = reference(CLASSICAL);
    let data = points(MOONS);
    for h in ["0.05", "0.1", "0.2", "0.5"] {
        let expected = &json["kde"]["gaussian_kernel"][h];
        let params = KdeParams { rule: BandwidthRule::Fixed, bandwidth: h.parse().unwrap() };
        let kde = Kde::new(params, &data).unwrap();
        let check = |name: &str, got: f64| {
            let value = expected[name].as_f64().unwrap();
            // The rows and the sums are in single precision.
            assert!((got - value).abs() < 1e-5, "h = {h}, {name}: {got}, not {value}");
            println!("h = {h}, {name}: {got:.6}");
        };
        check("train_mean_ll", mean_log_prob(&kde, &data, &data.train));
        check("test_mean_ll", mean_log_prob(&kde, &data, &data.held_out));
        check("loo", kde.leave_one_out().unwrap().0);
        let far = Split { xs: vec![3.0, 3.0], labels: None };
        let value = expected["at_points"]["(3,3)"].as_f64().unwrap();
        crate::common::assert_within("far away", mean_log_prob(&kde, &data, &far), value, 1e-6);
    }
}

#[test]
fn a_learned_bandwidth_rises_to_the_best_leave_one_out_likelihood() {
    let json = reference(CLASSICAL);
    let data = points(MOONS);
    let mut kde = Kde::new(KdeParams::default(), &data).unwrap();
    let mut last = f64::NEG_INFINITY;
    for _ in 0..60 {
        let (mean, _) = kde.leave_one_out().unwrap();
        // Single precision has a last digit.
        assert!(mean > last - 1e-6, "{mean} after {last}");
        last = mean;
        train(&mut kde, &data, 1);
    }
    // The reference tried 60 bandwidths; the best of all is no worse, and near it.
    let best = json["kde"]["loo_best"].as_f64().unwrap();
    assert!(last > best - 1e-6 && last < best + 1e-3, "{last}, best of the grid {best}");
    crate::common::assert_within("bandwidth", kde.bandwidth().unwrap(), 0.0701, 0.03);
    let test = mean_log_prob(&kde, &data, &data.held_out);
    crate::common::assert_within("test", test, json["kde"]["test_at_best"].as_f64().unwrap(), 2e-3);
}

/// The digits in grey: models of bits make them black and white themselves.
fn digits() -> Data {
    (tealight::data::find("digits").unwrap().generate)(&[], 1).unwrap()
}

/// The share of a split's rows whose likeliest class is theirs, and the mean of log p(x, label).
fn classified(model: &NaiveBayes, data: &Data, split: &Split) -> (f64, f64) {
    let n = split.len(&data.shape);
    let joint = model.log_joint(&first_rows(split, &data.shape, n).unwrap()).unwrap();
    let labels = split.labels.as_ref().unwrap();
    let (mut right, mut sum) = (0, 0.0);
    for (row, label) in joint.chunks(10).zip(labels) {
        let own = row[*label as usize];
        right += usize::from(row.iter().all(|x| *x <= own));
        sum += own;
    }
    (right as f64 / n as f64, sum / n as f64)
}

#[test]
fn naive_bayes_counts_as_scikit_learn_does() {
    let json = reference(CLASSICAL);
    let expected = |name: &str| json["bernoulli_nb"][name].as_f64().unwrap();
    let data = digits();
    let mut model = NaiveBayes::new(NaiveBayesParams::default(), &data, 1).unwrap();
    let losses = train(&mut model, &data, 2);
    let near = |what: &str, got: f64| {
        assert!((got - expected(what)).abs() < 1e-6, "{what}: {got}, not {}", expected(what));
    };
    for (name, split) in [("train", &data.train), ("test", &data.held_out)] {
        let (accuracy, joint) = classified(&model, &data, split);
        near(&format!("{name}_acc"), accuracy);
        near(&format!("{name}_joint_ll"), joint);
        let marginal = mean_log_prob(&model, &data, split);
        assert!((marginal - expected(&format!("{name}_marginal_ll"))).abs() < 1e-5, "{name}: {marginal}");
        println!("{name}: {marginal:.6} nats, {:.2} % right", 100.0 * accuracy);
    }
    assert!((f64::from(losses[1]) - (1.0 - expected("train_acc"))).abs() < 1e-6);
    let model: &dyn Model = &model;
    let class_7 = model.classes().unwrap().sample_class(7, 500, &mut Rng::stream(1, "test")).unwrap();
    let xs: Vec<f32> = class_7.mean(0).unwrap().to_vec1().unwrap();
    let filters: Vec<Vec<f32>> = model.filters().unwrap().filters().unwrap().to_vec2().unwrap();
    assert!(xs.iter().zip(&filters[7]).all(|(x, p)| (x - p).abs() < 0.1), "{xs:?}");
}

#[test]
fn a_bernoulli_mixture_follows_the_trace_of_em() {
    let json = reference(CLASSICAL);
    let data = digits();
    for components in [10, 20] {
        let expected = &json["bernoulli_mixture"]["by_K"][components.to_string()];
        let params =
            NaiveBayesParams { source: Source::Em, components, seeding: Seeding::Rows, smoothing: 0.01 };
        let mut model = NaiveBayes::new(params, &data, 1).unwrap();
        for i in 0..=100 {
            let value = &expected[i.to_string()];
            let test = value["test"].as_f64().map(|_| mean_log_prob(&model, &data, &data.held_out));
            let (mean, wrong) = model.iterate().unwrap();
            assert_eq!(wrong, None);
            let near = |what: &str, got: f64| {
                let value = value[what].as_f64().unwrap();
                assert!((got - value).abs() < 1e-5, "{components} at {i}, {what}: {got}, not {value}");
            };
            if let Some(test) = test {
                near("train", mean);
                near("test", test);
            }
        }
    }
}
