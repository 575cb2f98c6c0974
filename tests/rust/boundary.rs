//! What comes from outside: every bad input gets a sentence, and the session goes on.

use tealight::catalog;
use tealight::error::Error;
use tealight::session::Session;

use crate::common::session;

fn refused(config: &str) -> String {
    catalog::read_config(config)
        .and_then(Session::new)
        .err()
        .unwrap_or_else(|| panic!("accepted: {config}"))
        .to_string()
}

#[test]
fn bad_configurations_say_what_is_wrong_and_what_is_allowed() {
    for (config, parts) in [
        ("", vec!["not JSON"]),
        ("[1, 2]", vec!["a JSON object"]),
        ("{}", vec!["names no dataset"]),
        (r#"{"dataset":"ring"}"#, vec!["names no model"]),
        (r#"{"dataset":"rign","model":"gan"}"#, vec!["rign", "ring", "moons"]),
        (r#"{"dataset":"ring","model":"GPT"}"#, vec!["GPT", "vae, gan"]),
        (r#"{"dataset":7,"model":"gan"}"#, vec!["dataset must be an id"]),
        (r#"{"dataset":"ring","model":"gan","batchSize":0}"#, vec!["batchSize = 0 is outside 1..=1024"]),
        (r#"{"dataset":"ring","model":"gan","batchSize":1e99}"#, vec!["outside 1..=1024"]),
        (r#"{"dataset":"ring","model":"gan","batchSize":2.5}"#, vec!["a whole number"]),
        (r#"{"dataset":"ring","model":"gan","batchSize":null}"#, vec!["batchSize must be"]),
        (
            r#"{"dataset":"ring","model":"gan","learningRateD":"fast"}"#,
            vec!["learningRateD must be a number"],
        ),
        (r#"{"dataset":"ring","model":"gan","loss":"best"}"#, vec!["minMax, nonSaturating"]),
        (r#"{"dataset":"ring","model":"gan","colour":1}"#, vec!["colour", "networkShape"]),
        (r#"{"dataset":"ring","model":"gan","seed":-1}"#, vec!["seed = -1 is outside 0..=4294967295"]),
        (r#"{"dataset":"ring","model":"gan","seed":0.5}"#, vec!["seed"]),
        (r#"{"dataset":"ring","model":"gan","networkShape":[64,-1]}"#, vec!["networkShape"]),
        (r#"{"dataset":"ring","model":"gan","networkShape":[1,1,1,1,1,1,1]}"#, vec!["at most 6 layers"]),
        (
            r#"{"dataset":"ring","model":"vae","decoder":"bernoulli"}"#,
            vec!["decoder = bernoulli is for images"],
        ),
        (r#"{"dataset":"drawn","model":"vae","points":""}"#, vec!["draw at least one point"]),
        (r#"{"dataset":"drawn","model":"vae","points":"<b>x"}"#, vec!["points"]),
    ] {
        let message = refused(config);
        for part in parts {
            assert!(message.contains(part), "{config}: \"{message}\" does not say \"{part}\"");
        }
    }
}

#[test]
fn hostile_text_is_refused_briefly() {
    let deep = format!(r#"{{"dataset":{}"#, "[".repeat(100_000));
    assert!(refused(&deep).len() < 400);
    let long = format!(r#"{{"dataset":"{}","model":"gan"}}"#, "x".repeat(500_000));
    assert!(refused(&long).len() < 400);
    let huge = " ".repeat((1 << 20) + 1);
    assert!(refused(&huge).contains("bytes"));
}

#[test]
fn a_refused_setting_leaves_the_session_as_it_was() {
    let mut session = session("ring", "gan", &[]);
    session.step(10).unwrap();
    let before = session.snapshot().unwrap();
    for (key, value) in [
        ("batchSize", "0"),
        ("batchSize", "null"),
        ("batchSize", "{}"),
        ("nothing", "1"),
        ("loss", "\"best\""),
        ("learningRateG", "1e400"),
        ("phase", "\"everything\""),
        ("phase", "3"),
        ("seed", "-3"),
        ("noise", "\"much\""),
        ("networkShape", "[0]"),
        ("batchSize", "not json"),
    ] {
        let outcome = catalog::read_value(key, value).and_then(|value| session.set(key, &value));
        assert!(outcome.is_err(), "{key} = {value} was accepted");
    }
    assert!(before == session.snapshot().unwrap());
    session.step(1).unwrap();
}

#[test]
fn bad_snapshots_are_refused_and_change_nothing() {
    let mut session = session("ring", "gan", &[]);
    session.step(10).unwrap();
    let good = session.snapshot().unwrap();
    let mut cases: Vec<Vec<u8>> =
        vec![Vec::new(), vec![0; 7], vec![255; 64], b"<html>".to_vec(), session.weights().unwrap()];
    for cut in [1, 8, 100, good.len() / 2, good.len() - 1] {
        cases.push(good[..cut].to_vec());
    }
    // A value that is not finite, in the middle of the weights.
    let mut poisoned = good.clone();
    let middle = poisoned.len() / 2 / 4 * 4;
    poisoned[middle..middle + 256].fill(255);
    cases.push(poisoned);
    let text = String::from_utf8_lossy(&good[8..2000]).into_owned();
    assert!(text.contains("tealight"));
    for bytes in cases {
        let error = session.restore(&bytes).unwrap_err();
        assert!(matches!(error, Error::File(_)), "{error}");
        assert!(error.to_string().len() < 400);
    }
    assert!(good == session.snapshot().unwrap());
}

#[test]
fn every_flipped_byte_of_a_snapshots_head_is_survived() {
    let mut session = session("ring", "vae", &[("networkShape", tealight::params::Value::Widths(vec![2]))]);
    session.step(2).unwrap();
    let good = session.snapshot().unwrap();
    for i in 0..good.len().min(3000) {
        let mut bad = good.clone();
        bad[i] ^= 0x15;
        // Refused, or (a digit of a number) restored to something that still steps.
        if session.restore(&bad).is_ok() {
            drop(session.step(1));
        }
    }
    session.restore(&good).unwrap();
    session.step(1).unwrap();
}

#[test]
fn bad_view_requests_say_what_there_is() {
    for (request, part) in [
        ("{}", "a list of views"),
        (r#"[{"id":"pictures"}]"#, "samples"),
        (r#"[{"id":"samples"}]"#, "needs n"),
        (r#"[{"id":"samples","n":0}]"#, "outside 1..=20000"),
        (r#"[{"id":"samples","n":1e9}]"#, "outside"),
        (r#"[{"id":"density","grid":100000}]"#, "outside 2..=256"),
        (r#"[{"id":"decode","u":2,"v":0}]"#, "0..=1"),
        (r#"[3]"#, "samples"),
    ] {
        let message = catalog::read_requests(request).unwrap_err().to_string();
        assert!(message.contains(part), "{request}: {message}");
    }
}

#[test]
fn information_is_complete_json() {
    let mut session = session("digits", "gan", &[]);
    session.step(1).unwrap();
    let info = crate::common::reference(&catalog::info(&session));
    assert_eq!(info["step"], 1);
    assert_eq!(info["shape"]["height"], 8);
    assert_eq!(info["config"]["dataset"], "digits");
    assert_eq!(info["latentDim"], 16);
    assert_eq!(info["references"][0]["id"], "log4");
    assert_eq!(info["trainRows"], 1437);
    // What a session says of itself makes the same session again.
    let again = catalog::read_config(&info["config"].to_string()).and_then(Session::new).unwrap();
    assert_eq!(catalog::config_json(again.config()), catalog::config_json(session.config()));
}

#[test]
fn a_few_rows_of_a_data_set_are_its_first_ones() {
    for entry in tealight::data::ALL {
        let json = format!(r#"{{"dataset":"{}"}}"#, entry.id);
        let all = catalog::read_dataset(&json).unwrap().generate().unwrap();
        let mut source = catalog::read_dataset(&json).unwrap();
        source.few(150);
        let few = source.generate().unwrap();
        let n = few.train.len(&few.shape).min(150) * few.shape.size();
        assert_eq!(few.train.xs[..n], all.train.xs[..n], "{}", entry.id);
        // One row after the other, over again where there are too few.
        let rows = tealight::session::preview(&few, 150);
        assert_eq!((rows.len(), &rows[..n]), (150 * few.shape.size(), &few.train.xs[..n]), "{}", entry.id);
    }
    // Asking for fewer than there may be gives as few as there may be, and never more than was set.
    let few = |json: &str, n| {
        let mut source = catalog::read_dataset(json).unwrap();
        source.few(n);
        source.generate().unwrap().train.xs.len() / 2
    };
    assert_eq!(few(r#"{"dataset":"ring"}"#, 1), 100);
    assert_eq!(few(r#"{"dataset":"ring","samples":120}"#, 500), 120);
    assert!(catalog::read_dataset(r#"{"dataset":"ring","nonsense":1}"#).is_err());
    assert!(catalog::read_dataset(r#"{"dataset":"ring","samples":1}"#).is_err());
    assert!(catalog::read_dataset(r#"{"model":"vae"}"#).is_err());
}
