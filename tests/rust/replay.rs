//! Same seed, same bits; a snapshot goes on as the run it was taken of.

use crate::common::{number, representatives, session, text};

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_does_not() {
    for (dataset, model) in representatives() {
        let run = |seed: f64| {
            let mut session = session(dataset, model, &[("seed", number(seed))]);
            session.step(20).unwrap();
            session.snapshot().unwrap()
        };
        assert!(run(1.0) == run(1.0), "{model} on {dataset}");
        assert!(run(1.0) != run(2.0), "{model} on {dataset}");
    }
}

#[test]
fn slices_of_steps_change_nothing_and_views_change_nothing() {
    for (dataset, model) in [("ring", "gan"), ("digits", "vae")] {
        let mut whole = session(dataset, model, &[]);
        whole.step(40).unwrap();
        let mut sliced = session(dataset, model, &[]);
        for n in [1, 2, 30, 7] {
            sliced.step(n).unwrap();
            tealight::frame::prepare(&sliced, &[tealight::frame::Request::Samples { n: 10 }]).unwrap();
        }
        assert!(whole.snapshot().unwrap() == sliced.snapshot().unwrap());
    }
}

#[test]
fn the_latent_dimensions_that_are_shown_do_not_depend_on_when_somebody_looked() {
    use tealight::frame::{Request, prepare};
    let map = [Request::LatentMap { grid: 3 }, Request::LatentPoints { n: 20 }];
    let looked_at = |every: u32| {
        let mut session = session("digits", "vae", &[]);
        let mut shown = Vec::new();
        for _ in 0..512 / every {
            session.step(every).unwrap();
            let (sections, values) = prepare(&session, &map).unwrap();
            shown.push((sections[0].axes, values));
        }
        shown
    };
    let (often, once) = (looked_at(4), looked_at(512));
    assert!(often.last() == once.last());
    // The case is one in which it matters: other dimensions were shown on the way.
    let on_the_way: Vec<_> = often.iter().map(|(axes, _)| *axes).collect();
    assert!(on_the_way.iter().any(|axes| *axes != once[0].0), "{on_the_way:?}");
}

#[test]
fn a_restored_snapshot_continues_bit_for_bit() {
    for (dataset, model) in representatives() {
        let mut straight = session(dataset, model, &[]);
        straight.step(30).unwrap();
        let snapshot = straight.snapshot().unwrap();
        straight.step(30).unwrap();
        // Restored into a session of something else altogether.
        let mut restored = session("moons", "vae", &[]);
        restored.step(3).unwrap();
        restored.restore(&snapshot).unwrap();
        assert_eq!(restored.steps(), 30);
        restored.step(30).unwrap();
        assert!(straight.snapshot().unwrap() == restored.snapshot().unwrap(), "{model} on {dataset}");
    }
}

#[test]
fn rewinding_gives_the_same_run_again_at_the_settings_of_now() {
    let mut session = session("ring", "gan", &[]);
    session.set("learningRateG", &number(0.002)).unwrap();
    session.step(25).unwrap();
    let first = session.snapshot().unwrap();
    session.set("phase", &text("discriminator")).unwrap();
    session.step(5).unwrap();
    session.reset().unwrap();
    assert_eq!(session.steps(), 0);
    session.step(25).unwrap();
    assert!(first == session.snapshot().unwrap());
}

#[test]
fn phases_update_only_their_network() {
    let mut session = session("ring", "gan", &[]);
    let moved = |before: &[(String, Vec<f32>)], after: Vec<(String, Vec<f32>)>| -> Vec<String> {
        let pairs = before.iter().zip(after);
        pairs.filter(|(old, new)| old.1 != new.1).map(|(old, _)| old.0.clone()).collect()
    };
    for (phase, prefix) in [("discriminator", "discriminator."), ("generator", "generator.")] {
        let before = crate::common::values(session.model());
        session.set("phase", &text(phase)).unwrap();
        session.step(1).unwrap();
        let moved = moved(&before, crate::common::values(session.model()));
        assert!(!moved.is_empty() && moved.iter().all(|name| name.starts_with(prefix)), "{phase}: {moved:?}");
    }
}

#[test]
fn weights_go_out_and_come_back_and_misfits_are_refused_whole() {
    let mut trained = session("ring", "gan", &[]);
    trained.step(10).unwrap();
    let weights = trained.weights().unwrap();
    let mut fresh = session("ring", "gan", &[]);
    fresh.load_weights(&weights).unwrap();
    assert_eq!(crate::common::values(fresh.model()), crate::common::values(trained.model()));
    let mut other = session("ring", "vae", &[]);
    let before = other.snapshot().unwrap();
    assert!(other.load_weights(&weights).is_err());
    assert!(before == other.snapshot().unwrap());
}
