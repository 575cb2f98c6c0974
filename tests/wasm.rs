//! The package in a browser: life cycle, every error path, parity with the native build, memory.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use js_sys::{Float32Array, JSON, Reflect, WebAssembly};
use tealight::wasm::{Loader, Session, Source, catalog, fresh_seed};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const PAIRS: [(&str, &str); 4] = [("ring", "vae"), ("ring", "gan"), ("digits", "vae"), ("digits", "gan")];

fn config(dataset: &str, model: &str) -> String {
    format!(r#"{{"dataset":"{dataset}","model":"{model}","seed":7}}"#)
}

fn session(dataset: &str, model: &str) -> Session {
    Session::new(&config(dataset, model)).unwrap()
}

fn field(json: &str, path: &[&str]) -> JsValue {
    let root = JSON::parse(json).unwrap();
    path.iter().fold(root, |value, key| Reflect::get(&value, &(*key).into()).unwrap())
}

fn message(error: JsValue) -> String {
    error.dyn_into::<js_sys::Error>().expect("errors are Error objects").message().into()
}

#[wasm_bindgen_test]
fn a_session_lives_from_its_configuration_to_its_snapshot() {
    for (dataset, model) in PAIRS {
        let mut session = session(dataset, model);
        session.step(5).unwrap();
        assert_eq!(session.steps(), 5.0);
        let layout = session.prepare(r#"[{"id":"samples","n":9},{"id":"losses"}]"#).unwrap();
        let length = field(&layout, &["length"]).as_f64().unwrap() as u32;
        // A larger buffer than needed, as the page recycles it; what lies behind stays.
        let out = Float32Array::new_with_length(length + 3);
        out.fill(77.0, 0, length + 3);
        session.read(&out).unwrap();
        assert!(out.get_index(0).is_finite() && out.get_index(0) != 77.0);
        assert_eq!(out.get_index(length), 77.0);
        let snapshot = session.snapshot().unwrap().to_vec();
        session.step(5).unwrap();
        let ahead = session.snapshot().unwrap().to_vec();
        session.restore(&snapshot).unwrap();
        session.step(5).unwrap();
        assert!(session.snapshot().unwrap().to_vec() == ahead, "{model} on {dataset}");
        session.reset().unwrap();
        assert_eq!(session.steps(), 0.0);
    }
}

#[wasm_bindgen_test]
fn settings_say_whether_they_are_live() {
    let mut session = session("ring", "gan");
    session.step(3).unwrap();
    assert_eq!(session.set("learningRateD", "0.01").unwrap(), "live");
    assert_eq!(session.set("phase", "\"generator\"").unwrap(), "live");
    assert_eq!(session.steps(), 3.0);
    assert_eq!(session.set("latentDim", "3").unwrap(), "restart");
    assert_eq!(session.steps(), 0.0);
    assert_eq!(field(&session.info(), &["latentDim"]).as_f64(), Some(3.0));
}

#[wasm_bindgen_test]
fn every_error_is_an_error_object_with_a_sentence() {
    for (config, part) in [
        ("not json", "not JSON"),
        (r#"{"dataset":"ring","model":"nothing"}"#, "vae, gan"),
        (r#"{"dataset":"ring","model":"gan","batchSize":1e9}"#, "outside 1..=1024"),
        (r#"{"dataset":"drawn","model":"gan","points":""}"#, "draw"),
    ] {
        let error = Session::new(config).map(drop).unwrap_err();
        let text = message(error);
        assert!(text.contains(part), "{text}");
    }
    let mut session = session("ring", "gan");
    session.step(2).unwrap();
    let text = message(session.set("clip", "\"much\"").unwrap_err());
    assert!(text.contains("clip must be a number"), "{text}");
    let text = message(session.prepare(r#"[{"id":"density","grid":8}]"#).unwrap_err());
    assert!(text.contains("has no density"), "{text}");
    let text = message(session.prepare("{").unwrap_err());
    assert!(text.contains("not JSON"), "{text}");
    session.prepare(r#"[{"id":"samples","n":4}]"#).unwrap();
    let text = message(session.read(&Float32Array::new_with_length(3)).unwrap_err());
    assert!(text.contains("8 are needed"), "{text}");
    assert!(message(session.restore(&[1, 2, 3]).unwrap_err()).contains("no snapshot"));
    assert!(message(session.load_weights(&[0; 40]).unwrap_err()).contains("cannot be used"));
    assert!(message(Source::new(r#"{"dataset":"?"}"#, 1).err().unwrap()).contains("ring"));
    assert_eq!(session.steps(), 2.0);
    session.step(1).unwrap();
}

#[wasm_bindgen_test]
fn the_catalogue_previews_and_seeds_come_out() {
    let json = catalog();
    let sets: js_sys::Array = field(&json, &["datasets"]).unchecked_into();
    for set in sets.iter() {
        let id = Reflect::get(&set, &"id".into()).unwrap().as_string().unwrap();
        // What comes from a file has no rows without one.
        if Reflect::get(&set, &"file".into()).unwrap().is_truthy() {
            assert!(
                message(Source::new(&format!(r#"{{"dataset":"{id}"}}"#), 10).err().unwrap()).contains("file")
            );
            continue;
        }
        let source = Source::new(&format!(r#"{{"dataset":"{id}"}}"#), 10).unwrap();
        let rows = source.rows(10);
        assert!(rows.length() >= 20 && rows.to_vec().iter().all(|x| x.is_finite()), "{id}");
    }
    // Two equal draws of 32 bits happen once in four thousand million times.
    assert_ne!(fresh_seed().unwrap(), fresh_seed().unwrap());
}

#[wasm_bindgen_test]
fn files_become_data_that_a_session_learns() {
    let mut loader = Loader::new("{}").unwrap();
    assert!(message(loader.add("a.csv", b"1,2\n3,x").unwrap_err()).contains("line 2, field 2"));
    loader.add("a.csv", b"1,2\n3,4\n5,6").unwrap();
    let source = loader.finish().unwrap();
    assert_eq!(field(&source.info(), &["dataset"]), "own-points");
    assert_eq!(source.rows(2).length(), 4);
    let config = r#"{"dataset":"own-points","model":"vae"}"#;
    let mut session = Session::on(config, &source).unwrap();
    session.step(3).unwrap();
    let (snapshot, checkpoint) = (session.snapshot().unwrap(), session.checkpoint().unwrap());
    assert!(checkpoint.length() < snapshot.length());
    session.restore(&checkpoint.to_vec()).unwrap();
    assert_eq!(session.steps(), 3.0);
    assert!(message(Session::new(config).err().unwrap()).contains("drop the file again"));
    let mut pictures = Loader::new(r#"{"size":8}"#).unwrap();
    assert!(message(pictures.add_image("p", &[0; 4], 1, 2).unwrap_err()).contains("4 bytes"));
    assert!(message(pictures.finish().err().unwrap()).contains("empty"));
    assert!(message(Loader::new(r#"{"size":1e9}"#).err().unwrap()).contains("outside 4..=64"));
}

/// The losses after 50 steps, which the native test `parity` asserts as well.
const PARITY: &str = include_str!("reference/parity.json");

#[wasm_bindgen_test]
fn fifty_steps_cost_what_they_cost_natively() {
    for (dataset, model) in PAIRS {
        let mut session = session(dataset, model);
        session.step(50).unwrap();
        let info = session.info();
        let expected: js_sys::Array = field(PARITY, &[&format!("{model}-{dataset}")]).unchecked_into();
        for (i, expected) in expected.iter().enumerate() {
            let got = field(&info, &["losses", &i.to_string(), "last"]).as_f64();
            let close = match (got, expected.as_f64()) {
                (Some(got), Some(expected)) => (got - expected).abs() <= 1e-3 * (1.0 + expected.abs()),
                (got, expected) => got == expected,
            };
            assert!(close, "{model} on {dataset}, loss {i}: {got:?}, natively {expected:?}");
        }
    }
}

fn memory() -> f64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    Reflect::get(&memory.buffer(), &"byteLength".into()).unwrap().as_f64().unwrap()
}

#[wasm_bindgen_test]
fn memory_stays_flat_over_50_sessions() {
    let life = || {
        let mut session = session("digits", "gan");
        session.step(2).unwrap();
        session.prepare(r#"[{"id":"samples","n":100}]"#).unwrap();
    };
    (0..5).for_each(|_| life());
    let before = memory();
    (0..50).for_each(|_| life());
    assert_eq!(memory(), before);
}

#[wasm_bindgen_test]
fn the_arithmetic_has_the_same_bits_as_natively() {
    assert_eq!(tealight::nn::kernels::digest(), tealight::nn::kernels::DIGEST);
}
