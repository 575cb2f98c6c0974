//! Scores of images and of words, on real rows of the data sets and on rows that are wrong in a known way.

use std::collections::HashSet;

use crate::common::{number, text};
use tealight::data::{self, Data, Domain};
use tealight::metrics::classifier::{Classifier, Judgement, label_coverage, label_shares, resample};
use tealight::metrics::features::{Features, Principal};
use tealight::metrics::frechet::frechet_distance;
use tealight::metrics::nearest::{nearest_distances, nearness};
use tealight::metrics::neighbours::neighbours;
use tealight::metrics::sequences::{bits_per_character, word_shares};
use tealight::params::Value;
use tealight::rng::Rng;

fn make(id: &str, settings: &[(&str, Value)]) -> Data {
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
    (data::find(id).unwrap().generate)(&settings, 5).unwrap()
}

fn judge(data: &Data, xs: &[f32]) -> Judgement {
    Classifier::of(data.topic.unwrap(), &data.shape).unwrap().judge(xs).unwrap()
}

#[test]
fn the_classifier_is_right_about_rows_that_it_has_not_seen() {
    // What tools/train_classifier.rs prints, with room for two images in a hundred.
    type Case<'a> = (&'a str, &'a [(&'a str, Value)], f64);
    let cases: [Case; 8] = [
        ("digits", &[], 0.93),
        ("digits", &[("binarize", Value::Flag(true))], 0.89),
        ("strokes", &[], 0.95),
        ("strokes", &[("size", number(28.0))], 0.95),
        ("shapes", &[], 0.91),
        ("faces", &[], 0.95),
        ("faces", &[("labelBy", text("hair"))], 0.95),
        ("faces", &[("labelBy", text("skin"))], 0.95),
    ];
    for (id, settings, least) in cases {
        let data = make(id, settings);
        let judged = judge(&data, &data.held_out.xs);
        let labels = data.held_out.labels.unwrap();
        let right = judged.labels().iter().zip(&labels).filter(|(a, b)| a == b).count();
        let share = right as f64 / labels.len() as f64;
        println!("{id} {settings:?}: {share:.4}");
        assert!(share > least, "{id} {settings:?}: {share}");
        for row in judged.probabilities.chunks(data.classes) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row.iter().all(|p| *p >= 0.0));
        }
    }
    // It knows the images that it knows, and no others.
    for entry in data::ALL {
        let data = make(entry.id, &[]);
        let known = data.topic.is_some_and(|topic| Classifier::of(topic, &data.shape).is_some());
        assert_eq!(known, entry.classes > 0 && entry.shape.domain == Domain::Images, "{}", entry.id);
        assert_eq!(Features::of(&data).is_some(), entry.shape.domain == Domain::Images, "{}", entry.id);
    }
}

#[test]
fn labels_that_are_missing_are_seen() {
    for id in ["digits", "strokes", "shapes", "faces"] {
        let data = make(id, &[]);
        let shares = label_shares(data.train.labels.as_ref().unwrap(), data.classes);
        let score = |xs: &[f32]| {
            let judged = judge(&data, xs);
            label_coverage(&label_shares(&judged.labels(), data.classes), &shares).unwrap()
        };
        let real = score(&data.held_out.xs);
        assert_eq!((real.covered, real.classes), (data.classes, data.classes), "{id}");
        // So many rows alone differ by (classes − 1)/2n on average.
        println!("{id}: {real:?}");
        assert!(real.kl < 0.03, "{id}: {real:?}");
        let one = score(&data.held_out.row(&data.shape, 0).repeat(100));
        assert_eq!(one.covered, 1, "{id}");
        assert!((one.kl - (data.classes as f64).ln()).abs() < 0.15, "{id}: {one:?}");
        // Half of the classes.
        let labels = data.held_out.labels.as_ref().unwrap();
        let half = data.classes as u32 / 2;
        let rows = data.held_out.xs.chunks(data.shape.size()).zip(labels).filter(|(_, label)| **label < half);
        let some = score(&rows.flat_map(|(row, _)| row.to_vec()).collect::<Vec<_>>());
        assert_eq!(some.covered, half as usize, "{id}: {some:?}");
        assert!(some.kl > 0.5 * 2.0_f64.ln() && some.kl > 10.0 * real.kl, "{id}: {some:?}");
    }
    let shares = [0.5, 0.25, 0.25];
    assert_eq!(label_coverage(&shares, &shares).unwrap().kl, 0.0);
    // Σ p ln(p/q) by hand.
    let by_hand = 0.75 * (0.75_f64 / 0.5).ln() + 0.25 * (0.25_f64 / 0.25).ln();
    let got = label_coverage(&[0.75, 0.25, 0.0], &shares).unwrap();
    assert!((got.kl - by_hand).abs() < 1e-12 && got.covered == 2);
    assert_eq!(label_coverage(&[0.5, 0.5], &[1.0, 0.0]).unwrap().kl, f64::INFINITY);
    for (samples, data) in [(&[][..], &[][..]), (&[1.0], &[0.5, 0.5]), (&[0.0, 0.0], &[0.5, 0.5])] {
        assert_eq!(label_coverage(samples, data), None);
    }
}

#[test]
fn principal_components_of_the_digits_have_the_reference_distances() {
    // j_uses.py: PCA(16, svd_solver="full").fit(X[:1437]) of scikit-learn's digits/16, moments by numpy.cov, the root by
    // scipy.linalg.sqrtm: {"train_vs_test": 0.112738003, "random_halves_of_train": 0.042396467,
    // "pixel_shuffled_independent": 0.764657449}. The last two are of random rows.
    let data = make("digits", &[]);
    let components = Principal::of(&data.train.xs, 64, 16).unwrap();
    let project = |xs: &[f32]| components.project(xs);
    let train = project(&data.train.xs);
    let distance = |xs: &[f32], ys: &[f32]| frechet_distance(xs, ys, components.components()).unwrap();
    let test = distance(&train, &project(&data.held_out.xs));
    assert!((test - 0.112_738_003).abs() < 1e-5, "{test}");
    let mut rng = Rng::stream(3, "test");
    let order = rng.permutation(1437);
    let rows = |order: &[usize]| -> Vec<f32> {
        order.iter().flat_map(|i| data.train.row(&data.shape, *i).to_vec()).collect()
    };
    let halves = distance(&project(&rows(&order[..718])), &project(&rows(&order[718..1436])));
    assert!((halves - 0.0424).abs() < 0.012, "{halves}");
    // Every pixel from another image.
    let mut shuffled = data.train.xs.clone();
    for pixel in 0..64 {
        for (i, from) in rng.permutation(1437).into_iter().enumerate() {
            shuffled[64 * i + pixel] = data.train.xs[64 * from + pixel];
        }
    }
    let apart = distance(&train, &project(&shuffled));
    assert!((apart - 0.7647).abs() < 0.04, "{apart}");
}

#[test]
fn features_tell_what_is_wrong_from_what_is_only_other() {
    for id in ["digits", "strokes", "shapes", "faces", "textures"] {
        let data = make(id, &[]);
        let features = Features::of(&data).unwrap();
        let n = 300 * data.shape.size();
        let real = features.features(&data.train.xs[..n]).unwrap();
        let distance = |xs: &[f32]| {
            let other = features.features(xs).unwrap();
            (
                frechet_distance(&real, &other, features.size()).unwrap(),
                neighbours(&real, &other, features.size(), 5).unwrap(),
            )
        };
        // An image of which there is only one has no variance, and lies somewhere.
        let alone = distance(&data.train.xs[..data.shape.size()].repeat(300)).0;
        assert!((0.9..4.0).contains(&alone), "{id}: {alone}");
        let (floor, near) = distance(&data.held_out.xs[..n]);
        assert!(floor < 0.15, "{id}: {floor}");
        println!("{id}: floor {floor:.3} {near:?}");
        let noise: Vec<f32> = {
            let mut rng = Rng::stream(1, "noise");
            (0..n).map(|_| rng.uniform()).collect()
        };
        let mean: Vec<f32> = data.train.xs[..n]
            .chunks(data.shape.size())
            .zip(data.train.xs[n..2 * n].chunks(data.shape.size()))
            .flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| 0.5 * (a + b)).collect::<Vec<_>>())
            .collect();
        for (what, xs, times) in [("noise", &noise, 5.0), ("overlaid", &mean, 1.5)] {
            let (far, near) = distance(xs);
            println!("{id} {what}: {far:.3} {near:?}");
            assert!(far > times * floor, "{id} {what}: {far}, where real rows have {floor}");
        }
        assert!(features.features(&[]).is_none() && features.features(&[f32::NAN; 4096]).is_none());
        // One look gives the features, and the labels that the classifier alone gives.
        let look = features.look(&data.train.xs[..n]).unwrap();
        assert_eq!(look.features, real, "{id}");
        let classifier = data.topic.and_then(|topic| Classifier::of(topic, &data.shape));
        let labels = classifier.map(|classifier| classifier.judge(&data.train.xs[..n]).unwrap().labels());
        assert_eq!(look.labels, labels, "{id}");
    }
}

#[test]
fn resampling_keeps_the_mean_and_what_is_even() {
    for (id, size) in [("shapes", 8.0), ("shapes", 16.0), ("faces", 28.0), ("strokes", 13.0)] {
        let data = make(id, &[("size", number(size)), ("samples", number(100.0))]);
        let planes = data.shape.channels;
        for side in [1, 5, 12, 16] {
            let small = resample(&data.train.xs, &data.shape, side).unwrap();
            assert_eq!(small.len(), 100 * planes * side * side);
            let mean = |xs: &[f32]| xs.iter().map(|x| f64::from(*x)).sum::<f64>() / xs.len() as f64;
            let old = data.train.xs.chunks(data.shape.size() / planes);
            for (old, new) in old.zip(small.chunks(side * side)) {
                assert!((mean(old) - mean(new)).abs() < 1e-5, "{id} {size} {side}");
            }
        }
        let same = resample(&data.train.xs, &data.shape, size as usize).unwrap();
        assert!(same.iter().zip(&data.train.xs).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}

#[test]
fn copies_are_nearer_than_new_rows() {
    for id in ["digits", "strokes", "faces", "moons"] {
        let data = make(
            id,
            &[("samples", number(1000.0))].into_iter().filter(|_| id != "digits").collect::<Vec<_>>(),
        );
        let size = data.shape.size();
        let distances = |xs: &[f32]| nearest_distances(&data.train.xs, xs, size).unwrap();
        let held_out = distances(&data.held_out.xs);
        let copies = &data.train.xs[..200 * size];
        assert_eq!(nearness(&distances(copies), &held_out), Some(0.0), "{id}");
        if let Some(fresh) = data::find(id).unwrap().fresh(&[], 9, 200).unwrap() {
            let ratio = nearness(&distances(&fresh.xs), &held_out).unwrap();
            println!("{id}: {ratio}");
            assert!((ratio - 1.0).abs() < 0.15, "{id}: {ratio}");
        }
        let far: Vec<f32> = copies.iter().map(|x| x + 9.0).collect();
        assert!(nearness(&distances(&far), &held_out).unwrap() > 3.0, "{id}");
    }
}

#[test]
fn words_are_counted() {
    let data = make("dyck", &[]);
    let shares = |rows: &[f32]| word_shares(rows, &data.train.xs, 12, &data.alphabet, data.rule);
    let all = shares(&data.held_out.xs).unwrap();
    assert_eq!((all.unique, all.novel, all.valid), (1.0, 0.0, Some(1.0)));
    let row = |word: &str| -> Vec<f32> {
        let mut row: Vec<f32> = word.chars().map(|c| if c == '(' { 1.0 } else { 2.0 }).collect();
        row.resize(12, 0.0);
        row
    };
    // A known word twice, a shorter one that is right, one that is wrong, and the empty one.
    let words = ["()()()()()()", "()()()()()()", "(())", "())(", ""];
    let some = shares(&words.map(row).concat()).unwrap();
    assert_eq!((some.unique, some.novel, some.valid), (0.8, 0.6, Some(0.6)));
    let names = make("words", &[]);
    let size = names.shape.size();
    let held_out = word_shares(&names.held_out.xs, &names.train.xs, size, &names.alphabet, names.rule);
    assert_eq!(held_out.map(|shares| (shares.novel, shares.valid)), Some((1.0, None)));
    for bad in [&[][..], &[1.0; 5], &[1.5; 12], &[-1.0; 12], &[3.0; 12], &[f32::NAN; 12]] {
        assert_eq!(shares(bad), None);
    }
}

#[test]
fn a_character_costs_its_share() {
    // ln 132 nats for twelve brackets, and no end: the row is full.
    let data = make("dyck", &[]);
    let nats = data.density.unwrap().entropy().unwrap();
    let bits = bits_per_character(nats, &data.held_out.xs, 12).unwrap();
    assert!((bits - 132.0_f64.log2() / 12.0).abs() < 1e-12, "{bits}");
    // Words of one and of three letters, with room for the end of the first only.
    let rows = [1.0, 0.0, 0.0, 1.0, 2.0, 1.0];
    assert!((bits_per_character(std::f64::consts::LN_2, &rows, 3).unwrap() - 0.4).abs() < 1e-12);
    assert_eq!(bits_per_character(f64::INFINITY, &rows, 3), None);
    assert_eq!(bits_per_character(1.0, &rows, 4), None);
    assert_eq!(bits_per_character(1.0, &[], 3), None);
}

#[test]
fn fresh_rows_are_of_the_same_law_and_none_of_the_data() {
    for entry in data::ALL {
        let fresh = entry.fresh(&[], 5, 60).unwrap();
        let endless = (entry.specs)().iter().any(|spec| spec.key == data::SAMPLES);
        assert_eq!(fresh.is_some(), endless, "{}", entry.id);
        let Some(fresh) = fresh else { continue };
        let data = make(entry.id, &[]);
        assert_eq!(fresh.len(&data.shape), 60, "{}", entry.id);
        assert_eq!(fresh.labels.map(|labels| labels.len()), (data.classes > 0).then_some(60), "{}", entry.id);
        assert_eq!(Some(&fresh.xs), entry.fresh(&[], 5, 60).unwrap().as_ref().map(|fresh| &fresh.xs));
        let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let rows = |xs: &[f32]| xs.chunks(data.shape.size()).map(bits).collect::<Vec<_>>();
        let known: HashSet<_> = rows(&data.train.xs).into_iter().chain(rows(&data.held_out.xs)).collect();
        assert!(rows(&fresh.xs).iter().all(|row| !known.contains(row)), "{}", entry.id);
        // The settings are the data's own.
        if entry.shape.domain == Domain::Points {
            let [x0, x1, y0, y1] = data.extent;
            let inside = |p: &&[f32]| (x0..=x1).contains(&p[0]) && (y0..=y1).contains(&p[1]);
            assert!(fresh.xs.chunks(2).filter(inside).count() >= 57, "{}", entry.id);
        }
    }
    let ring = data::find("ring").unwrap();
    let wide = ring.fresh(&[("radius".into(), number(4.0))], 5, 100).unwrap().unwrap();
    assert!(wide.xs.chunks(2).all(|p| p[0].hypot(p[1]) > 2.8));
    assert!(ring.fresh(&[("radius".into(), text("wide"))], 5, 100).is_err());
}
