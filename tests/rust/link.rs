//! Links and experiments: read as the page reads them, and trained natively to where the page gets.

use serde_json::{Value as Json, json};
use tealight::catalog;
use tealight::config::Config;
use tealight::experiment::{self, Event, Experiment};
use tealight::link;
use tealight::params::Value;
use tealight::session::Session;

use crate::common::{number, reference, text};

fn links() -> Vec<Json> {
    reference(include_str!("../reference/links.json")).as_array().unwrap().clone()
}

/// What a link says, in the page's form.
fn read(link: &str) -> Json {
    let (experiment, clamped) = link::read(link).unwrap();
    let clamped: Vec<Json> =
        clamped.into_iter().map(|c| json!({"key": c.key, "got": c.got, "used": c.used})).collect();
    let mut json = reference(&catalog::experiment_json(&experiment));
    json["step"] = json!(experiment.step);
    json["clamped"] = json!(clamped);
    json.as_object_mut().unwrap().remove("tealight");
    json
}

/// Numbers are compared as numbers: 4 and 4.0 are one.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn links_are_read_as_the_page_reads_them() {
    for entry in links() {
        let link = entry["link"].as_str().unwrap();
        let own = read(link);
        for key in ["config", "events", "step", "clamped"] {
            assert!(
                same(&own[key], &entry["read"][key]),
                "{link}\n{key}: {}\n{}",
                own[key],
                entry["read"][key]
            );
        }
        let address = format!("https://example.org/tealight/?x=1#{}", link.trim_start_matches('#'));
        assert!(same(&own, &read(&address)));
    }
}

#[test]
fn a_link_that_is_written_reads_back() {
    for entry in links() {
        let (experiment, _) = link::read(entry["link"].as_str().unwrap()).unwrap();
        let (again, clamped) = link::read(&link::write(&experiment)).unwrap();
        assert_eq!(clamped, []);
        assert_eq!(catalog::experiment_json(&again), catalog::experiment_json(&experiment));
        assert_eq!(again.step, experiment.step);
    }
}

#[test]
fn a_link_leads_natively_to_where_it_leads_in_the_page() {
    for entry in links() {
        let link = entry["link"].as_str().unwrap();
        let (experiment, _) = link::read(link).unwrap();
        let Experiment { config, events, step } = experiment;
        let mut session = Session::new(config).unwrap();
        experiment::train(&mut session, &events, step.unwrap(), 7, |_| true).unwrap();
        assert_eq!(session.steps(), step.unwrap());
        let expected = entry["losses"].as_array().unwrap();
        for (own, expected) in session.history().last().iter().zip(expected) {
            match expected.as_f64() {
                // Another order of sums, a step after the other.
                Some(x) => assert!(
                    (f64::from(*own) - x).abs() <= 5e-3 * (1.0 + x.abs()),
                    "{link}: {own}, in the page {x}"
                ),
                None => assert!(own.is_nan(), "{link}: {own}"),
            }
        }
    }
}

#[test]
fn live_changes_are_made_at_their_step_however_the_run_is_cut() {
    let (story, _) = link::read(
        "dataset=ring&model=gan&events=3:batchSize:32;5:phase:generator;5:phase:both;9:r1:1&step=12",
    )
    .unwrap();
    let run = |most: u32| {
        let mut session = Session::new(story.config.clone()).unwrap();
        experiment::train(&mut session, &story.events, 12, most, |_| true).unwrap();
        session.snapshot().unwrap()
    };
    assert!(run(1) == run(100));
    // By hand, as a visitor would.
    let mut session = Session::new(story.config.clone()).unwrap();
    session.step(3).unwrap();
    session.set("batchSize", &number(32.0)).unwrap();
    session.step(6).unwrap();
    session.set("r1", &number(1.0)).unwrap();
    session.step(3).unwrap();
    assert!(session.snapshot().unwrap() == run(5));
    // Stopped, and taken up again from its snapshot.
    let mut first = Session::new(story.config.clone()).unwrap();
    experiment::train(&mut first, &story.events, 12, 1, |session| session.steps() < 5).unwrap();
    assert_eq!(first.steps(), 5);
    let mut second = Session::new(story.config.clone()).unwrap();
    second.restore(&first.snapshot().unwrap()).unwrap();
    experiment::train(&mut second, &story.events, 12, 4, |_| true).unwrap();
    assert!(second.snapshot().unwrap() == run(5));
    assert_eq!(catalog::config_json(&story.config_at(12).unwrap()), catalog::config_json(second.config()));
}

#[test]
fn an_experiment_survives_the_way_through_json() {
    for entry in links() {
        let (experiment, _) = link::read(entry["link"].as_str().unwrap()).unwrap();
        let json = catalog::experiment_json(&experiment);
        let again = catalog::read_experiment(&json).unwrap();
        assert_eq!(catalog::experiment_json(&again), json);
    }
}

#[test]
fn bad_experiments_are_refused_with_the_field() {
    let own =
        |rest: &str| format!(r#"{{"tealight":"0.1.0","config":{{"dataset":"ring","model":"gan"}}{rest}}}"#);
    assert!(catalog::read_experiment(&own("")).is_ok());
    for (json, part) in [
        ("".to_string(), "not JSON"),
        ("[]".into(), "a JSON object"),
        ("{}".into(), "names no version"),
        (r#"{"tealight":7}"#.into(), "names no version"),
        (r#"{"tealight":"new"}"#.into(), "tealight must be a version"),
        (r#"{"tealight":"99.0.0","config":{}}"#.into(), "tealight = 99.0.0 is newer"),
        (r#"{"tealight":"0.1.0"}"#.into(), "no config"),
        (r#"{"tealight":"0.1.0","config":[]}"#.into(), "config must be"),
        (own(r#","steps":5"#), "steps"),
        (own(r#","step":-1"#), "step must be a whole number"),
        (own(r#","step":1e99"#), "step must be a whole number"),
        (own(r#","events":{}"#), "events must be a list"),
        (own(r#","events":[3]"#), "events[0] has no step"),
        (own(r#","events":[{"step":1,"key":"r1"}]"#), "events[0] has no value"),
        (own(r#","events":[{"step":0.5,"key":"r1","value":1}]"#), "events[0].step must be"),
        (own(r#","events":[{"step":1,"key":7,"value":1}]"#), "events[0].key must be"),
        (own(r#","events":[{"step":1,"key":"r1","value":{}}]"#), "events[0].value must be"),
        (own(r#","events":[{"step":1,"key":"r1","value":99}]"#), "events[0]: r1 = 99 is outside"),
        (
            own(r#","events":[{"step":1,"key":"latentDim","value":3}]"#),
            "latentDim cannot be changed during a run",
        ),
        (own(r#","events":[{"step":1,"key":"phase","value":"all"}]"#), "no phase \"all\""),
        (own(r#","events":[{"step":1,"key":"phase","value":1}]"#), "phase must be an id"),
        (own(&format!(r#","events":[{}0]"#, "0,".repeat(5000))), "events must be at most 4096"),
        (own(r#","events":[{"step":1,"key":"<b>","value":1}]"#), "no setting \"<b>\""),
    ] {
        let message =
            catalog::read_experiment(&json).err().unwrap_or_else(|| panic!("accepted: {json}")).to_string();
        assert!(message.contains(part), "{json}: \"{message}\" does not say \"{part}\"");
        assert!(message.len() < 600);
    }
    // Whoever has one network has no phases; a step must be countable.
    let config = Config::new("ring", "vae").unwrap();
    let check =
        |step, key: &str, value: Value| Experiment::check(&config, &Event { step, key: key.into(), value });
    assert!(check(0, "phase", text("both")).is_err());
    assert!(check(1 << 53, "beta", number(1.0)).is_err());
    assert!(check(1, "beta", number(1.0)).is_ok());
}

#[test]
fn the_example_of_every_model_is_one_that_it_takes_and_a_link_to_the_model_alone_leads_there() {
    for model in tealight::models::ALL {
        let (there, moved) = link::read(&format!("#model={}", model.id)).unwrap();
        assert!(moved.is_empty(), "{}", model.id);
        assert_eq!((there.config.model.id, there.config.dataset.id), (model.id, model.example));
        assert_eq!(model.misfit(&there.config.dataset.shape, there.config.dataset.classes), None);
    }
}
