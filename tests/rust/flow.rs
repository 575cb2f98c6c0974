//! The flow against closed forms: `tests/reference/e_flows.json`, and the entropies of the data.

use candle_core::{Device, Tensor};
use tealight::data::{self, Data, Shape};
use tealight::models::flow::{Flow, FlowParams, Transform};
use tealight::models::{Density, Latent, Model, Phase, Step, first_rows, matrix};
use tealight::nn::Decay;
use tealight::nn::kernels::spline::UNIT_DERIVATIVE;
use tealight::nn::ops::{Couple, uncouple};
use tealight::rng::Rng;

use crate::common::{number, reference};

fn train(flow: &mut Flow, data: &Data, steps: u64) {
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    for index in 0..steps {
        let phase = Phase::Both;
        flow.step(&mut Step { data, batches: &mut batches, noise: &mut noise, phase, index }).unwrap();
    }
}

/// −log p, averaged over rows of the data set that the flow has not seen, and its standard error.
fn nll(flow: &Flow, data: &Data, n: usize) -> (f64, f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    let xs = first_rows(&data.train, &data.shape, n).unwrap();
    for log_prob in flow.log_prob(&xs, &mut Rng::stream(5, "test")).unwrap() {
        sum -= f64::from(log_prob);
        squares += f64::from(log_prob).powi(2);
    }
    let (mean, n) = (sum / n as f64, n as f64);
    (mean, ((squares / n - mean * mean) / n).sqrt())
}

fn moons(seed: u32) -> Data {
    let entry = data::find("moons").unwrap();
    (entry.generate)(&[("samples".into(), number(50_000.0))], seed).unwrap()
}

fn params(transform: Transform, layers: usize, steps: usize) -> FlowParams {
    FlowParams { transform, layers, decay: Decay::Cosine, decay_steps: steps, ..FlowParams::default() }
}

fn floats(json: &serde_json::Value) -> Vec<f32> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn row(values: &[f64]) -> Tensor {
    let values: Vec<f32> = values.iter().map(|x| *x as f32).collect();
    let n = values.len();
    Tensor::from_vec(values, (1, n), &Device::Cpu).unwrap()
}

#[track_caller]
fn assert_row(got: &Tensor, expected: &[f64], tolerance: f64, what: &str) -> f64 {
    let got = got.to_vec2::<f32>().unwrap().remove(0);
    got.iter().zip(expected).fold(0.0, |worst, (got, expected)| {
        let error = (f64::from(*got) - expected).abs();
        assert!(error <= tolerance, "{what}: {got}, should be {expected}");
        error.max(worst)
    })
}

#[test]
fn splines_have_the_values_of_the_table_and_so_have_their_inverses() {
    let json = reference(include_str!("../reference/e_flows.json"));
    let table = &json["rqs"];
    let keys = ["unnorm_widths", "unnorm_heights", "unnorm_derivs_interior"];
    let parameters = keys.map(|key| floats(&table[key])).concat();
    let number = |row: &serde_json::Value, key: &str| row[key].as_f64().unwrap();
    let rows = table["rows"].as_array().unwrap();
    let mut cases: Vec<_> = rows
        .iter()
        .map(|row| (parameters.clone(), number(row, "x"), number(row, "y"), number(row, "logdet")))
        .collect();
    for row in table["zero_params_rows"].as_array().unwrap() {
        let at = |i: usize| row[i].as_f64().unwrap();
        cases.push((vec![0.0; 11], at(0), at(1), at(2)));
    }
    assert_eq!(cases.len(), 16);
    // With this derivative at the inner knots, equal bins are the identity.
    let identity = [vec![0.0; 8], vec![UNIT_DERIVATIVE; 3]].concat();
    cases.extend([-2.9, -1.1, 0.3, 2.2].map(|x| (identity.clone(), x, x, 0.0)));
    let couple = Couple::Spline { bins: 4, bound: 3.0 };
    let mut worst = 0.0_f64;
    for (parameters, x, y, log_det) in cases {
        let parameters = matrix(parameters, 1, 11).unwrap();
        let what = format!("the spline at {x}");
        let there = couple.forward(&row(&[x, 0.0]), &parameters, &[0]).unwrap();
        worst = worst.max(assert_row(&there, &[y, log_det], 1e-5, &what));
        // Back from y in single precision, which moves x by as much divided by the slope.
        let tolerance = 1e-5 * (-log_det).exp().max(1.0);
        let back = uncouple(couple, &row(&[y, log_det]), &parameters, &[0]).unwrap();
        assert_row(&back, &[x, 0.0], tolerance, &what);
    }
    println!("from the table: at most {worst:.1e}");
}

#[test]
fn two_affine_couplings_give_the_density_worked_out_by_hand() {
    let json = reference(include_str!("../reference/e_flows.json"));
    let hand = &json["affine_coupling_hand"];
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let (x, z) = (&hand["x"], &hand["z"]);
    let (x1, x2) = (number(&x[0]), number(&x[1]));
    // The table's s = tanh(a) is our 2·tanh(o/2) at this o.
    let parameters = |a: f64, t: f64| row(&[2.0 * (0.5 * a.tanh()).atanh(), t]);
    let state = row(&[x1, x2, 0.0]);
    let state = Couple::Affine.forward(&state, &parameters(0.5 * x1 + 0.1, 0.8 * x1 - 0.2), &[1]).unwrap();
    let y2 = f64::from(state.to_vec2::<f32>().unwrap()[0][1]);
    let state = Couple::Affine.forward(&state, &parameters(-0.4 * y2 + 0.3, 0.25 * y2 + 0.05), &[0]).unwrap();
    let expected = [number(&z[0]), number(&z[1]), number(&hand["logdet"])];
    assert_row(&state, &expected, 2e-6, "two couplings");
    let nll = tealight::nn::ops::flow_nll(&state).unwrap().to_scalar::<f32>().unwrap();
    assert!((f64::from(nll) + number(&hand["logp"])).abs() < 2e-6, "{nll}");
}

#[test]
fn a_linear_flow_reaches_the_entropy_of_a_gaussian() {
    let json = reference(include_str!("../reference/e_flows.json"));
    let best = json["linear_flow_optimum"]["nll"].as_f64().unwrap();
    // The factor of [[2, 1.2], [1.2, 1]] is [[√2, 0], [1.2/√2, √0.28]].
    let rows = |n: usize, seed: u32| {
        let mut rng = Rng::stream(seed, "test");
        let mut row = || {
            let u = [rng.normal_f64(), rng.normal_f64()];
            [2_f64.sqrt() * u[0], 1.2 / 2_f64.sqrt() * u[0] + 0.28_f64.sqrt() * u[1]].map(|x| x as f32)
        };
        (0..n).flat_map(|_| row()).collect::<Vec<f32>>()
    };
    let data = Data::from_rows(Shape::points(2), rows(100_000, 1), rows(100, 2)).unwrap();
    let fresh = Data::from_rows(Shape::points(2), rows(200_000, 3), rows(100, 4)).unwrap();
    for transform in [Transform::Affine, Transform::Autoregressive] {
        let params = FlowParams { network_shape: vec![], learning_rate: 1e-2, ..params(transform, 2, 1500) };
        let mut flow = Flow::new(params, &data, 1).unwrap();
        train(&mut flow, &data, 1500);
        let (nll, error) = nll(&flow, &fresh, 200_000);
        assert!((nll - best).abs() < 0.005 + 2.0 * error, "{transform:?}: {nll} ± {error}, entropy {best}");
    }
}

/// What must hold of any trained flow of the plane.
fn assert_consistent(flow: &Flow, data: &Data) {
    let n = 500;
    let xs = first_rows(&data.held_out, &data.shape, n).unwrap();
    let mut rng = Rng::stream(1, "test");
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let encode = |xs: &Tensor| flow.encode(xs).unwrap().unwrap().0;
    // There and back again.
    let back = values(&flow.decode(&encode(&xs)).unwrap());
    let worst = back.iter().zip(values(&xs)).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
    assert!(worst < 1e-5, "the inverse is off by {worst}");
    // The log-determinant that the density implies, against central differences of the map.
    let z = values(&encode(&xs));
    let log_prob = flow.log_prob(&xs, &mut rng).unwrap();
    let h = 2e-3_f32;
    let slope = |column: usize| {
        let moved = |by: f32| {
            let mut xs = values(&xs);
            xs.iter_mut().skip(column).step_by(2).for_each(|x| *x += by);
            values(&encode(&matrix(xs, n, 2).unwrap()))
        };
        let difference = |by: f32| -> Vec<f64> {
            let (up, down) = (moved(by), moved(-by));
            up.iter().zip(down).map(|(a, b)| f64::from(a - b) / (2.0 * f64::from(by))).collect()
        };
        // Richardson's extrapolation: the error of second order cancels.
        let (near, far) = (difference(h), difference(2.0 * h));
        near.iter().zip(far).map(|(a, b)| (4.0 * a - b) / 3.0).collect::<Vec<f64>>()
    };
    let (dx, dy) = (slope(0), slope(1));
    let mut errors: Vec<f64> = (0..n)
        .map(|i| {
            let by_differences = (dx[2 * i] * dy[2 * i + 1] - dx[2 * i + 1] * dy[2 * i]).abs().ln();
            let squares: f64 = z[2 * i..2 * i + 2].iter().map(|z| f64::from(*z).powi(2)).sum();
            let log_det = f64::from(log_prob[i]) + 0.5 * squares + std::f64::consts::TAU.ln();
            (log_det - by_differences).abs()
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    // Differences are less exact where the map is steep, and at a spline's knots, where the second derivative jumps.
    let (most, worst) = (errors[n * 98 / 100], errors[n - 1]);
    println!("log-det against differences: {most:e} for 98 %, at most {worst:e}");
    assert!(most < 1e-3 && worst < 3e-3, "log-det: {most} for 98 %, at most {worst}");
    // The mass on a grid that holds practically all of it.
    let grid = 400;
    let at = |i: usize| -8.0 + 16.0 * (i as f32 + 0.5) / grid as f32;
    let cells = (0..grid * grid).flat_map(|i| [at(i % grid), at(i / grid)]).collect();
    let log_prob = flow.log_prob(&matrix(cells, grid * grid, 2).unwrap(), &mut rng).unwrap();
    let mass = log_prob.iter().map(|x| f64::from(*x).exp()).sum::<f64>() * (16.0 / grid as f64).powi(2);
    assert!((mass - 1.0).abs() < 2e-3, "mass {mass}");
}

fn reaches_the_entropy_of_the_moons(params: FlowParams, steps: u64, gap: f64) {
    let (data, fresh) = (moons(1), moons(2));
    let entropy = data.density.as_ref().unwrap().entropy().unwrap();
    let mut flow = Flow::new(params, &data, 1).unwrap();
    train(&mut flow, &data, steps);
    let (nll, error) = nll(&flow, &fresh, 50_000);
    println!("{nll} ± {error}, entropy {entropy}, gap {}", nll - entropy);
    assert!(error < 0.005, "{error}");
    assert!(nll > entropy - 2.0 * error && nll < entropy + gap, "{nll} ± {error}, entropy {entropy}");
    assert_consistent(&flow, &data);
}

#[test]
fn a_spline_flow_reaches_the_entropy_of_the_moons() {
    reaches_the_entropy_of_the_moons(params(Transform::Spline, 4, 4000), 4000, 0.03);
}

#[test]
fn an_affine_flow_comes_close_to_the_entropy_of_the_moons() {
    reaches_the_entropy_of_the_moons(params(Transform::Affine, 8, 4000), 4000, 0.06);
}

#[test]
fn a_masked_autoregressive_flow_comes_close_to_the_entropy_of_the_moons() {
    let params = FlowParams { learning_rate: 3e-3, ..params(Transform::Autoregressive, 8, 3000) };
    reaches_the_entropy_of_the_moons(params, 3000, 0.08);
}

/// Images of two pixels and four grey levels; the second is the first, or one level brighter.
fn pairs_of_pixels(n: usize, seed: u32) -> Vec<f32> {
    let mut rng = Rng::stream(seed, "test");
    let mut row = || {
        let first = rng.below(3);
        [first, first + rng.below(2)].map(|level| level as f32 / 3.0)
    };
    (0..n).flat_map(|_| row()).collect()
}

#[test]
fn the_density_of_dequantised_images_has_mass_1_and_bounds_the_entropy() {
    let shape = Shape::image(1, 1, 2);
    let data = Data::from_rows(shape, pairs_of_pixels(5000, 1), pairs_of_pixels(5000, 2)).unwrap();
    let params = FlowParams { network_shape: vec![32], ..params(Transform::Spline, 4, 1000) };
    let mut flow = Flow::new(params, &data, 1).unwrap();
    train(&mut flow, &data, 1000);
    // ∫ p(v) dv over [0, 4)² is the sum over all 16 images of the mean of p over their noise.
    let (draws, mut rng, mut mass) = (4000, Rng::stream(4, "test"), 0.0);
    for image in 0..16 {
        let pixels = [(image % 4) as f32 / 3.0, (image / 4) as f32 / 3.0];
        let xs = matrix(pixels.repeat(draws), draws, 2).unwrap();
        let log_prob = flow.log_prob(&xs, &mut rng).unwrap();
        mass += log_prob.iter().map(|x| f64::from(*x).exp()).sum::<f64>() / draws as f64;
    }
    assert!((mass - 1.0).abs() < 0.02, "mass {mass}");
    let xs = first_rows(&data.held_out, &shape, 5000).unwrap();
    let log_prob = flow.log_prob(&xs, &mut rng).unwrap();
    let nll = -log_prob.iter().map(|x| f64::from(*x)).sum::<f64>() / 5000.0;
    // Six images are equally likely; noise that says nothing would be 16 of them.
    assert!(nll > 6_f64.ln() - 0.02 && nll < 6_f64.ln() + 0.5, "{nll}, entropy {}", 6_f64.ln());
    for x in flow.sample(200, &mut rng).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap() {
        assert!([0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0].contains(&x), "{x} is no grey level");
    }
}

#[test]
fn paths_begin_in_the_noise_and_end_at_the_samples_of_that_noise() {
    let data = moons(1);
    for transform in [Transform::Spline, Transform::Autoregressive] {
        let mut flow = Flow::new(params(transform, 4, 100), &data, 1).unwrap();
        train(&mut flow, &data, 30);
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let stream = || Rng::stream(6, "test");
        let frames = flow.paths().unwrap().paths(400, 9, &mut stream()).unwrap();
        assert_eq!(frames.len(), 9);
        assert_eq!(values(&frames[8]), values(&flow.sample(400, &mut stream()).unwrap()));
        // Frames 0, 2, … are layers; between them the way is straight.
        let [a, b, c] = [2, 3, 4].map(|i| values(&frames[i]));
        assert_ne!(a, c);
        assert!((0..800).all(|i| (b[i] - 0.5 * (a[i] + c[i])).abs() < 1e-5));
        // The noise is shown in the data's units: one straight line for each coordinate.
        let (z, x) = (stream().normals(800), values(&frames[0]));
        let scale = (x[2] - x[0]) / (z[2] - z[0]);
        assert!((0..400).all(|i| (x[2 * i] - x[0] - scale * (z[2 * i] - z[0])).abs() < 1e-4));
    }
}
