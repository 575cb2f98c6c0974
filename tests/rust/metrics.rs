//! Scores against values on two fixed sets, and against closed forms for Gaussians.

use tealight::metrics::discrepancy::{energy_distance, median_distance, mmd2};
use tealight::metrics::frechet::frechet_distance;
use tealight::metrics::grid::grid_js;
use tealight::metrics::modes::CEILING;
use tealight::metrics::nearest::nearest_distances;
use tealight::metrics::neighbours::{expected_coverage, neighbours};
use tealight::metrics::sliced::sliced_wasserstein2;
use tealight::metrics::two_sample::nearest_neighbour_accuracy;
use tealight::rng::Rng;

/// The two sets of the reference, which are given by formulas.
fn sets() -> (Vec<f32>, Vec<f32>) {
    let a = |i: f64| [(1.3 * i + 0.2).sin() + 0.3 * (7.1 * i).cos(), (2.1 * i).cos() + 0.3 * (5.3 * i).sin()];
    let b = |i: f64| {
        [
            0.8 * (0.9 * i + 1.0).sin() + 0.5 + 0.2 * (3.3 * i).cos(),
            0.6 * (1.7 * i).cos() - 0.2 + 0.2 * (4.9 * i).sin(),
        ]
    };
    let rows = |f: &dyn Fn(f64) -> [f64; 2]| {
        (0..200).flat_map(|i| f(f64::from(i)).map(|x| x as f32)).collect::<Vec<f32>>()
    };
    (rows(&a), rows(&b))
}

fn oracle() -> serde_json::Value {
    crate::common::reference(include_str!("../reference/i_metrics.json"))
}

fn close(got: Option<f64>, expected: &serde_json::Value, tolerance: f64, what: &str) {
    let (got, expected) = (got.unwrap(), expected.as_f64().unwrap());
    assert!((got - expected).abs() < tolerance, "{what}: {got}, not {expected}");
}

/// `n` draws from N(m e₁, s² I) of the plane.
fn gaussian(n: usize, m: f32, s: f32, label: &str) -> Vec<f32> {
    let normals = Rng::stream(3, label).normals(2 * n);
    normals.iter().enumerate().map(|(i, x)| s * x + if i % 2 == 0 { m } else { 0.0 }).collect()
}

#[test]
fn fixed_sets_have_the_reference_values() {
    let (a, b) = sets();
    let oracle = oracle();
    let values = &oracle["mmd_fixed_sets"]["values"];
    for (sigma, key) in [(0.1, "sigma=0.1"), (0.5, "sigma=0.5"), (1.0, "sigma=1.0"), (2.0, "sigma=2.0")] {
        close(mmd2(&a, &b, 2, sigma), &values[key]["unbiased"], 1e-6, key);
    }
    let median = median_distance(&[&a[..], &b].concat(), 2);
    close(median, &values["median"]["sigma"], 1e-6, "median distance");
    close(mmd2(&a, &b, 2, median.unwrap()), &values["median"]["unbiased"], 1e-6, "MMD");
    let energy = &oracle["energy_distance_fixed_sets"]["U_statistic"];
    close(energy_distance(&a, &b, 2), energy, 1e-6, "energy distance");
    close(sliced_wasserstein2(&a, &b), &oracle["sliced_w2_fixed_sets"]["SW2"], 1e-6, "sliced Wasserstein");
    close(frechet_distance(&a, &b, 2), &oracle["frechet_fixed_sets"]["ddof1"], 1e-7, "Fréchet");
    for k in [3, 5, 10] {
        let expected = &oracle["prdc_fixed_sets"][format!("k={k}")];
        let got = neighbours(&a, &b, 2, k).unwrap();
        close(Some(got.precision), &expected["precision"], 1e-9, "precision");
        close(Some(got.recall), &expected["recall"], 1e-9, "recall");
        close(Some(got.density), &expected["density"], 1e-9, "density");
        close(Some(got.coverage), &expected["coverage"], 1e-9, "coverage");
    }
}

#[test]
fn gaussians_have_their_closed_forms() {
    let oracle = oracle();
    let forms = &oracle["closed_forms_gaussians"]["values"];
    let real = gaussian(3000, 0.0, 1.0, "real");
    for (m, s, key) in [
        (1.0, 1.0, "d=2,m=1.0,s=1.0"),
        (2.0, 1.0, "d=2,m=2.0,s=1.0"),
        (0.0, 2.0, "d=2,m=0.0,s=2.0"),
        (1.0, 0.5, "d=2,m=1.0,s=0.5"),
    ] {
        let other = gaussian(3000, m, s, "other");
        close(mmd2(&real, &other, 2, 1.0), &forms[key]["MMD2_sigma1"], 0.02, key);
        // The means of samples are 0.03 off, and what is the square of m by as many times m.
        let chance = f64::from(m).max(1.0);
        let sliced = sliced_wasserstein2(&real, &other).map(|w| w * w);
        close(sliced, &forms[key]["SW2sq"], 0.06 * chance, key);
        close(frechet_distance(&real, &other, 2), &forms[key]["frechet_W2sq"], 0.12 * chance, key);
    }
    for (m, s, key) in [
        (1.0, 1.0, "energy_2d m=1.0,s=1.0"),
        (2.0, 1.0, "energy_2d m=2.0,s=1.0"),
        (0.0, 2.0, "energy_2d m=0.0,s=2.0"),
    ] {
        let energy = energy_distance(&real, &gaussian(3000, m, s, "other"), 2);
        close(energy, &forms[key], 0.04 * f64::from(m).max(1.0), key);
    }
    // On the line: every second coordinate, the one that is moved.
    let line = |rows: &[f32]| rows.iter().step_by(2).copied().collect::<Vec<f32>>();
    let (real, key) = (line(&real), "d=1,m=1.0,s=1.0");
    let other = line(&gaussian(3000, 1.0, 1.0, "other"));
    close(mmd2(&real, &other, 1, 1.0), &forms[key]["MMD2_sigma1"], 0.02, key);
    close(frechet_distance(&real, &other, 1), &forms[key]["frechet_W2sq"], 0.12, key);
    close(energy_distance(&real, &other, 1), &forms["energy_1d m=1.0,s=1.0"], 0.05, "energy on the line");
    let wide = line(&gaussian(3000, 0.0, 2.0, "other"));
    close(energy_distance(&real, &wide, 1), &forms["energy_1d m=0.0,s=2.0"], 0.03, "energy on the line");
    close(Some(CEILING), &oracle["modes_hq"]["ceiling"], 1e-12, "high-quality share");
}

#[test]
fn samples_of_one_distribution_have_the_values_that_are_known() {
    let (x, y) = (gaussian(1000, 0.0, 1.0, "x"), gaussian(1000, 0.0, 1.0, "y"));
    assert!(mmd2(&x, &y, 2, 1.0).unwrap().abs() < 3e-3);
    assert!(energy_distance(&x, &y, 2).unwrap().abs() < 5e-3);
    let score = neighbours(&x, &y, 2, 5).unwrap();
    assert!((score.density - 1.0).abs() < 0.06, "{score:?}");
    assert!((score.coverage - expected_coverage(1000, 1000, 5)).abs() < 0.02, "{score:?}");
    for (n, k) in [(200, 3), (200, 5), (1000, 3), (1000, 5), (10_000, 3), (10_000, 5)] {
        let expected = &oracle()["prdc_expected_identical"]["coverage"][format!("N=M={n},k={k}")];
        close(Some(expected_coverage(n, n, k)), expected, 1e-9, "coverage");
    }
    for k in [3, 5] {
        let limit = &oracle()["prdc_expected_identical"][format!("limit_k{k}")];
        close(Some(expected_coverage(1 << 30, 1 << 30, k)), limit, 1e-6, "coverage of very many");
    }
    let accuracy = nearest_neighbour_accuracy(&x, &y, 2).unwrap();
    assert!((accuracy - 0.5).abs() < 0.06, "{accuracy}");
    // Copies of the real rows are nearer than any other row.
    assert_eq!(nearest_neighbour_accuracy(&x, &x, 2), Some(0.0));
    // The floors of the reference, which are of Gaussians of 0.15 on the unit square.
    for n in [450, 2000, 10_000] {
        let floor = &oracle()["grid_js_noise_floor_bits_30x30_gauss_sd.15"][n.to_string()];
        let (x, y) = (gaussian(n, 0.0, 0.15, "x"), gaussian(n, 0.0, 0.15, "y"));
        let tolerance = 4.0 * floor["sd"].as_f64().unwrap();
        close(grid_js(&x, &y, [-0.5, 0.5, -0.5, 0.5], 30), &floor["mean"], tolerance, "grid floor");
    }
}

#[test]
fn equal_and_disjoint_samples_are_at_the_ends() {
    let x = gaussian(200, 0.0, 1.0, "x");
    let far: Vec<f32> = x.iter().map(|x| x + 100.0).collect();
    assert_eq!(sliced_wasserstein2(&x, &x), Some(0.0));
    assert_eq!(grid_js(&x, &x, [-3.0, 3.0, -3.0, 3.0], 20), Some(0.0));
    assert!((grid_js(&x, &far, [-5.0, 105.0, -5.0, 105.0], 20).unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(nearest_neighbour_accuracy(&x, &far, 2), Some(1.0));
    let score = neighbours(&x, &far, 2, 5).unwrap();
    assert_eq!((score.precision, score.recall, score.density, score.coverage), (0.0, 0.0, 0.0, 0.0));
    // Samples of different sizes: the same staircase, with every step twice as often.
    let twice: Vec<f32> = x.chunks(2).flat_map(|p| [p[0], p[1], p[0], p[1]]).collect();
    assert!(sliced_wasserstein2(&x, &twice).unwrap() < 1e-9);
}

#[test]
fn density_and_coverage_have_their_null_values_on_average() {
    let oracle = oracle();
    let (n, k, times) = (300, 5, 20);
    let scores: Vec<_> = (0..times)
        .map(|i| {
            let real = gaussian(n, 0.0, 1.0, &format!("real {i}"));
            neighbours(&real, &gaussian(n, 0.0, 1.0, &format!("other {i}")), 2, k).unwrap()
        })
        .collect();
    let published = &oracle["prdc_expected_identical"]["mc_N=M=300,d=2,k=5"];
    let check = |what: &str, expected: f64, mean: f64| {
        // The standard deviation of one, by the reference's simulation.
        let error = published[what]["sd"].as_f64().unwrap() / f64::from(times).sqrt();
        assert!((mean - expected).abs() < 3.5 * error, "{what}: {mean}, not {expected}");
    };
    let mean = |f: &dyn Fn(usize) -> f64| (0..times as usize).map(f).sum::<f64>() / f64::from(times);
    check("density", 1.0, mean(&|i| scores[i].density));
    check("coverage", expected_coverage(n, n, k), mean(&|i| scores[i].coverage));
    // These two have no value that is known beforehand, only the reference's.
    for (what, got) in
        [("precision", mean(&|i| scores[i].precision)), ("recall", mean(&|i| scores[i].recall))]
    {
        check(what, published[what]["mean"].as_f64().unwrap(), got);
    }
}

#[test]
fn the_two_sample_test_is_as_right_as_its_theory_says() {
    let oracle = oracle();
    let normal = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    for m in [1.0, 2.0, 3.0] {
        // Where a row is real with the probability η, its neighbour is of the same sample with η² + (1 − η)²
        // (Cover & Hart 1967).
        let step = 1e-3;
        let expected: f64 = (-8000..12_000)
            .map(|i| {
                let (p, q) = (normal(f64::from(i) * step), normal(f64::from(i) * step - m));
                step * 0.5 * (p * p + q * q) / (p + q)
            })
            .sum();
        let (x, y) = (gaussian(2000, 0.0, 1.0, "x"), gaussian(2000, m as f32, 1.0, "y"));
        let accuracy = nearest_neighbour_accuracy(&x, &y, 2).unwrap();
        assert!((accuracy - expected).abs() < 0.025, "m = {m}: {accuracy}, not {expected}");
        // No classifier can do better than Bayes' rule.
        let best = oracle["c2st"]["bayes_acc"][format!("m={m}")].as_f64().unwrap();
        assert!(accuracy < best + 0.01 && expected < best, "m = {m}: {accuracy} {expected} {best}");
    }
}

/// Every score of two samples of the plane that does not depend on where its axes are.
fn scores(x: &[f32], y: &[f32]) -> Vec<f64> {
    let near = neighbours(x, y, 2, 5).unwrap();
    let sigma = median_distance(&[x, y].concat(), 2).unwrap();
    let distances = |rows: &[f32]| nearest_distances(x, rows, 2).unwrap().iter().sum::<f64>();
    vec![
        sigma,
        mmd2(x, y, 2, sigma).unwrap(),
        energy_distance(x, y, 2).unwrap(),
        sliced_wasserstein2(x, y).unwrap(),
        frechet_distance(x, y, 2).unwrap(),
        near.precision,
        near.recall,
        near.density,
        near.coverage,
        nearest_neighbour_accuracy(x, y, 2).unwrap(),
        distances(y),
    ]
}

#[test]
fn moving_turning_and_shuffling_both_samples_changes_nothing() {
    let (a, b) = sets();
    let before = scores(&a, &b);
    let assert_same = |what: &str, after: &[f64], tolerance: f64| {
        for (i, (x, y)) in before.iter().zip(after).enumerate() {
            assert!((x - y).abs() <= tolerance * (1.0 + x.abs()), "{what}, score {i}: {y}, not {x}");
        }
    };
    let moved = |rows: &[f32]| rows.chunks(2).flat_map(|p| [p[0] + 3.0, p[1] - 5.0]).collect::<Vec<_>>();
    assert_same("moved", &scores(&moved(&a), &moved(&b)), 1e-5);
    // By a multiple of the angle between the directions of the sliced distance.
    let (sin, cos) = (std::f32::consts::PI * 13.0 / 64.0).sin_cos();
    let turned = |rows: &[f32]| {
        rows.chunks(2).flat_map(|p| [cos * p[0] - sin * p[1], sin * p[0] + cos * p[1]]).collect::<Vec<_>>()
    };
    assert_same("turned", &scores(&turned(&a), &turned(&b)), 1e-5);
    let shuffled = |rows: &[f32], label: &str| -> Vec<f32> {
        let order = Rng::stream(1, label).permutation(rows.len() / 2);
        order.into_iter().flat_map(|i| [rows[2 * i], rows[2 * i + 1]]).collect()
    };
    let (mixed_a, mixed_b) = (shuffled(&a, "a"), shuffled(&b, "b"));
    assert_ne!(mixed_a, a);
    assert_same("shuffled", &scores(&mixed_a, &mixed_b), 1e-7);
    let extent = [-2.0, 2.0, -2.0, 2.0];
    assert_eq!(grid_js(&a, &b, extent, 20), grid_js(&mixed_a, &mixed_b, extent, 20));
    // What does not tell real from generated rows is the same the other way round; precision becomes recall.
    let back = scores(&b, &a);
    for i in [0, 1, 2, 3, 4, 9] {
        assert!((before[i] - back[i]).abs() < 1e-7, "score {i}");
    }
    assert_eq!((before[5], before[6]), (back[6], back[5]));
}
