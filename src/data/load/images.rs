//! Sets of images that the browser has decoded.

use super::{IMAGES, Loaded, MOST_VALUES, Rows};
use crate::data::Shape;
use crate::error::Result;

/// Largest height or width of one image.
const LARGEST: usize = 128;
/// Largest height or width of the images of a set.
const LARGEST_OF_SET: usize = 64;
/// Two channels that differ by more than this make a colour: less is what lossy formats do to grey.
const COLOUR: u8 = 24;

/// One image, red, green, blue and opacity of each pixel.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The bytes.
    pub rgba: Vec<u8>,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Images that all have one size.
#[derive(Debug, Default)]
pub struct Pictures {
    first: Option<Picture>,
    rgba: Vec<u8>,
    count: usize,
}

impl Pictures {
    /// Takes one more.
    pub fn add(&mut self, rgba: &[u8], width: usize, height: usize) -> std::result::Result<(), String> {
        if !(1..=LARGEST).contains(&width) || !(1..=LARGEST).contains(&height) {
            return Err(format!("it has {width} × {height} pixels; 1 to {LARGEST} each way are read"));
        }
        if rgba.len() != 4 * width * height {
            return Err(format!("{} bytes are no {width} × {height} pixels of four bytes", rgba.len()));
        }
        if let Some(first) = &self.first
            && (first.width, first.height) != (width, height)
        {
            return Err(format!(
                "it has {width} × {height} pixels and the one before has {} × {}",
                first.width, first.height
            ));
        }
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(Picture { rgba: rgba.to_vec(), width, height });
        }
        // What is beyond the limit counts, and is left out.
        if self.rgba.len() + rgba.len() <= 4 * MOST_VALUES / 3 {
            self.rgba.extend_from_slice(rgba);
        }
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The only one, if there is one only.
    pub fn single(&self) -> Option<&Picture> {
        self.first.as_ref().filter(|_| self.count == 1)
    }

    /// A data set of these images: in colour if any pixel has one, else ink on paper, whichever of the two is darker.
    pub fn finish(self) -> Result<Loaded> {
        let Self { first, rgba, count } = self;
        let (width, height) = first.map_or((0, 0), |first| (first.width, first.height));
        if width.max(height) > LARGEST_OF_SET {
            return Err(crate::error::Error::File(format!(
                "the images have {width} × {height} pixels; images of a set have at most {LARGEST_OF_SET} each way"
            )));
        }
        let (pixels, _) = rgba.as_chunks::<4>();
        let colour = pixels.iter().any(|[r, g, b, a]| *a > 0 && r.max(g).max(b) - r.min(g).min(b) > COLOUR);
        let mut xs = Vec::with_capacity(pixels.len() * if colour { 3 } else { 1 });
        for image in pixels.chunks_exact((width * height).max(1)) {
            if colour {
                for channel in 0..3 {
                    xs.extend(image.iter().map(|pixel| on_white(pixel, channel)));
                }
            } else {
                xs.extend(image.iter().map(grey));
            }
        }
        if !colour {
            // Values are ink: on light paper, dark is much of it.
            let mean = xs.iter().map(|x| f64::from(*x)).sum::<f64>() / xs.len().max(1) as f64;
            if mean > 0.5 {
                xs.iter_mut().for_each(|x| *x = 1.0 - *x);
            }
        }
        let shape = Shape::image(if colour { 3 } else { 1 }, height, width);
        let data = Rows { shape, xs, labels: None, classes: 0 }.split()?;
        Ok(Loaded { dataset: &IMAGES, data, rows: count, scaled: false })
    }
}

/// A channel of a pixel as it looks on white paper, 0..=1.
fn on_white(pixel: &[u8; 4], channel: usize) -> f32 {
    let opacity = f32::from(pixel[3]) / 255.0;
    let value = pixel.get(channel).map_or(0.0, |byte| f32::from(*byte) / 255.0);
    (1.0 - opacity + opacity * value).clamp(0.0, 1.0)
}

/// How light a pixel is on white paper, 0..=1 (ITU-R BT.601).
pub fn grey(pixel: &[u8; 4]) -> f32 {
    let [r, g, b] = [0, 1, 2].map(|channel| on_white(pixel, channel));
    (0.299 * r + 0.587 * g + 0.114 * b).clamp(0.0, 1.0)
}
