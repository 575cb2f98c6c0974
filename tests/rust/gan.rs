//! The adversarial game against closed forms: `tests/reference/c_gan.json` and its script.

use candle_core::{Device, Tensor, Var};
use tealight::data::{Data, Shape};
use tealight::models::adversarial::GanLoss;
use tealight::models::gan::{Gan, GanParams};
use tealight::models::{Model, Phase, Step, matrix};
use tealight::nn::{Decay, Optimizer, OptimizerKind, Update, Vars, gradients};
use tealight::rng::Rng;

use crate::common::{assert_within, reference};

const LN_2: f64 = std::f64::consts::LN_2;

pub fn column(values: &[f32]) -> Tensor {
    matrix(values.to_vec(), values.len(), 1).unwrap()
}

pub fn scalar(tensor: &Tensor) -> f64 {
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
        let generator = gradients(&loss.generator(&(&theta * psi.detach()).unwrap()).unwrap()).unwrap();
        if alternate {
            assert_eq!(g_step.step(&g, &generator, 0.1).unwrap(), Update::Applied);
        }
        let real = (&psi * 0.0).unwrap();
        let fake = (theta.detach() * &psi).unwrap();
        let mut cost = loss.discriminator(&real, &fake).unwrap();
        // (γ/2) E|∇D|² at the datum is (γ/2) ψ².
        cost = (cost + (psi.sqr().unwrap().sum_all().unwrap() * (r1 / 2.0)).unwrap()).unwrap();
        let discriminator = gradients(&cost).unwrap();
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
pub fn normals(mean: f64, n: usize, seed: u32) -> Vec<f32> {
    let mut rng = Rng::stream(seed, "test");
    (0..n).map(|_| (mean + rng.normal_f64()) as f32).collect()
}

/// A GAN on one-dimensional data whose generator is frozen at z + `shift`.
pub fn frozen(params: GanParams, shift: f32) -> Gan {
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

pub fn train_discriminator(gan: &mut Gan, data: &Data, steps: u64) {
    let (mut batches, mut noise) = (Rng::stream(1, "batches"), Rng::stream(1, "noise"));
    for index in 0..steps {
        let phase = Phase::Discriminator;
        gan.step(&mut Step { data, batches: &mut batches, noise: &mut noise, phase, index }).unwrap();
    }
}

pub fn weight(gan: &Gan, name: &str) -> f64 {
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
        println!("{loss:?}: {cost:.6}, at best {optimum:.6}");
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
    println!("a = {:.4}", weight(&gan, "discriminator.0.weight"));
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
