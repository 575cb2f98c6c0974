//! What must hold of every model on every data set that it takes.

use tealight::config::Config;
use tealight::frame::{self, Request};
use tealight::models;
use tealight::params::{Kind, Spec, Value};
use tealight::session::Session;
use tealight::{catalog, data};

use crate::common::{DRAWING, config, number, pairs, representatives, session, text, values};

/// The ends of a setting's range; every option of a choice.
fn ends(spec: &Spec) -> Vec<Value> {
    match spec.kind {
        Kind::Linear { low, high } | Kind::Log { low, high } => vec![number(low), number(high)],
        Kind::Integer { low, high, .. } => vec![number(low as f64), number(high as f64)],
        Kind::Choice { options } => options.iter().map(|id| text(id)).collect(),
        Kind::Flag => vec![Value::Flag(false), Value::Flag(true)],
        // The widest network would only be slow; depth and width are taken to their ends apart.
        Kind::Widths { layers, width } => {
            vec![Value::Widths(vec![]), Value::Widths(vec![1; layers]), Value::Widths(vec![width])]
        }
        Kind::Text { .. } => vec![text(DRAWING)],
    }
}

fn assert_finite_losses(session: &Session, what: &str) {
    let last = session.history().last();
    assert!(last.iter().any(|loss| loss.is_finite()), "{what}: {last:?}");
    assert!(last.iter().all(|loss| !loss.is_infinite()), "{what}: {last:?}");
}

#[test]
fn every_pair_takes_20_finite_steps_and_every_variable_moves() {
    for (dataset, model) in pairs() {
        let mut session = session(dataset, model, &[]);
        let before = values(session.model());
        session.step(20).unwrap();
        assert_finite_losses(&session, &format!("{model} on {dataset}"));
        for ((name, old), (_, new)) in before.iter().zip(values(session.model())) {
            assert!(new.iter().all(|x| x.is_finite()), "{model} on {dataset}: {name} is not finite");
            assert_ne!(*old, new, "{model} on {dataset}: {name} received no gradient");
        }
    }
}

#[test]
fn every_option_trains_and_moves_every_variable() {
    for (dataset, model) in representatives() {
        for spec in (models::find(model).unwrap().specs)() {
            let options = match spec.kind {
                Kind::Choice { options } => options.iter().map(|id| (*id, text(id))).collect(),
                Kind::Flag => vec![("true", Value::Flag(true))],
                _ => continue,
            };
            for (option, value) in options {
                let mut config = config(dataset, model);
                if config.set(spec.key, &value).is_err() {
                    continue; // an option that this kind of data does not allow
                }
                let mut session = Session::new(config).unwrap();
                let before = values(session.model());
                session.step(20).unwrap();
                for ((name, old), (_, new)) in before.iter().zip(values(session.model())) {
                    // A constant added to the critic cancels in E D(x) − E D(G(z)): no gradient is right.
                    let critics_bias = option.starts_with("wgan") && *old == [0.0] && name.ends_with("bias");
                    let moved = *old != new;
                    assert!(
                        moved != critics_bias,
                        "{model} on {dataset}, {} = {option}: {name}, moved: {moved}",
                        spec.key
                    );
                }
            }
        }
    }
}

#[test]
fn every_model_builds_and_steps_at_both_ends_of_every_range() {
    for (dataset, model) in representatives() {
        for spec in (models::find(model).unwrap().specs)() {
            for end in ends(&spec) {
                let mut config = config(dataset, model);
                if config.set(spec.key, &end).is_err() {
                    assert!(matches!(spec.kind, Kind::Choice { .. }), "{} = {end:?}", spec.key);
                    continue;
                }
                let mut session = Session::new(config).unwrap();
                session
                    .step(2)
                    .unwrap_or_else(|e| panic!("{model} on {dataset}, {} = {end:?}: {e}", spec.key));
                assert_finite_losses(&session, &format!("{model} on {dataset}, {} = {end:?}", spec.key));
            }
        }
    }
}

#[test]
fn every_data_set_trains_at_both_ends_of_every_range() {
    for entry in data::ALL {
        // Sets that no model takes are made by the tests of data.
        let taking = |model: &&&models::Entry| model.misfit(&entry.shape, entry.classes).is_none();
        let Some(model) = models::ALL.iter().find(taking) else { continue };
        for spec in (entry.specs)() {
            for end in ends(&spec) {
                let mut config = config(entry.id, model.id);
                config.set(spec.key, &end).unwrap();
                let mut session =
                    Session::new(config).unwrap_or_else(|e| panic!("{} {}: {e}", entry.id, spec.key));
                session.step(2).unwrap();
            }
        }
        for preset in entry.presets {
            let mut config = config(entry.id, model.id);
            for (key, value) in preset.values {
                config.set(key, &number(*value)).unwrap_or_else(|e| panic!("preset {}: {e}", preset.id));
            }
            Session::new(config).unwrap().step(2).unwrap();
        }
    }
}

#[test]
fn live_settings_go_on_and_restart_settings_start_again() {
    for (dataset, model) in pairs() {
        let mut session = session(dataset, model, &[]);
        let specs = (session.config().model.specs)();
        for spec in specs {
            session.step(1).unwrap();
            let before = session.steps();
            let Some(end) = ends(&spec).into_iter().next_back() else { continue };
            let Ok(effect) = session.set(spec.key, &end) else { continue };
            assert_eq!(effect, spec.effect, "{}", spec.key);
            let expected = if effect == tealight::params::Effect::Live { before } else { 0 };
            assert_eq!(session.steps(), expected, "{model} on {dataset}: {}", spec.key);
            session.set(spec.key, &default_of(&session, spec.key)).unwrap();
        }
    }
}

fn default_of(session: &Session, key: &str) -> Value {
    let config = Config::new(session.config().dataset.id, session.config().model.id).unwrap();
    config.params.iter().find(|(name, _)| name == key).unwrap().1.clone()
}

#[test]
fn samples_have_the_shape_of_the_data() {
    for (dataset, model) in pairs() {
        let mut session = session(dataset, model, &[]);
        session.step(1).unwrap();
        let size = session.data().shape.size();
        let (sections, values) = frame::prepare(&session, &[Request::Samples { n: 17 }]).unwrap();
        assert_eq!(sections[0].shape, [17, size]);
        assert!(values.len() == 17 * size && values.iter().all(|x| x.is_finite()), "{model} on {dataset}");
    }
}

#[test]
fn models_can_do_what_the_catalogue_says_and_no_more() {
    for (dataset, model) in pairs() {
        let session = session(dataset, model, &[]);
        let listed = session.config().model.capabilities;
        for capability in session.model().capabilities() {
            assert!(listed.contains(&capability), "{model} on {dataset}: {capability}");
        }
    }
}

#[test]
fn keys_of_data_sets_and_models_never_clash_and_every_doc_is_a_sentence() {
    for entry in data::ALL {
        for model in models::ALL {
            for spec in (entry.specs)() {
                assert!(
                    (model.specs)().iter().all(|other| other.key != spec.key),
                    "{} in {}",
                    spec.key,
                    entry.id
                );
            }
        }
    }
    let specs = data::ALL.iter().flat_map(|entry| (entry.specs)());
    for spec in specs.chain(models::ALL.iter().flat_map(|entry| (entry.specs)())) {
        assert!(spec.doc.ends_with('.') && spec.doc.len() > 10, "{}: \"{}\"", spec.key, spec.doc);
        if let Kind::Log { low, .. } = spec.kind {
            assert!(low > 0.0, "{}: a logarithmic scale starts above 0", spec.key);
        }
        assert!(spec.kind.check(spec.key, &spec.default).is_ok() || spec.key == "points", "{}", spec.key);
    }
}

#[test]
fn the_catalogue_is_json_that_lists_every_entry() {
    let json = crate::common::reference(&catalog::catalog());
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["models"].as_array().unwrap().len(), models::ALL.len());
    assert_eq!(json["datasets"].as_array().unwrap().len(), data::ALL.len() + data::load::ALL.len());
    assert_eq!(json["models"][0]["defaults"]["images"]["latentDim"], 8);
    let params = json["models"][0]["params"].as_array().unwrap();
    let decoder = params.iter().find(|spec| spec["key"] == "decoder").unwrap();
    assert_eq!(decoder["domains"]["bernoulli"][0], "images");
}
