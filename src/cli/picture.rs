//! Pictures of samples, as PNG files.

use std::error::Error;

use tealight::data::Shape;

/// An RGB picture.
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

const PAPER: [u8; 3] = [251, 250, 247];
/// Real data: blue circles.
const REAL: [u8; 3] = [31, 122, 153];
/// Generated data: orange triangles.
const GENERATED: [u8; 3] = [224, 118, 27];

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: PAPER.repeat(width * height) }
    }

    fn set(&mut self, x: i64, y: i64, colour: [u8; 3]) {
        if (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y) {
            let start = 3 * (y as usize * self.width + x as usize);
            if let Some(pixel) = self.pixels.get_mut(start..start + 3) {
                pixel.copy_from_slice(&colour);
            }
        }
    }

    /// The picture as PNG.
    pub fn png(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(bytes)
    }
}

/// Real points as circles and generated ones as triangles, over the extent.
pub fn scatter(real: &[f32], generated: &[f32], [x0, x1, y0, y1]: [f32; 4]) -> Picture {
    const SIDE: usize = 800;
    let mut picture = Picture::new(SIDE, SIDE);
    let place = |x: f32, low: f32, high: f32| ((x - low) / (high - low) * SIDE as f32) as i64;
    for (points, colour, circle) in [(real, REAL, true), (generated, GENERATED, false)] {
        for point in points.chunks_exact(2) {
            let (cx, cy) = (place(point[0], x0, x1), SIDE as i64 - place(point[1], y0, y1));
            for dy in -3_i64..=3 {
                for dx in -3_i64..=3 {
                    let inside = if circle { dx * dx + dy * dy <= 6 } else { 2 * dx.abs() <= dy + 3 };
                    if inside {
                        picture.set(cx + dx, cy + dy, colour);
                    }
                }
            }
        }
    }
    picture
}

/// Images in a grid of ten columns, each pixel enlarged.
pub fn sheet(images: &[f32], shape: &Shape) -> Picture {
    const COLUMNS: usize = 10;
    let scale = (64 / shape.width.max(shape.height)).max(1);
    let (cell_w, cell_h) = (shape.width * scale + 4, shape.height * scale + 4);
    let rows = (images.len() / shape.size()).div_ceil(COLUMNS);
    let mut picture = Picture::new(COLUMNS * cell_w, rows * cell_h);
    for (i, image) in images.chunks_exact(shape.size()).enumerate() {
        let (left, top) = (i % COLUMNS * cell_w + 2, i / COLUMNS * cell_h + 2);
        for y in 0..shape.height * scale {
            for x in 0..shape.width * scale {
                let colour = std::array::from_fn(|channel| {
                    // Grey images show their one channel three times.
                    let plane = channel.min(shape.channels - 1) * shape.width * shape.height;
                    let value =
                        image.get(plane + y / scale * shape.width + x / scale).copied().unwrap_or(0.0);
                    (value.clamp(0.0, 1.0) * 255.0) as u8
                });
                picture.set((left + x) as i64, (top + y) as i64, colour);
            }
        }
    }
    picture
}
