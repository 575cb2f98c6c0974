//! The tables of a report.

use tealight::data::{self, Domain};
use tealight::evaluation::scores;

use super::report::{Entry, Run};

/// The scores that the README shows, where a run has them.
const SHOWN: &[(Domain, &[&str])] = &[
    (Domain::Points, &["nll", "modes", "slicedWasserstein", "coverage"]),
    (Domain::Images, &["nll", "labelKl", "frechet", "coverage", "nearest"]),
    (Domain::Sequences, &["bitsPerCharacter", "unique", "novel", "valid"]),
];
/// The data sets that the README shows.
const SETS: &[&str] = &["ring", "digits", "dyck"];

fn cell(x: Option<f64>) -> String {
    x.map_or(String::new(), |x| x.to_string())
}

/// Four digits, as short as may be.
fn short(x: f64) -> String {
    match x.abs() {
        size if size >= 100.0 => format!("{x:.1}"),
        size if size >= 10.0 => format!("{x:.2}"),
        size if size > 0.0 && size < 5e-4 => format!("{x:.1e}"),
        _ => format!("{x:.3}"),
    }
}

/// One run, as it is kept.
pub fn lines(run: &Run) -> String {
    let mut text = format!("steps,{}\n", run.steps);
    for Entry { id, value, floor, optimum, by } in &run.entries {
        text += &format!("{id},{value},{},{},{by}\n", cell(*floor), cell(*optimum));
    }
    let looked: Vec<String> = run.looked.iter().map(u64::to_string).collect();
    text += &format!("looked,{}\n", looked.join(","));
    for (step, id) in &run.findings {
        text += &format!("found,{step},{id}\n");
    }
    text
}

/// A line for each score of each run.
pub fn csv(runs: &[Run]) -> String {
    let mut text = "dataset,model,steps,score,unit,value,floor,optimum,by\n".to_string();
    for run in runs {
        for Entry { id, value, floor, optimum, by } in &run.entries {
            let unit = scores::find(id).map_or("", |entry| entry.unit);
            let (floor, optimum) = (cell(*floor), cell(*optimum));
            text += &format!(
                "{},{},{},{id},{unit},{value},{floor},{optimum},{by}\n",
                run.dataset, run.model, run.steps
            );
        }
    }
    text
}

/// A table for each data set: a line for each model, a column for each score.
pub fn markdown(runs: &[Run]) -> String {
    let mut text = "# Scores\n\nEvery model on every data set that it takes, at its defaults and seed 42, scored by \
                    `npm run report`. The second line of each table is the *floor*: what as many fresh real rows \
                    score.\nA likelihood is exact but for those with a mark: ≤ is an importance-weighted bound, # \
                    normalised on a grid, ~ of kernels on samples. Of images, flows and Gaussian mixtures have a \
                    density of grey levels, the others a probability of black and white: only alike can be compared.\n"
        .to_string();
    for set in data::ALL {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.dataset == set.id).collect();
        let ids: Vec<&str> = scores::ALL
            .iter()
            .map(|entry| entry.id)
            .filter(|id| runs.iter().any(|run| run.entries.iter().any(|entry| entry.id == *id)))
            .collect();
        if !runs.is_empty() {
            text += &format!("\n## {}\n\n{}", set.id, table(&runs, &ids));
        }
    }
    text + &found(runs)
}

/// What the detectors found of runs at their defaults.
fn found(runs: &[Run]) -> String {
    let mut text = format!(
        "\n## Found by the detectors\n\nOf {} runs at their defaults, after a quarter, half and all of their steps:\n\n\
         | model | data | steps | found |\n|---|---|---:|---|\n",
        runs.len()
    );
    for run in runs {
        for step in &run.looked {
            let ids = run.findings.iter().filter(|(at, _)| at == step).map(|(_, id)| id.as_str());
            let ids: Vec<&str> = ids.collect();
            if !ids.is_empty() {
                text += &format!("| {} | {} | {step} | {} |\n", run.model, run.dataset, ids.join(", "));
            }
        }
    }
    text
}

/// The tables that the README shows.
pub fn compact(runs: &[Run]) -> String {
    let mut text = String::new();
    for id in SETS {
        let Ok(set) = data::find(id) else { continue };
        let runs: Vec<&Run> = runs.iter().filter(|run| run.dataset == *id).collect();
        let shown =
            SHOWN.iter().find(|(domain, _)| *domain == set.shape.domain).map_or(&[][..], |(_, ids)| *ids);
        let has = |id: &&&str| runs.iter().any(|run| run.entries.iter().any(|entry| entry.id == **id));
        let ids: Vec<&str> = shown.iter().filter(has).copied().collect();
        if !runs.is_empty() {
            text += &format!("\n{}", table(&runs, &ids));
        }
    }
    text + "\n"
}

fn table(runs: &[&Run], ids: &[&str]) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let set = runs.first().map_or("", |run| run.dataset);
    let mut head = vec![format!("{set}"), "steps".into()];
    head.extend(ids.iter().map(|id| unit_named(id)));
    let mut text = row(head) + "|---|" + &"---:|".repeat(ids.len() + 1) + "\n";
    let floor = |id: &&str| {
        // The floor of kernels on samples is that of no other likelihood.
        let entries =
            runs.iter().flat_map(|run| &run.entries).filter(|entry| entry.id == **id && entry.by != "kde");
        let known = entries.filter_map(|entry| entry.floor).next();
        known.map_or("–".into(), short)
    };
    let mut floors = vec!["*floor*".to_string(), String::new()];
    floors.extend(ids.iter().map(floor));
    text += &row(floors);
    for run in runs {
        let mut cells = vec![run.model.to_string(), run.steps.to_string()];
        cells.extend(ids.iter().map(|id| {
            let entry = run.entries.iter().find(|entry| entry.id == *id);
            entry.map_or("–".into(), |entry| format!("{}{}", mark(&entry.by), short(entry.value)))
        }));
        text += &row(cells);
    }
    text
}

fn unit_named(id: &str) -> String {
    match scores::find(id).map_or("", |entry| entry.unit) {
        "" | "share" | "data" => id.to_string(),
        unit => format!("{id} ({unit})"),
    }
}

fn mark(by: &str) -> &'static str {
    match by {
        "importance" => "≤ ",
        "grid" => "# ",
        "kde" => "~ ",
        _ => "",
    }
}
