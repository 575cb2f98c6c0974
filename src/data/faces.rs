//! Cartoon faces in colour, whose features are known: glasses, smile, hair, skin.

use super::images::{self, Canvas, around, circle, ellipse, segment};
use super::{Data, Entry, Shape, Topic};
use crate::error::Result;
use crate::params::{Params, Value};
use crate::rng::Rng;
use crate::{choices, params};

choices! {
    /// What the labels say about a face.
    pub enum LabelBy {
        /// 0 neither, 1 a smile, 2 glasses, 3 both.
        Expression = "expression",
        /// The colour of the hair.
        Hair = "hair",
        /// The colour of the skin.
        Skin = "skin",
    }
}

params! {
    /// Settings of the faces.
    pub struct Settings {
        /// How many pixels there are along each side.
        size("size"): usize = 16, integer(12, 28), Restart;
        /// What the labels say: smile and glasses, the hair's colour, or the skin's.
        label_by("labelBy"): LabelBy = LabelBy::Expression, choice::<LabelBy>(), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 2_000, log_integer(100, 5_000), Restart;
    }
}

/// The faces, as the catalogue lists them.
pub const ENTRY: Entry = Entry {
    id: "faces",
    shape: Shape::image(3, 16, 16),
    classes: 4,
    specs: Settings::specs,
    presets: &[],
    drawable: false,
    attribution: None,
    stored: None,
    generate,
};

type Colour = [f32; 3];

const SKINS: [Colour; 4] = [[0.98, 0.84, 0.72], [0.90, 0.70, 0.52], [0.70, 0.48, 0.32], [0.52, 0.34, 0.23]];
const HAIRS: [Colour; 5] =
    [[0.13, 0.11, 0.12], [0.42, 0.24, 0.12], [0.93, 0.76, 0.32], [0.80, 0.33, 0.12], [0.72, 0.72, 0.74]];
const WALLS: [Colour; 4] = [[0.62, 0.80, 0.90], [0.72, 0.88, 0.72], [0.95, 0.86, 0.66], [0.86, 0.76, 0.90]];
const SHIRTS: [Colour; 4] = [[0.20, 0.40, 0.70], [0.80, 0.26, 0.24], [0.18, 0.56, 0.44], [0.96, 0.95, 0.92]];
const DARK: Colour = [0.10, 0.09, 0.12];
const LIPS: Colour = [0.68, 0.13, 0.17];
const FRAME: Colour = [0.12, 0.13, 0.30];
const LENS: Colour = [0.90, 0.96, 1.0];

/// What is known about a face, and what else differs.
struct Face {
    skin: usize,
    hair: usize,
    smile: bool,
    glasses: bool,
    long_hair: bool,
    wall: Colour,
    shirt: Colour,
    /// Where its middle is.
    centre: [f64; 2],
    /// Its breadth, as a share of the usual.
    breadth: f64,
}

impl Face {
    fn random(rng: &mut Rng) -> Self {
        let mut one_of = |n: usize| rng.below(n as u32) as usize;
        let (skin, hair, smile, glasses) = (one_of(SKINS.len()), one_of(HAIRS.len()), one_of(2), one_of(2));
        let (long_hair, wall, shirt) = (one_of(2) == 1, one_of(WALLS.len()), one_of(SHIRTS.len()));
        let mut around = |middle: f64, reach: f64| middle + reach * (2.0 * rng.uniform_f64() - 1.0);
        Self {
            skin,
            hair,
            smile: smile == 1,
            glasses: glasses == 1,
            long_hair,
            wall: WALLS.get(wall).copied().unwrap_or_default(),
            shirt: SHIRTS.get(shirt).copied().unwrap_or_default(),
            centre: [around(0.5, 0.04), around(0.53, 0.03)],
            breadth: around(1.0, 0.08),
        }
    }

    fn label(&self, by: LabelBy) -> u32 {
        match by {
            LabelBy::Expression => u32::from(self.smile) + 2 * u32::from(self.glasses),
            LabelBy::Hair => self.hair as u32,
            LabelBy::Skin => self.skin as u32,
        }
    }

    /// Paints it from the back to the front.
    fn paint(&self, canvas: &mut Canvas) {
        let [cx, cy] = self.centre;
        let at = |x: f64, y: f64| [cx + x * self.breadth, cy + y];
        let skin = SKINS.get(self.skin).copied().unwrap_or_default();
        let hair = HAIRS.get(self.hair).copied().unwrap_or_default();
        let mut oval = |colour: &Colour, middle: [f64; 2], [rx, ry]: [f64; 2], below: f64, above: f64| {
            let radii = [rx * self.breadth, ry];
            let bounds = around(&[middle], rx.max(ry) * 1.1);
            canvas.fill(colour, bounds, &|x, y| {
                ellipse(middle, radii, x, y).max(y - cy - above).max(cy + below - y)
            });
        };
        const ALL: f64 = 9.0;
        oval(&self.wall, at(0.0, 0.0), [2.0, 2.0], -ALL, ALL);
        if self.long_hair {
            oval(&hair, at(0.0, 0.02), [0.37, 0.45], -ALL, 0.34);
        } else {
            oval(&hair, at(0.0, -0.08), [0.34, 0.37], -ALL, 0.08);
        }
        oval(&self.shirt, at(0.0, 0.56), [0.42, 0.22], -ALL, ALL);
        oval(&skin, at(0.0, 0.30), [0.10, 0.14], -ALL, ALL);
        oval(&skin, at(0.0, 0.01), [0.27, 0.34], -ALL, ALL);
        oval(&hair, at(0.0, -0.02), [0.31, 0.37], -ALL, -0.17);
        for side in [-1.0, 1.0] {
            let eye = at(0.115 * side, -0.02);
            if self.glasses {
                canvas.fill(&LENS, around(&[eye], 0.09), &|x, y| circle(eye, 0.09, x, y));
            }
            canvas.fill(&DARK, around(&[eye], 0.05), &|x, y| ellipse(eye, [0.036, 0.05], x, y));
            if self.glasses {
                canvas.fill(&FRAME, around(&[eye], 0.13), &|x, y| circle(eye, 0.095, x, y).abs() - 0.024);
            }
        }
        // A smile's corners are up, or its middle is.
        let bend = if self.smile { 0.07 } else { -0.03 };
        let mouth = |t: f64| at(0.115 * t, 0.19 + bend * (0.5 - t * t));
        let half = if self.smile { 0.032 } else { 0.026 };
        let corners: Vec<[f64; 2]> = (-3..=3).map(|i| mouth(f64::from(i) / 3.0)).collect();
        canvas.fill(&LIPS, around(&corners, half), &|x, y| {
            let lines = corners.iter().zip(corners.iter().skip(1));
            lines.map(|(a, b)| segment(*a, *b, x, y)).fold(f64::INFINITY, f64::min) - half
        });
    }
}

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { size, label_by, samples } = Settings::from_values(values)?;
    let (topic, classes) = match label_by {
        LabelBy::Expression => (Topic::Expression, 4),
        LabelBy::Hair => (Topic::Hair, HAIRS.len()),
        LabelBy::Skin => (Topic::Skin, SKINS.len()),
    };
    let data = images::sampled(Shape::image(3, size, size), samples, seed, classes, &|rng, pixels| {
        let face = Face::random(rng);
        face.paint(&mut Canvas::new(pixels, size));
        face.label(label_by)
    });
    Ok(Data { topic: Some(topic), ..data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(label_by: &str) -> Data {
        generate(&[("labelBy".into(), Value::Text(label_by.into()))], 9).unwrap()
    }

    #[test]
    fn labels_are_another_view_of_the_same_faces() {
        let (expression, hair, skin) = (make("expression"), make("hair"), make("skin"));
        assert_eq!((&expression.train.xs, &expression.held_out.xs), (&hair.train.xs, &skin.held_out.xs));
        assert_eq!((expression.classes, hair.classes, skin.classes), (4, 5, 4));
    }

    #[test]
    fn what_the_labels_say_can_be_seen() {
        let size = 16;
        // The mean colour of a box of pixels, over the faces of a class.
        let seen = |data: &Data,
                    class: u32,
                    rows: std::ops::Range<usize>,
                    columns: std::ops::Range<usize>| {
            let (mut sum, mut n) = ([0.0_f32; 3], 0.0);
            for (face, label) in
                data.train.xs.chunks(3 * size * size).zip(data.train.labels.as_ref().unwrap())
            {
                if *label == class {
                    for (row, column) in rows.clone().flat_map(|row| columns.clone().map(move |c| (row, c))) {
                        for (channel, sum) in sum.iter_mut().enumerate() {
                            *sum += face[channel * size * size + row * size + column];
                        }
                        n += 1.0;
                    }
                }
            }
            sum.map(|x| x / n)
        };
        let hair = make("hair");
        for (class, colour) in (0..).zip(HAIRS) {
            // The top of the head.
            let mean = seen(&hair, class, 3..4, 7..9);
            assert!(
                mean.iter().zip(colour).all(|(a, b)| (a - b).abs() < 0.08),
                "{class}: {mean:?}, not {colour:?}"
            );
        }
        let skin = make("skin");
        for (class, colour) in (0..).zip(SKINS) {
            // The chin.
            let mean = seen(&skin, class, 13..14, 7..9);
            assert!(
                mean.iter().zip(colour).all(|(a, b)| (a - b).abs() < 0.12),
                "{class}: {mean:?}, not {colour:?}"
            );
        }
        let faces = make("expression");
        let [neither, smile, glasses, both] = [0, 1, 2, 3].map(|class| seen(&faces, class, 7..9, 5..11)[0]);
        assert!(glasses < neither - 0.03 && both < smile - 0.03, "{neither} {smile} {glasses} {both}");
    }
}
