//! Scores of sessions: what real rows score, what models score, and that training never notices.

use std::collections::HashSet;

use tealight::data::{self, Domain, load};
use tealight::evaluation::{Better, Evaluated, Evaluator, Score, scores};
use tealight::session::Session;

use crate::common::{number, representatives, session, text};

fn evaluate(session: &Session) -> Evaluated {
    Evaluator::new().evaluate(session).unwrap()
}

fn find<'a>(evaluated: &'a Evaluated, id: &str) -> Option<&'a Score> {
    evaluated.scores.iter().find(|score| score.id == id)
}

fn value(evaluated: &Evaluated, id: &str) -> f64 {
    find(evaluated, id).unwrap_or_else(|| panic!("no {id}")).value
}

/// A small batch, so that a step is quick.
fn quick(dataset: &str, model: &str) -> Session {
    let specs = (tealight::models::find(model).unwrap().specs)();
    let batch = specs.iter().any(|spec| spec.key == "batchSize");
    let settings: Vec<_> = batch.then(|| ("batchSize", number(16.0))).into_iter().collect();
    session(dataset, model, &settings)
}

#[test]
fn the_registry_is_whole() {
    let mut seen = HashSet::new();
    for entry in scores::ALL {
        assert!(seen.insert(entry.id), "{} is there twice", entry.id);
        assert!(["nats", "bits", "share", "data", ""].contains(&entry.unit), "{}", entry.id);
        assert!(!entry.domains.is_empty(), "{}", entry.id);
        if let Some(target) = entry.target {
            assert!(target.is_finite() && (entry.better != Better::Lower || target == 0.0), "{}", entry.id);
        }
    }
}

#[test]
fn a_twin_is_the_same_session_and_goes_its_own_way() {
    for (dataset, model) in representatives() {
        let name = format!("{model} on {dataset}");
        let (mut one, mut plain) = (quick(dataset, model), quick(dataset, model));
        one.step(2).unwrap();
        plain.step(2).unwrap();
        let mut twin = one.twin().unwrap();
        assert_eq!(twin.snapshot().unwrap(), plain.snapshot().unwrap(), "{name}: it is another");
        // Optimisers, chains and streams went along: what comes next is the same, too.
        twin.step(2).unwrap();
        assert_eq!(one.snapshot().unwrap(), plain.snapshot().unwrap(), "{name}: it was noticed");
        plain.step(2).unwrap();
        assert_eq!(twin.snapshot().unwrap(), plain.snapshot().unwrap(), "{name}: it goes on otherwise");
        one.step(2).unwrap();
        assert_eq!(one.snapshot().unwrap(), plain.snapshot().unwrap(), "{name}: so does the first one");
    }
}

#[test]
fn every_model_has_finite_scores_and_does_not_notice() {
    let mut seen = HashSet::new();
    for (dataset, model) in representatives() {
        let name = format!("{model} on {dataset}");
        let (mut scored, mut plain) = (quick(dataset, model), quick(dataset, model));
        let mut evaluator = Evaluator::new();
        let mut left = evaluator.begin(&scored).unwrap();
        // Training goes on between the parts, which are of the model at its beginning.
        let first = loop {
            left -= 1;
            if left.is_multiple_of(8) && scored.steps() < 4 {
                scored.step(1).unwrap();
            }
            if let Some(evaluated) = evaluator.advance().unwrap() {
                break evaluated;
            }
        };
        assert_eq!(left, 0, "{name}: parts");
        assert_eq!(first, evaluate(&plain), "{name}: another time, other scores");
        assert!(evaluator.advance().is_err(), "{name}: it ended");
        plain.step(scored.steps() as u32).unwrap();
        assert_eq!(scored.snapshot().unwrap(), plain.snapshot().unwrap(), "{name}: it was noticed");

        let domain = data::find(dataset).unwrap().shape.domain;
        assert!(!first.scores.is_empty() && first.step == 0, "{name}");
        let order: Vec<_> =
            first.scores.iter().map(|score| scores::ALL.iter().position(|e| e.id == score.id)).collect();
        assert!(order.is_sorted() && order.iter().all(Option::is_some), "{name}: {order:?}");
        for score in &first.scores {
            seen.insert(score.id);
            let entry = scores::find(score.id).unwrap();
            assert!(entry.domains.contains(&domain), "{name}: {} is for another kind of data", score.id);
            let numbers = [Some(score.value), score.floor, score.optimum];
            assert!(numbers.into_iter().flatten().all(f64::is_finite), "{name}: {score:?}");
            if entry.unit == "share" {
                assert!((0.0..=1.0).contains(&score.value), "{name}: {score:?}");
            }
            let likelihood = ["nll", "bitsPerCharacter"].contains(&score.id);
            assert_eq!(score.by.is_some(), likelihood, "{name}: {score:?}");
        }
    }
    // What only sequences with a rule have is in the tests below.
    let missing: Vec<_> = scores::ALL.iter().map(|entry| entry.id).filter(|id| !seen.contains(id)).collect();
    assert_eq!(missing, ["valid"]);
}

/// The kernel density estimate with kernels too narrow to see hands out training rows: real ones.
fn real_points(dataset: &str, seed: f64) -> Session {
    let settings = [("seed", number(seed)), ("bandwidthRule", text("fixed")), ("bandwidth", number(1e-3))];
    session(dataset, "kde", &settings)
}

#[test]
fn real_rows_score_what_the_floor_says() {
    // How far real rows may be from other real rows, and how far rows may be that were drawn with some of them twice:
    // the nearest neighbour and the cells of the grid see that.
    let tolerances = [
        ("modes", 0.0, 0.0),
        ("highQuality", 0.01, 0.01),
        ("spread", 0.05, 0.05),
        ("slicedWasserstein", 0.15, 0.15),
        ("mmd", 0.004, 0.01),
        ("energyDistance", 0.015, 0.03),
        ("gridJs", 0.1, 0.05),
        ("precision", 0.05, 0.03),
        ("recall", 0.05, 0.03),
        ("density", 0.12, 0.12),
        ("coverage", 0.03, 0.08),
        ("twoSample", 0.05, 0.15),
    ];
    for dataset in ["ring", "moons", "checkerboard"] {
        for seed in [1.0, 2.0] {
            let evaluated = evaluate(&real_points(dataset, seed));
            for (id, chance, twice) in tolerances {
                let Some(score) = find(&evaluated, id) else {
                    assert!(dataset != "ring" && ["modes", "highQuality", "spread"].contains(&id), "{id}");
                    continue;
                };
                let floor = score.floor.unwrap();
                println!("{dataset} {seed} {id}: {} floor {floor} optimum {:?}", score.value, score.optimum);
                assert!((score.value - floor).abs() <= twice, "{dataset} {id}: {score:?}");
                // Precision and recall of equal laws depend on the law.
                let best = score.optimum.unwrap_or(1.0);
                assert!((floor - best).abs() <= chance, "{dataset} {id}: {score:?}");
            }
        }
    }
}

#[test]
fn likelihoods_say_how_they_were_computed_and_what_is_best() {
    // Exact, with the law's own loss on the same rows as the floor, and the entropy.
    let mut flow = session("moons", "gmm", &[("components", number(16.0))]);
    flow.step(60).unwrap();
    let evaluated = evaluate(&flow);
    let nll = find(&evaluated, "nll").unwrap();
    let (floor, entropy) = (nll.floor.unwrap(), nll.optimum.unwrap());
    assert_eq!(nll.by.unwrap().id(), "exact");
    // a_densities.json: moons with noise 0.1; 1,000 rows differ by 0.03.
    assert!((entropy - 1.00752).abs() < 1e-3 && (floor - entropy).abs() < 0.08, "{nll:?}");
    assert!(nll.value > floor && nll.value < floor + 0.25, "{nll:?}");
    assert_eq!(find(&evaluate(&quick("ring", "vae")), "nll").unwrap().by.unwrap().id(), "importance");
    assert_eq!(find(&evaluate(&quick("ring", "ebm")), "nll").unwrap().by.unwrap().id(), "grid");
    let gan = evaluate(&quick("ring", "gan"));
    let nll = find(&gan, "nll").unwrap();
    // Kernels on as many real rows are the floor of kernels on samples.
    assert_eq!(nll.by.unwrap().id(), "kde");
    let (floor, entropy) = (nll.floor.unwrap(), nll.optimum.unwrap());
    assert!(floor > entropy && floor < entropy + 0.2 && nll.value > floor, "{nll:?}");
    // A density of what is only black or white cannot be compared with a probability of it.
    let discrete = |model| find(&evaluate(&quick("bars-and-stripes", model)), "nll").unwrap().optimum;
    assert_eq!(discrete("gmm"), None);
    assert!((discrete("autoregressive").unwrap() - 30.0_f64.ln()).abs() < 1e-12);
    assert!((discrete("rbm").unwrap() - 30.0_f64.ln()).abs() < 1e-12);
}

#[test]
fn a_memorising_model_is_seen_by_its_images() {
    // Components as narrow as they can be, one for each row of a small set.
    let mut copies = session("digits", "gmm", &[("components", number(1.0))]);
    copies.step(3).unwrap();
    let evaluated = evaluate(&copies);
    println!("{:?}", evaluated.scores);
    assert!(value(&evaluated, "nearest") > 0.5);
    for id in ["labels", "labelKl", "frechet", "precision", "coverage"] {
        let score = find(&evaluated, id).unwrap();
        assert!(score.floor.is_some(), "{id}");
    }
    assert_eq!(find(&evaluated, "labels").unwrap().optimum, Some(10.0));
    assert_eq!(find(&evaluated, "labels").unwrap().floor, Some(10.0));
}

#[test]
fn words_are_scored_by_their_rule() {
    let mut dyck = session("dyck", "autoregressive", &[("cell", text("gru"))]);
    let before = evaluate(&dyck);
    dyck.step(300).unwrap();
    let after = evaluate(&dyck);
    let bits = find(&after, "bitsPerCharacter").unwrap();
    // 132 words of 12 brackets.
    let best = 132.0_f64.log2() / 12.0;
    assert!((bits.optimum.unwrap() - best).abs() < 1e-9 && (bits.floor.unwrap() - best).abs() < 1e-9);
    assert!(bits.value > best && bits.value < value(&before, "bitsPerCharacter"));
    assert!(value(&after, "valid") > value(&before, "valid") + 0.1);
    assert_eq!(find(&after, "valid").unwrap().floor, Some(1.0));
    // All words that there are, are training rows.
    assert!(find(&after, "novel").is_none());
    // 500 draws of 132 words.
    assert!((find(&after, "unique").unwrap().floor.unwrap() - 0.26).abs() < 0.02);
    // Held-out words of a list are all new.
    let words = evaluate(&quick("words", "autoregressive"));
    assert_eq!(find(&words, "novel").unwrap().floor, Some(1.0));
    assert!(find(&words, "valid").is_none());
}

#[test]
fn data_that_are_few_or_all_alike_give_what_can_be_had() {
    let on = |rows: &str| {
        let mut loader = load::Loader::new(load::Options { size: None });
        loader.add("a.csv", rows.as_bytes()).unwrap();
        let data = loader.finish().unwrap().data;
        let config = tealight::config::Config::new(load::POINTS.id, "gan").unwrap();
        let mut session = Session::on(config, std::sync::Arc::new(data)).unwrap();
        session.step(2).unwrap();
        session
    };
    // One held-out row; and rows that are all one.
    for rows in ["1,2\n3,4\n5,6\n", &"1,2\n".repeat(50)] {
        let session = on(rows);
        let evaluated = evaluate(&session);
        for score in &evaluated.scores {
            assert!(score.value.is_finite() && score.floor.is_none_or(f64::is_finite), "{rows}: {score:?}");
        }
        assert!(find(&evaluated, "modes").is_none());
    }
    // A line, which is no plane.
    let evaluated = evaluate(&on(&(0..99).map(|i| format!("{}\n", i % 7)).collect::<String>()));
    assert!(find(&evaluated, "gridJs").is_none());
    assert!(find(&evaluated, "energyDistance").is_some());
    assert_eq!(load::POINTS.shape.domain, Domain::Points);
}
