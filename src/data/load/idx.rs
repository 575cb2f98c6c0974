//! The IDX format of MNIST (<https://yann.lecun.com/exdb/mnist/>): big-endian sizes, then bytes.

use std::fmt::Display;

use super::{IMAGES, Loaded, MOST_CLASSES, MOST_VALUES, Rows};
use crate::data::Shape;
use crate::error::{Error, Result};

/// Largest height or width.
const LARGEST: usize = 64;

/// What one file holds.
#[derive(Debug)]
pub enum File {
    /// Images.
    Images(Images),
    /// One label a row.
    Labels(Vec<u8>),
}

/// Images, the first so many of them.
#[derive(Debug)]
pub struct Images {
    shape: Shape,
    xs: Vec<f32>,
    /// How many the file has.
    rows: usize,
}

/// Whether bytes begin as such a file does: two zeros, a type, and 1 to 4 dimensions.
pub fn is_idx(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0x08..=0x0e, 1..=4, ..])
}

/// Reads a file of bytes: labels if it has one dimension, images if it has three, made `size` pixels wide and high.
pub fn read(bytes: &[u8], size: Option<usize>) -> std::result::Result<File, String> {
    let refuse = |what: &dyn Display| Err(what.to_string());
    let &[_, _, kind, dims, ..] = bytes else {
        return refuse(&"it ends within its first four bytes");
    };
    if kind != 0x08 {
        return refuse(&format_args!(
            "byte 3 is {kind:#04x}: its values are no bytes, which is all that is read (0x08)"
        ));
    }
    let (words, _) = bytes.get(4..).unwrap_or_default().as_chunks::<4>();
    let sizes: Vec<usize> =
        words.iter().take(dims.into()).map(|word| u32::from_be_bytes(*word) as usize).collect();
    if sizes.len() < dims.into() {
        return refuse(&format_args!("its header ends at byte {}, before its {dims} sizes", bytes.len()));
    }
    let body = bytes.get(4 + 4 * sizes.len()..).unwrap_or_default();
    let expected = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    if expected != Some(body.len()) {
        let product: Vec<String> = sizes.iter().map(usize::to_string).collect();
        return refuse(&format_args!(
            "its header promises {} bytes, and {} follow: it is cut off or damaged",
            product.join(" × "),
            body.len()
        ));
    }
    match *sizes.as_slice() {
        [_] => Ok(File::Labels(body.to_vec())),
        [rows, height, width] => {
            if rows == 0 || !(1..=LARGEST).contains(&height) || !(1..=LARGEST).contains(&width) {
                return refuse(&format_args!(
                    "it has {rows} images of {height} × {width} pixels; at least one of at most \
                     {LARGEST} × {LARGEST} is needed"
                ));
            }
            let (h, w) = size.map_or((height, width), |size| (size, size));
            let kept = rows.min(MOST_VALUES / (h * w));
            let mut xs = Vec::with_capacity(kept * h * w);
            for image in body.chunks_exact(height * width).take(kept) {
                resample(image, (height, width), (h, w), &mut xs);
            }
            Ok(File::Images(Images { shape: Shape::image(1, h, w), xs, rows }))
        }
        _ => refuse(&format_args!("it has {dims} dimensions; images have 3 and labels have 1")),
    }
}

/// Appends an image of bytes at another size, values 0..=1: each new pixel is the mean of what it covers.
fn resample(image: &[u8], (height, width): (usize, usize), (h, w): (usize, usize), out: &mut Vec<f32>) {
    if (height, width) == (h, w) {
        out.extend(image.iter().map(|byte| f32::from(*byte) / 255.0));
        return;
    }
    for row in 0..h {
        let rows = weights(row, h, height);
        for column in 0..w {
            let (mut sum, mut total) = (0.0, 0.0);
            for (y, a) in &rows {
                for (x, b) in weights(column, w, width) {
                    sum += a * b * image.get(y * width + x).map_or(0.0, |byte| f32::from(*byte));
                    total += a * b;
                }
            }
            out.push(sum / total / 255.0);
        }
    }
}

/// Which of `from` old places the new place `i` of `to` covers, and how much of each.
fn weights(i: usize, to: usize, from: usize) -> Vec<(usize, f32)> {
    let scale = from as f32 / to as f32;
    let (low, high) = (i as f32 * scale, (i + 1) as f32 * scale);
    (low as usize..from)
        .take_while(|place| (*place as f32) < high)
        .map(|place| (place, high.min((place + 1) as f32) - low.max(place as f32)))
        .collect()
}

impl Images {
    /// A data set of these images, with the labels if there are any.
    pub fn finish(self, labels: Option<Vec<u8>>) -> Result<Loaded> {
        let Self { shape, xs, rows } = self;
        let mut classes = 0;
        let labels = match labels {
            None => None,
            Some(labels) => {
                if labels.len() != rows {
                    return Err(Error::File(format!("there are {} labels for {rows} images", labels.len())));
                }
                classes = labels.iter().copied().max().map_or(0, |most| usize::from(most) + 1);
                if classes > MOST_CLASSES {
                    let at = labels.iter().position(|label| usize::from(*label) >= MOST_CLASSES);
                    return Err(Error::File(format!(
                        "label {} is {}; labels are 0..={}",
                        at.unwrap_or_default() + 1,
                        classes - 1,
                        MOST_CLASSES - 1
                    )));
                }
                Some(labels.into_iter().take(xs.len() / shape.size()).map(u32::from).collect())
            }
        };
        let data = Rows { shape, xs, labels, classes }.split()?;
        Ok(Loaded { dataset: &IMAGES, data, rows, scaled: false })
    }
}
