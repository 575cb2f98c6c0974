//! What a GAN's discriminator may be besides a network for single points: packs, spreads, spectral norms, classes,
//! convolutions.

use candle_core::{Device, Tensor};
use tealight::data::{Data, Shape};
use tealight::models::gan::{Gan, GanParams};
use tealight::models::{Model, Phase, Step, matrix};
use tealight::nn::Decay;
use tealight::params::Value;
use tealight::rng::Rng;

use crate::common::{assert_within, number, reference, session, text};
use crate::gan::{column, frozen, normals, scalar, train_discriminator, weight};

const LN_2: f64 = std::f64::consts::LN_2;

/// JS(P ‖ Q) of packs of m, in nats, where P is uniform on 8 modes and Q on the first k of them.
fn packed_divergence(k: usize, m: u32) -> f64 {
    let half_kl = |x: f64, mix: f64| if x > 0.0 { 0.5 * x * (x / mix).ln() } else { 0.0 };
    let p = 8.0_f64.powi(-(m as i32));
    (0..8_usize.pow(m))
        .map(|cell| {
            let inside = (0..m).all(|i| cell / 8_usize.pow(i) % 8 < k);
            let q = if inside { (k as f64).powi(-(m as i32)) } else { 0.0 };
            half_kl(p, 0.5 * (p + q)) + half_kl(q, 0.5 * (p + q))
        })
        .sum()
}

#[test]
fn packing_tells_a_collapsed_generator_as_much_as_the_divergence_of_packs() {
    let json = reference(include_str!("../reference/c_gan.json"));
    // The eight modes are the corners of a cube; the generator makes the four of one side:
    // tanh of 1,000 z is a sign, and the third coordinate is always 1.
    let corner = |bits: usize| [0, 1, 2].map(|i| if bits >> i & 1 == 0 { 1.0_f32 } else { -1.0 });
    let data = Data::from_rows(
        Shape::points(3),
        (0..8).flat_map(corner).collect(),
        (0..8).flat_map(corner).collect(),
    )
    .unwrap();
    // Every pack of the first k corners once, (k^m·m, 3).
    let packs = |k: usize, m: u32| {
        let cells = (0..k.pow(m)).flat_map(|cell| (0..m).flat_map(move |i| corner(cell / k.pow(i) % k)));
        matrix(cells.collect(), m as usize * k.pow(m), 3).unwrap()
    };
    for m in 1..=3 {
        let expected = &json["pacgan_packing"][format!("K=8,k=4,m={m}")];
        let divergence = packed_divergence(4, m);
        assert_within("JSD", divergence, expected["JSD_nats"].as_f64().unwrap(), 1e-6);
        let params = GanParams {
            pack: m as usize,
            latent_dim: 2,
            network_shape: vec![2],
            activation: tealight::nn::Activation::Tanh,
            network_shape_d: vec![32],
            learning_rate_d: 1e-2,
            batch_size: 768,
            decay: Decay::Cosine,
            decay_steps: 600,
            ..GanParams::default()
        };
        let mut gan = Gan::new(params, &data, 1).unwrap();
        for (name, values) in [
            ("generator.0.weight", vec![1000.0_f32, 0.0, 0.0, 1000.0]),
            ("generator.1.weight", vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
            ("generator.1.bias", vec![0.0, 0.0, 1.0]),
        ] {
            let var = gan.vars().get(name).unwrap();
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
        }
        train_discriminator(&mut gan, &data, 600);
        let cost = scalar(&gan.discriminator_loss(&packs(8, m), &packs(4, m), &[]).unwrap());
        println!("m = {m}: JSD {divergence:.6}, D reaches {cost:.6} of {:.6}", 2.0 * LN_2 - 2.0 * divergence);
        assert_within(&format!("m = {m}"), cost, 2.0 * LN_2 - 2.0 * divergence, 0.01);
    }
}

#[test]
fn the_spread_of_a_batch_gives_a_collapsed_generator_away_and_teaches_it_to_spread() {
    // Same mean, a quarter of the spread: a linear discriminator sees no difference but in the batch.
    let data = Data::from_rows(Shape::points(1), normals(0.0, 50_000, 5), normals(0.0, 1000, 6)).unwrap();
    let narrow: Vec<f32> = normals(0.0, 4096, 8).iter().map(|x| 0.25 * x).collect();
    let (real, fake) = (column(&normals(0.0, 4096, 7)), column(&narrow));
    for (minibatch_std, low, high) in [(false, 1.38, 1.39), (true, 0.0, 0.05)] {
        let params = GanParams {
            minibatch_std,
            network_shape_d: vec![],
            learning_rate_d: 5e-2,
            ..GanParams::default()
        };
        let mut gan = frozen(params, 0.0);
        let var = gan.vars().get("generator.0.weight").unwrap();
        var.set(&Tensor::full(0.25_f32, (1, 1), &Device::Cpu).unwrap()).unwrap();
        train_discriminator(&mut gan, &data, 600);
        let cost = scalar(&gan.discriminator_loss(&real, &fake, &[]).unwrap());
        println!("minibatch standard deviation {minibatch_std}: D's loss {cost:.4}");
        assert!((low..=high).contains(&cost), "{minibatch_std}: {cost}");
    }
    // With D = s, G = a z minimises sp(−s), and s is |a| times the batch's own deviation: da = −lr·−σ(−s)·s/a.
    let params = GanParams {
        minibatch_std: true,
        network_shape_d: vec![],
        optimizer: tealight::models::Rule::Sgd,
        momentum: 0.0,
        learning_rate_g: 0.1,
        ..GanParams::default()
    };
    let mut gan = frozen(params, 0.0);
    let var = gan.vars().get("discriminator.0.weight").unwrap();
    var.set(&Tensor::new(&[[0.0_f32, 1.0]], &Device::Cpu).unwrap()).unwrap();
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    let z = Rng::stream(1, "noise").normals(1024);
    let (data, phase) = (&data, Phase::Generator);
    gan.step(&mut Step { data, batches: &mut batches, noise: &mut noise, phase, index: 0 }).unwrap();
    let mean = z.iter().sum::<f32>() / 1024.0;
    let s = f64::from(z.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1024.0).sqrt();
    let expected = 1.0 + 0.1 * s / (1.0 + s.exp());
    assert_within("a", weight(&gan, "generator.0.weight"), expected, 1e-5);
}

#[test]
fn a_spectrally_normalised_discriminator_is_no_steeper_than_its_gain() {
    let mut session = session("ring", "gan", &[("spectralNorm", Value::Flag(true)), ("loss", text("hinge"))]);
    session.step(300).unwrap();
    // Logits of a hinge discriminator, unless they are cut at ±1: places half a ten-thousandth apart.
    let mut rng = Rng::stream(4, "test");
    let (mut steepest, h) = (0.0_f32, 1e-3_f32);
    let mut xs = Vec::new();
    for _ in 0..4000 {
        let (x, angle) =
            ([2.5 * rng.normals(1)[0], 2.5 * rng.normals(1)[0]], rng.uniform() * std::f32::consts::TAU);
        xs.extend([x[0], x[1], x[0] + h * angle.cos(), x[1] + h * angle.sin()]);
    }
    let judged = session.model().discriminator().unwrap().realness(&matrix(xs, 8000, 2).unwrap()).unwrap();
    for pair in judged.chunks(2).filter(|pair| pair.iter().all(|x| x.abs() < 0.999)) {
        steepest = steepest.max((pair[0] - pair[1]).abs() / h);
    }
    println!("steepest place: {steepest:.3}");
    assert!(steepest > 0.5 && steepest < 10.3, "{steepest}");

    // The singular vectors are part of the state.
    let snapshot = session.snapshot().unwrap();
    session.step(20).unwrap();
    let mut restored = crate::common::session("ring", "vae", &[]);
    restored.restore(&snapshot).unwrap();
    restored.step(20).unwrap();
    assert!(session.snapshot().unwrap() == restored.snapshot().unwrap());
}

#[test]
fn every_kind_of_discriminator_plays_every_game() {
    let flag = |key: &'static str| (key, Value::Flag(true));
    let extras: [&[(&str, Value)]; 6] = [
        &[("pack", number(3.0))],
        &[flag("minibatchStd")],
        &[flag("spectralNorm")],
        &[flag("conditional")],
        &[flag("conditional"), flag("minibatchStd"), flag("spectralNorm"), ("pack", number(2.0))],
        &[],
    ];
    for (dataset, net) in [("ring", "mlp"), ("digits", "mlp"), ("digits", "conv")] {
        for loss in ["minMax", "nonSaturating", "leastSquares", "hinge", "wgan", "wganGp"] {
            for extra in extras {
                let mut settings = vec![
                    ("net", text(net)),
                    ("loss", text(loss)),
                    ("r1", number(0.5)),
                    ("batchSize", number(16.0)),
                    ("channels", number(4.0)),
                ];
                settings.extend(extra.iter().cloned());
                let what = format!("{dataset} {net} {loss} {extra:?}");
                let mut session = session(dataset, "gan", &settings);
                let before = crate::common::values(session.model());
                session.step(4).unwrap_or_else(|e| panic!("{what}: {e}"));
                for ((name, old), (_, new)) in before.iter().zip(crate::common::values(session.model())) {
                    assert!(new.iter().all(|x| x.is_finite()), "{what}: {name}");
                    // A constant added to the critic cancels; so it does while no margin is reached.
                    let cancels = loss.starts_with("wgan") || loss == "hinge";
                    let last_bias = name.ends_with("bias") && old.len() == 1;
                    assert!((cancels && last_bias) || *old != new, "{what}: {name} did not move");
                }
                let shape = session.data().shape;
                let xs = tealight::models::first_rows(&session.data().train, &shape, 5).unwrap();
                let judged = session.model().discriminator().unwrap().realness(&xs).unwrap();
                assert!(judged.len() == 5 && judged.iter().all(|x| x.abs() <= 1.0), "{what}: {judged:?}");
            }
        }
    }
}

#[test]
fn a_conditional_gan_makes_the_mode_that_it_is_asked_for() {
    let settings = [("conditional", Value::Flag(true)), ("seed", number(42.0))];
    let mut session = session("ring", "gan", &settings);
    session.step(1000).unwrap();
    let centres = session.data().modes.clone().unwrap().centres;
    let classes = session.model().classes().unwrap();
    assert_eq!(classes.classes(), 8);
    let mut hits = 0;
    for (class, centre) in centres.iter().enumerate() {
        let samples = classes.sample_class(class, 200, &mut Rng::stream(1, "test")).unwrap();
        let near = |p: &Vec<f32>| {
            let distance = (f64::from(p[0]) - centre[0]).hypot(f64::from(p[1]) - centre[1]);
            distance < 3.0 * 0.2
        };
        hits += samples.to_vec2::<f32>().unwrap().iter().filter(|p| near(p)).count();
    }
    println!("within 3σ of the mode asked for: {:.3}", f64::from(hits as u32) / 1600.0);
    assert!(hits > 1440, "{hits} of 1600 samples lie at the mode that was asked for");
}

#[test]
fn a_convolutional_gan_learns_the_digits_mean_and_spread() {
    let settings = [("net", text("conv")), ("seed", number(1.0)), ("batchSize", number(64.0))];
    let mut session = session("digits", "gan", &settings);
    let moments = |xs: &Tensor| -> (Vec<f32>, f32) {
        let mean = xs.mean_keepdim(0).unwrap();
        let variance = xs.broadcast_sub(&mean).unwrap().sqr().unwrap().mean(0).unwrap();
        (mean.flatten_all().unwrap().to_vec1().unwrap(), variance.sum_all().unwrap().to_scalar().unwrap())
    };
    let shape = session.data().shape;
    let real = tealight::models::first_rows(&session.data().train, &shape, 1437).unwrap();
    let (mean, variance) = moments(&real);
    let far = |session: &tealight::session::Session| {
        let (other, spread) = moments(&session.model().sample(1000, &mut Rng::stream(2, "test")).unwrap());
        let distance = mean.iter().zip(&other).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        (distance, spread / variance)
    };
    let before = far(&session);
    session.step(600).unwrap();
    let after = far(&session);
    println!(
        "squared distance of the mean images {} -> {}, share of the variance {}",
        before.0, after.0, after.1
    );
    assert!(after.0 < 0.25 * before.0, "{before:?} -> {after:?}");
    assert!((0.5..1.5).contains(&after.1), "{after:?}");
}
