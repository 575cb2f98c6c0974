//! Readers of files: what they take, what they refuse and why, and that no bytes make them panic.

use super::*;
use crate::data::Domain;
use crate::data::sequences::spell;

fn load(name: &str, bytes: &[u8]) -> Result<Loaded> {
    load_with(None, &[(name, bytes)])
}

fn load_with(size: Option<usize>, files: &[(&str, &[u8])]) -> Result<Loaded> {
    let mut loader = Loader::new(Options { size });
    for (name, bytes) in files {
        loader.add(name, bytes)?;
    }
    loader.finish()
}

fn refused(name: &str, bytes: &[u8]) -> String {
    load(name, bytes).unwrap_err().to_string()
}

/// An IDX file of bytes.
fn idx(sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, sizes.len() as u8];
    header
        .into_iter()
        .chain(sizes.iter().flat_map(|size| size.to_be_bytes()))
        .chain(body.iter().copied())
        .collect()
}

/// Rows of both parts, with their labels, in some order.
fn rows(data: &Data) -> Vec<(Vec<f32>, Option<u32>)> {
    let part = |split: &Split| {
        let labels = split
            .labels
            .clone()
            .map_or(vec![None; split.len(&data.shape)], |l| l.into_iter().map(Some).collect());
        split.xs.chunks(data.shape.size()).map(<[f32]>::to_vec).zip(labels).collect::<Vec<_>>()
    };
    let mut all = [part(&data.train), part(&data.held_out)].concat();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all
}

#[test]
fn idx_images_keep_their_bytes_and_their_labels() {
    let body: Vec<u8> = (0..10 * 6).collect();
    let images = idx(&[10, 2, 3], &body);
    let labels = idx(&[10], &[3, 1, 4, 1, 5, 9, 2, 6, 5, 3]);
    for files in [[("i", &images[..]), ("l", &labels[..])], [("l", &labels[..]), ("i", &images[..])]] {
        let loaded = load_with(None, &files).unwrap();
        let data = &loaded.data;
        assert_eq!((loaded.dataset.id, loaded.rows, loaded.scaled), ("own-images", 10, false));
        assert_eq!((data.shape, data.classes, data.range), (Shape::image(1, 2, 3), 10, Some([0.0, 1.0])));
        assert_eq!((data.train.len(&data.shape), data.held_out.len(&data.shape)), (8, 2));
        let expected: Vec<_> = body
            .chunks(6)
            .zip([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
            .map(|(image, label)| {
                (image.iter().map(|x| f32::from(*x) / 255.0).collect::<Vec<_>>(), Some(label))
            })
            .collect();
        assert_eq!(rows(data), expected);
    }
    let unlabelled = load("i", &images).unwrap().data;
    assert_eq!((unlabelled.classes, unlabelled.train.labels), (0, None));
    // The same file gives the same split.
    assert_eq!(unlabelled.train.xs, load("another", &images).unwrap().data.train.xs);
}

#[test]
fn images_of_another_size_are_means_of_what_they_cover() {
    let image: Vec<u8> = vec![0, 100, 200, 40, 20, 60, 80, 255, 0, 0, 0, 0, 255, 255, 255, 255];
    let data = load_with(Some(4), &[("i", &idx(&[1, 4, 4], &image))]).unwrap().data;
    assert_eq!(data.train.xs, image.iter().map(|x| f32::from(*x) / 255.0).collect::<Vec<_>>());
    let mean = |xs: &[f32]| xs.iter().sum::<f32>() / xs.len() as f32;
    for size in [5, 7, 16] {
        let data = load_with(Some(size), &[("i", &idx(&[1, 4, 4], &image))]).unwrap().data;
        assert_eq!(data.shape, Shape::image(1, size, size));
        let expected = mean(&image.iter().map(|x| f32::from(*x) / 255.0).collect::<Vec<_>>());
        assert!((mean(&data.train.xs) - expected).abs() < 1e-3, "{size}: {}", mean(&data.train.xs));
    }
    let large: Vec<u8> = (0..64).map(|i| if i / 8 < 4 { 255 } else { 0 }).collect();
    let data = load_with(Some(4), &[("i", &idx(&[1, 8, 8], &large))]).unwrap().data;
    assert_eq!(data.train.xs, [[1.0; 8], [0.0; 8]].concat());
}

#[test]
fn broken_idx_files_say_what_is_wrong() {
    let good = idx(&[2, 2, 2], &[0; 8]);
    assert!(load("i", &good).is_ok());
    assert!(refused("a.idx", &good[..15]).contains("a.idx: its header ends at byte 15, before its 3 sizes"));
    assert!(refused("i", &good[..20]).contains("promises 2 × 2 × 2 bytes, and 4 follow"));
    assert!(refused("i", &[&good[..], &[0]].concat()).contains("and 9 follow"));
    assert!(
        refused("i", &idx(&[u32::MAX; 3], &[0; 8])).contains("4294967295 × 4294967295 × 4294967295 bytes")
    );
    assert!(refused("i", &idx(&[0, 2, 2], &[])).contains("0 images of 2 × 2"));
    assert!(refused("i", &idx(&[1, 1, 65], &[0; 65])).contains("at most 64 × 64"));
    assert!(refused("i", &idx(&[1, 2, 2, 1], &[0; 4])).contains("4 dimensions"));
    assert!(refused("i", &[0, 0, 0x0d, 3]).contains("byte 3 is 0x0d"));
    assert!(refused("l", &idx(&[2], &[0; 2])).contains("labels without their images"));
    let with = |labels: &[u8]| load_with(None, &[("i", &good), ("l", &idx(&[labels.len() as u32], labels))]);
    assert!(with(&[1, 2, 3]).unwrap_err().to_string().contains("3 labels for 2 images"));
    assert!(with(&[1, 100]).unwrap_err().to_string().contains("label 2 is 100; labels are 0..=99"));
    let twice = load_with(None, &[("i", &good), ("j", &good)]).unwrap_err().to_string();
    assert!(twice.contains("j: there are images already"), "{twice}");
    let mixed = load_with(None, &[("i", &good), ("j.txt", b"a")]).unwrap_err().to_string();
    assert!(mixed.contains("cannot be mixed"), "{mixed}");
    assert!(load_with(None, &[]).unwrap_err().to_string().contains("empty"));
}

#[test]
fn more_images_than_fit_are_counted_and_left_out() {
    let n = MOST_VALUES / 4096 + 3;
    let loaded = load("i", &idx(&[n as u32, 64, 64], &vec![9; n * 4096])).unwrap();
    let kept = loaded.data.train.len(&loaded.data.shape) + loaded.data.held_out.len(&loaded.data.shape);
    assert_eq!((loaded.rows, kept), (n, MOST_VALUES / 4096));
}

#[test]
fn tables_have_any_separator_names_and_labels() {
    let plain: Vec<(Vec<f32>, Option<u32>)> =
        vec![(vec![-1.0, 2.5], None), (vec![0.0, 3.0], None), (vec![1.5, -2.0], None)];
    for text in [
        "0,3\n-1,2.5\n1.5,-2",
        "x;y\r\n0;3\r\n-1;2.5\r\n\r\n1.5;-2\r\n",
        "0\t3\n-1\t2.5\n1.5\t-2\n",
        "0 3\n -1   2.5\n1.5 -2",
    ] {
        let loaded = load("a.csv", text.as_bytes()).unwrap();
        assert_eq!((loaded.dataset.id, loaded.rows, loaded.scaled), ("own-points", 3, false), "{text:?}");
        assert_eq!(rows(&loaded.data), plain, "{text:?}");
    }
    // Without a name that says so, numbers in every line are a table too.
    assert_eq!(load("a", b"\n0,3\n1,4").unwrap().dataset.id, "own-points");
    assert_eq!(load("a.txt", b"one\n0,3").unwrap().dataset.id, "own-words");
    let labelled = [(vec![0.0, 3.0], Some(0)), (vec![1.0, 2.0], Some(1)), (vec![2.0, 1.0], Some(0))];
    for text in [
        "0,3,red\n1,2,blue\n2,1,red",
        "\u{feff}x,y,colour\n0,3,red\n1,2,blue\n2,1,red",
        "Class,x,y\n7,0,3\n9,1,2\n7,2,1",
        "x,\"kind, of it\",y\n0,\"a,b\",3\n1,c,2\n2,\"a,b\",1",
    ] {
        let data = load("a.csv", text.as_bytes()).unwrap().data;
        assert_eq!((data.classes, rows(&data)), (2, labelled.to_vec()), "{text:?}");
    }
    let wide = load("a.csv", b"1,2,3,4,5\n5,4,3,2,1").unwrap().data;
    assert_eq!(wide.shape, Shape::points(5));
    assert_eq!(load("a.csv", b"1\n2\n3").unwrap().data.shape, Shape::points(1));
    // One row is both trained on and held out.
    let single = load("a.csv", b"1,2").unwrap().data;
    assert_eq!(single.train.xs, single.held_out.xs);
}

#[test]
fn values_far_out_are_scaled_and_others_are_left_alone() {
    let loaded = load("a.csv", b"1000,1\n2000,1\n3000,1").unwrap();
    assert!(loaded.scaled);
    let z = 1.5_f32.sqrt();
    let expected: Vec<_> = [-z, 0.0, z].map(|x| (vec![x, 0.0], None)).to_vec();
    assert_eq!(rows(&loaded.data), expected);
    assert!(load("a.csv", b"0.001,0.002\n0.002,0.001").unwrap().scaled);
    // The largest numbers there are have no variance that is one.
    let huge = load("a.csv", b"1e308,1\n-1e308,2\n1e308,3").unwrap().data;
    assert!(huge.train.xs.iter().all(|x| x.is_finite()));
}

#[test]
fn numbers_are_read_as_everybody_writes_them() {
    for text in [
        "0",
        "-0.0",
        "1",
        "+7",
        "1.",
        ".5",
        "-2.5e3",
        "3.14159265358979",
        "0.1",
        "123456.789e-3",
        "1e308",
        "1E-5",
        "2.2250738585072014e-308",
        "000123",
        "12345678901234567890123",
        "0.00000000000000000000012345",
        "1e-400",
        "0e999",
        "4.9e-324",
        "99999999999999999.9e-10",
    ] {
        let table = table::read(&format!("{text};1;1;1\n1;1;1;1")).unwrap();
        let exact: f64 = text.parse().unwrap();
        let got = table::number(text).unwrap();
        assert!((got - exact).abs() <= 1e-15 * exact.abs(), "{text}: {got}, not {exact}");
        assert_eq!(table.rows, 2);
    }
    for text in [
        "",
        "-",
        "+",
        ".",
        "e5",
        "1e",
        "1e+",
        "1.2.3",
        "1,5",
        "0x10",
        "NaN",
        "inf",
        "1e309",
        "--1",
        "1 2",
        "1e99999999999",
        "½",
    ] {
        assert_eq!(table::number(text), None, "{text}");
    }
}

#[test]
fn broken_tables_say_which_line_and_field() {
    assert!(refused("a.csv", b"1,2\n3\n").contains("a.csv: line 2 has 1 fields and line 1 has 2"));
    assert!(refused("a.csv", b"x,y\n\n1,2\n3,4,5").contains("line 4 has 3 fields and line 1 has 2"));
    assert!(refused("a.csv", b"x,y\n1,2\n3,four").contains("line 3, field 2: \"four\" is no finite number"));
    assert!(refused("a.csv", b"1,2\n3,NaN").contains("line 2, field 2"));
    assert!(refused("a.csv", b"1,2\n3,inf").contains("line 2, field 2"));
    assert!(refused("a.csv", b"1,2\n3,").contains("line 2, field 2: \"\" is no"));
    assert!(refused("a.csv", b"").contains("no lines"));
    assert!(refused("a.csv", b"\n \n").contains("no lines"));
    assert!(refused("a.csv", b"x,y\n").contains("names in line 1 and no rows"));
    let many = |n: usize| vec!["1"; n].join(",");
    assert!(refused("a.csv", many(17).as_bytes()).contains("17 columns"));
    let labels: String = (0..101).map(|i| format!("{i},{i},c{i}\n")).collect();
    assert!(refused("a.csv", labels.as_bytes()).contains("line 101, field 3"));
    assert!(refused("a.bin", &[b'a', 0xff, 0]).contains("byte 2"));
    assert!(refused("a.txt", b"a\nb\x01").contains("line 2, character 2"));
}

#[test]
fn lines_are_words() {
    let loaded = load("a.txt", "Ärger\r\nzwei Wörter\n\n".as_bytes()).unwrap();
    let data = &loaded.data;
    assert_eq!((loaded.dataset.id, loaded.rows, data.shape.domain), ("own-words", 2, Domain::Sequences));
    let words: Vec<_> = rows(data).iter().map(|(row, _)| spell(row, &data.alphabet)).collect();
    assert!(words.contains(&"Ärger".into()) && words.contains(&"zwei Wörter".into()), "{words:?}");
}

fn picture(pixels: &[[u8; 4]]) -> Vec<u8> {
    pixels.concat()
}

const BLACK: [u8; 4] = [0, 0, 0, 255];
const WHITE: [u8; 4] = [255; 4];
const CLEAR: [u8; 4] = [0; 4];
const RED: [u8; 4] = [255, 0, 0, 255];

#[test]
fn several_images_are_a_set() {
    let set = |images: &[[[u8; 4]; 2]]| {
        let mut loader = Loader::new(Options { size: None });
        for image in images {
            loader.add_image("p", &picture(image), 2, 1).unwrap();
        }
        loader.finish().unwrap().data
    };
    // Dark ink on light paper, and light ink on dark paper: ink is 1; what is clear is paper.
    let pair = |a: f32, b: f32| (vec![a, b], None);
    assert_eq!(rows(&set(&[[BLACK, WHITE], [WHITE, WHITE]])), [pair(0.0, 0.0), pair(1.0, 0.0)]);
    assert_eq!(rows(&set(&[[BLACK, WHITE], [BLACK, BLACK]])), [pair(0.0, 0.0), pair(0.0, 1.0)]);
    assert_eq!(rows(&set(&[[BLACK, CLEAR], [CLEAR, CLEAR]])), [pair(0.0, 0.0), pair(1.0, 0.0)]);
    let colour = set(&[[RED, WHITE], [RED, BLACK]]);
    assert_eq!(colour.shape, Shape::image(3, 1, 2));
    assert_eq!(rows(&colour)[1].0, [1.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn images_that_are_none_are_refused() {
    let mut loader = Loader::new(Options { size: None });
    let mut refused = |rgba: &[u8], w, h| loader.add_image("p.png", rgba, w, h).unwrap_err().to_string();
    assert!(refused(&[0; 4], 0, 1).contains("0 × 1 pixels"));
    assert!(refused(&[0; 4], usize::MAX, usize::MAX).contains("1 to 128"));
    assert!(refused(&[0; 5], 1, 1).contains("p.png: 5 bytes are no 1 × 1 pixels"));
    loader.add_image("p.png", &[0; 8], 2, 1).unwrap();
    let other = loader.add_image("q.png", &[0; 8], 1, 2).unwrap_err().to_string();
    assert!(other.contains("1 × 2 pixels and the one before has 2 × 1"), "{other}");
    let mut large = Loader::new(Options { size: None });
    for _ in 0..2 {
        large.add_image("p", &[0; 4 * 65], 65, 1).unwrap();
    }
    assert!(large.finish().unwrap_err().to_string().contains("at most 64 each way"));
    let mut blank = Loader::new(Options { size: None });
    blank.add_image("p", &picture(&[WHITE; 4]), 2, 2).unwrap();
    assert!(blank.finish().unwrap_err().to_string().contains("blank"));
}

#[test]
fn one_image_is_a_density_of_points() {
    let mut loader = Loader::new(Options { size: None });
    // A dark place above, a grey one on the right below; half of the ink in proportion.
    let grey = [128, 128, 128, 255];
    loader.add_image("p", &picture(&[BLACK, WHITE, WHITE, WHITE, WHITE, grey, WHITE, WHITE]), 4, 2).unwrap();
    let loaded = loader.finish().unwrap();
    let data = loaded.data;
    assert_eq!((loaded.dataset.id, data.shape), ("own-points", Shape::points(2)));
    // Pixels are 1.5 wide; the first is at the upper left, the other one right of it and below.
    let dark = |p: &[f32]| (-3.0..-1.5).contains(&p[0]) && (0.0..1.5).contains(&p[1]);
    let light = |p: &[f32]| (-1.5..0.0).contains(&p[0]) && (-1.5..0.0).contains(&p[1]);
    assert!(data.train.xs.chunks(2).all(|p| dark(p) || light(p)));
    let share = data.train.xs.chunks(2).filter(|p| dark(p)).count() as f64 / 10_000.0;
    let expected = 1.0 / (1.0 + 127.0 / 255.0);
    assert!((share - expected).abs() < 0.02, "{share}, not {expected}");
    let density = data.density.unwrap();
    assert!((density.log_prob(&[-2.0, 1.0]) - (expected / 2.25).ln()).abs() < 1e-6);
    for nowhere in [[2.0, 1.0], [9.0, 9.0], [f64::NAN, 0.0]] {
        assert_eq!(density.log_prob(&nowhere), f64::NEG_INFINITY);
    }
    let scores = data.held_out.xs.chunks(2).map(|p| density.log_prob(&[p[0].into(), p[1].into()]));
    assert!((scores.sum::<f64>() / 2500.0 + density.entropy().unwrap()).abs() < 0.05);
}

#[test]
fn no_bytes_make_a_reader_panic() {
    let mut rng = Rng::stream(1, "bytes");
    let pieces: [&[u8]; 12] =
        [b"1", b",", b"\n", b"-2.5e3", b"\"", b"x", b";", b"\t", "é".as_bytes(), b"label", b"\r\n", b"\x00"];
    for round in 0..4000 {
        let length = rng.below(60) as usize;
        let mut bytes: Vec<u8> = if round % 2 == 0 {
            (0..length).map(|_| rng.next_u32() as u8).collect()
        } else {
            (0..length).flat_map(|_| pieces[rng.below(12) as usize]).copied().collect()
        };
        // Every fourth begins like a file of images with sizes that may or may not be true.
        if round % 4 == 0 {
            let header = [0, 0, 8, rng.below(5) as u8];
            let sizes = (0..4).flat_map(|_| (rng.next_u32() >> rng.below(33).min(31)).to_be_bytes());
            bytes = header.into_iter().chain(sizes).chain(bytes).collect();
        }
        for name in ["a.csv", "a.txt"] {
            if let Ok(loaded) = load_with((round % 3 == 0).then_some(5), &[(name, &bytes)]) {
                let data = loaded.data;
                assert!(data.train.len(&data.shape) > 0 && data.held_out.len(&data.shape) > 0);
                assert!(data.train.xs.iter().chain(&data.held_out.xs).all(|x| x.is_finite()));
            }
        }
        let (w, h) = (rng.below(5) as usize, rng.below(5) as usize);
        let mut loader = Loader::new(Options { size: None });
        for _ in 0..1 + round % 2 {
            let _ = loader.add_image("p", &bytes, w, h);
        }
        let _ = loader.finish();
    }
}
