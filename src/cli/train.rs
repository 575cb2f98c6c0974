//! `tealight train`: what is asked for, the steps, then the files.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use tealight::catalog;
use tealight::config::Config;
use tealight::experiment::{self, Event, Experiment, LAST_STEP};
use tealight::link;
use tealight::models;
use tealight::params::Value;
use tealight::session::Session;
use tealight::snapshot::{self, Rows};

use super::output;
use super::progress::{Progress, SLICE};

/// Steps where nothing says how many.
const USUAL: u64 = 2000;

/// What to train, for how long, and where to write.
#[derive(Args)]
#[command(after_help = "Ctrl-C stops, and writes what there is; a second one stops at once.")]
pub struct Options {
    /// A link of the page: the whole address, or what stands behind its #.
    #[arg(long, conflicts_with = "json")]
    link: Option<String>,
    /// An experiment that the page or this program wrote (experiment.json).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A snapshot to go on from; a link or an experiment beside it then says what changes are still to come.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// The model's id (`tealight catalog` lists them).
    #[arg(long, conflicts_with_all = ["link", "json", "resume"])]
    model: Option<String>,
    /// The data set's id.
    #[arg(long, conflicts_with_all = ["link", "json", "resume"])]
    dataset: Option<String>,
    /// The step to train to, counted from the run's beginning: 5000, or 1e6.
    #[arg(long, value_parser = steps)]
    steps: Option<u64>,
    /// The seed of all randomness.
    #[arg(long, conflicts_with_all = ["link", "json", "resume"])]
    seed: Option<u32>,
    /// A setting, as in links: --set beta=4 --set networkShape=128,128 (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with_all = ["link", "json", "resume"])]
    settings: Vec<String>,
    /// The folder to write to; made if it is not there.
    #[arg(long, default_value = "run")]
    out: PathBuf,
}

fn steps(text: &str) -> Result<u64, String> {
    let x: f64 = text.parse().map_err(|_| "a number of steps is needed, such as 5000 or 1e6")?;
    if x.fract() == 0.0 && (0.0..=LAST_STEP as f64).contains(&x) {
        Ok(x as u64)
    } else {
        Err(format!("a whole number in 0..={LAST_STEP} is needed"))
    }
}

/// Trains and writes.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let plan = plan(options)?;
    let Plan { mut session, story, events, target } = plan;
    if session.steps() > target {
        return Err(format!(
            "the snapshot is at step {}, beyond {target}: give a larger number with --steps",
            session.steps()
        )
        .into());
    }
    // Before the work, not after it.
    fs::create_dir_all(&options.out)
        .map_err(|error| format!("cannot write to {}: {error}", options.out.display()))?;
    let config = session.config();
    println!(
        "{} on {}, seed {}: {} parameters, {} training rows, step {} to {target}",
        config.model.id,
        config.dataset.id,
        config.seed,
        session.model().parameters(),
        session.data().train.len(&session.data().shape),
        session.steps(),
    );
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            exit(130);
        }
        eprintln!("stopping; once more to stop at once");
    })?;
    let mut progress = Progress::new(session.steps(), target)?;
    let outcome = experiment::train(&mut session, &events, target, SLICE, |session| {
        progress.seen(session);
        !stop.load(Ordering::Relaxed)
    });
    progress.finish();
    println!("at step {} after {:.2} s", session.steps(), begun.elapsed().as_secs_f64());
    // Changes beyond where it ended were not made, and what diverged went back: they are no part of what is written.
    let story = story.map(|mut story| {
        story.events.retain(|event| event.step <= session.steps());
        Experiment { step: Some(session.steps()), ..story }
    });
    output::write(&mut session, story.as_ref(), &options.out)?;
    Ok(outcome?)
}

/// What is to be done.
struct Plan {
    session: Session,
    /// The run from its beginning, if that is known.
    story: Option<Experiment>,
    /// The changes that are still to be made.
    events: Vec<Event>,
    target: u64,
}

fn plan(options: &Options) -> Result<Plan, Box<dyn Error>> {
    let story = match (&options.link, &options.json) {
        (Some(text), _) => Some(from_link(text)?),
        (None, Some(file)) => Some(catalog::read_experiment(&text(file)?).map_err(|e| named(file, &e))?),
        (None, None) => None,
    };
    let (session, story) = match &options.resume {
        None => {
            let story = match story {
                Some(story) => story,
                None => from_options(options)?,
            };
            (Session::new(story.config.clone())?, Some(story))
        }
        Some(file) => {
            let bytes = fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            let session = snapshot::load(&bytes, Rows::Own(None)).map_err(|error| named(file, &error))?;
            let told = story.is_some();
            let story = story.or_else(|| beside(file));
            match story.filter(|story| told || fits(story, &session)) {
                Some(story) if !fits(&story, &session) => return Err(misfit(&story, &session).into()),
                Some(story) => (session, Some(story)),
                None => {
                    eprintln!(
                        "the run before this snapshot is not known, so no experiment.json is written: give its link \
                         with --link, or its experiment with --json"
                    );
                    (session, None)
                }
            }
        }
    };
    let events = story.as_ref().map(|story| story.events.clone()).unwrap_or_default();
    let known = story.as_ref().and_then(|story| story.step).filter(|step| *step > session.steps());
    let target = match options.steps.or(known) {
        Some(target) => target,
        None if options.resume.is_none() => USUAL,
        None => {
            return Err(format!(
                "the snapshot is at step {}: say with --steps how far to go on",
                session.steps()
            )
            .into());
        }
    };
    Ok(Plan { session, story, events, target })
}

fn text(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

fn named(file: &Path, error: &tealight::error::Error) -> String {
    format!("{}: {error}", file.display())
}

fn from_link(text: &str) -> Result<Experiment, Box<dyn Error>> {
    let (experiment, clamped) = link::read(text)?;
    for link::Clamp { key, got, used } in clamped {
        eprintln!("{key} = {got} is not allowed here: {used} is used");
    }
    Ok(experiment)
}

fn from_options(options: &Options) -> Result<Experiment, Box<dyn Error>> {
    let of = |id: &Option<String>, usual: &str| id.clone().unwrap_or_else(|| usual.into());
    let model = models::find(&of(&options.model, "vae"))?;
    let mut config = Config::new(&of(&options.dataset, model.example), model.id)?;
    if let Some(seed) = options.seed {
        config.set("seed", &Value::Number(seed.into()))?;
    }
    for setting in &options.settings {
        let (key, text) =
            setting.split_once('=').ok_or("a setting is written KEY=VALUE, as in --set beta=4")?;
        config.set_text(key, text)?;
    }
    Ok(Experiment { config, events: Vec::new(), step: None })
}

/// The experiment that was written along with a snapshot.
fn beside(snapshot: &Path) -> Option<Experiment> {
    let file = snapshot.with_file_name("experiment.json");
    catalog::read_experiment(&text(&file).ok()?).ok()
}

/// Whether a session is at some step of this run.
fn fits(story: &Experiment, session: &Session) -> bool {
    let there = story.config_at(session.steps());
    there.is_ok_and(|there| catalog::config_json(&there) == catalog::config_json(session.config()))
}

/// Why it is not.
fn misfit(story: &Experiment, session: &Session) -> String {
    let own = session.config();
    let Ok(there) = story.config_at(session.steps()) else {
        return "the snapshot is of another run".into();
    };
    let ids = [("dataset", own.dataset.id, there.dataset.id), ("model", own.model.id, there.model.id)];
    let ids = ids.into_iter().map(|(key, own, there)| (key.to_string(), own.to_string(), there.to_string()));
    let seeds = [("seed".to_string(), own.seed.to_string(), there.seed.to_string())];
    let values = own.data.iter().chain(&own.params).zip(there.data.iter().chain(&there.params));
    let values = values.map(|((key, a), (_, b))| (key.clone(), link::text_of(a), link::text_of(b)));
    let first = ids.chain(seeds).chain(values).find(|(_, own, there)| own != there);
    let (key, own, there) = first.unwrap_or_default();
    format!(
        "the snapshot is of another run: at step {} it has {key} = {own}, and the experiment {key} = {there}",
        session.steps()
    )
}
