//! Hostile input: what the fuzz targets check, over mutated corpora, on every test run; and no large allocation.

#[path = "../../fuzz/src/entries.rs"]
mod entries;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tealight::rng::Rng;

use crate::common::session;

thread_local! {
    /// Bytes that this thread holds, and the most that it held.
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

/// The system's allocator, with a count for each thread.
struct Counting;

fn count(bytes: isize) {
    // A thread that ends has no count any more.
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        held.set((now + bytes, most.max(now + bytes)));
    });
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that were held at once while `work` ran, beyond those before.
fn held(work: impl FnOnce()) -> isize {
    let (before, _) = HELD.get();
    HELD.set((before, before));
    work();
    HELD.get().1 - before
}

/// Pieces that break readers.
const PIECES: [&str; 24] = [
    "-1",
    "1e999",
    "-0",
    "0",
    "4294967296",
    "18446744073709551616",
    "0.5",
    "NaN",
    "null",
    "[]",
    "{}",
    "\"\"",
    "[[[[[[[[",
    "{\"a\":",
    "%",
    "%F0%9F",
    "\u{202e}",
    "\u{0}",
    "<script>alert(1)</script>",
    ",",
    ";:;:",
    "&",
    "\n",
    "🕯",
];

/// One input made from another: bytes changed, cut out, doubled, cut off, or a piece of something else put in.
fn mutate(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let pick = |rng: &mut Rng, n: usize| rng.below(n.max(1) as u32) as usize;
    let mut bytes = corpus[pick(rng, corpus.len())].clone();
    for _ in 0..1 + pick(rng, 4) {
        let at = pick(rng, bytes.len() + 1);
        let end = (at + pick(rng, 12)).min(bytes.len());
        match pick(rng, 8) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (at % 8)),
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = at as u8),
            2 => drop(bytes.splice(at..end, [])),
            3 => bytes.truncate(at),
            4 => {
                let piece = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            5 => {
                let other = &corpus[pick(rng, corpus.len())];
                let from = pick(rng, other.len());
                let to = (from + pick(rng, 40)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
            6 => bytes.iter_mut().skip(at).take(8).for_each(|byte| *byte = 255),
            _ => drop(bytes.splice(at..end, PIECES[pick(rng, PIECES.len())].bytes())),
        }
    }
    bytes
}

/// Runs an entry over a corpus and over what is made from it, and holds it to `most` bytes beside 64 for each of the
/// input.
fn smoke(name: &str, entry: fn(&[u8]) -> bool, corpus: &[&[u8]], rounds: usize, most: isize) {
    let corpus: Vec<Vec<u8>> = corpus.iter().map(|bytes| bytes.to_vec()).collect();
    let mut rng = Rng::stream(20, name);
    let mutated = (0..rounds).map(|_| mutate(&corpus, &mut rng)).collect::<Vec<_>>();
    let (mut taken, mut refused) = (0, 0);
    for bytes in corpus.iter().chain(&mutated) {
        let held = held(|| *(if entry(bytes) { &mut taken } else { &mut refused }) += 1);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
        assert!(held <= most + 64 * bytes.len() as isize, "{name}: {held} bytes were held for {shown:?}");
    }
    // Mutations that are all taken or all refused find nothing.
    assert!(taken.min(refused) >= rounds / 200, "{name}: {taken} taken, {refused} refused");
}

const MEGABYTE: isize = 1 << 20;

#[test]
fn text_of_any_kind_is_read_or_refused() {
    let config = br#"{"dataset":"ring","model":"gan","seed":7,"networkShape":[64,64],"minibatchStd":true,"loss":"hinge"}"#;
    let drawn = br#"{"dataset":"drawn","model":"vae","points":"gACAwACAgAEA","noise":0.1}"#;
    let typed = br#"{"dataset":"typed","model":"autoregressive","ownWords":"a\nb"}"#;
    let story = br#"{"tealight":"0.1.0","config":{"dataset":"ring","model":"gan"},"events":[{"step":3,"key":"r1","value":1},{"step":4,"key":"phase","value":"both"}],"step":9}"#;
    smoke("config", entries::config, &[config, drawn, typed], 4000, MEGABYTE);
    smoke(
        "dataset",
        entries::dataset,
        &[
            br#"{"dataset":"ring","noise":0.2,"samples":100}"#,
            br#"{"dataset":"drawn","points":"gACAwACAgAEA"}"#,
        ],
        2000,
        MEGABYTE,
    );
    let short = br#"{"tealight":"0.1.0","config":{"dataset":"moons","model":"vae"}}"#;
    smoke("experiment", entries::experiment, &[story, short], 4000, MEGABYTE);
    let values: [&[u8]; 5] =
        [b"networkShape\n[64,64]", b"r1\n0.5", b"loss\n\"hinge\"", b"seed\n7", b"points\n\"gACA\""];
    smoke("value", entries::value, &values, 2000, MEGABYTE);
    let views = br#"[{"id":"samples","n":100},{"id":"decode","u":0.5,"v":1},{"id":"paths","n":9,"frames":12},{"id":"density","grid":64}]"#;
    smoke("requests", entries::requests, &[views], 4000, MEGABYTE);
    smoke("options", entries::options, &[br#"{"size":16}"#, b"{}"], 1000, MEGABYTE);
    smoke("drawing", entries::drawing, &[b"gACAwACAgAEA", b"____AAAA"], 2000, MEGABYTE);
    smoke(
        "words",
        entries::words,
        &["one\ntwo\n\ndrei vier".as_bytes(), "火\n水".as_bytes()],
        2000,
        MEGABYTE,
    );
}

#[test]
fn links_of_any_kind_are_read() {
    let list = crate::common::reference(include_str!("../reference/links.json"));
    let links: Vec<&[u8]> =
        list.as_array().unwrap().iter().map(|entry| entry["link"].as_str().unwrap().as_bytes()).collect();
    smoke("link", entries::link, &links, 4000, MEGABYTE);
    for long in ["a=".repeat(1 << 17), format!("events={}", "1:beta:2;".repeat(1 << 15)), "&".repeat(1 << 20)]
    {
        entries::link(long.as_bytes());
    }
}

#[test]
fn snapshots_and_weights_of_any_kind_are_taken_or_refused() {
    let mut own = entries::small();
    own.step(3).unwrap();
    let mut gan = session("moons", "gan", &[]);
    gan.step(1).unwrap();
    let snapshots = [own.snapshot().unwrap(), gan.snapshot().unwrap()];
    let weights = [own.weights().unwrap(), gan.weights().unwrap()];
    // A snapshot's configuration may be of any size that a link's may be.
    smoke("snapshot", entries::snapshot, &[&snapshots[0], &snapshots[1], &weights[0]], 600, 400 * MEGABYTE);
    smoke("weights", entries::weights, &[&weights[0], &weights[1], &snapshots[0]], 1500, 8 * MEGABYTE);
    // A header that promises what is not there.
    for length in [0_u64, 1, 8, 1 << 20, 100_000_000, 100_000_001, 1 << 40, u64::MAX] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(
            b"{\"vars.a\":{\"dtype\":\"F32\",\"shape\":[4294967295,4294967295],\"data_offsets\":[0,8]}}",
        );
        assert!(held(|| assert!(!entries::snapshot(&bytes))) < 8 * MEGABYTE);
        assert!(held(|| assert!(!entries::weights(&bytes))) < 8 * MEGABYTE);
    }
}

#[test]
fn files_of_any_kind_are_read_or_refused() {
    let idx = [&b"\x03\0\0\x08\x03\0\0\0\x03\0\0\0\x02\0\0\0\x02"[..], &[7; 12]].concat();
    let corpus: [&[u8]; 6] = [
        b"\0x,y,label\n1,2,a\n3,4,b\n5,6,a\n",
        b"\x011\t2\n3\t4\n",
        b"\x021 2\n3 4\n5 6",
        &idx,
        b"\x02one\ntwo\nthree",
        b"\x0d\0\0\x08\x01\0\0\0\x02\x01\x02",
    ];
    smoke("files", entries::files, &corpus, 4000, 2 * MEGABYTE);
    // Sizes that are not there must not be allocated for.
    for sizes in [[u32::MAX; 3], [1 << 30, 64, 64], [60_000, 28, 28], [1, 0, 0], [0, 1, 1]] {
        let mut bytes = b"\x03\0\0\x08\x03".to_vec();
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        assert!(held(|| assert!(!entries::files(&bytes))) < MEGABYTE);
    }
    let deep = [&b"\0"[..], "\"".repeat(1 << 20).as_bytes()].concat();
    entries::files(&deep);
    entries::files(&[&b"\0"[..], ",".repeat(1 << 20).as_bytes()].concat());
    entries::files(&[&b"\x02"[..], "a\n".repeat(60_000).as_bytes()].concat());
    let picture = [&[2, 2, 0][..], &[0, 0, 0, 255, 255, 255, 255, 255, 9, 9, 9, 0, 1, 2, 3, 4]].concat();
    smoke(
        "picture",
        entries::picture,
        &[&picture, &[&[2, 2, 1][..], &picture[3..]].concat()],
        2000,
        4 * MEGABYTE,
    );
}
