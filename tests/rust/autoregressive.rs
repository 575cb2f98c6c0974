//! The autoregressive model against closed forms: `tests/reference/d_autoregressive.json`.

use tealight::data::{Data, Shape};
use tealight::models::autoregressive::{Autoregressive, AutoregressiveParams, CellKind};
use tealight::models::{Density, Model, Phase, Step, matrix};
use tealight::nn::{Activation, Decay};
use tealight::params::Value;
use tealight::rng::Rng;

use crate::common::reference;

fn train(model: &mut Autoregressive, data: &Data, steps: u64) {
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    for index in 0..steps {
        let phase = Phase::Both;
        model.step(&mut Step { data, batches: &mut batches, noise: &mut noise, phase, index }).unwrap();
    }
}

/// log p of rows of this size.
fn log_probs(model: &Autoregressive, rows: &[f32], size: usize) -> Vec<f64> {
    let xs = matrix(rows.to_vec(), rows.len() / size, size).unwrap();
    let each = model.log_prob(&xs, &mut Rng::stream(3, "test")).unwrap();
    each.into_iter().map(f64::from).collect()
}

fn mean(xs: &[f64]) -> f64 {
    xs.iter().sum::<f64>() / xs.len() as f64
}

/// A reference value.
fn exact(set: &str, key: &str) -> f64 {
    let value = &reference(include_str!("../reference/d_autoregressive.json"))[set][key];
    value.as_f64().unwrap()
}

/// A data set of the catalogue.
fn generate(id: &str, values: &[(&str, Value)]) -> Data {
    let values: Vec<_> = values.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
    (tealight::data::find(id).unwrap().generate)(&values, 1).unwrap()
}

/// How many samples in a thousand are rows that the data's law allows.
fn allowed(model: &Autoregressive, data: &Data) -> usize {
    let law = data.density.as_ref().unwrap();
    let samples = model.sample(1000, &mut Rng::stream(4, "test")).unwrap().to_vec2::<f32>().unwrap();
    let known = |row: &Vec<f32>| {
        law.log_prob(&row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()) > f64::NEG_INFINITY
    };
    samples.iter().filter(|row| known(row)).count()
}

#[test]
fn made_learns_bars_and_stripes_and_its_mass_is_one() {
    let data = generate("bars-and-stripes", &[]);
    let params = AutoregressiveParams {
        cell: CellKind::Made,
        network_shape: vec![256],
        activation: Activation::Relu,
        learning_rate: 5e-3,
        decay: Decay::Cosine,
        decay_steps: 3000,
        batch_size: 128,
        ..AutoregressiveParams::default()
    };
    let mut model = Autoregressive::new(params, &data, 1).unwrap();
    train(&mut model, &data, 3000);
    let nll = -mean(&log_probs(&model, &data.train.xs, 16));
    println!("MADE, bars and stripes: {nll}");
    let best = 30_f64.ln();
    assert!(nll > best - 1e-4 && nll < best + 0.01, "{nll}, entropy {best}");
    let mass: f64 = (0..64_u32)
        .flat_map(|part| {
            let images =
                (0..1024_u32).flat_map(|i| (0..16).map(move |bit| ((part * 1024 + i) >> bit & 1) as f32));
            log_probs(&model, &images.collect::<Vec<_>>(), 16)
        })
        .map(f64::exp)
        .sum();
    println!("mass {mass}");
    assert!((mass - 1.0).abs() < 1e-5, "{mass}");
    let good = allowed(&model, &data);
    println!("{good} of 1000 samples are in the set");
    assert!(good > 950, "{good}");
}

/// x₁ ~ N(0, 1) and x₂ | x₁ ~ N(x₁²/2, e⁻²): a crescent.
fn crescent(n: usize, seed: u32) -> Vec<f32> {
    let mut rng = Rng::stream(seed, "test");
    let mut row = || {
        let (x, noise) = (rng.normal_f64(), rng.normal_f64());
        [x as f32, (0.5 * x * x + (-1.0_f64).exp() * noise) as f32]
    };
    (0..n).flat_map(|_| row()).collect()
}

#[test]
fn mixtures_learn_the_crescent() {
    // A shear of N(0, 1) × N(0, e⁻²): the entropy is ln 2πe − 1.
    let entropy = (std::f64::consts::TAU * std::f64::consts::E).ln() - 1.0;
    assert!((entropy - 1.837_877).abs() < 1e-6);
    let data = Data::from_rows(Shape::points(2), crescent(100_000, 1), crescent(50_000, 2)).unwrap();
    let mut model = Autoregressive::new(AutoregressiveParams::default(), &data, 1).unwrap();
    train(&mut model, &data, 3000);
    let nll = -mean(&log_probs(&model, &data.held_out.xs, 2));
    println!("mixtures, crescent: {nll}");
    assert!(nll > entropy - 0.01 && nll < entropy + 0.02, "{nll}, entropy {entropy}");
}

fn learns_dyck(cell: CellKind, learning_rate: f64) {
    let data = generate("dyck", &[]);
    let params = AutoregressiveParams {
        cell,
        learning_rate,
        decay: Decay::Cosine,
        decay_steps: 3000,
        batch_size: 64,
        ..AutoregressiveParams::default()
    };
    let mut model = Autoregressive::new(params, &data, 1).unwrap();
    train(&mut model, &data, 3000);
    let nll = -mean(&log_probs(&model, &data.train.xs, 12));
    println!("Dyck: {nll}");
    let best = exact("dyck12", "entropy_nats");
    assert!(nll > best - 1e-4 && nll < best + 0.03, "{nll}, entropy {best}");
    let good = allowed(&model, &data);
    println!("{good} of 1000 samples are balanced");
    assert!(good > 960, "{good}");
}

#[test]
fn a_recurrent_unit_learns_balanced_brackets() {
    learns_dyck(CellKind::Gru, 5e-3);
}

#[test]
fn a_transformer_learns_balanced_brackets() {
    learns_dyck(CellKind::Transformer, 2e-3);
}

/// A small model for this cell, and its data: images of 2 × 3 pixels, or words of at most three of two letters.
fn small(cell: CellKind) -> (Autoregressive, Data) {
    let data = match cell {
        CellKind::Mixture => Data::from_rows(Shape::points(2), crescent(2000, 1), crescent(100, 2)),
        CellKind::Made | CellKind::PixelCnn => {
            let rows: Vec<f32> = [[0, 0, 1, 1, 1, 0], [1, 0, 1, 0, 0, 1], [1, 1, 1, 1, 0, 1]]
                .concat()
                .into_iter()
                .map(|bit| bit as f32)
                .collect();
            Data::from_rows(Shape::image(1, 2, 3), rows.clone(), rows)
        }
        CellKind::Gru | CellKind::Transformer => {
            let rows = vec![1.0, 2.0, 0.0, 2.0, 2.0, 1.0, 1.0, 0.0, 0.0];
            Data::from_rows(Shape::sequence(3, 3), rows.clone(), rows)
        }
    }
    .unwrap();
    let params = AutoregressiveParams {
        cell,
        network_shape: vec![12],
        components: 4,
        width: 8,
        batch_size: 16,
        ..AutoregressiveParams::default()
    };
    let mut model = Autoregressive::new(params, &data, 1).unwrap();
    train(&mut model, &data, 30);
    (model, data)
}

const CELLS: [CellKind; 5] =
    [CellKind::Mixture, CellKind::Made, CellKind::PixelCnn, CellKind::Gru, CellKind::Transformer];

#[test]
fn no_law_sees_its_own_value_or_a_later_one() {
    for cell in CELLS {
        let (model, data) = small(cell);
        let size = data.shape.size();
        let rows = data.train.xs[..3 * size].to_vec();
        let laws = |rows: &[f32]| -> Vec<Vec<Vec<f32>>> {
            model.conditionals(&matrix(rows.to_vec(), 3, size).unwrap()).unwrap().to_vec3().unwrap()
        };
        let before = laws(&rows);
        for j in 0..size {
            let mut changed = rows.clone();
            for row in changed.chunks_mut(size) {
                row[j] = if cell == CellKind::Mixture { row[j] + 3.0 } else { (row[j] + 1.0) % 2.0 };
            }
            let after = laws(&changed);
            let mut felt = false;
            for (before, after) in before.iter().zip(&after) {
                // Bit for bit.
                assert_eq!(before[..=j], after[..=j], "{cell:?}, value {j}");
                felt |= before[j + 1..] != after[j + 1..];
            }
            assert_eq!(felt, j + 1 < size, "{cell:?}: value {j} is not seen by any after it");
        }
    }
}

#[test]
fn gradients_by_own_and_later_values_are_exactly_zero() {
    for cell in [CellKind::Made, CellKind::PixelCnn] {
        let (model, data) = small(cell);
        let size = data.shape.size();
        let xs = candle_core::Var::from_tensor(&matrix(data.train.xs.clone(), 3, size).unwrap()).unwrap();
        let logits = model.conditionals(&xs).unwrap();
        for i in 0..size {
            let grads = logits.narrow(1, i, 1).unwrap().sum_all().unwrap().backward().unwrap();
            let slopes = grads.get(&xs).unwrap().to_vec2::<f32>().unwrap();
            assert!(slopes.iter().all(|row| row[i..].iter().all(|slope| *slope == 0.0)), "{cell:?} {i}");
            assert_eq!(slopes.iter().any(|row| row[..i].iter().any(|slope| *slope != 0.0)), i > 0);
        }
    }
}

/// Every word of at most three letters out of two; every image of six bits.
fn outcomes(cell: CellKind) -> (usize, Vec<Vec<f32>>) {
    if matches!(cell, CellKind::Made | CellKind::PixelCnn) {
        return (6, (0..64_u32).map(|i| (0..6).map(|bit| (i >> bit & 1) as f32).collect()).collect());
    }
    let all = (0..27_u32).map(|i| vec![(i / 9) as f32, (i / 3 % 3) as f32, (i % 3) as f32]);
    // After its end a word holds nothing else.
    (3, all.filter(|word| word.windows(2).all(|pair| pair[0] != 0.0 || pair[1] == 0.0)).collect())
}

#[test]
fn probabilities_sum_to_one_and_samples_follow_them() {
    const N: usize = 40_000;
    for cell in &CELLS[1..] {
        let (model, _) = small(*cell);
        let (size, outcomes) = outcomes(*cell);
        let expected: Vec<f64> =
            log_probs(&model, &outcomes.concat(), size).into_iter().map(f64::exp).collect();
        assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{cell:?}");
        let samples = model.sample(N, &mut Rng::stream(4, "test")).unwrap().to_vec2::<f32>().unwrap();
        let mut total = 0.0;
        for (outcome, p) in outcomes.iter().zip(expected) {
            let share = samples.iter().filter(|sample| *sample == outcome).count() as f64 / N as f64;
            total += share;
            let spread = (p * (1.0 - p) / N as f64).sqrt();
            assert!((share - p).abs() < 5.0 * spread + 1e-5, "{cell:?} {outcome:?}: {share}, not {p}");
        }
        assert!((total - 1.0).abs() < 1e-9, "{cell:?} draws what it gives no probability: {total}");
    }
}

#[test]
fn densities_of_points_integrate_to_one_and_samples_follow_them() {
    let (model, _) = small(CellKind::Mixture);
    const GRID: usize = 400;
    let at = |i: usize| 16.0 * (i as f32 + 0.5) / GRID as f32 - 8.0;
    let cells: Vec<f32> = (0..GRID).flat_map(|i| (0..GRID).flat_map(move |j| [at(i), at(j)])).collect();
    let area = (16.0 / GRID as f64).powi(2);
    let log_prob = log_probs(&model, &cells, 2);
    let mass = log_prob.iter().map(|l| l.exp() * area).sum::<f64>();
    assert!((mass - 1.0).abs() < 1e-3, "{mass}");
    let entropy = -log_prob.iter().map(|l| l * l.exp() * area).sum::<f64>();
    let samples = model.sample(40_000, &mut Rng::stream(4, "test")).unwrap();
    let nll = -mean(&log_probs(&model, &samples.flatten_all().unwrap().to_vec1::<f32>().unwrap(), 2));
    assert!((nll - entropy).abs() < 0.03, "{nll}, entropy {entropy}");
}

/// −log p of the held-out digits after so many steps.
fn digits_nll(params: AutoregressiveParams, steps: u64) -> f64 {
    let data = generate("digits", &[("binarize", Value::Flag(true))]);
    let mut model = Autoregressive::new(params, &data, 1).unwrap();
    train(&mut model, &data, steps);
    let nll = -mean(&log_probs(&model, &data.held_out.xs, 64));
    println!("digits: {nll}");
    nll
}

#[test]
fn made_is_better_on_digits_than_a_regression_for_each_pixel() {
    let params = AutoregressiveParams {
        cell: CellKind::Made,
        network_shape: vec![256],
        activation: Activation::Relu,
        learning_rate: 1e-3,
        batch_size: 64,
        clip_norm: 100.0,
        ..AutoregressiveParams::default()
    };
    let nll = digits_nll(params, 3000);
    let regressions = exact("digits_binarised_ge8", "fvsbn_test");
    assert!(nll < regressions && nll > regressions - 1.0, "{nll}, regressions {regressions}");
}

#[test]
fn a_pixel_cnn_is_soon_better_on_digits_than_naive_bayes() {
    let params = AutoregressiveParams {
        cell: CellKind::PixelCnn,
        blocks: 3,
        learning_rate: 2e-3,
        batch_size: 64,
        clip_norm: 100.0,
        ..AutoregressiveParams::default()
    };
    let nll = digits_nll(params, 200);
    // Bernoulli naive Bayes by class: 20.0512 nats; independent pixels: 24.8023.
    assert!(nll < 20.0512 && nll > 17.0, "{nll}");
}

#[test]
fn weights_decay_where_words_are_held_out_and_not_where_all_are_there() {
    for (id, forgets) in [("words", true), ("sums", false)] {
        let data = generate(id, &[]);
        let after = |weight_decay: f64| {
            let params = AutoregressiveParams {
                cell: CellKind::Gru,
                width: 8,
                batch_size: 8,
                weight_decay,
                ..AutoregressiveParams::default()
            };
            let mut model = Autoregressive::new(params, &data, 1).unwrap();
            train(&mut model, &data, 20);
            let weights = model.vars().get("gru.state.weight").unwrap().flatten_all().unwrap();
            weights.to_vec1::<f32>().unwrap().iter().map(|w| w * w).sum::<f32>()
        };
        let (free, held) = (after(0.0), after(2.0));
        // θ ← (1 − ηλ)θ at each of 20 steps: by a tenth, and its square by a fifth, had nothing else moved it.
        assert_eq!(held < 0.9 * free, forgets, "{id}: {held} after {free}");
        assert!(forgets || held == free, "{id}");
    }
}
