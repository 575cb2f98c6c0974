//! Scores of sessions: what real rows score, what models score, and that training never notices.

use std::collections::HashSet;

use tealight::data;
use tealight::evaluation::{Evaluated, Evaluator, Score, scores};
use tealight::session::Session;

use crate::common::{number, representatives, session, text};

fn evaluate(session: &Session) -> Evaluated {
    Evaluator::new().evaluate(session).unwrap()
}

fn score<'a>(evaluated: &'a Evaluated, id: &str) -> &'a Score {
    evaluated.scores.iter().find(|score| score.id == id).unwrap_or_else(|| panic!("no {id}"))
}

/// A small batch, so that a step is quick.
fn quick(dataset: &str, model: &str) -> Session {
    let specs = (tealight::models::find(model).unwrap().specs)();
    let batch = specs.iter().any(|spec| spec.key == "batchSize");
    let settings: Vec<_> = batch.then(|| ("batchSize", number(16.0))).into_iter().collect();
    session(dataset, model, &settings)
}

#[test]
#[ignore]
fn timings() {
    for (dataset, model) in representatives() {
        let mut session = quick(dataset, model);
        session.step(3).unwrap();
        let mut evaluator = Evaluator::new();
        for round in 0..2 {
            let start = std::time::Instant::now();
            let parts = evaluator.begin(&session).unwrap();
            let begin = start.elapsed().as_secs_f64() * 1e3;
            let mut costs = Vec::new();
            loop {
                let name = evaluator.name();
                let start = std::time::Instant::now();
                let done = evaluator.advance().unwrap();
                costs.push((name, start.elapsed().as_secs_f64() * 1e3));
                if done.is_some() {
                    break;
                }
            }
            let total: f64 = costs.iter().map(|c| c.1).sum();
            let mut names: Vec<(String, f64, f64, usize)> = Vec::new();
            for (name, cost) in costs {
                let kind = name.split('(').next().unwrap().to_string()
                    + name
                        .split('(')
                        .nth(1)
                        .filter(|_| name.starts_with("Floor") || name.starts_with("Score"))
                        .unwrap_or("");
                match names.iter_mut().find(|(n, ..)| *n == kind) {
                    Some(entry) => {
                        entry.1 += cost;
                        entry.2 = entry.2.max(cost);
                        entry.3 += 1;
                    }
                    None => names.push((kind, cost, cost, 1)),
                }
            }
            let list: Vec<String> =
                names.iter().map(|(n, sum, max, k)| format!("{n} {sum:.1} ({k}x, max {max:.1})")).collect();
            println!(
                "{model} on {dataset}, round {round}: {parts} parts, begin {begin:.1} ms, total {total:.1} ms; {}",
                list.join(", ")
            );
        }
    }
}
