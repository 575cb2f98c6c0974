//! A VAE whose samples are blurred.
//!
//! What is smaller than the decoder's noise, or dearer in KL than it is worth, is averaged away; and an average of
//! images is blurred. Some of that is the nature of a VAE: it is a finding where a setting is to blame.

use super::Finding;
use crate::data::{Domain, Shape};
use crate::evaluation::Evidence;
use crate::params::Value;

/// The share of the real rows' sharpness below which samples are blurred; at the defaults, a VAE on the digits has
/// a half of it.
const BLURRED: f64 = 0.4;
/// Steps before which every sample is near the mean.
const FIRST: u64 = 500;
/// Fewer latents than these are too few for images.
const LATENTS: f64 = 4.0;

/// The mean squared difference of neighbouring pixels.
fn sharpness(rows: &[f32], shape: &Shape) -> f64 {
    let w = shape.width;
    let (mut sum, mut n) = (0.0_f64, 0.0_f64);
    for plane in rows.chunks_exact((w * shape.height).max(1)) {
        for (i, a) in plane.iter().enumerate() {
            let right = plane.get(i + 1).filter(|_| (i + 1) % w != 0);
            for b in [right, plane.get(i + w)].into_iter().flatten() {
                sum += f64::from((a - b) * (a - b));
                n += 1.0;
            }
        }
    }
    sum / n.max(1.0)
}

/// Looks for images with hardly any edges, and a setting that takes them away.
pub fn find(evidence: &Evidence) -> Option<Finding> {
    let shape = evidence.session.data().shape;
    if evidence.step < FIRST || !evidence.can("reconstruct") || shape.domain != Domain::Images {
        return None;
    }
    let remedy = remedy(evidence)?;
    let share = sharpness(evidence.samples, &shape) / sharpness(evidence.real, &shape);
    (share < BLURRED).then(|| Finding {
        id: "overSmoothing",
        values: vec![("percent", 100.0 * share)],
        remedy: vec![remedy],
    })
}

/// The noise as large as it turns out to be, the KL term's weight that of the bound, latents enough.
fn remedy(evidence: &Evidence) -> Option<(&'static str, Value)> {
    let number = |key: &str| evidence.number(key);
    if evidence.text("decoder") == Some("gaussian") && evidence.text("variance") == Some("fixed") {
        return Some(("variance", Value::Text("learned".into())));
    }
    if number("beta").is_some_and(|beta| beta > 1.0) {
        return Some(("beta", Value::Number(1.0)));
    }
    number("latentDim").filter(|dim| *dim < LATENTS).map(|_| ("latentDim", Value::Number(8.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chessboard_is_as_sharp_as_can_be_and_a_grey_square_not_at_all() {
        let shape = Shape::image(1, 4, 6);
        let board: Vec<f32> = (0..24).map(|i| ((i % 6 + i / 6) % 2) as f32).collect();
        assert_eq!(sharpness(&board, &shape), 1.0);
        assert_eq!(sharpness(&[0.5; 48], &shape), 0.0);
        // One edge between two halves, of 4 of 38 pairs; the line's end is not next to the line below.
        let halves: Vec<f32> = (0..24).map(|i| f32::from(u8::from(i % 6 >= 3))).collect();
        assert!((sharpness(&halves, &shape) - 4.0 / 38.0).abs() < 1e-12);
    }
}
