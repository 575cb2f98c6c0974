//! The readers of what comes from outside, each with what must hold whatever it is given.
//!
//! A panic is a bug. What is refused is refused with a sentence that is not long, and changes nothing; what is accepted
//! means the same when it is written and read again. Each says whether it was accepted.

use tealight::catalog;
use tealight::config::Config;
use tealight::data::load::{Loader, Options};
use tealight::data::{drawn, typed};
use tealight::error::Error;
use tealight::experiment::Experiment;
use tealight::link;
use tealight::params::Value;
use tealight::session::Session;

/// The longest message: it quotes a piece of the input, and lists what there is.
const LONGEST: usize = 1500;

fn sentence(error: &Error) {
    let message = error.to_string();
    assert!(!message.is_empty() && message.len() < LONGEST, "{} bytes: {message}", message.len());
    assert!(!message.starts_with("internal:"), "{message}");
}

/// What was read, if it was not refused.
fn taken<T>(read: Result<T, Error>) -> Option<T> {
    read.inspect_err(sentence).ok()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A configuration.
pub fn config(bytes: &[u8]) -> bool {
    let Some(config) = taken(catalog::read_config(&text(bytes))) else { return false };
    let json = catalog::config_json(&config);
    let again = taken(catalog::read_config(&json)).map(|config| catalog::config_json(&config));
    assert_eq!(again.as_deref(), Some(json.as_str()));
    true
}

/// The configuration of a data set without a model.
pub fn dataset(bytes: &[u8]) -> bool {
    taken(catalog::read_dataset(&text(bytes))).is_some()
}

/// A setting's value, made where a session stands.
pub fn value(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let (key, value) = text.split_once('\n').unwrap_or((&text, ""));
    let Some(value) = taken(catalog::read_value(key, value)) else { return false };
    let Some(mut config) = taken(Config::new("ring", "gan")) else { return false };
    let before = catalog::config_json(&config);
    let set = taken(config.set(key, &value)).is_some();
    assert!(set || catalog::config_json(&config) == before);
    set
}

/// A list of views.
pub fn requests(bytes: &[u8]) -> bool {
    taken(catalog::read_requests(&text(bytes))).is_some()
}

/// How files are to be read.
pub fn options(bytes: &[u8]) -> bool {
    taken(catalog::read_load_options(&text(bytes))).is_some()
}

/// An experiment.
pub fn experiment(bytes: &[u8]) -> bool {
    let Some(experiment) = taken(catalog::read_experiment(&text(bytes))) else { return false };
    let json = catalog::experiment_json(&experiment);
    let again = taken(catalog::read_experiment(&json)).map(|again| catalog::experiment_json(&again));
    assert_eq!(again.as_deref(), Some(json.as_str()));
    true
}

/// A link: nothing is refused, what is used is allowed, and what is not used is said.
pub fn link(bytes: &[u8]) -> bool {
    let read = |text: &str| link::read(text).unwrap_or_else(|error| panic!("{error}"));
    let (story, clamped) = read(&text(bytes));
    assert!(clamped.iter().all(|clamp| clamp.got.len() <= 4 * 41 && !clamp.key.is_empty()));
    for event in &story.events {
        if let Err(error) = Experiment::check(&story.config, event) {
            panic!("{error}");
        }
    }
    // A link longer than what is read of one would lose its end.
    let written = link::write(&story);
    if written.len() < 1 << 16 {
        let (again, moved) = read(&written);
        assert_eq!(moved, []);
        assert_eq!(catalog::experiment_json(&again), catalog::experiment_json(&story));
    }
    clamped.is_empty()
}

/// A session that costs nothing.
pub fn small() -> Session {
    let made = Config::new("ring", "vae").and_then(|mut config| {
        config.set("samples", &Value::Number(100.0))?;
        config.set("networkShape", &Value::Widths(vec![2]))?;
        config.set("batchSize", &Value::Number(4.0))?;
        Session::new(config)
    });
    made.unwrap_or_else(|error| panic!("{error}"))
}

fn state(session: &Session) -> Vec<u8> {
    session.snapshot().unwrap_or_else(|error| panic!("{error}"))
}

/// Does something to a session: if it is refused, the session is as it was, and goes on.
fn try_on(change: impl FnOnce(&mut Session) -> Result<(), Error>) -> bool {
    let mut session = small();
    let before = state(&session);
    let changed = taken(change(&mut session)).is_some();
    if !changed {
        assert!(before == state(&session), "what was refused changed the session");
        assert!(session.step(1).is_ok());
    } else if session.model().parameters() < 100_000 {
        // A state that no run leads to may diverge; it must say so.
        let _ = taken(session.step(1));
    }
    changed
}

/// A snapshot.
pub fn snapshot(bytes: &[u8]) -> bool {
    try_on(|session| session.restore(bytes))
}

/// Weights.
pub fn weights(bytes: &[u8]) -> bool {
    try_on(|session| session.load_weights(bytes))
}

/// A file of data; its first byte chooses its name, and the size that images get.
pub fn files(bytes: &[u8]) -> bool {
    let Some((kind, bytes)) = bytes.split_first() else { return false };
    let name = ["a.csv", "b.TSV", "c.txt", "images-idx3-ubyte", ""].get(usize::from(kind % 5)).copied();
    let size = [None, Some(4), Some(64)].get(usize::from(kind / 5 % 3)).copied().flatten();
    let mut loader = Loader::new(Options { size });
    let read = loader.add(name.unwrap_or_default(), bytes).and_then(|()| loader.finish());
    let Some(loaded) = taken(read) else { return false };
    assert!(loaded.data.train.xs.iter().all(|x| x.is_finite()));
    assert!(loaded.rows > 0 && loaded.data.train.len(&loaded.data.shape) > 0);
    true
}

/// Decoded images: width, height and how many, then bytes.
pub fn picture(bytes: &[u8]) -> bool {
    let [width, height, count, rest @ ..] = bytes else { return false };
    let mut loader = Loader::new(Options { size: None });
    for _ in 0..count % 3 + 1 {
        if taken(loader.add_image("a.png", rest, (*width).into(), (*height).into())).is_none() {
            return false;
        }
    }
    let Some(loaded) = taken(loader.finish()) else { return false };
    assert!(loaded.data.train.xs.iter().all(|x| x.is_finite()));
    true
}

/// Drawn points.
pub fn drawing(bytes: &[u8]) -> bool {
    let Some(points) = taken(drawn::decode(&text(bytes))) else { return false };
    assert_eq!(drawn::encode(&points).as_bytes(), bytes);
    true
}

/// Words that someone typed.
pub fn words(bytes: &[u8]) -> bool {
    let settings = [("ownWords".to_string(), Value::Text(text(bytes)))];
    let Some(data) = taken((typed::ENTRY.generate)(&settings, 1)) else { return false };
    let top = data.shape.vocabulary as f32;
    assert!(data.train.xs.iter().all(|x| x.fract() == 0.0 && (0.0..top).contains(x)));
    true
}
