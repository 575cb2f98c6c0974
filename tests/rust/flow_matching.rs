//! Flow matching against closed forms and quadrature: `tests/reference/f_diffusion.json`.

use tealight::frame::{self, Request};
use tealight::metrics::modes::mode_coverage;
use tealight::models::flow_matching::{FlowMatching, FlowMatchingParams};
use tealight::nn::Solver;
use tealight::params::Choice;

use crate::common::{number, reference, session, text};
use crate::diffusion::{
    assert_is_density_of_ring, assert_near_floor, assert_ring_is_covered, defaults, train,
};

fn oracle() -> serde_json::Value {
    reference(include_str!("../reference/f_diffusion.json"))
}

#[test]
fn solvers_with_the_exact_velocity_have_the_deviations_of_the_recursion() {
    for (std, values) in oracle()["flow"].as_object().unwrap() {
        let s2 = std.parse::<f64>().unwrap().powi(2);
        for (name, expected) in values.as_object().unwrap() {
            let parts: Vec<&str> = name.split('_').collect();
            let [solver, steps, "std"] = parts[..] else { continue };
            // N(0, 1) to N(1, s²): an affine map of the noise.
            let mut velocity = |xs: &[f32], t: f64| {
                let slope = (t * s2 - (1.0 - t)) / ((1.0 - t).powi(2) + t * t * s2);
                Ok(xs.iter().map(|x| (1.0 + slope * (f64::from(*x) - t)) as f32).collect())
            };
            let mut xs = vec![0.0, 1.0];
            let steps: usize = steps.parse().unwrap();
            let solver = Solver::from_id(solver).unwrap();
            solver.solve(&mut xs, [0.0, 1.0], steps, &mut velocity, &mut |_| ()).unwrap();
            let (got, expected) = (f64::from(xs[1] - xs[0]).abs(), expected.as_f64().unwrap());
            assert!((got - expected).abs() < 2e-5, "σ = {std}, {name}: {got}, not {expected}");
            println!("σ = {std}, {name}: {got:.6}");
        }
    }
}

#[test]
fn the_ring_is_learned_to_its_floor_by_step_5000() {
    let data = defaults("ring");
    let mut model = FlowMatching::new(FlowMatchingParams::default(), &data, 42).unwrap();
    train(&mut model, &data, 5000);
    let floor = oracle()["floors"]["flow"].as_f64().unwrap();
    assert_near_floor("flow matching", |xs, rng| model.evaluate(xs, rng).unwrap(), floor);
    assert_ring_is_covered("flow matching", &model);
    assert_is_density_of_ring("flow matching", &model);
}

#[test]
fn optimal_transport_needs_fewer_steps_than_the_exact_flow_without() {
    let mut session = session("ring", "flow-matching", &[("pairing", text("optimalTransport"))]);
    session.step(1500).unwrap();
    session.set("solver", &text("euler")).unwrap();
    session.set("samplingSteps", &number(2.0)).unwrap();
    let (_, samples) = frame::prepare(&session, &[Request::Samples { n: 2500 }]).unwrap();
    let score = mode_coverage(&samples, session.data().modes.as_ref().unwrap()).unwrap();
    println!("{score:?}");
    // Two Euler steps of the exact flow of independent pairs bring 34.1 % of the samples within 3σ.
    assert!(score.covered == 8 && score.high_quality > 0.5, "{score:?}");
}
