//! 1,797 handwritten digits, 8 × 8 pixels.
//!
//! `digits.bin` is written by `tools/extract_digits.py` from scikit-learn's `load_digits`, which is the test part of
//! the UCI set: image after image, the label and 64 values 0..=16, range coded.

use super::range_coder::Decoder;
use super::{Data, Entry, Shape, Split, Stored, Topic};
use crate::error::Result;
use crate::params::{Params, Value};
use crate::rng::Rng;
use crate::supply::Supply;
use crate::{choices, params};

choices! {
    /// Which images are held out.
    pub enum HeldOut {
        /// The last 360 images, which other people wrote.
        Writers = "writers",
        /// 360 images drawn with the seed.
        Shuffled = "shuffled",
    }
}

params! {
    /// Settings of the digits.
    pub struct Settings {
        /// Which images are held out: those of other writers, or any.
        split("split"): HeldOut = HeldOut::Writers, choice::<HeldOut>(), Restart;
        /// Whether pixels are black or white: white from half of the brightness on.
        binarize("binarize"): bool = false, flag(), Restart;
    }
}

/// The digits, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "digits",
    shape: SHAPE,
    classes: 10,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: Some(
        "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, \
         https://doi.org/10.24432/C50P49, CC BY 4.0",
    ),
    stored: Some(Stored { file: &FILE, glimpse }),
    generate,
};

const SHAPE: Shape = Shape::image(1, 8, 8);
const IMAGES: usize = 1797;
const TRAIN: usize = 1437;
const PIXELS: usize = SHAPE.size();
/// How much more a value is expected where it was seen once.
const GAIN: u16 = 3;
static FILE: Supply = Supply::new("digits.bin", include_bytes!("digits.bin"));
/// What the first images are coded in.
static FIRST: [u8; 256] = first(include_bytes!("digits.bin"));
/// How many they are.
const GLIMPSED: usize = 6;

const fn first(bytes: &[u8]) -> [u8; 256] {
    let (mut some, mut i) = ([0; 256], 0);
    while i < some.len() && i < bytes.len() {
        some[i] = bytes[i];
        i += 1;
    }
    some
}

/// The first `n` images with their labels. The counts so far of each pixel of each digit say what to expect.
fn decode(bytes: &[u8], n: usize) -> Vec<(u32, [u8; PIXELS])> {
    let mut decoder = Decoder::new(bytes);
    let mut counts = vec![[[1_u16; 17]; PIXELS]; 10];
    let images = (0..n).map(|_| {
        let label = decoder.next(&[1; 10]);
        let mut image = [0; PIXELS];
        for (pixel, seen) in image.iter_mut().zip(&mut counts[label]) {
            let value = decoder.next(seen);
            seen[value] += GAIN;
            *pixel = value as u8;
        }
        (label as u32, image)
    });
    images.collect()
}

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { split, binarize } = Settings::from_values(values)?;
    let order: Vec<usize> = match split {
        HeldOut::Writers => (0..IMAGES).collect(),
        HeldOut::Shuffled => Rng::stream(seed, "split").permutation(IMAGES),
    };
    let (train, held_out) = order.split_at(TRAIN);
    Ok(arrange(&decode(FILE.bytes()?, IMAGES), train, held_out, binarize))
}

/// The first images are the first to train on where other writers' are held out; for a look they are all there is.
fn glimpse(values: &[(String, Value)], n: usize) -> Result<Option<Data>> {
    let Settings { split, binarize } = Settings::from_values(values)?;
    let all: Vec<usize> = (0..n.max(1)).collect();
    let known = split == HeldOut::Writers && n <= GLIMPSED;
    Ok(known.then(|| arrange(&decode(&FIRST, GLIMPSED), &all, &all, binarize)))
}

fn arrange(images: &[(u32, [u8; PIXELS])], train: &[usize], held_out: &[usize], binarize: bool) -> Data {
    let value = |byte: u8| match binarize {
        true => f32::from(u8::from(byte >= 8)),
        false => f32::from(byte) / 16.0,
    };
    let part = |order: &[usize]| {
        let (labels, images): (Vec<_>, Vec<_>) = order.iter().filter_map(|i| images.get(*i).copied()).unzip();
        Split { xs: images.into_iter().flatten().map(value).collect(), labels: Some(labels) }
    };
    Data {
        shape: SHAPE,
        train: part(train),
        held_out: part(held_out),
        classes: 10,
        extent: [0.0, 1.0, 0.0, 1.0],
        range: Some([0.0, 1.0]),
        density: None,
        modes: None,
        alphabet: Vec::new(),
        topic: Some(Topic::Digits),
        rule: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(split: &str, binarize: bool, seed: u32) -> Data {
        let values =
            [("split".into(), Value::Text(split.into())), ("binarize".into(), Value::Flag(binarize))];
        generate(&values, seed).unwrap()
    }

    fn counts(split: &Split) -> Vec<usize> {
        let labels = split.labels.as_ref().unwrap();
        (0..10).map(|class| labels.iter().filter(|label| **label == class).count()).collect()
    }

    #[test]
    fn they_are_those_of_scikit_learn() {
        // python3 -c "from sklearn.datasets import load_digits; d = load_digits(); print(d.data.sum(1)[:5], …)"
        let data = digits("writers", false, 0);
        let (train, held_out) = (&data.train, &data.held_out);
        assert_eq!((train.len(&SHAPE), held_out.len(&SHAPE)), (1437, 360));
        let sum = |split: &Split, i: usize| 16.0 * split.row(&SHAPE, i).iter().sum::<f32>();
        assert_eq!([0, 1, 2, 3, 4].map(|i| sum(train, i)), [294.0, 313.0, 344.0, 267.0, 258.0]);
        assert_eq!([355, 356, 357, 358, 359].map(|i| sum(held_out, i)), [340.0, 399.0, 374.0, 344.0, 392.0]);
        let top = [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0, 0.0, 0.0, 13.0, 15.0, 10.0, 15.0, 5.0, 0.0];
        assert_eq!(train.row(&SHAPE, 0)[..16], top.map(|x| x / 16.0));
        assert_eq!(train.labels.as_ref().unwrap()[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert_eq!(held_out.labels.as_ref().unwrap()[355..], [9, 0, 8, 9, 8]);
        assert_eq!(counts(train), [143, 146, 142, 146, 144, 145, 144, 143, 141, 143]);
        let all: Vec<_> = counts(train).iter().zip(counts(held_out)).map(|(a, b)| a + b).collect();
        assert_eq!(all, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        let total = train.xs.iter().chain(&held_out.xs).map(|x| 16.0 * f64::from(*x)).sum::<f64>();
        assert_eq!(total, 561_718.0);
    }

    #[test]
    fn binarized_pixels_are_white_from_eight_sixteenths_on() {
        let (grey, data) = (digits("writers", false, 0), digits("writers", true, 0));
        let pixels = data.train.xs.iter().chain(&data.held_out.xs);
        assert_eq!(pixels.clone().filter(|x| **x == 1.0).count(), 37_151);
        assert!(pixels.clone().all(|x| *x == 0.0 || *x == 1.0));
        for (grey, white) in grey.train.xs.iter().zip(&data.train.xs) {
            assert_eq!(*grey >= 0.5, *white == 1.0);
        }
    }

    #[test]
    fn a_shuffled_split_has_every_image_once_and_depends_on_the_seed() {
        let rows = |data: &Data| {
            let mut rows: Vec<Vec<u32>> = Vec::new();
            for split in [&data.train, &data.held_out] {
                let labels = split.labels.as_ref().unwrap();
                for (row, label) in split.xs.chunks(64).zip(labels) {
                    rows.push(row.iter().map(|x| (16.0 * x) as u32).chain([*label]).collect());
                }
            }
            rows.sort();
            rows
        };
        let (writers, shuffled) = (digits("writers", false, 7), digits("shuffled", false, 7));
        assert_eq!(rows(&writers), rows(&shuffled));
        assert_eq!(shuffled.held_out.len(&SHAPE), 360);
        assert_eq!(shuffled.train, digits("shuffled", false, 7).train);
        assert_ne!(shuffled.train, digits("shuffled", false, 8).train);
        assert_ne!(shuffled.train, writers.train);
        assert_eq!(writers.train, digits("writers", false, 8).train);
    }

    #[test]
    fn a_glimpse_has_the_first_images_and_no_others() {
        let glimpsed = |split: &str, binarize, n| {
            let values = [("split".into(), Value::Text(split.into())), ("binarize".into(), binarize)];
            glimpse(&values, n).unwrap()
        };
        for binarize in [false, true] {
            let all = digits("writers", binarize, 0);
            for n in 1..=GLIMPSED {
                let some = glimpsed("writers", Value::Flag(binarize), n).unwrap();
                assert_eq!(some.train.xs, all.train.xs[..n * PIXELS]);
                assert_eq!(some.train.labels.unwrap(), all.train.labels.as_ref().unwrap()[..n]);
            }
        }
        assert!(glimpsed("writers", Value::Flag(false), GLIMPSED + 1).is_none());
        assert!(glimpsed("shuffled", Value::Flag(false), 1).is_none());
    }
}
