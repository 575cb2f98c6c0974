//! Diffusion against closed forms and quadrature: `tests/reference/f_diffusion.json`.

use candle_core::Tensor;
use tealight::data::{self, Data};
use tealight::frame::{self, Request};
use tealight::metrics::modes::mode_coverage;
use tealight::models::diffusion::{Diffusion, DiffusionParams, Sampler, Sampling, Variance};
use tealight::models::path::{Mix, Prediction, Schedule, guide};
use tealight::models::{Model, Phase, Step, first_rows, matrix};
use tealight::params::{Choice, Value};
use tealight::rng::Rng;

use crate::common::{assert_within, number, reference, session, text};

fn oracle() -> serde_json::Value {
    reference(include_str!("../reference/f_diffusion.json"))
}

#[test]
fn schedules_have_the_published_values() {
    for (name, values) in oracle()["schedules"].as_object().unwrap() {
        let (id, levels) = name.split_once(' ').unwrap();
        let shares = Schedule::from_id(id).unwrap().shares(levels.parse().unwrap());
        for (index, expected) in values.as_object().unwrap() {
            let index: usize = index.parse().unwrap();
            assert_within(&format!("{name}, {index}"), shares[index], expected.as_f64().unwrap(), 1e-9);
        }
    }
}

#[test]
fn every_number_of_levels_ends_in_noise() {
    let specs = (tealight::models::diffusion::ENTRY.specs)();
    let spec = specs.iter().find(|spec| spec.key == "levels").unwrap();
    let tealight::params::Kind::Integer { low, high, .. } = spec.kind else { panic!("{:?}", spec.kind) };
    let mut most = 0.0_f64;
    for id in Schedule::IDS {
        for levels in low..=high {
            let shares = Schedule::from_id(id).unwrap().shares(levels);
            assert_eq!(shares.len(), levels);
            assert!(shares.iter().all(|share| *share > 0.0 && *share < 1.0), "{id}, {levels}");
            assert!(shares.is_sorted_by(|a, b| a > b), "{id}, {levels}");
            assert!(shares[levels - 1] < 0.01, "{id}, {levels}: {}", shares[levels - 1]);
            most = most.max(shares[levels - 1]);
        }
    }
    println!("what is left of the data at most: {most:.6}");
}

/// What a network that has learned N(mean, std²) exactly predicts.
fn exact(prediction: Prediction, share: f64, mean: f64, std: f64, xs: &[f32]) -> Vec<f32> {
    let at = Mix::of_share(share);
    let variance = share * std * std + 1.0 - share;
    let predict = |x: &f32| {
        let eps = at.noise * (f64::from(*x) - at.data * mean) / variance;
        let data = (f64::from(*x) - at.noise * eps) / at.data;
        let target = prediction.target(at);
        (target.data * data + target.noise * eps) as f32
    };
    xs.iter().map(predict).collect()
}

/// Mean and variance of what the sampler makes of N(0, 1) with the exact predictor of N(mean, std²).
fn moments(sampling: Sampling, mean: f64, std: f64) -> (f64, f64) {
    let shares = sampling.shares;
    let mut predict = |xs: &[f32], level: usize| Ok(exact(sampling.prediction, shares[level], mean, std, xs));
    let mut rng = Rng::stream(1, "test");
    if sampling.sampler == Sampler::Ddim {
        // An affine map of the noise: two points tell all.
        let mut xs = [0.0, 1.0];
        sampling.run(&mut xs, &mut rng, &mut predict, &mut |_| ()).unwrap();
        let slope = f64::from(xs[1]) - f64::from(xs[0]);
        return (xs[0].into(), slope * slope);
    }
    let n = 200_000;
    let mut xs = rng.normals(n);
    sampling.run(&mut xs, &mut rng, &mut predict, &mut |_| ()).unwrap();
    let mean = xs.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64;
    let variance = xs.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n as f64;
    (mean, variance)
}

#[test]
fn samplers_with_an_exact_predictor_have_the_moments_of_the_recursion() {
    for case in oracle()["moments"].as_array().unwrap() {
        let levels = case["levels"].as_u64().unwrap() as usize;
        let schedule = Schedule::from_id(case["schedule"].as_str().unwrap()).unwrap();
        let shares = schedule.shares(levels);
        let (mean, std) = (case["mean"].as_f64().unwrap(), case["std"].as_f64().unwrap());
        for (name, expected) in case["values"].as_object().unwrap() {
            let (sampler, rest) = name.split_once('_').unwrap();
            let sampler = Sampler::from_id(sampler).unwrap();
            let (variance, steps) = match sampler {
                // A thousand levels of random draws take long, and test nothing new.
                Sampler::Ddpm if levels > 100 => continue,
                Sampler::Ddpm => (Variance::from_id(rest).unwrap(), 1000),
                Sampler::Ddim => (Variance::Small, rest.parse().unwrap()),
            };
            let prediction = Prediction::Noise;
            let sampling = Sampling { shares: &shares, prediction, sampler, variance, steps, range: None };
            let (got_mean, got) = moments(sampling, mean, std);
            let (expected_mean, expected) = (expected[0].as_f64().unwrap(), expected[1].as_f64().unwrap());
            let what = format!("{} {levels}, N({mean}, {std}²), {name}", schedule.id());
            // 200,000 draws: the standard error of a variance is 0.3 %, that of a mean at most 0.0023.
            let (share, error) = if sampler == Sampler::Ddim { (2e-3, 2e-4) } else { (0.013, 0.008) };
            assert_within(&format!("{what}: variance"), got, expected, share);
            assert!((got_mean - expected_mean).abs() < error, "{what}: {got_mean}, not {expected_mean}");
            println!("{what}: variance {got:.5}, mean {got_mean:.4}");
        }
    }
}

#[test]
fn samplers_do_not_care_what_is_predicted() {
    let shares = Schedule::Cosine.shares(100);
    let run = |prediction: Prediction, sampler: Sampler| {
        let variance = Variance::Small;
        let sampling = Sampling { shares: &shares, prediction, sampler, variance, steps: 10, range: None };
        moments(sampling, 1.0, 0.5)
    };
    for sampler in [Sampler::Ddpm, Sampler::Ddim] {
        let noise = run(Prediction::Noise, sampler);
        for prediction in [Prediction::Data, Prediction::Velocity] {
            let other = run(prediction, sampler);
            assert!(
                (noise.0 - other.0).abs() < 1e-3 && (noise.1 - other.1).abs() < 1e-3,
                "{noise:?}, {other:?}"
            );
        }
    }
}

#[test]
fn guidance_moves_a_gaussian_by_its_weight() {
    // N(1, 1) told, N(0, 1) untold: guided samples are N(1 + w, 1).
    let shares = Schedule::Linear.shares(1000);
    for (w, sampler) in
        [(0.0, Sampler::Ddim), (1.0, Sampler::Ddim), (2.0, Sampler::Ddpm), (5.0, Sampler::Ddim)]
    {
        let (prediction, variance) = (Prediction::Noise, Variance::Small);
        let sampling = Sampling { shares: &shares, prediction, sampler, variance, steps: 1000, range: None };
        let mut predict = |xs: &[f32], level: usize| {
            let told = exact(prediction, shares[level], 1.0, 1.0, xs);
            Ok(guide(&told, &exact(prediction, shares[level], 0.0, 1.0, xs), w))
        };
        let mut rng = Rng::stream(2, "test");
        let mut xs = rng.normals(20_000);
        sampling.run(&mut xs, &mut rng, &mut predict, &mut |_| ()).unwrap();
        let mean = xs.iter().map(|x| f64::from(*x)).sum::<f64>() / 20_000.0;
        let variance = xs.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / 20_000.0;
        // Standard errors 0.007 and 0.01; the chain's own variance is 0.991.
        println!("w = {w}: mean {mean:.4}, variance {variance:.4}");
        assert!((mean - (1.0 + w)).abs() < 0.04, "w = {w}: mean {mean}");
        assert!((variance - 1.0).abs() < 0.05, "w = {w}: variance {variance}");
    }
}

/// Rows of the ring that no model trains on.
pub fn fresh_ring() -> Data {
    (data::find("ring").unwrap().generate)(&[("samples".into(), number(50_000.0))], 977).unwrap()
}

/// Takes so many steps on a data set at its defaults, as a session with seed 42 would.
pub fn train(model: &mut dyn Model, data: &Data, steps: u64) {
    let (mut batches, mut noise) = (Rng::stream(42, "batches"), Rng::stream(42, "noise"));
    for index in 0..steps {
        let mut step = Step { data, batches: &mut batches, noise: &mut noise, phase: Phase::Both, index };
        model.step(&mut step).unwrap();
    }
}

/// A data set at its defaults.
pub fn defaults(id: &str) -> Data {
    (data::find(id).unwrap().generate)(&[], 42).unwrap()
}

/// Asserts that a loss on fresh rows is no lower than any network's can be, and at most 5 % above.
pub fn assert_near_floor(what: &str, mut loss: impl FnMut(&Tensor, &mut Rng) -> f64, floor: f64) {
    let data = fresh_ring();
    let xs = first_rows(&data.train, &data.shape, 50_000).unwrap();
    let mut rng = Rng::stream(1, "test");
    let loss = (0..4).map(|_| loss(&xs, &mut rng)).sum::<f64>() / 4.0;
    // 200,000 draws: the standard error is 0.2 % of the floor.
    assert!((0.99..=1.05).contains(&(loss / floor)), "{what}: loss {loss}, floor {floor}");
    println!("{what}: loss {loss:.5}, floor {floor:.5}, ratio {:.4}", loss / floor);
}

/// Asserts that 2,500 samples cover the ring's modes, all but a few of them within 3σ, at the right width.
pub fn assert_ring_is_covered(what: &str, model: &dyn Model) {
    let samples = model.sample(2500, &mut Rng::stream(42, "views")).unwrap();
    let samples: Vec<f32> = samples.flatten_all().unwrap().to_vec1().unwrap();
    let score = mode_coverage(&samples, &defaults("ring").modes.unwrap()).unwrap();
    assert_eq!((score.covered, score.modes), (8, 8), "{what}: {score:?}");
    // True samples reach 98.9 %.
    assert!(score.high_quality >= 0.94, "{what}: {score:?}");
    assert!((0.85..=1.15).contains(&score.spread), "{what}: {score:?}");
    println!("{what}: {score:?}");
}

/// Asserts that p integrates to 1 and that held-out points cost their entropy and little more.
pub fn assert_is_density_of_ring(what: &str, model: &dyn Model) {
    let (density, data) = (model.density().unwrap(), defaults("ring"));
    let mut rng = Rng::stream(1, "test");
    let n = 2500;
    let xs = first_rows(&data.held_out, &data.shape, n).unwrap();
    let log_prob = density.log_prob(&xs, &mut rng).unwrap();
    let nll = -log_prob.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64;
    // ±4 on a grid whose cells are 0.4 σ wide.
    let (grid, cell) = (100, 0.08_f32);
    let at = |i: usize| -4.0 + cell * (i as f32 + 0.5);
    let cells: Vec<f32> = (0..grid * grid).flat_map(|i| [at(i % grid), at(i / grid)]).collect();
    let cells = matrix(cells, grid * grid, 2).unwrap();
    let log_prob = density.log_prob(&cells, &mut rng).unwrap();
    let mass = log_prob.iter().map(|x| f64::from(*x).exp()).sum::<f64>() * f64::from(cell * cell);
    println!("{what}: negative log-likelihood {nll:.4}, mass {mass:.4}");
    // Solved for in few steps; with more, the mass is 1.
    assert!((mass - 1.0).abs() < 0.015, "{what}: mass {mass}");
    // The standard error of the mean over these rows is 0.02.
    let entropy = data.density.as_ref().unwrap().entropy().unwrap();
    assert!(nll > entropy - 0.06 && nll < entropy + 0.15, "{what}: {nll}, entropy {entropy}");
}

fn trained(schedule: Schedule, steps: u64) -> Diffusion {
    let data = defaults("ring");
    let mut model =
        Diffusion::new(DiffusionParams { schedule, ..DiffusionParams::default() }, &data, 42).unwrap();
    train(&mut model, &data, steps);
    model
}

#[test]
fn with_the_cosine_schedule_the_ring_is_learned_to_its_floor_by_step_5000() {
    let model = trained(Schedule::Cosine, 5000);
    let floor = oracle()["floors"]["cosine 100"].as_f64().unwrap();
    assert_near_floor("cosine", |xs, rng| model.evaluate(xs, rng).unwrap(), floor);
    assert_ring_is_covered("diffusion", &model);
    assert_is_density_of_ring("diffusion", &model);
}

#[test]
fn with_the_linear_schedule_the_loss_reaches_its_floor() {
    let model = trained(Schedule::Linear, 3000);
    let floor = oracle()["floors"]["linear 100"].as_f64().unwrap();
    assert_near_floor("linear", |xs, rng| model.evaluate(xs, rng).unwrap(), floor);
}

#[test]
fn every_prediction_and_sampler_finds_the_ring() {
    for prediction in ["noise", "data", "velocity"] {
        let mut session = session("ring", "diffusion", &[("prediction", text(prediction))]);
        session.step(800).unwrap();
        for (sampler, variance) in [("ddim", "small"), ("ddpm", "small"), ("ddpm", "large")] {
            session.set("sampler", &text(sampler)).unwrap();
            session.set("samplerVariance", &text(variance)).unwrap();
            let (_, samples) = frame::prepare(&session, &[Request::Samples { n: 2500 }]).unwrap();
            let score = mode_coverage(&samples, session.data().modes.as_ref().unwrap()).unwrap();
            println!("{prediction}, {sampler}, {variance}: {score:?}");
            assert!(score.covered == 8 && score.high_quality > 0.6, "{prediction}, {sampler}: {score:?}");
        }
    }
}

#[test]
fn a_class_is_drawn_where_it_lies_and_guidance_pushes_outwards() {
    for model in ["diffusion", "flow-matching"] {
        let mut session = session("ring", model, &[("conditional", Value::Flag(true))]);
        session.step(1000).unwrap();
        let modes = session.data().modes.clone().unwrap();
        let mut radii = Vec::new();
        for guidance in [0.0, 2.0] {
            session.set("guidance", &number(guidance)).unwrap();
            let (sections, samples) = frame::prepare(&session, &[Request::Classes { n: 200 }]).unwrap();
            assert_eq!(sections[0].shape, [8, 200, 2]);
            let (mut inside, mut radius) = (0, 0.0);
            for (class, samples) in samples.chunks(400).enumerate() {
                let [x, y] = modes.centres[class];
                for point in samples.chunks(2) {
                    let (px, py) = (f64::from(point[0]), f64::from(point[1]));
                    inside += usize::from((px - x).hypot(py - y) < 0.6);
                    radius += px.hypot(py) / 1600.0;
                }
            }
            println!("{model}, w = {guidance}: {inside} of 1600, radius {radius}");
            assert!(guidance > 0.0 || inside > 1440, "{model}: {inside} of 1600");
            radii.push(radius);
        }
        assert!(radii[1] > radii[0] + 0.02, "{model}: {radii:?}");
    }
}

#[test]
fn digits_of_a_class_look_like_that_class() {
    let mut session = session("digits", "diffusion", &[("conditional", Value::Flag(true))]);
    session.step(1200).unwrap();
    let (_, samples) = frame::prepare(&session, &[Request::Classes { n: 20 }]).unwrap();
    assert!(samples.iter().all(|x| (0.0..=1.0).contains(x)));
    let train = &session.data().train;
    let labels = train.labels.as_ref().unwrap();
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let mut right = 0;
    for (i, sample) in samples.chunks(64).enumerate() {
        let nearest = train.xs.chunks(64).map(|row| distance(row, sample)).enumerate();
        let nearest = nearest.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
        right += usize::from(labels[nearest] as usize == i / 20);
    }
    println!("{right} of 200");
    // Chance is 20.
    assert!(right >= 150, "{right} of 200");
}

#[test]
fn a_small_unet_learns_digits_of_every_size() {
    for (dataset, size, model) in [
        ("digits", 8, "diffusion"),
        ("digits", 8, "flow-matching"),
        // In patches, from 16 points on.
        ("strokes", 16, "diffusion"),
        ("strokes", 28, "flow-matching"),
    ] {
        let mut settings =
            vec![("net", text("unet")), ("channels", number(8.0)), ("batchSize", number(32.0))];
        if dataset == "strokes" {
            settings.push(("size", number(f64::from(size))));
        }
        let mut session = session(dataset, model, &settings);
        assert_eq!(session.data().shape.size(), (size * size) as usize);
        let mut losses = Vec::new();
        for _ in 0..150 {
            session.step(1).unwrap();
            losses.push(session.history().last()[0]);
        }
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        let (before, after) = (mean(&losses[..5]), mean(&losses[140..]));
        println!("{model} on {dataset}: {before} to {after}");
        assert!(after < 0.75 * before, "{model} on {dataset}: {before} to {after}");
    }
}

#[test]
fn a_path_starts_as_noise_and_ends_as_the_samples() {
    for (dataset, model) in [
        ("ring", "diffusion"),
        ("ring", "flow-matching"),
        ("digits", "diffusion"),
        ("digits", "flow-matching"),
    ] {
        let mut session = session(dataset, model, &[("conditional", Value::Flag(true))]);
        session.step(3).unwrap();
        let (n, frames) = (50, 7);
        let (sections, paths) = frame::prepare(&session, &[Request::Paths { n, frames }]).unwrap();
        let size = session.data().shape.size();
        assert_eq!(sections[0].shape, [frames, n, size]);
        let (_, samples) = frame::prepare(&session, &[Request::Samples { n }]).unwrap();
        assert_eq!(paths[(frames - 1) * n * size..], samples, "{model} on {dataset}");
        let noise = Rng::stream(42, "views").normals(n * size);
        if dataset == "ring" {
            assert_eq!(paths[..n * size], noise, "{model}");
        }
    }
}
