//! The Markov random field against enumeration: `tests/reference/h_mrf_langevin.json`.

use candle_core::{Device, Tensor};
use tealight::data::{Data, Shape};
use tealight::models::mrf::{Boundary, Coupling, Interaction, Mrf, MrfParams};
use tealight::models::{Conditionals, Density, Energy, Model, Phase, Step};
use tealight::rng::Rng;

use crate::common::reference;

const REFERENCE: &str = include_str!("../reference/h_mrf_langevin.json");

fn fixed(side: usize, inverse_temperature: f64, boundary: Boundary, params: MrfParams) -> Mrf {
    let params = MrfParams { coupling: Coupling::Fixed, inverse_temperature, boundary, ..params };
    Mrf::new(params, &Shape::image(1, side, side)).unwrap()
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    tensor.to_vec2().unwrap()
}

/// The mean over images of a function of one.
fn mean(images: &[Vec<f32>], f: impl Fn(&[f32]) -> f64) -> f64 {
    images.iter().map(|image| f(image)).sum::<f64>() / images.len() as f64
}

#[test]
fn the_normaliser_of_small_grids_is_exact() {
    let json = reference(REFERENCE);
    let ising = &json["ising_exact_small"]["values"];
    for (side, boundary, word) in [
        (3, Boundary::Periodic, "True"),
        (3, Boundary::Open, "False"),
        (4, Boundary::Periodic, "True"),
        (4, Boundary::Open, "False"),
    ] {
        for beta in ["0.2", "0.4", "0.4406868", "1.0"] {
            let expected = ising[format!("L={side},periodic={word},beta={beta}")]["lnZ"].as_f64().unwrap();
            let mrf = fixed(side, beta.parse().unwrap(), boundary, MrfParams::default());
            let got = mrf.log_partition().unwrap().unwrap();
            assert!((got - expected).abs() < 1e-9, "{side}, {boundary:?}, {beta}: {got}, not {expected}");
            println!("side {side}, {boundary:?}, β = {beta}: ln Z = {got:.5}");
        }
    }
    let params = MrfParams { interaction: Interaction::Potts, grey_levels: 3, ..MrfParams::default() };
    for beta in ["0.3", "0.6", "1.0"] {
        let expected = json["potts_q3_3x3_periodic"]["values"][beta]["lnZ"].as_f64().unwrap();
        let mrf = fixed(3, beta.parse().unwrap(), Boundary::Periodic, params.clone());
        let got = mrf.log_partition().unwrap().unwrap();
        assert!((got - expected).abs() < 1e-9, "Potts, {beta}: {got}, not {expected}");
    }
    assert!(fixed(9, 0.4, Boundary::Periodic, MrfParams::default()).density().is_none());
}

#[test]
fn gibbs_samples_have_the_energy_and_the_magnetisation_of_enumeration() {
    let json = reference(REFERENCE);
    for beta in ["0.2", "0.4"] {
        let expected = &json["ising_exact_small"]["values"][format!("L=4,periodic=True,beta={beta}")];
        let mrf = fixed(4, beta.parse().unwrap(), Boundary::Periodic, MrfParams::default());
        let samples = mrf.sample(20_000, &mut Rng::stream(1, "test")).unwrap();
        let energies = Energy::energy(&mrf, &samples).unwrap();
        // E here is β times that of the reference.
        let n = energies.len() as f64 * 16.0 * beta.parse::<f64>().unwrap();
        let energy = energies.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let magnetisation = mean(&rows(&samples), |image| {
            (image.iter().map(|x| f64::from(2.0 * x - 1.0)).sum::<f64>() / 16.0).abs()
        });
        for (name, got) in [("energy_per_spin", energy), ("abs_m", magnetisation)] {
            let expected = expected[name].as_f64().unwrap();
            eprintln!("β = {beta}, {name}: {got}, exactly {expected}");
            assert!((got - expected).abs() < 0.01, "β = {beta}, {name}: {got}, not {expected}");
        }
    }
    let params = MrfParams { interaction: Interaction::Potts, grey_levels: 3, ..MrfParams::default() };
    let potts = fixed(3, 1.0, Boundary::Periodic, params);
    let samples = rows(&potts.sample(20_000, &mut Rng::stream(2, "test")).unwrap());
    let equal = mean(&samples, |image| {
        let right = |i: usize| image[i / 3 * 3 + (i + 1) % 3];
        let equal =
            |i: usize| usize::from(image[i] == right(i)) + usize::from(image[i] == image[(i + 3) % 9]);
        (0..9).map(equal).sum::<usize>() as f64 / 18.0
    });
    let expected = json["potts_q3_3x3_periodic"]["values"]["1.0"]["prob_bond_equal"].as_f64().unwrap();
    eprintln!("Potts: {equal}, exactly {expected}");
    assert!((equal - expected).abs() < 0.01, "{equal}, not {expected}");
}

/// All 65,536 images of 4 × 4 bits.
fn states() -> Vec<f32> {
    (0..65_536).flat_map(|s| (0..16).map(move |i| (s >> i & 1) as f32)).collect()
}

#[test]
fn the_exact_pseudo_likelihood_is_highest_at_the_true_coupling() {
    let json = reference(REFERENCE);
    let mrf = |beta: f64| fixed(4, beta, Boundary::Periodic, MrfParams::default());
    let xs = Tensor::from_vec(states(), (65_536, 16), &Device::Cpu).unwrap();
    let log_prob = mrf(0.35).log_prob(&xs, &mut Rng::stream(1, "test")).unwrap();
    let chances: Vec<f32> = log_prob.iter().map(|log| log.exp()).collect();
    let slope = |beta: f64| {
        let score = mrf(beta).pseudo_likelihood(&states(), &chances).unwrap();
        (score.couplings.iter().sum::<f64>(), score.value)
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..16 {
        let middle = 0.5 * (low + high);
        if slope(middle).0 < 0.0 { low = middle } else { high = middle }
    }
    let beta = 0.5 * (low + high);
    eprintln!("the pseudo-likelihood is highest at {beta}");
    assert!((beta - 0.35).abs() < 3e-5, "{beta}");
    let expected = json["ising_pseudolikelihood"]["expected_neg_log_PL_per_spin_at_true"].as_f64().unwrap();
    let value = slope(0.35).1 / 16.0;
    assert!((value - expected).abs() < 1e-5, "{value}, not {expected}");
}

#[test]
fn learning_from_samples_recovers_their_coupling_and_field() {
    let shape = Shape::image(1, 4, 4);
    let mut source =
        Mrf::new(MrfParams { boundary: Boundary::Periodic, ..MrfParams::default() }, &shape).unwrap();
    for (name, values) in [("couplings", vec![0.35_f32, 0.1]), ("field", vec![0.15])] {
        source.vars().get(name).unwrap().set(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap();
    }
    let xs: Vec<f32> =
        source.sample(20_000, &mut Rng::stream(3, "test")).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let data = Data::from_rows(shape, xs.clone(), xs[..160].to_vec()).unwrap();
    for (name, length) in [("couplings", 2), ("field", 1)] {
        let zeros = Tensor::new(vec![0.0_f32; length], &Device::Cpu).unwrap();
        source.vars().get(name).unwrap().set(&zeros).unwrap();
    }
    source.set("decay", &crate::common::text("cosine")).unwrap();
    source.set("decaySteps", &crate::common::number(800.0)).unwrap();
    source.set("batchSize", &crate::common::number(1000.0)).unwrap();
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    for index in 0..800 {
        let phase = Phase::Both;
        let step = &mut Step { data: &data, batches: &mut batches, noise: &mut noise, phase, index };
        source.step(step).unwrap();
    }
    let learned = crate::common::values(&source);
    eprintln!("{learned:?}");
    for (got, expected) in learned.iter().flat_map(|(_, xs)| xs).zip([0.35, 0.1, 0.15]) {
        assert!((got - expected).abs() < 0.01, "{learned:?}");
    }
}

#[test]
fn digits_are_likelier_under_a_field_than_under_independent_pixels() {
    let mut session = crate::common::session("digits", "mrf", &[]);
    session.step(500).unwrap();
    let density = session.model().density().unwrap();
    let xs = tealight::models::first_rows(&session.data().held_out, &session.data().shape, 360).unwrap();
    let log_prob = density.log_prob(&xs, &mut Rng::stream(1, "test")).unwrap();
    let nll = -log_prob.iter().map(|x| f64::from(*x)).sum::<f64>() / 360.0;
    eprintln!("digits: {nll}");
    // The same coin for every pixel: 64 × H(0.32) = 40.2 nats; the field knows no places either.
    assert!(nll > 30.0 && nll < 39.0, "{nll}");
}

#[test]
fn conditionals_are_ratios_of_probabilities() {
    let potts = MrfParams { interaction: Interaction::Potts, grey_levels: 3, ..MrfParams::default() };
    for (params, q) in [(MrfParams::default(), 2), (potts, 3)] {
        let mrf = fixed(3, 0.7, Boundary::Open, params);
        let mut rng = Rng::stream(4, "test");
        let grey = |level: u32| level as f32 / (q - 1) as f32;
        let levels: Vec<f32> = (0..5 * 9).map(|_| grey(rng.below(q))).collect();
        let of = |xs: Vec<f32>| Tensor::from_vec(xs, ((), 9), &Device::Cpu).unwrap();
        let (seen, logs) = Conditionals::conditionals(&mrf, &of(levels.clone())).unwrap();
        assert_eq!(seen, levels);
        for (row, logs) in seen.chunks(9).zip(logs.chunks(9)) {
            for (i, log) in logs.iter().enumerate() {
                let with = |level: f32| {
                    let mut other = row.to_vec();
                    other[i] = level;
                    f64::from(mrf.log_prob(&of(other), &mut Rng::stream(1, "test")).unwrap()[0])
                };
                let all: f64 = (0..q).map(|level| (with(grey(level)) - with(row[i])).exp()).sum();
                assert!(
                    (f64::from(*log) + all.ln()).abs() < 1e-4,
                    "{q} states, {i}: {log}, not {}",
                    -all.ln()
                );
            }
            let loss = mrf.pseudo_likelihood(row, &[1.0]).unwrap().value;
            assert!((logs.iter().map(|log| f64::from(*log)).sum::<f64>() + loss).abs() < 1e-4);
        }
    }
}
