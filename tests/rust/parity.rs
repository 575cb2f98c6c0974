//! What the wasm tests compare with: the native losses after 50 steps, in `tests/reference/parity.json`.

use crate::common::{number, reference, session};

#[test]
fn the_reference_that_the_browser_is_held_to_is_the_native_run() {
    let json = reference(include_str!("../reference/parity.json"));
    for (dataset, model) in [("ring", "vae"), ("ring", "gan"), ("digits", "vae"), ("digits", "gan")] {
        let mut session = session(dataset, model, &[("seed", number(7.0))]);
        session.step(50).unwrap();
        let expected = json[format!("{model}-{dataset}")].as_array().unwrap();
        let last = session.history().last();
        assert_eq!(last.len(), expected.len());
        for (got, expected) in last.iter().zip(expected) {
            match expected.as_f64() {
                // Another compiler may order a sum otherwise; the value is the same run's.
                Some(x) => assert!(
                    (f64::from(*got) - x).abs() <= 1e-3 * (1.0 + x.abs()),
                    "{model} on {dataset}: {last:?}"
                ),
                None => assert!(got.is_nan(), "{model} on {dataset}: {last:?}"),
            }
        }
    }
}
