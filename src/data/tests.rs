//! Tests over every data set.

use serde_json::Value as Json;

use super::*;
use crate::params::Kind;

type Settings = Vec<(String, Value)>;

fn numbers(values: &[(&str, f64)]) -> Settings {
    values.iter().map(|(key, x)| (key.to_string(), Value::Number(*x))).collect()
}

fn make(id: &str, values: &[(&str, f64)]) -> Data {
    (find(id).unwrap().generate)(&numbers(values), 11).unwrap()
}

/// Every setting at both ends of its range, or each of its options, one at a time; and every preset.
fn variants(entry: &Entry) -> Vec<Settings> {
    let mut variants = vec![Vec::new()];
    for spec in (entry.specs)() {
        let values = match spec.kind {
            Kind::Linear { low, high } | Kind::Log { low, high } => {
                vec![Value::Number(low), Value::Number(high)]
            }
            Kind::Integer { low, high, .. } => vec![Value::Number(low as f64), Value::Number(high as f64)],
            Kind::Choice { options } => options.iter().map(|id| Value::Text(id.to_string())).collect(),
            Kind::Flag => vec![Value::Flag(false), Value::Flag(true)],
            Kind::Text { length, lines } => {
                // Four characters are a point, and a word.
                let piece = if lines { "A_9\n" } else { "A_9-" };
                vec![Value::Text("AAAA".into()), Value::Text(piece.repeat(length / 4))]
            }
            Kind::Widths { .. } => panic!("{}: no data set has layers", spec.key),
        };
        variants.extend(values.into_iter().map(|value| vec![(spec.key.to_string(), value)]));
    }
    variants.extend(entry.presets.iter().map(|preset| numbers(preset.values)));
    variants
}

#[test]
fn the_catalogue_is_in_order() {
    let ids: Vec<_> = ALL.iter().map(|entry| entry.id).collect();
    let expected = "ring grid moons circles spirals checkerboard pinwheel swiss-roll drawn \
                    digits strokes shapes faces bars-and-stripes textures words dyck dates sums typed";
    assert_eq!(ids.join(" "), expected);
    for id in ids {
        assert_eq!(find(id).unwrap().id, id);
    }
    let message = find("rings").unwrap_err().to_string();
    assert!(message.contains("no data set \"rings\"") && message.contains("swiss-roll"), "{message}");
    for entry in ALL {
        for spec in (entry.specs)() {
            let doc = spec.doc;
            assert!(doc.ends_with('.') && doc.starts_with(char::is_uppercase), "{}: {doc}", spec.key);
        }
        for preset in entry.presets {
            let defaults = (entry.specs)();
            let known =
                |key: &str| defaults.iter().find(|spec| spec.key == key).map(|spec| spec.default.clone());
            let changes = |(key, x): &(&str, f64)| known(key).unwrap() != Value::Number(*x);
            assert!(preset.values.iter().any(changes), "{} {} is the default", entry.id, preset.id);
        }
    }
}

#[test]
fn every_set_builds_at_both_ends_of_every_range() {
    for entry in ALL {
        for values in variants(entry) {
            let data =
                (entry.generate)(&values, 1).unwrap_or_else(|e| panic!("{} {values:?}: {e}", entry.id));
            let context = format!("{} {values:?}", entry.id);
            assert_eq!(data.shape.domain, entry.shape.domain, "{context}");
            let size = data.shape.size();
            for split in [&data.train, &data.held_out] {
                let n = split.len(&data.shape);
                assert!(n > 0 && split.xs.len() == n * size, "{context}");
                assert!(split.xs.iter().all(|x| x.is_finite()), "{context}");
                assert_eq!(split.labels.is_some(), data.classes > 0, "{context}");
                if let Some(labels) = &split.labels {
                    assert_eq!(labels.len(), n, "{context}");
                    assert!(labels.iter().all(|label| (*label as usize) < data.classes), "{context}");
                }
                if let Some([low, high]) = data.range {
                    assert!(split.xs.iter().all(|x| (low..=high).contains(x)), "{context}");
                }
                assert_eq!(data.range.is_some(), data.shape.domain == Domain::Images, "{context}");
                if data.shape.domain == Domain::Sequences {
                    assert!(
                        split.xs.chunks(size).all(|row| is_word(row, data.shape.vocabulary)),
                        "{context}"
                    );
                }
            }
            let tokens = if data.shape.domain == Domain::Sequences { data.alphabet.len() + 1 } else { 0 };
            assert_eq!(data.shape.vocabulary, tokens, "{context}");
            assert_ne!(data.train.row(&data.shape, 0), &[] as &[f32], "{context}");
            assert_eq!(data.train.row(&data.shape, usize::MAX), &[] as &[f32], "{context}");
        }
    }
}

/// At least one token below the vocabulary's size, then nothing but ends.
fn is_word(row: &[f32], vocabulary: usize) -> bool {
    let length = row.iter().take_while(|x| **x > 0.0).count();
    let (word, rest) = row.split_at(length);
    length > 0
        && word.iter().all(|x| x.fract() == 0.0 && *x < vocabulary as f32)
        && rest.iter().all(|x| *x == 0.0)
}

/// The sets that have as many rows as are asked for.
fn drawn_from_a_law() -> impl Iterator<Item = &'static &'static Entry> {
    ALL.iter().filter(|entry| (entry.specs)().iter().any(|spec| spec.key == "samples"))
}

#[test]
fn a_quarter_as_many_rows_are_held_out_and_they_are_others() {
    for entry in drawn_from_a_law() {
        for samples in [100, 101, 5_000] {
            let data = (entry.generate)(&numbers(&[("samples", samples as f64)]), 1).unwrap();
            assert_eq!(data.train.len(&data.shape), samples, "{}", entry.id);
            assert_eq!(data.held_out.len(&data.shape), samples.div_ceil(4), "{}", entry.id);
            let n = data.held_out.xs.len();
            assert_ne!(data.train.xs[..n], data.held_out.xs, "{}", entry.id);
            if entry.shape.domain == Domain::Points {
                let bits = |row: &[f32]| [row[0].to_bits(), row[1].to_bits()];
                let seen: std::collections::HashSet<_> = data.train.xs.chunks(2).map(bits).collect();
                let again = data.held_out.xs.chunks(2).filter(|row| seen.contains(&bits(row)));
                assert!(again.count() < 2, "{}: held-out rows that were trained on", entry.id);
            }
        }
    }
}

#[test]
fn the_seed_and_nothing_else_decides_the_rows() {
    for entry in ALL {
        let make = |seed| (entry.generate)(&[], seed).unwrap();
        assert_eq!((make(1).shape, make(1).classes), (entry.shape, entry.classes), "{}", entry.id);
        let (first, again, other) = (make(42), make(42), make(43));
        assert_eq!((&first.train, &first.held_out), (&again.train, &again.held_out), "{}", entry.id);
        assert_eq!(first.extent, other.extent, "{}: the view must not depend on the seed", entry.id);
        // The digits of the default split are given, not drawn.
        assert_eq!(first.train == other.train, entry.id == "digits", "{}", entry.id);
        // More rows are the same rows and more.
        if (entry.specs)().iter().any(|spec| spec.key == "samples") {
            let few = (entry.generate)(&numbers(&[("samples", 100.0)]), 42).unwrap();
            assert_eq!(first.train.xs[..100 * entry.shape.size()], few.train.xs, "{}", entry.id);
        }
    }
}

#[test]
fn extents_are_squares_that_show_the_rows() {
    for entry in ALL.iter().filter(|entry| entry.shape.domain == Domain::Points) {
        for values in variants(entry) {
            let data = (entry.generate)(&values, 2).unwrap();
            let [x0, x1, y0, y1] = data.extent;
            assert!(((x1 - x0) - (y1 - y0)).abs() < 1e-4 && x1 > x0, "{} {values:?}", entry.id);
            let rows = data.train.xs.chunks(2).chain(data.held_out.xs.chunks(2));
            let n = data.train.len(&data.shape) + data.held_out.len(&data.shape);
            let shown = rows.filter(|r| (x0..=x1).contains(&r[0]) && (y0..=y1).contains(&r[1])).count()
                as f64
                / n as f64;
            // Of a hundred rows one may well be the one in two hundred.
            let least = if n < 1000 { 0.97 } else { 0.995 };
            assert!(shown >= least, "{} {values:?}: {shown}", entry.id);
        }
    }
    for entry in ALL {
        let data = (entry.generate)(&[], 2).unwrap();
        assert!(data.extent.iter().all(|x| x.abs() < 4.8), "{}: {:?}", entry.id, data.extent);
    }
}

/// Entropies that other programs found: see `tests/reference/a_densities.py`'s notes in the JSON file.
#[test]
fn entropies_are_the_reference_ones() {
    let json: Json = serde_json::from_str(include_str!("../../tests/reference/a_densities.json")).unwrap();
    let pi = std::f64::consts::PI;
    // (name, data set, settings, entropy if not the file's, tolerance)
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, f64)], Option<f64>, f64);
    let cases: &[Case] = &[
        ("ring8_pacgan", "ring", &[("radius", 1.0), ("noise", 0.01)], None, 1e-6),
        ("ring8_wgangp", "ring", &[("radius", 2.0 / 1.414), ("noise", 0.02 / 1.414)], None, 1e-6),
        ("ring8_ffjord", "ring", &[("radius", 4.0 / 1.414), ("noise", 0.5 / 1.414)], None, 1e-6),
        ("ring8_ebm_anatomy", "ring", &[("radius", 1.0), ("noise", 0.15)], None, 1e-6),
        ("ring8_r2_s02", "ring", &[("noise", 0.02)], None, 1e-6),
        ("ring8_r2_s01", "ring", &[("noise", 0.1)], None, 1e-6),
        ("ring8_r2_s02d", "ring", &[], None, 1e-6),
        ("grid25_pacgan", "grid", &[("noise", 0.05)], None, 1e-6),
        ("grid25_wgangp", "grid", &[("spacing", 2.0 / 2.828), ("noise", 0.05 / 2.828)], None, 1e-6),
        ("moons_s0.05", "moons", &[("noise", 0.05)], None, 1e-5),
        // The file's program takes every third of its points on these curves, from the first one on, which moves the
        // moons along themselves. With all of them, by NumPy:
        //   x, w = leggauss(4); t = pi * ((arange(400)[:, None] + .5 + .5 * x) / 400).ravel(); w = tile(w / 1600, 400)
        //   c = r_[c_[cos(t), sin(t)], c_[1 - cos(t), .5 - sin(t)]]; lo, hi = c.min(0) - 7 * s, c.max(0) + 7 * s
        // and the midpoint rule of 150 × 150 cells on the density of the mixture; likewise the roll.
        ("moons_s0.1", "moons", &[], Some(1.007_584_834_8), 1e-6),
        ("moons_s0.2", "moons", &[("noise", 0.2)], Some(1.677_476_156_1), 1e-6),
        (
            "moons_ffjord",
            "moons",
            &[("radius", 2.0), ("noise", 0.2)],
            Some(1.007_584_834_8 + 4.0_f64.ln()),
            1e-6,
        ),
        (
            "swissroll_ffjord",
            "swiss-roll",
            &[("radius", 0.9 * pi), ("noise", 0.2)],
            Some(2.669_646_173_9),
            1e-6,
        ),
        ("swissroll_wgangp", "swiss-roll", &[("radius", 0.6 * pi), ("noise", 0.25 / 7.5)], None, 1e-5),
        ("circles_f0.5_s0.05", "circles", &[("radius", 1.0), ("noise", 0.05)], None, 1e-6),
        ("circles_f0.5_s0.08", "circles", &[("radius", 1.0), ("noise", 0.08)], None, 1e-6),
        ("circles_ffjord", "circles", &[("noise", 0.24)], None, 1e-6),
        ("2spirals_ffjord", "spirals", &[("radius", pi)], None, 1e-4),
        ("checkerboard_ffjord", "checkerboard", &[], None, 1e-12),
    ];
    for (name, id, values, corrected, tolerance) in cases {
        let in_file = json[name]["entropy_nats"].as_f64().unwrap();
        let expected = corrected.unwrap_or(in_file);
        assert!((expected - in_file).abs() < 1e-3, "{name}: a correction, not another value");
        let data = make(id, values);
        let entropy = data.density.unwrap().entropy().unwrap();
        println!("{name}: {entropy} - {expected} = {:e}", entropy - expected);
        assert!((entropy - expected).abs() < *tolerance, "{name}: {entropy}, not {expected}");
        // The rows, too, are from that law: their covariance within five standard errors.
        let rows: Vec<[f64; 2]> = data.train.xs.chunks(2).map(|r| [r[0].into(), r[1].into()]).collect();
        let n = rows.len() as f64;
        let mean = [0, 1].map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / n);
        for (i, j) in [(0, 0), (0, 1), (1, 1)] {
            let products: Vec<_> = rows.iter().map(|row| (row[i] - mean[i]) * (row[j] - mean[j])).collect();
            let covariance = products.iter().sum::<f64>() / n;
            let spread = products.iter().map(|p| (p - covariance).powi(2)).sum::<f64>() / n;
            let expected = json[name]["cov"][i][j].as_f64().unwrap();
            let error = (covariance - expected).abs();
            assert!(
                error < 5.0 * (spread / n).sqrt(),
                "{name}: covariance {i} {j} {covariance}, not {expected}"
            );
        }
    }
}

/// Settings under which the laws are smooth enough for a plain sum over a grid of 200 × 200.
fn smooth() -> Vec<(&'static str, Settings)> {
    let mut cases: Vec<_> = ALL
        .iter()
        .filter(|entry| entry.shape.domain == Domain::Points)
        .flat_map(|entry| [0.2, 0.5].map(|noise| (entry.id, numbers(&[("noise", noise)]))))
        .collect();
    cases.push(("pinwheel", numbers(&[("arms", 9.0), ("twist", 1.0), ("noise", 0.3)])));
    cases.push(("checkerboard", numbers(&[("cells", 3.0), ("noise", 0.1)])));
    cases.push(("spirals", numbers(&[("turns", 3.0), ("noise", 0.1)])));
    cases.push(("ring", numbers(&[("modes", 1.0), ("radius", 0.5)])));
    cases
}

#[test]
fn densities_have_mass_one_and_their_entropy() {
    for (id, values) in smooth() {
        let data = (find(id).unwrap().generate)(&values, 3).unwrap();
        let density = data.density.unwrap();
        let [x0, x1, y0, y1] = data.extent.map(f64::from);
        // A wider square than the one that is shown holds all that counts.
        let (cx, cy, half) = (0.5 * (x0 + x1), 0.5 * (y0 + y1), (x1 - x0) * 0.8);
        let n = 200;
        let step = 2.0 * half / f64::from(n);
        let (mut mass, mut entropy) = (0.0, 0.0);
        for i in 0..n {
            for j in 0..n {
                let [x, y] = [(j, cx), (i, cy)].map(|(k, c)| c - half + (f64::from(k) + 0.5) * step);
                let log_p = density.log_prob(&[x, y]);
                let p = log_p.exp();
                mass += p;
                entropy -= if p > 0.0 { p * log_p } else { 0.0 };
            }
        }
        let (mass, entropy) = (mass * step * step, entropy * step * step);
        let known = density.entropy().unwrap();
        println!("{id} {values:?}: mass − 1 = {:e}, entropy − known = {:e}", mass - 1.0, entropy - known);
        assert!((mass - 1.0).abs() < 1e-4, "{id} {values:?}: mass {mass}");
        assert!((entropy - known).abs() < 1e-3, "{id} {values:?}: entropy {entropy}, not {known}");
    }
}

#[test]
fn held_out_rows_score_the_entropy() {
    let mut cases = smooth();
    for entry in ALL.iter().filter(|entry| entry.shape.domain == Domain::Points) {
        cases.extend(variants(entry).into_iter().map(|values| (entry.id, values)));
    }
    let mut scored = 0;
    for (id, values) in cases {
        let data = (find(id).unwrap().generate)(&values, 4).unwrap();
        let Some(density) = data.density else {
            assert!(values.contains(&("noise".into(), Value::Number(0.0))), "{id} {values:?} has no density");
            continue;
        };
        let log_probs: Vec<f64> =
            data.held_out.xs.chunks(2).map(|row| density.log_prob(&[row[0].into(), row[1].into()])).collect();
        let n = log_probs.len() as f64;
        let mean = log_probs.iter().sum::<f64>() / n;
        let variance = log_probs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / n;
        let error = mean + density.entropy().unwrap();
        let allowed = 5.0 * (variance / n).sqrt() + 1e-9;
        assert!(error.abs() < allowed, "{id} {values:?}: {error}, allowed {allowed}");
        scored += 1;
    }
    assert!(scored > 60, "only {scored}");
}

#[test]
fn far_away_places_have_a_finite_density_and_odd_ones_none() {
    for (id, values) in smooth() {
        let density = (find(id).unwrap().generate)(&values, 3).unwrap().density.unwrap();
        let far = density.log_prob(&[1e3, -1e3]);
        let farther = density.log_prob(&[1e4, -1e4]);
        if id == "checkerboard" {
            assert_eq!(far, f64::NEG_INFINITY);
        } else {
            assert!(farther < 50.0 * far && far < -1e4 && farther.is_finite(), "{id}: {far} {farther}");
        }
        for odd in [&[f64::NAN, 0.0][..], &[f64::INFINITY, 0.0], &[0.0], &[0.0; 3], &[]] {
            assert_eq!(density.log_prob(odd), f64::NEG_INFINITY, "{id} {odd:?}");
        }
    }
}

#[test]
fn the_shortcut_for_near_kernels_changes_nothing() {
    // The sum over all kernels, written out, against the law that skips the far ones.
    let data = make("moons", &[("noise", 0.05)]);
    let density = data.density.unwrap();
    for [x, y] in [[0.3, 0.9], [0.5, 0.2], [1.0, 0.4], [2.3, 0.5], [-1.4, -0.3], [0.5, 1.37], [4.0, 4.0]] {
        let n = 4000;
        let logs: Vec<f64> = (0..n)
            .flat_map(|i| {
                let (sin, cos) = (std::f64::consts::PI * (f64::from(i) + 0.5) / f64::from(n)).sin_cos();
                [[cos, sin], [1.0 - cos, 0.5 - sin]]
            })
            .map(|[cx, cy]| -0.5 * ((x - cx).powi(2) + (y - cy).powi(2)) / 0.0025)
            .collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|l| (l - most).exp()).sum();
        let expected = most + (sum / f64::from(2 * n)).ln() - (std::f64::consts::TAU * 0.0025).ln();
        let got = density.log_prob(&[x, y]);
        let tolerance = if expected > -10.0 { 1e-5 } else { -1e-3 * expected };
        assert!((got - expected).abs() < tolerance, "{x} {y}: {got}, not {expected}");
    }
}

#[test]
fn modes_are_those_of_the_rows() {
    for id in ["ring", "grid"] {
        let data = make(id, &[]);
        let modes = data.modes.unwrap();
        assert_eq!(modes.centres.len(), data.classes);
        for (row, label) in data.train.xs.chunks(2).zip(data.train.labels.unwrap()) {
            let [x, y] = modes.centres[label as usize];
            let d = (f64::from(row[0]) - x).hypot(f64::from(row[1]) - y);
            assert!(d < 6.0 * modes.sigma, "{id}: {d} from its mode");
        }
    }
    assert_eq!(make("grid", &[]).modes.unwrap().centres[0], [-4.0, -4.0]);
    let ring = make("ring", &[]).modes.unwrap();
    assert_eq!((ring.centres[0], ring.sigma), ([2.0, 0.0], 0.2));
}

#[test]
fn own_rows_are_taken_or_refused_with_the_reason() {
    let data = Data::from_rows(Shape::points(2), vec![0.0, 1.0, 4.0, 3.0], vec![2.0, -1.0]).unwrap();
    let [x0, x1, y0, y1] = data.extent;
    assert!(x0 < 0.0 && x1 > 4.0 && y0 < -1.0 && y1 > 3.0 && (x1 - x0 - y1 + y0).abs() < 1e-5);
    assert_eq!((data.classes, data.range, data.train.len(&data.shape)), (0, None, 2));
    assert_eq!(data.train.row(&data.shape, 1), [4.0, 3.0]);
    let line = Data::from_rows(Shape::points(1), vec![5.0, 7.0], vec![6.0]).unwrap().extent;
    assert!(line[0] < 5.0 && line[1] > 7.0 && line[2] == -line[3]);
    let one = Data::from_rows(Shape::points(5), vec![3.0; 5], vec![3.0; 5]).unwrap().extent;
    assert!(one[0] < 3.0 && one[1] > 3.0);
    let image = |x: f32| Data::from_rows(Shape::image(1, 1, 2), vec![0.0, x], vec![1.0, 0.5]).unwrap().range;
    assert_eq!((image(1.0), image(1.5)), (Some([0.0, 1.0]), None));

    let refused = |shape, train: &[f32], held_out: &[f32]| {
        Data::from_rows(shape, train.to_vec(), held_out.to_vec()).unwrap_err().to_string()
    };
    let plane = Shape::points(2);
    assert!(refused(plane, &[], &[0.0; 2]).contains("no training rows"));
    assert!(refused(plane, &[0.0; 2], &[]).contains("no held-out rows"));
    assert!(refused(plane, &[0.0; 3], &[0.0; 2]).contains("3 training values are no whole number of rows"));
    assert!(
        refused(plane, &[0.0; 2], &[0.0, 0.0, f32::NAN, 0.0]).contains("value 1 of held-out row 2 is NaN")
    );
    assert!(refused(plane, &[0.0, f32::INFINITY], &[0.0; 2]).contains("value 2 of training row 1 is inf"));
    assert!(refused(Shape::points(0), &[0.0], &[0.0]).contains("at least one value"));
}

#[test]
fn unknown_and_bad_settings_are_refused() {
    for entry in ALL {
        let refused = |key: &str, value| (entry.generate)(&[(key.into(), value)], 0).unwrap_err().to_string();
        assert!(refused("flavour", Value::Number(1.0)).contains("no setting \"flavour\""), "{}", entry.id);
        for spec in (entry.specs)() {
            if !matches!(spec.kind, Kind::Choice { .. } | Kind::Flag | Kind::Text { .. }) {
                assert!(refused(spec.key, Value::Number(f64::NAN)).contains("outside"), "{}", entry.id);
                assert!(refused(spec.key, Value::Number(1e9)).contains("outside"), "{}", entry.id);
            }
            assert!(refused(spec.key, Value::Widths(vec![])).contains("must be"), "{}", entry.id);
        }
    }
}

#[test]
fn densities_answer_fast() {
    // A few thousand evaluations belong in one frame's budget; the limit leaves room for a busy machine.
    for entry in ALL.iter().filter(|entry| entry.shape.domain == Domain::Points) {
        let data = (entry.generate)(&[], 4).unwrap();
        let density = data.density.unwrap();
        let start = std::time::Instant::now();
        let mut sum = 0.0;
        for row in data.train.xs.chunks(2).take(4000) {
            sum += density.log_prob(&[row[0].into(), row[1].into()]);
        }
        let evaluations = start.elapsed();
        let start = std::time::Instant::now();
        density.entropy();
        println!("{}: {evaluations:?} for 4000, entropy {:?} ({sum:.0})", entry.id, start.elapsed());
        assert!(evaluations.as_millis() < 1000, "{}: {evaluations:?}", entry.id);
    }
}
