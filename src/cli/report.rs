//! `tealight report`: every model on every data set that it takes, at one seed, with all scores and their floors.
//!
//! A pair that was scored before, by the same number of steps, is read from the folder of results.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use tealight::config::Config;
use tealight::data::{self, Domain};
use tealight::evaluation::{Evaluator, scores};
use tealight::models;
use tealight::session::Session;

use super::report_tables as tables;

/// What to report on.
#[derive(Args)]
pub struct Options {
    /// Only these models or data sets, by id, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Most steps of a run; a model's own number counts where it is less.
    #[arg(long, default_value_t = 5000)]
    steps: u64,
    /// Runs at a time; as many as there are cores if not given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Score every pair anew.
    #[arg(long)]
    afresh: bool,
    /// The folder of results that are gone on from.
    #[arg(long, default_value = "target/report")]
    results: PathBuf,
    /// Where report.md and report.csv go.
    #[arg(long, default_value = "bench")]
    out: PathBuf,
    /// The file whose table between <!-- report --> and <!-- /report --> is replaced, if it has one.
    #[arg(long, default_value = "README.md")]
    readme: PathBuf,
}

/// A value of a run, as it stands in the file of results.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The score's id.
    pub id: String,
    /// Its value.
    pub value: f64,
    /// What real rows score.
    pub floor: Option<f64>,
    /// The best value.
    pub optimum: Option<f64>,
    /// How it was computed; empty where there is one way.
    pub by: String,
}

/// What became of one pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The data set's id.
    pub dataset: &'static str,
    /// The model's id.
    pub model: &'static str,
    /// Steps taken.
    pub steps: u64,
    /// The scores after the last step.
    pub entries: Vec<Entry>,
    /// The steps at which it was looked for what is wrong.
    pub looked: Vec<u64>,
    /// What was found wrong: a step, and the finding's id.
    pub findings: Vec<(u64, String)>,
}

/// The parts of a run after which it is looked for what is wrong: a visitor sees more than the end.
const LOOKS: [u64; 3] = [4, 2, 1];

/// Trains, scores and writes.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let wanted =
        |ids: [&str; 2]| options.only.is_empty() || ids.iter().any(|id| options.only.iter().any(|o| o == id));
    let pairs: Vec<_> = models::ALL
        .iter()
        .flat_map(|model| data::ALL.iter().map(move |set| (*set, *model)))
        .filter(|(set, model)| model.misfit(&set.shape, set.classes).is_none() && wanted([set.id, model.id]))
        .collect();
    fs::create_dir_all(&options.results)?;
    let jobs = options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((set, model)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let steps = steps_of(model.id, set.shape.domain).min(options.steps);
                    let path = options.results.join(format!("{}--{}.csv", model.id, set.id));
                    if !options.afresh && read(&path, set.id, model.id).is_some_and(|run| run.steps == steps)
                    {
                        continue;
                    }
                    let start = Instant::now();
                    let outcome = score(set.id, model.id, steps)
                        .and_then(|run| fs::write(&path, tables::lines(&run)).map_err(|e| e.to_string()));
                    let took = start.elapsed().as_secs_f64();
                    match outcome {
                        Ok(()) => eprintln!("{} on {}: {steps} steps in {took:.0} s", model.id, set.id),
                        Err(error) => eprintln!("{} on {}: {error}", model.id, set.id),
                    }
                }
            });
        }
    });
    // Everything that is known, so that a selection does not drop the rest.
    let mut runs: BTreeMap<(usize, usize), Run> = BTreeMap::new();
    for (i, set) in data::ALL.iter().enumerate() {
        for (j, model) in models::ALL.iter().enumerate() {
            let path = options.results.join(format!("{}--{}.csv", model.id, set.id));
            runs.extend(read(&path, set.id, model.id).map(|run| ((i, j), run)));
        }
    }
    let runs: Vec<Run> = runs.into_values().collect();
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("report.csv"), tables::csv(&runs))?;
    fs::write(options.out.join("report.md"), tables::markdown(&runs))?;
    insert(&options.readme, &tables::compact(&runs))?;
    eprintln!("{} runs in the report; this took {:.0} s", runs.len(), start.elapsed().as_secs_f64());
    Ok(())
}

/// How many steps a model is given: those of the project's recipes.
fn steps_of(model: &str, domain: Domain) -> u64 {
    match (model, domain) {
        ("gmm" | "naive-bayes", _) => 200,
        ("kde", _) => 50,
        ("mrf", _) => 500,
        ("diffusion" | "flow-matching" | "vae", Domain::Points) => 5000,
        ("flow", _) => 4000,
        _ => 3000,
    }
}

fn score(dataset: &'static str, model: &'static str, steps: u64) -> Result<Run, String> {
    let train = || -> tealight::error::Result<_> {
        let mut session = Session::new(Config::new(dataset, model)?)?;
        let mut evaluator = Evaluator::new();
        let mut evaluations = Vec::new();
        for part in LOOKS {
            let step = (steps / part).max(1);
            session.step(step.saturating_sub(session.steps()) as u32)?;
            evaluations.push(evaluator.evaluate(&session)?);
        }
        Ok(evaluations)
    };
    let evaluations = train().map_err(|error| error.to_string())?;
    let entry = |score: &tealight::evaluation::Score| Entry {
        id: score.id.into(),
        value: score.value,
        floor: score.floor,
        optimum: score.optimum,
        by: score.by.map_or("", |by| by.id()).into(),
    };
    Ok(Run {
        dataset,
        model,
        steps,
        entries: evaluations.last().map_or(Vec::new(), |last| last.scores.iter().map(entry).collect()),
        looked: evaluations.iter().map(|evaluated| evaluated.step).collect(),
        findings: evaluations
            .iter()
            .flat_map(|evaluated| evaluated.findings.iter().map(|found| (evaluated.step, found.id.into())))
            .collect(),
    })
}

/// What [`tables::lines`] wrote for this pair.
fn read(path: &Path, dataset: &'static str, model: &'static str) -> Option<Run> {
    let text = fs::read_to_string(path).ok()?;
    let mut run =
        Run { dataset, model, steps: 0, entries: Vec::new(), looked: Vec::new(), findings: Vec::new() };
    for line in text.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        match cells.as_slice() {
            ["steps", steps] => run.steps = steps.parse().ok()?,
            ["looked", steps @ ..] => {
                run.looked = steps.iter().map(|step| step.parse()).collect::<Result<_, _>>().ok()?;
            }
            ["found", step, id] => run.findings.push((step.parse().ok()?, (*id).into())),
            [id, value, floor, optimum, by] if scores::find(id).is_some() => run.entries.push(Entry {
                id: (*id).into(),
                value: value.parse().ok()?,
                floor: floor.parse().ok(),
                optimum: optimum.parse().ok(),
                by: (*by).into(),
            }),
            _ => return None,
        }
    }
    (run.steps > 0 && run.looked.len() == LOOKS.len()).then_some(run)
}

/// Replaces what stands between the marks in a file, if they are there.
fn insert(path: &Path, table: &str) -> Result<(), Box<dyn Error>> {
    const MARKS: [&str; 2] = ["<!-- report -->", "<!-- /report -->"];
    let text = fs::read_to_string(path)?;
    let Some((before, rest)) = text.split_once(MARKS[0]) else { return Ok(()) };
    let Some((_, after)) = rest.split_once(MARKS[1]) else { return Ok(()) };
    fs::write(path, format!("{before}{}\n{table}{}{after}", MARKS[0], MARKS[1]))?;
    Ok(())
}
