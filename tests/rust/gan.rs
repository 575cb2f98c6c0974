//! The adversarial game against closed forms: `tests/reference/c_gan.json` and its script.

use candle_core::{Device, Tensor, Var};
use tealight::data::{Data, Shape};
use tealight::models::adversarial::GanLoss;
use tealight::models::gan::{Gan, GanParams};
use tealight::models::{Model, Phase, Step, matrix};
use tealight::nn::{Decay, Optimizer, OptimizerKind, Update, Vars};
use tealight::params::Value;
use tealight::rng::Rng;

use crate::common::{assert_within, number, reference, session, text};

const LN_2: f64 = std::f64::consts::LN_2;

fn column(values: &[f32]) -> Tensor {
    matrix(values.to_vec(), values.len(), 1).unwrap()
}

fn scalar(tensor: &Tensor) -> f64 {
    f64::from(tensor.to_scalar::<f32>().unwrap())
}

#[test]
fn constant_discriminators_cost_what_the_formulas_say() {
    let (zero, half) = (column(&[0.0; 4]), column(&[0.5; 4]));
    let d = |loss: GanLoss, logits: &Tensor| scalar(&loss.discriminator(logits, logits).unwrap());
    let g = |loss: GanLoss, logits: &Tensor| scalar(&loss.generator(logits).unwrap());
    assert_within("min-max D", d(GanLoss::MinMax, &zero), 2.0 * LN_2, 1e-6);
    assert_within("min-max G", g(GanLoss::MinMax, &zero), -LN_2, 1e-6);
    assert_within("non-saturating D", d(GanLoss::NonSaturating, &zero), 2.0 * LN_2, 1e-6);
    assert_within("non-saturating G", g(GanLoss::NonSaturating, &zero), LN_2, 1e-6);
    assert_within("least squares D", d(GanLoss::LeastSquares, &half), 0.25, 1e-6);
    assert_within("least squares G", g(GanLoss::LeastSquares, &half), 0.125, 1e-6);
    assert_within("hinge D", d(GanLoss::Hinge, &zero), 2.0, 1e-6);
    assert_eq!(d(GanLoss::Wgan, &half), 0.0);
    for loss in [GanLoss::MinMax, GanLoss::NonSaturating, GanLoss::LeastSquares, GanLoss::Hinge] {
        for (id, value, which) in loss.references() {
            let at = if loss == GanLoss::LeastSquares { &half } else { &zero };
            let cost = if which == "discriminator" { d(loss, at) } else { g(loss, at) };
            assert_within(id, cost, value, 1e-6);
        }
    }
}

#[test]
fn huge_logits_stay_finite() {
    let (low, high) = (column(&[-1e4]), column(&[1e4]));
    for loss in [GanLoss::MinMax, GanLoss::NonSaturating, GanLoss::LeastSquares, GanLoss::Hinge] {
        assert!(scalar(&loss.discriminator(&low, &high).unwrap()).is_finite());
        assert!(scalar(&loss.generator(&low).unwrap()).is_finite());
    }
}

/// The Dirac-GAN (Mescheder et al. 2018): data at 0, a generator at θ, D(x) = ψx.
///
/// The reference maximises f(θψ) with f(t) = −softplus(−t), so its ψ has the other sign than our logits.
fn dirac(loss: GanLoss, r1: f64, alternate: bool) -> (f64, f64) {
    let var = |x: f32| Var::from_vec(vec![x], (1, 1), &Device::Cpu).unwrap();
    let (theta, psi) = (var(1.0), var(-1.0));
    let rule = OptimizerKind::Sgd { momentum: 0.0 };
    let group = |name: &str, var: &Var| {
        let mut vars = Vars::new();
        vars.add(name, &[1, 1], vec![var.as_detached_tensor().flatten_all().unwrap().to_vec1().unwrap()[0]])
            .unwrap();
        vars
    };
    let (g, d) = (group("theta", &theta), group("psi", &psi));
    let (mut g_step, mut d_step) = (Optimizer::new(rule, &g), Optimizer::new(rule, &d));
    let tensor = |vars: &Vars, name: &str| vars.get(name).unwrap().as_tensor().clone();
    for _ in 0..500 {
        let (theta, psi) = (tensor(&g, "theta"), tensor(&d, "psi"));
        let generator = loss.generator(&(&theta * psi.detach()).unwrap()).unwrap().backward().unwrap();
        if alternate {
            assert_eq!(g_step.step(&g, &generator, 0.1).unwrap(), Update::Applied);
        }
        let real = (&psi * 0.0).unwrap();
        let fake = (theta.detach() * &psi).unwrap();
        let mut cost = loss.discriminator(&real, &fake).unwrap();
        // (γ/2) E|∇D|² at the datum is (γ/2) ψ².
        cost = (cost + (psi.sqr().unwrap().sum_all().unwrap() * (r1 / 2.0)).unwrap()).unwrap();
        let discriminator = cost.backward().unwrap();
        if !alternate {
            assert_eq!(g_step.step(&g, &generator, 0.1).unwrap(), Update::Applied);
        }
        assert_eq!(d_step.step(&d, &discriminator, 0.1).unwrap(), Update::Applied);
        if loss == GanLoss::Wgan {
            d.clamp(1.0).unwrap();
        }
    }
    let end = |vars: &Vars, name: &str| {
        f64::from(tensor(vars, name).flatten_all().unwrap().to_vec1::<f32>().unwrap()[0])
    };
    (end(&g, "theta"), -end(&d, "psi"))
}

#[test]
fn dirac_gan_follows_the_published_trajectories() {
    let json = reference(include_str!("../reference/c_gan.json"));
    for (key, loss, r1, alternate) in [
        ("minimax_sim", GanLoss::MinMax, 0.0, false),
        ("minimax_alt", GanLoss::MinMax, 0.0, true),
        ("nonsat_sim", GanLoss::NonSaturating, 0.0, false),
        ("nonsat_alt", GanLoss::NonSaturating, 0.0, true),
        ("wgan_clip1_sim", GanLoss::Wgan, 0.0, false),
        ("wgan_clip1_alt", GanLoss::Wgan, 0.0, true),
        ("r1_gamma1_sim", GanLoss::MinMax, 1.0, false),
        ("r1_gamma0p3_sim", GanLoss::MinMax, 0.3, false),
    ] {
        let end = json["dirac_gan"][key].as_array().unwrap().last().unwrap();
        assert_eq!(end[0], 500);
        let (theta, psi) = dirac(loss, r1, alternate);
        let (x, y) = (end[1].as_f64().unwrap(), end[2].as_f64().unwrap());
        assert!(
            (theta - x).abs() < 1e-4 && (psi - y).abs() < 1e-4,
            "{key}: ({theta}, {psi}), not ({x}, {y})"
        );
    }
}

/// One-dimensional normal data around `mean`.
fn normals(mean: f64, n: usize, seed: u32) -> Vec<f32> {
    let mut rng = Rng::stream(seed, "test");
    (0..n).map(|_| (mean + rng.normal_f64()) as f32).collect()
}

/// A GAN on one-dimensional data whose generator is frozen at z + `shift`.
fn frozen(params: GanParams, shift: f32) -> Gan {
    let params = GanParams { latent_dim: 1, network_shape: vec![], batch_size: 1024, ..params };
    let data = Data::from_rows(Shape::points(1), vec![-1.0, 1.0], vec![0.0]).unwrap();
    let gan = Gan::new(params, &data, 1).unwrap();
    let set = |name: &str, value: f32| {
        let var = gan.vars().get(name).unwrap();
        var.set(&Tensor::full(value, var.shape(), &Device::Cpu).unwrap()).unwrap();
    };
    set("generator.0.weight", 1.0);
    set("generator.0.bias", shift);
    gan
}

fn train_discriminator(gan: &mut Gan, data: &Data, steps: u64) {
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    for index in 0..steps {
        let phase = Phase::Discriminator;
        gan.step(&mut Step { data, batches: &mut batches, noise: &mut noise, phase, index }).unwrap();
    }
}

fn weight(gan: &Gan, name: &str) -> f64 {
    f64::from(
        gan.vars().get(name).unwrap().as_detached_tensor().flatten_all().unwrap().to_vec1::<f32>().unwrap()
            [0],
    )
}

#[test]
fn a_discriminator_alone_reaches_the_optimum_of_two_gaussians() {
    let data = Data::from_rows(Shape::points(1), normals(0.0, 200_000, 5), normals(0.0, 1000, 6)).unwrap();
    // Jensen–Shannon, Pearson and total-variation optima of N(0, 1) against N(1, 1).
    for (loss, optimum) in
        [(GanLoss::NonSaturating, 1.163451), (GanLoss::LeastSquares, 0.198986), (GanLoss::Hinge, 1.234150)]
    {
        let params = GanParams {
            loss,
            network_shape_d: vec![32, 32],
            decay: Decay::Cosine,
            decay_steps: 3000,
            ..GanParams::default()
        };
        let mut gan = frozen(params, 1.0);
        train_discriminator(&mut gan, &data, 3000);
        let (real, fake) = (column(&normals(0.0, 200_000, 7)), column(&normals(1.0, 200_000, 8)));
        let cost = scalar(&gan.discriminator_loss(&real, &fake, &[]).unwrap());
        assert_within(&format!("{loss:?}"), cost, optimum, 0.01);
    }
}

#[test]
fn a_linear_discriminator_under_r1_reaches_its_closed_form() {
    let data = Data::from_rows(Shape::points(1), normals(0.0, 200_000, 5), normals(0.0, 1000, 6)).unwrap();
    let params = GanParams {
        loss: GanLoss::NonSaturating,
        r1: 1.0,
        network_shape_d: vec![],
        learning_rate_d: 1e-2,
        decay: Decay::Cosine,
        decay_steps: 2000,
        ..GanParams::default()
    };
    let mut gan = frozen(params, 1.0);
    train_discriminator(&mut gan, &data, 2000);
    let (a, b) = (weight(&gan, "discriminator.0.weight"), weight(&gan, "discriminator.0.bias"));
    assert!((a - -0.311024).abs() < 0.006 && (b - 0.155512).abs() < 0.006, "a = {a}, b = {b}");
}

#[test]
fn a_linear_critic_under_gradient_penalty_reaches_its_closed_form() {
    // Real N(2, 1), generated N(0, 1), λ = 10: a = 1 + m/(2λ) = 1.1, and the estimate of W₁ is a·m = 2.2.
    let data = Data::from_rows(Shape::points(1), normals(2.0, 200_000, 5), normals(2.0, 1000, 6)).unwrap();
    let params = GanParams {
        loss: GanLoss::WganGp,
        penalty: 10.0,
        network_shape_d: vec![],
        learning_rate_d: 1e-2,
        decay: Decay::Cosine,
        decay_steps: 2000,
        ..GanParams::default()
    };
    let mut gan = frozen(params, 0.0);
    train_discriminator(&mut gan, &data, 2000);
    assert_within("a", weight(&gan, "discriminator.0.weight"), 1.1, 0.01);
    let (real, fake) = (column(&normals(2.0, 200_000, 7)), column(&normals(0.0, 200_000, 8)));
    assert_within("W₁", -scalar(&gan.discriminator_loss(&real, &fake, &[]).unwrap()), 2.2, 0.015);
}

#[test]
fn clipped_critics_keep_their_bound() {
    let data = Data::from_rows(Shape::points(1), normals(2.0, 1000, 5), normals(2.0, 100, 6)).unwrap();
    let mut gan = frozen(GanParams { loss: GanLoss::Wgan, clip: 0.05, ..GanParams::default() }, 0.0);
    train_discriminator(&mut gan, &data, 10);
    for (name, values) in crate::common::values(&gan) {
        if name.starts_with("discriminator.") {
            assert!(values.iter().all(|x| x.abs() <= 0.05), "{name}");
        }
    }
}

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
    let mut rng = Rng::stream(5, "test");
    let mut corners = |n: usize, sides: usize| -> Vec<f32> {
        let mut corner = |i: usize| if i < sides { [-1.0, 1.0][rng.below(2) as usize] } else { 1.0 };
        (0..n).flat_map(|_| [0, 1, 2].map(&mut corner)).collect()
    };
    let data = Data::from_rows(Shape::points(3), corners(4096, 3), corners(64, 3)).unwrap();
    let n = 60_000;
    let (real, fake) = (matrix(corners(n, 3), n, 3).unwrap(), matrix(corners(n, 2), n, 3).unwrap());
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
        let cost = scalar(&gan.discriminator_loss(&real, &fake, &[]).unwrap());
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

#[test]
fn timing_temp() {
    for (phase, what) in [("both", "both"), ("discriminator", "D"), ("generator", "G")] {
        let mut session = session("ring", "gan", &[]);
        session.set("phase", &text(phase)).unwrap();
        session.step(20).unwrap();
        let mut best = f64::MAX;
        for _ in 0..60 {
            let start = std::time::Instant::now();
            session.step(5).unwrap();
            best = best.min(start.elapsed().as_secs_f64() / 5.0);
        }
        println!("TIMING ring {what}: {:.3} ms", best * 1e3);
    }
    for (data, model, extra) in [
        ("digits", "gan", "conv"),
        ("digits", "vae", "conv"),
        ("digits", "gan", "mlp"),
        ("digits", "vae", "mlp"),
    ] {
        let mut session = session(data, model, &[("net", text(extra))]);
        let mut best = f64::MAX;
        for _ in 0..20 {
            let start = std::time::Instant::now();
            session.step(2).unwrap();
            best = best.min(start.elapsed().as_secs_f64() / 2.0);
        }
        println!("TIMING {data} {model} {extra}: {:.3} ms", best * 1e3);
    }
}
