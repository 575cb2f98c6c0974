//! Scores against values on two fixed sets, and against closed forms for Gaussians.

use tealight::metrics::discrepancy::{energy_distance, median_distance, mmd2};
use tealight::metrics::grid::grid_js;
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
    let median = median_distance(&a, &b, 2);
    close(median, &values["median"]["sigma"], 1e-6, "median distance");
    close(mmd2(&a, &b, 2, median.unwrap()), &values["median"]["unbiased"], 1e-6, "MMD");
    let energy = &oracle["energy_distance_fixed_sets"]["U_statistic"];
    close(energy_distance(&a, &b, 2), energy, 1e-6, "energy distance");
    close(sliced_wasserstein2(&a, &b), &oracle["sliced_w2_fixed_sets"]["SW2"], 1e-6, "sliced Wasserstein");
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
    for (m, s, key) in
        [(1.0, 1.0, "d=2,m=1.0,s=1.0"), (0.0, 2.0, "d=2,m=0.0,s=2.0"), (1.0, 0.5, "d=2,m=1.0,s=0.5")]
    {
        let other = gaussian(3000, m, s, "other");
        close(mmd2(&real, &other, 2, 1.0), &forms[key]["MMD2_sigma1"], 0.02, key);
        let sliced = sliced_wasserstein2(&real, &other).map(|w| w * w);
        close(sliced, &forms[key]["SW2sq"], 0.06, key);
    }
    let other = gaussian(3000, 1.0, 1.0, "other");
    close(energy_distance(&real, &other, 2), &forms["energy_2d m=1.0,s=1.0"], 0.04, "energy");
}

#[test]
fn samples_of_one_distribution_have_the_values_that_are_known() {
    let (x, y) = (gaussian(1000, 0.0, 1.0, "x"), gaussian(1000, 0.0, 1.0, "y"));
    assert!(mmd2(&x, &y, 2, 1.0).unwrap().abs() < 3e-3);
    assert!(energy_distance(&x, &y, 2).unwrap().abs() < 5e-3);
    let score = neighbours(&x, &y, 2, 5).unwrap();
    assert!((score.density - 1.0).abs() < 0.06, "{score:?}");
    assert!((score.coverage - expected_coverage(1000, 1000, 5)).abs() < 0.02, "{score:?}");
    for (n, k) in [(200, 3), (200, 5), (1000, 3), (10_000, 5)] {
        let expected = &oracle()["prdc_expected_identical"]["coverage"][format!("N=M={n},k={k}")];
        close(Some(expected_coverage(n, n, k)), expected, 1e-9, "coverage");
    }
    let accuracy = nearest_neighbour_accuracy(&x, &y, 2).unwrap();
    assert!((accuracy - 0.5).abs() < 0.06, "{accuracy}");
    // Copies of the real rows are nearer than any other row.
    assert_eq!(nearest_neighbour_accuracy(&x, &x, 2), Some(0.0));
    // The floor of the reference, which is of Gaussians of 0.15 on the unit square.
    let floor = &oracle()["grid_js_noise_floor_bits_30x30_gauss_sd.15"]["2000"]["mean"];
    let (x, y) = (gaussian(2000, 0.0, 0.15, "x"), gaussian(2000, 0.0, 0.15, "y"));
    close(grid_js(&x, &y, [-0.5, 0.5, -0.5, 0.5], 30), floor, 0.02, "grid floor");
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
fn what_cannot_be_compared_has_no_score() {
    let x = gaussian(10, 0.0, 1.0, "x");
    let mut broken = x.clone();
    broken[3] = f32::NAN;
    for bad in [&broken[..], &x[..3], &[]] {
        assert_eq!(mmd2(&x, bad, 2, 1.0), None);
        assert_eq!(median_distance(&x, bad, 2), None);
        assert_eq!(energy_distance(&x, bad, 2), None);
        assert_eq!(sliced_wasserstein2(&x, bad), None);
        assert_eq!(neighbours(&x, bad, 2, 3), None);
        assert_eq!(grid_js(&x, bad, [-1.0, 1.0, -1.0, 1.0], 10), None);
        assert_eq!(nearest_neighbour_accuracy(&x, bad, 2), None);
    }
    // One row, and rows that are all the same.
    assert_eq!(mmd2(&x[..2], &x, 2, 1.0), None);
    assert_eq!(energy_distance(&x[..2], &x, 2), None);
    assert_eq!(median_distance(&[1.0; 8], &[1.0; 8], 2), None);
    assert_eq!(neighbours(&x, &x[..8], 2, 5), None);
    assert_eq!(neighbours(&[1.0; 20], &[1.0; 20], 2, 3).unwrap().coverage, 0.0);
    assert_eq!(sliced_wasserstein2(&[1.0; 4], &[1.0; 8]), Some(0.0));
}
