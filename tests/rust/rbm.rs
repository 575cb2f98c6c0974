//! The restricted Boltzmann machine against enumeration: `tests/reference/g_classical.json`.

use candle_core::{Device, Tensor};
use tealight::data::{Data, Shape};
use tealight::models::rbm::{Chains, Rbm, RbmParams};
use tealight::models::{Conditionals, Density, Model, first_rows};
use tealight::nn::Decay;
use tealight::rng::Rng;

use crate::common::{number, reference, session, text};

const CLASSICAL: &str = include_str!("../reference/g_classical.json");

fn tensor(values: Vec<f32>, shape: &[usize]) -> Tensor {
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// All rows of nine bits.
fn states() -> Vec<f32> {
    (0..512).flat_map(|s| (0..9).map(move |i| (s >> i & 1) as f32)).collect()
}

/// The three rows and the three columns of a 3 × 3 image.
fn bars() -> Vec<f32> {
    let bar =
        |f: fn(usize) -> usize| (0..3).flat_map(move |k| (0..9).map(move |i| f32::from(u8::from(f(i) == k))));
    bar(|i| i / 3).chain(bar(|i| i % 3)).collect()
}

/// W[i][j] = 0.8 sin(1 + i + 2j), b[i] = 0.2 cos(1 + i), c[j] = −0.3 + 0.1 j, of nine visible and four hidden units.
fn formula() -> Rbm {
    let data = Data::from_rows(Shape::image(1, 3, 3), bars(), bars()).unwrap();
    let rbm = Rbm::new(RbmParams { hidden: 4, ..RbmParams::default() }, &data, 1).unwrap();
    let w = (0..4).flat_map(|j| (0..9).map(move |i| 0.8 * (1.0 + i as f64 + 2.0 * j as f64).sin()));
    let set = |name: &str, values: Vec<f32>, shape: &[usize]| {
        rbm.vars().get(name).unwrap().set(&tensor(values, shape)).unwrap();
    };
    set("hidden.weight", w.map(|x| x as f32).collect(), &[4, 9]);
    set("hidden.bias", (0..4).map(|j| -0.3 + 0.1 * j as f32).collect(), &[4]);
    set("visible.bias", (0..9).map(|i| 0.2 * (1.0 + i as f32).cos()).collect(), &[9]);
    rbm
}

#[test]
fn the_formula_machine_has_its_exact_energies_and_gradient() {
    let json = reference(CLASSICAL);
    let expected = |name: &str| json["rbm_formula"][name].as_f64().unwrap();
    let near = |what: &str, got: f64| {
        assert!((got - expected(what)).abs() < 1e-5, "{what}: {got}, not {}", expected(what));
    };
    let rbm = formula();
    let log_z = rbm.log_partition().unwrap().unwrap();
    near("logZ", log_z);
    println!("log Z = {log_z:.6}");
    let v0 = vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    let free = |xs: Vec<f32>| rbm.free_energy(&tensor(xs.clone(), &[xs.len() / 9, 9])).unwrap();
    near("free_energy_v0", free(v0.clone()).to_vec1::<f32>().unwrap()[0].into());
    near("pseudo_loglik_v0", rbm.pseudo_likelihood(&v0).unwrap()[0]);
    let log_prob = rbm.log_prob(&tensor(bars(), &[6, 9]), &mut Rng::stream(1, "test")).unwrap();
    near("nll_data", -log_prob.iter().map(|x| f64::from(*x)).sum::<f64>() / 6.0);
    let chances = free(states()).affine(-1.0, -log_z).unwrap().exp().unwrap().detach();
    assert!((chances.sum_all().unwrap().to_scalar::<f32>().unwrap() - 1.0).abs() < 1e-5);
    // With all states as samples, each with its probability, the gap's gradient is that of −log p.
    let model = (free(states()) * chances).unwrap().sum_all().unwrap();
    let gap = (free(bars()).mean_all().unwrap() - model).unwrap();
    let gradients = tealight::nn::backward(&gap).unwrap();
    let gradient = gradients.get(rbm.vars().get("hidden.weight").unwrap()).unwrap();
    let gradient: Vec<Vec<f32>> = gradient.to_vec2().unwrap();
    for (i, row) in json["rbm_formula"]["exact_grad_W"].as_array().unwrap().iter().enumerate() {
        for (j, value) in row.as_array().unwrap().iter().enumerate() {
            let (got, value) = (-f64::from(gradient[j][i]), value.as_f64().unwrap());
            assert!((got - value).abs() < 1e-5, "W[{i}][{j}]: {got}, not {value}");
        }
    }
}

#[test]
fn gibbs_chains_have_the_means_of_the_formula_machine() {
    let json = reference(CLASSICAL);
    let samples = formula().sample(20_000, &mut Rng::stream(2, "test")).unwrap();
    let means: Vec<f32> = samples.mean(0).unwrap().to_vec1().unwrap();
    let expected = json["rbm_formula"]["mean_v_under_model"].as_array().unwrap();
    for (got, value) in means.iter().zip(expected) {
        assert!((f64::from(*got) - value.as_f64().unwrap()).abs() < 0.01, "{means:?}");
    }
}

/// The mean log-likelihood of the held-out digits under 16 hidden units after 300 passes, in nats.
fn digits_with(chains: Chains) -> f64 {
    let data = (tealight::data::find("digits").unwrap().generate)(&[], 1).unwrap();
    let params = RbmParams {
        hidden: 16,
        chains,
        decay: Decay::Cosine,
        decay_steps: 4200,
        learning_rate: 0.1,
        ..RbmParams::default()
    };
    let mut rbm = Rbm::new(params, &data, 1).unwrap();
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    for index in 0..4200 {
        let phase = tealight::models::Phase::Both;
        let mut step =
            tealight::models::Step { data: &data, batches: &mut batches, noise: &mut noise, phase, index };
        rbm.step(&mut step).unwrap();
    }
    let xs = first_rows(&data.held_out, &data.shape, 360).unwrap();
    let log_prob = rbm.log_prob(&xs, &mut Rng::stream(1, "test")).unwrap();
    log_prob.iter().map(|x| f64::from(*x)).sum::<f64>() / 360.0
}

#[test]
fn sixteen_hidden_units_learn_the_digits_to_their_exact_likelihood() {
    let json = reference(include_str!("../reference/g2_rbm16_digits.json"));
    for (chains, name) in [(Chains::Persistent, "pcd1_lr0.1"), (Chains::Contrastive, "cd1_lr0.1")] {
        let mean = digits_with(chains);
        let trace = json[name]["trace"].as_array().unwrap();
        let expected = trace.last().unwrap()["test"].as_f64().unwrap();
        eprintln!("{chains:?}: {mean}, in NumPy {expected}");
        // Other random numbers, the same recipe; independent pixels have −24.80.
        assert!((mean - expected).abs() < 0.2 && mean > -18.8, "{chains:?}: {mean}, in NumPy {expected}");
    }
}

#[test]
fn the_likelihood_is_exact_for_few_units_and_absent_for_many() {
    for (hidden, has) in [(16.0, true), (17.0, false)] {
        let mut session =
            session("digits", "rbm", &[("hiddenUnits", number(hidden)), ("chains", text("cd"))]);
        session.step(2).unwrap();
        assert_eq!(session.model().density().is_some(), has, "{hidden}");
    }
}

#[test]
fn conditionals_are_ratios_of_probabilities() {
    let rbm = formula();
    let log_prob =
        |xs: Vec<f32>| f64::from(rbm.log_prob(&tensor(xs, &[1, 9]), &mut Rng::stream(1, "test")).unwrap()[0]);
    // Grey pixels are seen as the nearer of black and white.
    let grey = tensor(bars().iter().map(|x| 0.4 + 0.2 * x).collect(), &[6, 9]);
    let (seen, logs) = Conditionals::conditionals(&rbm, &grey).unwrap();
    assert_eq!(seen, bars());
    for (row, logs) in seen.chunks(9).zip(logs.chunks(9)) {
        for (i, log) in logs.iter().enumerate() {
            let mut flipped = row.to_vec();
            flipped[i] = 1.0 - flipped[i];
            // p(v)/(p(v) + p(v flipped at i))
            let expected = -(log_prob(flipped) - log_prob(row.to_vec())).exp().ln_1p();
            assert!((f64::from(*log) - expected).abs() < 1e-5, "{i}: {log}, not {expected}");
        }
        let sum: f64 = logs.iter().map(|log| f64::from(*log)).sum();
        assert!((sum - rbm.pseudo_likelihood(row).unwrap()[0]).abs() < 1e-5);
    }
}
