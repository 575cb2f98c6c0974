//! Digits written by a pen that never writes one twice alike.
//!
//! Each digit is one of a few paths through knots; the knots are moved, the curve through them is drawn (Catmull &
//! Rom 1974), leaning, turned, stretched and shifted, by a pen of some width.

use super::images::{self, Canvas};
use super::{Data, Entry, Shape, Topic};
use crate::error::Result;
use crate::params;
use crate::params::{Params, Value};
use crate::rng::Rng;

params! {
    /// Settings of the written digits.
    pub struct Settings {
        /// How many pixels there are along each side.
        size("size"): usize = 16, integer(8, 28), Restart;
        /// How much one digit differs from the next; 0 writes each of them always alike.
        variety("variety"): f64 = 1.0, linear(0.0, 2.0), Restart;
        /// Whether pixels are black or white: white from half of the brightness on.
        binarize("binarize"): bool = false, flag(), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 4_000, log_integer(100, 10_000), Restart;
    }
}

/// The written digits, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "strokes",
    shape: Shape::image(1, 16, 16),
    classes: 10,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { size, variety, binarize, samples } = Settings::from_values(values)?;
    let data = images::sampled(Shape::image(1, size, size), samples, seed, 10, &|rng, pixels| {
        let digit = rng.below(10);
        write(digit, variety, size, rng, pixels);
        if binarize {
            tealight_kernels::bits::binarize(pixels);
        }
        digit
    });
    Ok(Data { topic: Some(Topic::Digits), ..data })
}

/// One way of writing a digit.
struct Glyph {
    /// Places in per cent of the digit's box, x to the right and y down.
    knots: &'static [[u8; 2]],
    /// The knots that each stroke goes through; it is closed if it ends where it began.
    strokes: &'static [&'static [u8]],
}

const fn glyph(knots: &'static [[u8; 2]], strokes: &'static [&'static [u8]]) -> Glyph {
    Glyph { knots, strokes }
}

/// The ways of writing each digit.
const GLYPHS: [&[Glyph]; 10] = [
    &[glyph(
        &[[52, 0], [18, 16], [4, 50], [18, 86], [50, 100], [82, 84], [96, 48], [82, 14]],
        &[&[0, 1, 2, 3, 4, 5, 6, 7, 0]],
    )],
    &[
        glyph(&[[50, 0], [50, 50], [50, 100]], &[&[0, 1, 2]]),
        glyph(&[[28, 24], [54, 0], [54, 50], [54, 100]], &[&[0, 1], &[1, 2, 3]]),
        glyph(
            &[[26, 24], [52, 0], [52, 50], [52, 100], [26, 100], [80, 100]],
            &[&[0, 1], &[1, 2, 3], &[4, 5]],
        ),
    ],
    &[
        glyph(
            &[[8, 26], [26, 4], [58, 0], [86, 16], [84, 42], [50, 72], [4, 100], [96, 100]],
            &[&[0, 1, 2, 3, 4, 5, 6], &[6, 7]],
        ),
        glyph(
            &[
                [10, 22],
                [40, 0],
                [78, 8],
                [82, 38],
                [50, 74],
                [20, 98],
                [8, 84],
                [32, 80],
                [62, 98],
                [96, 92],
            ],
            &[&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
        ),
    ],
    &[
        glyph(
            &[[8, 10], [42, 0], [80, 12], [76, 36], [34, 47], [80, 60], [92, 82], [50, 100], [4, 90]],
            &[&[0, 1, 2, 3, 4], &[4, 5, 6, 7, 8]],
        ),
        glyph(
            &[[8, 0], [86, 0], [42, 38], [84, 52], [88, 82], [48, 100], [4, 90]],
            &[&[0, 1], &[1, 2], &[2, 3, 4, 5, 6]],
        ),
    ],
    &[
        glyph(&[[66, 0], [2, 66], [98, 66], [68, 30], [66, 100]], &[&[0, 1], &[1, 2], &[3, 4]]),
        glyph(&[[20, 2], [10, 52], [92, 52], [78, 0], [72, 100]], &[&[0, 1], &[1, 2], &[3, 4]]),
    ],
    &[glyph(
        &[[88, 2], [22, 2], [14, 44], [54, 36], [92, 62], [78, 92], [42, 100], [4, 88]],
        &[&[0, 1], &[1, 2], &[2, 3, 4, 5, 6, 7]],
    )],
    &[glyph(
        &[[76, 0], [34, 20], [8, 58], [18, 90], [52, 100], [88, 84], [84, 58], [50, 48], [12, 68]],
        &[&[0, 1, 2, 3, 4, 5, 6, 7, 8]],
    )],
    &[
        glyph(&[[4, 0], [94, 0], [56, 46], [36, 100]], &[&[0, 1], &[1, 2, 3]]),
        glyph(&[[4, 0], [94, 0], [56, 46], [36, 100], [26, 50], [82, 48]], &[&[0, 1], &[1, 2, 3], &[4, 5]]),
    ],
    &[glyph(
        &[
            [50, 46],
            [16, 30],
            [20, 8],
            [50, 0],
            [80, 8],
            [84, 30],
            [50, 46],
            [8, 68],
            [12, 92],
            [50, 100],
            [88, 92],
            [92, 68],
        ],
        &[&[0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 0]],
    )],
    &[
        glyph(
            &[[86, 20], [54, 0], [14, 12], [10, 38], [42, 52], [82, 34], [88, 8], [84, 60], [62, 100]],
            &[&[0, 1, 2, 3, 4, 5, 0], &[0, 7, 8]],
        ),
        glyph(
            &[[84, 22], [54, 0], [14, 12], [10, 38], [42, 50], [84, 30], [84, 70], [62, 98], [22, 94]],
            &[&[0, 1, 2, 3, 4, 5, 0], &[0, 6, 7, 8]],
        ),
    ],
];

/// Writes one digit.
fn write(digit: u32, variety: f64, size: usize, rng: &mut Rng, pixels: &mut [f32]) {
    let ways = GLYPHS.get(digit as usize).copied().unwrap_or_default();
    let Some(glyph) = ways.get(rng.below(ways.len() as u32) as usize) else {
        return;
    };
    // Nobody's hand goes further off than twice the usual.
    let mut vary = |spread: f64| variety * spread * rng.normal_f64().clamp(-2.0, 2.0);
    let (sin, cos) = libm::sincos(vary(0.09));
    let lean = 0.12 + vary(0.12);
    // The edge of a pixel is wider where pixels are.
    let height = (0.78 - 0.64 / size as f64) * (1.0 + vary(0.08));
    let width = 0.47 * (1.0 + vary(0.12));
    let shift = [vary(0.025), vary(0.025)];
    // A pen finer than a pixel would leave gaps of grey.
    let pen = (0.048 + vary(0.010)).max(0.45 / size as f64);
    let place = |x: f64, y: f64| {
        let (x, y) = (width * (x - 0.5) - lean * height * (y - 0.5), height * (y - 0.5));
        [0.5 + shift[0] + cos * x - sin * y, 0.5 + shift[1] + sin * x + cos * y]
    };
    let knots: Vec<[f64; 2]> = glyph
        .knots
        .iter()
        .map(|[x, y]| place(f64::from(*x) / 100.0 + vary(0.04), f64::from(*y) / 100.0 + vary(0.03)))
        .collect();
    let mut canvas = Canvas::new(pixels, size);
    for stroke in glyph.strokes {
        let path: Vec<[f64; 2]> = stroke.iter().filter_map(|i| knots.get(usize::from(*i)).copied()).collect();
        let mut from: Option<[f64; 2]> = None;
        curve(&path, 2 + size / 10, &mut |to| {
            canvas.line(from.unwrap_or(to), to, pen);
            from = Some(to);
        });
    }
}

/// Goes along the Catmull–Rom curve through the knots, in so many steps between two of them.
fn curve(knots: &[[f64; 2]], steps: usize, visit: &mut dyn FnMut([f64; 2])) {
    let closed = knots.len() > 3 && knots.first() == knots.last();
    let last = knots.len().saturating_sub(1);
    let at = |i: usize| knots.get(i).copied().unwrap_or_default();
    for i in 0..last {
        let (b, c) = (at(i), at(i + 1));
        // Beyond an open end, the curve would go straight on.
        let a = if i > 0 {
            at(i - 1)
        } else if closed {
            at(last - 1)
        } else {
            b
        };
        let d = if i + 1 < last {
            at(i + 2)
        } else if closed {
            at(1)
        } else {
            c
        };
        for step in usize::from(i > 0)..=steps {
            let t = step as f64 / steps as f64;
            visit([0, 1].map(|k| {
                let (slope_b, slope_c) = (0.5 * (c[k] - a[k]), 0.5 * (d[k] - b[k]));
                let rise = c[k] - b[k];
                b[k] + t
                    * (slope_b
                        + t * (3.0 * rise - 2.0 * slope_b - slope_c + t * (slope_b + slope_c - 2.0 * rise)))
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(values: &[(&str, f64)]) -> Data {
        let values: Vec<_> = values.iter().map(|(key, x)| (key.to_string(), Value::Number(*x))).collect();
        generate(&values, 7).unwrap()
    }

    #[test]
    fn curves_go_through_their_knots() {
        let knots = [[0.0, 0.0], [1.0, 2.0], [3.0, -1.0], [0.0, 0.0]];
        let mut path = Vec::new();
        curve(&knots, 4, &mut |point| path.push(point));
        assert_eq!(path.len(), 13);
        assert_eq!([0, 4, 8, 12].map(|i| path[i]), knots);
        let mut straight = Vec::new();
        curve(&[[0.0, 0.0], [1.0, 1.0]], 5, &mut |[x, y]| straight.push(x - y));
        assert!(straight.iter().all(|off| off.abs() < 1e-12));
        curve(&[], 5, &mut |_| panic!("there is nothing to go along"));
    }

    #[test]
    fn without_variety_each_way_of_writing_is_one_image() {
        let data = make(&[("variety", 0.0), ("samples", 1000.0)]);
        let images: std::collections::HashSet<Vec<u32>> =
            data.train.xs.chunks(256).map(|image| image.iter().map(|x| x.to_bits()).collect()).collect();
        assert_eq!(images.len(), GLYPHS.iter().map(|ways| ways.len()).sum::<usize>());
    }

    #[test]
    fn every_size_has_ink_inside_and_little_at_the_border() {
        for size in [8, 12, 16, 28] {
            let data = make(&[("size", size as f64), ("samples", 500.0)]);
            let (mut ink, mut border) = (0.0, 0.0);
            for image in data.train.xs.chunks(size * size) {
                for (i, x) in image.iter().enumerate() {
                    let (row, column) = (i / size, i % size);
                    ink += x;
                    if row == 0 || column == 0 || row + 1 == size || column + 1 == size {
                        border += x;
                    }
                }
            }
            let share = ink / (500 * size * size) as f32;
            assert!((0.12..0.30).contains(&share), "{size}: {share}");
            let most = if size <= 12 { 0.1 } else { 0.02 };
            assert!(border / ink < most, "{size}: {}", border / ink);
        }
    }
}
