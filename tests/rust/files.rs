//! Sessions on data from files.

use std::sync::Arc;

use tealight::config::Config;
use tealight::data::load::{Loaded, Loader, Options};
use tealight::session::Session;

use crate::common::{number, session, values};

fn load(name: &str, text: &str) -> Loaded {
    let mut loader = Loader::new(Options { size: None });
    loader.add(name, text.as_bytes()).unwrap();
    loader.finish().unwrap()
}

/// Labelled points from a file, and a VAE on them.
fn on_points() -> Session {
    let lines: String = (0..50).map(|i| format!("{},{},{}\n", i % 7, i % 5, i % 3)).collect();
    let loaded = load("a.csv", &format!("x,y,label\n{lines}"));
    Session::on(Config::new(loaded.dataset.id, "vae").unwrap(), Arc::new(loaded.data)).unwrap()
}

#[test]
fn a_session_on_a_file_goes_on_from_its_snapshot() {
    let mut first = on_points();
    first.step(210).unwrap();
    let snapshot = first.snapshot().unwrap();
    // A checkpoint leaves the rows out, and goes on where they are at hand.
    let checkpoint = first.checkpoint().unwrap();
    assert!(checkpoint.len() + 4 * 2 * 50 < snapshot.len());
    let mut third = on_points();
    third.restore(&checkpoint).unwrap();
    assert_eq!(third.steps(), 210);
    // Another session altogether: the rows come with the snapshot.
    let mut second = session("ring", "gan", &[]);
    assert!(second.restore(&checkpoint).unwrap_err().to_string().contains("drop the file again"));
    second.restore(&snapshot).unwrap();
    assert_eq!(second.config().dataset.id, "own-points");
    assert_eq!((&second.data().train, second.data().classes), (&first.data().train, 3));
    assert_eq!(
        (&second.data().held_out, second.data().extent),
        (&first.data().held_out, first.data().extent)
    );
    first.step(5).unwrap();
    second.step(5).unwrap();
    assert_eq!(values(first.model()), values(second.model()));
    assert_eq!(second.snapshot().unwrap(), first.snapshot().unwrap());
}

#[test]
fn rows_from_a_file_stay_whatever_is_set() {
    let mut session = on_points();
    let rows = session.data().train.clone();
    for (key, value) in [("seed", number(7.0)), ("latentDim", number(3.0))] {
        session.step(3).unwrap();
        session.set(key, &value).unwrap();
        assert_eq!((session.steps(), &session.data().train), (0, &rows), "{key}");
    }
    session.step(3).unwrap();
}

#[test]
fn data_and_configuration_must_belong_together() {
    let refused = |config: Config, loaded: Loaded| {
        Session::on(config, Arc::new(loaded.data)).err().unwrap().to_string()
    };
    let config = || Config::new("own-points", "vae").unwrap();
    assert!(
        refused(config(), load("a.txt", "one\ntwo")).contains("not those of the data set \"own-points\"")
    );
    // A configuration alone, as in a link, has no rows.
    assert!(Session::new(config()).err().unwrap().to_string().contains("drop the file again"));
    // What was running is untouched by a file that is refused.
    let mut running = on_points();
    running.step(2).unwrap();
    let mut damaged = running.snapshot().unwrap();
    let mark = b"\"classes\":3";
    let at = damaged.windows(mark.len()).position(|window| window == mark);
    // In the metadata the JSON is itself within quotes.
    let at = at.or_else(|| damaged.windows(14).position(|window| window == b"\\\"classes\\\":3,"));
    let end = at.unwrap() + damaged[at.unwrap()..].iter().position(|byte| *byte == b'3').unwrap();
    damaged[end] = b'1';
    let message = running.restore(&damaged).unwrap_err().to_string();
    assert!(message.contains("labels do not belong"), "{message}");
    assert_eq!(running.steps(), 2);
    running.step(1).unwrap();
}
