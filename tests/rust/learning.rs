//! Learning, for real, through the same sessions as the page.

use crate::common::{number, session};
use tealight::frame::{self, Request};
use tealight::metrics::modes::mode_coverage;

#[test]
fn a_gan_covers_the_ring_by_step_3000() {
    let mut session = session("ring", "gan", &[("seed", number(42.0))]);
    session.step(3000).unwrap();
    let modes = session.data().modes.clone().unwrap();
    let (_, samples) = frame::prepare(&session, &[Request::Samples { n: 2500 }]).unwrap();
    let score = mode_coverage(&samples, &modes).unwrap();
    assert_eq!((score.covered, score.modes), (8, 8), "{score:?}");
    assert!(score.high_quality >= 0.90, "{score:?}");
    assert!((0.85..=1.15).contains(&score.spread), "{score:?}");
}

#[test]
fn a_vae_on_the_ring_beats_a_single_gaussian_and_never_the_entropy() {
    let mut session = session("ring", "vae", &[("seed", number(1.0))]);
    session.step(2000).unwrap();
    let density = session.model().density().unwrap();
    let n = 500;
    let xs = tealight::models::first_rows(&session.data().held_out, &session.data().shape, n).unwrap();
    let log_prob = density.log_prob(&xs, &mut tealight::rng::Rng::stream(1, "test")).unwrap();
    let nll = -log_prob.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64;
    let entropy = session.data().density.as_ref().unwrap().entropy().unwrap();
    // 3.55083 is the best single Gaussian; a bound on log p cannot beat the entropy beyond sampling error.
    assert!(nll > entropy - 0.1 && nll < 3.3, "negative log-likelihood {nll}, entropy {entropy}");
}

#[test]
fn a_diverging_run_goes_back_to_where_it_was_well() {
    let text = crate::common::text;
    let mut session = session("grid", "vae", &[("variance", text("fixed")), ("optimizer", text("sgd"))]);
    session.step(250).unwrap();
    session.set("sigma2", &number(1e-4)).unwrap();
    session.set("learningRate", &number(0.1)).unwrap();
    let error = loop {
        match session.step(50) {
            Ok(()) => {
                assert!(session.steps() < 5000, "gradient descent at this rate was expected to diverge")
            }
            Err(error) => break error.to_string(),
        }
    };
    // Its step, its loss, what became of it, and the remedy.
    for part in ["diverged at step", "the −ELBO", "went back to step 200", "a smaller learning rate"] {
        assert!(error.contains(part), "no \"{part}\" in: {error}");
    }
    assert_eq!(session.steps(), 200);
    // The checkpoint is from before the settings that did it: they are undone with it.
    assert!(crate::common::values(session.model()).iter().all(|(_, xs)| xs.iter().all(|x| x.is_finite())));
    session.step(50).unwrap();
}
