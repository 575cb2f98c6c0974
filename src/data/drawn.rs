//! Points that the visitor draws.
//!
//! A drawing is text: four characters of base64url a point (RFC 4648 §5), which are 24 bits, 12 of x and then 12 of
//! y, most significant first; k stands for −3 + 6k/4095.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::Arc;

use super::density::Mixture;
use super::{Data, Entry, LogDensity, Shape, points};
use crate::error::{Error, Result, clip};
use crate::params;
use crate::params::{Params, Value};

/// How many points a drawing may have.
pub const MOST_POINTS: usize = 4000;
/// The drawing's coordinates lie between −`REACH` and `REACH`.
pub const REACH: f64 = 3.0;
const LEVELS: f64 = 4095.0;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

params! {
    /// Settings of the drawing.
    pub struct Settings {
        /// The drawn points, four characters each.
        points("points"): String = encode(&tealight()), text(4 * MOST_POINTS), Restart;
        /// The standard deviation of the Gaussian noise, in the data's units; 0 keeps to the drawn points.
        noise("noise"): f64 = 0.03, linear(0.0, 0.5), Restart;
        /// How many rows there are to train on; a quarter as many are held out.
        samples("samples"): usize = 10_000, log_integer(100, 50_000), Restart;
    }
}

/// The drawing, as the catalogue lists it.
pub const ENTRY: Entry = Entry {
    id: "drawn",
    shape: Shape::points(2),
    classes: 0,
    specs: Settings::specs,
    presets: &[],
    drawable: true,
    attribution: None,
    stored: None,
    generate,
};

fn generate(values: &[(String, Value)], seed: u32) -> Result<Data> {
    let Settings { points: text, noise, samples } = Settings::from_values(values)?;
    let drawn = decode(&text)?;
    let density = (noise > 0.0).then(|| -> Arc<dyn LogDensity> {
        // A place that was drawn twice is one kernel of twice the weight.
        let mut places = BTreeMap::new();
        for [x, y] in drawn.iter().copied() {
            *places.entry([level(x), level(y)]).or_insert(0.0) += 1.0;
        }
        Arc::new(Mixture::new(places.into_iter().map(|(place, n)| (place.map(coordinate), n)), noise))
    });
    Ok(Data {
        density,
        ..points::sampled(samples, seed, 0, points::square([0.0; 2], REACH, noise), |rng| {
            let point = drawn.get(rng.below(drawn.len() as u32) as usize).copied().unwrap_or_default();
            (points::blurred(point, noise, rng), 0)
        })
    })
}

/// The coordinate of a level 0..=4095.
fn coordinate(level: u32) -> f64 {
    2.0 * REACH * f64::from(level) / LEVELS - REACH
}

/// The level that is nearest to a coordinate.
fn level(x: f64) -> u32 {
    // `as` takes NaN to 0.
    ((x + REACH) * LEVELS / (2.0 * REACH)).clamp(0.0, LEVELS).round() as u32
}

/// The text of a drawing; coordinates are moved to the nearest place that the text can name.
pub fn encode(drawing: &[[f64; 2]]) -> String {
    let mut text = String::with_capacity(4 * drawing.len());
    for [x, y] in drawing {
        let bits = level(*x) << 12 | level(*y);
        text.extend([18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift & 63) as usize])));
    }
    text
}

/// The points of a drawing's text.
///
/// # Errors
/// If there is no point or too many, a character that is none of the alphabet's, or a point that is cut off.
pub fn decode(text: &str) -> Result<Vec<[f64; 2]>> {
    let refuse = |message: String| Err(Error::Config(message));
    if text.is_empty() {
        return refuse("the drawing is empty; draw at least one point, or choose another data set".into());
    }
    let sextet = |c: char| ALPHABET.iter().position(|a| char::from(*a) == c);
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| sextet(*c).is_none()) {
        let c = clip(&c.escape_default().to_string());
        return refuse(format!(
            "points has '{c}' as character {}; only A-Z a-z 0-9 - _ are allowed, four for each point",
            at + 1
        ));
    }
    if !text.len().is_multiple_of(4) {
        return refuse(format!(
            "points has {} characters; each point takes four, so the last one is cut off",
            text.len()
        ));
    }
    if text.len() > 4 * MOST_POINTS {
        return refuse(format!(
            "the drawing has {} points; at most {MOST_POINTS} are allowed",
            text.len() / 4
        ));
    }
    let sextets: Vec<u32> = text.chars().filter_map(sextet).map(|s| s as u32).collect();
    let bits = sextets.chunks(4).map(|point| point.iter().fold(0, |bits, s| bits << 6 | s));
    Ok(bits.map(|bits: u32| [coordinate(bits >> 12), coordinate(bits & 0xfff)]).collect())
}

/// The drawing to start from: a tealight.
fn tealight() -> Vec<[f64; 2]> {
    let mut drawing = Vec::new();
    let mut stroke = |n: usize, place: &dyn Fn(f64) -> [f64; 2]| {
        drawing.extend((0..n).map(|i| place(i as f64 / n as f64)));
    };
    // The flame is a teardrop, sharp at the top.
    stroke(56, &|t| {
        let (sin, cos) = libm::sincos(TAU * t);
        let (half, _) = libm::sincos(0.5 * TAU * t);
        [0.95 * sin * half * half, 1.1 + 1.4 * cos]
    });
    // The wick, the cup's rim, its sides and its foot.
    stroke(6, &|t| [0.0, -0.4 - 0.6 * t]);
    stroke(34, &|t| [-1.6 + 3.2 * t, -1.0]);
    stroke(16, &|t| [1.6 - 0.2 * t, -1.0 - 1.5 * t]);
    stroke(30, &|t| [1.4 - 2.8 * t, -2.5]);
    stroke(16, &|t| [-1.4 - 0.2 * t, -2.5 + 1.5 * t]);
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(text: &str, noise: f64) -> Result<Data> {
        generate(&[("points".into(), Value::Text(text.into())), ("noise".into(), Value::Number(noise))], 5)
    }

    #[test]
    fn text_and_points_are_one_thing() {
        // By hand: all bits 0; all bits 1; x = 1, y = 2, that is 0000 0000 0001 0000 0000 0010.
        assert_eq!(decode("AAAA").unwrap(), [[-3.0, -3.0]]);
        assert_eq!(decode("____").unwrap(), [[3.0, 3.0]]);
        let step = 6.0 / 4095.0;
        let [x, y] = decode("ABAC").unwrap()[0];
        assert!((x + 3.0 - step).abs() < 1e-12 && (y + 3.0 - 2.0 * step).abs() < 1e-12);
        for text in ["AAAA", "-_09azAZ", &encode(&tealight())] {
            assert_eq!(encode(&decode(text).unwrap()), text);
        }
        // Off the pad is its edge; what is no number is its corner.
        assert_eq!(encode(&[[9.0, -9.0]]), encode(&[[3.0, -3.0]]));
        assert_eq!(encode(&[[f64::NAN, f64::INFINITY]]), encode(&[[-3.0, 3.0]]));
    }

    #[test]
    fn what_is_no_drawing_is_refused_with_the_reason() {
        let refused = |text: &str| decode(text).unwrap_err().to_string();
        assert!(refused("").contains("draw at least one point"));
        assert!(refused("AAAAA").contains("5 characters"));
        assert!(refused("AAAAAA=A").contains("'=' as character 7"));
        assert!(refused("AA+/").contains("'+' as character 3"));
        assert!(refused("AAA ").contains("' ' as character 4"));
        assert!(refused("AAA\n").contains("'\\n' as character 4"));
        assert!(refused("é").contains("as character 1"));
        assert!(refused(&"AAAA".repeat(4001)).contains("at most 4000"));
        assert!(decode(&"AAAA".repeat(4000)).is_ok());
        // The setting's own limit comes first.
        assert!(draw(&"AAAA".repeat(4001), 0.0).unwrap_err().to_string().contains("16000 bytes"));
        assert!(draw("", 0.03).unwrap_err().to_string().contains("draw at least one point"));
    }

    #[test]
    fn rows_are_the_points_with_noise_and_without() {
        let text = encode(&[[-2.0, 1.0], [2.0, -1.0]]);
        let data = draw(&text, 0.0).unwrap();
        let expected: Vec<_> =
            decode(&text).unwrap().into_iter().map(|point| point.map(|x| x as f32)).collect();
        let mut counts = [0, 0];
        for row in data.train.xs.chunks(2) {
            counts[expected.iter().position(|point| point == row).expect("only drawn points")] += 1;
        }
        assert!(counts.iter().all(|n| (4_800..5_200).contains(n)), "{counts:?}");
        assert!(data.density.is_none());
        let blurred = draw(&text, 0.1).unwrap();
        let variance =
            blurred.train.xs.chunks(2).map(|row| (f64::from(row[1].abs()) - 1.0).powi(2)).sum::<f64>();
        assert!((variance / 10_000.0 - 0.01).abs() < 0.001);
    }

    #[test]
    fn a_place_drawn_twice_weighs_twice() {
        let data = draw("AAAAAAAA____", 0.1).unwrap();
        let density = data.density.unwrap();
        let ratio = density.log_prob(&[-3.0, -3.0]) - density.log_prob(&[3.0, 3.0]);
        assert!((ratio - 2.0_f64.ln()).abs() < 1e-9);
        // −(⅔ ln ⅔ + ⅓ ln ⅓) + ln(2πe σ²)
        let entropy = 3.0_f64.ln() - 2.0 / 3.0 * 2.0_f64.ln() + (TAU * std::f64::consts::E * 0.01).ln();
        assert!((density.entropy().unwrap() - entropy).abs() < 1e-5);
    }
}
