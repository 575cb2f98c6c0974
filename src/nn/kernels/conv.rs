//! Convolutions of images, their transposes, and the gradient of their weights.
//!
//! A convolution takes an image of several channels to a map of several channels; its transpose takes maps
//! to images, and is both the gradient by the image and the "transposed convolution". Every product is one of
//! shifted lines ([`super::shift`]) of what [`super::layout`] has laid out.
//!
//! Images are taken one by one, so that all working memory stays in the nearest caches.

use super::block::{COLUMNS, Half, ROWS};
use super::gemm::{Start, View};
pub use super::layout::Axis;
use super::layout::{Layout, Tap};
use super::lines::{add, put};
use super::pack::pack;
use super::shift::{STRETCH, Shifted, add_dots, add_panel_columns, line, panel_rows};
use std::cell::RefCell;

/// A convolution: a batch of images of `inputs` channels, and of maps of `outputs` channels.
///
/// # Shapes
/// images (n, inputs, height, width), maps (n, outputs, height, width),
/// weights (outputs, inputs, kernel height, kernel width)
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    /// How many images.
    pub batch: usize,
    /// Channels of the image.
    pub inputs: usize,
    /// Channels of the map.
    pub outputs: usize,
    /// Along the height.
    pub vertical: Axis,
    /// Along the width.
    pub horizontal: Axis,
}

/// Working memory, kept from call to call.
#[derive(Default)]
struct Buffers {
    image: Vec<f32>,
    map: Vec<f32>,
    result: Vec<f32>,
    panels: Vec<[Half; 2]>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// Zeros, `length` of them.
fn clear(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    buffer.clear();
    buffer.resize(length, 0.0);
    buffer
}

impl Conv {
    /// How many values an image has.
    pub fn image_size(&self) -> usize {
        self.inputs * self.vertical.image * self.horizontal.image
    }

    /// How many values a map has.
    pub fn map_size(&self) -> usize {
        self.outputs * self.vertical.map * self.horizontal.map
    }

    /// How many values a window sees.
    pub fn window_size(&self) -> usize {
        self.inputs * self.vertical.kernel * self.horizontal.kernel
    }

    /// maps ← max(start + the windows of the images times the weights, low); a starting row is a bias, for every
    /// image or for each its own.
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn windows(&self, images: &[f32], weights: &[f32], start: Start, low: f32, maps: &mut [f32]) {
        self.check(images.len(), maps.len(), weights.len());
        let layout = Layout::new(self);
        let taps: Vec<Tap> = layout.window_taps().collect();
        let mut product = Product::new(weights, &taps, self.outputs, self.window_size());
        let (v, h) = (self.vertical, self.horizontal);
        let positions = (v.map - 1) * layout.row + h.map;
        let to = Writer { columns: h.map, step: 1, start, low };
        BUFFERS.with_borrow_mut(|Buffers { image, result, .. }| {
            let image = clear(image, layout.image_size());
            for n in 0..self.batch {
                product.begin(start, n);
                layout.split(&images[n * self.image_size()..][..self.image_size()], image);
                let maps = &mut maps[n * self.map_size()..][..self.map_size()];
                let (result, plane) = product.compute(image, positions, result);
                for (map, result) in maps.chunks_mut(v.map * h.map).zip(result.chunks(plane)) {
                    for (y, map) in map.chunks_mut(h.map).enumerate() {
                        to.write(&result[y * layout.row..], map);
                    }
                }
            }
        });
    }

    /// images ← max(start + the transpose of [`Conv::windows`] applied to the maps, low).
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn spread(&self, maps: &[f32], weights: &[f32], start: Start, low: f32, images: &mut [f32]) {
        self.check(images.len(), maps.len(), weights.len());
        let layout = Layout::new(self);
        let (v, h) = (self.vertical, self.horizontal);
        let mut phases: Vec<_> = (0..v.stride * h.stride)
            .map(|i| (i / h.stride, i % h.stride))
            .filter(|&(a, b)| !v.inside(a).is_empty() && !h.inside(b).is_empty())
            .map(|(a, b)| {
                let taps: Vec<Tap> = layout.phase_taps(a, b).collect();
                (a, b, Product::new(weights, &taps, self.inputs, v.kernel * h.kernel))
            })
            .collect();
        BUFFERS.with_borrow_mut(|Buffers { map, result, .. }| {
            let map = clear(map, layout.map_size());
            for n in 0..self.batch {
                layout.space(&maps[n * self.map_size()..][..self.map_size()], map);
                let images = &mut images[n * self.image_size()..][..self.image_size()];
                for (a, b, product) in &mut phases {
                    product.begin(start, n);
                    let (rows, columns) = (v.inside(*a), h.inside(*b));
                    let positions = (rows.len() - 1) * layout.row + columns.len();
                    let (result, plane) = product.compute(map, positions, result);
                    let to = Writer { columns: columns.len(), step: h.stride, start, low };
                    for (image, result) in images.chunks_mut(v.image * h.image).zip(result.chunks(plane)) {
                        for (i, y) in rows.clone().enumerate() {
                            let line = v.place(*a, y) * h.image + h.place(*b, columns.start);
                            let end = (v.place(*a, y) + 1) * h.image;
                            to.write(&result[i * layout.row..], &mut image[line..end]);
                        }
                    }
                }
            }
        });
    }

    /// weights ← weights + their gradient, from the images and the gradient by the maps.
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn add_weights(&self, images: &[f32], maps: &[f32], weights: &mut [f32]) {
        self.check(images.len(), maps.len(), weights.len());
        if weights.is_empty() {
            return;
        }
        let layout = Layout::new(self);
        let depth = self.window_size();
        let mut shifts: Vec<usize> = layout.window_taps().map(|tap| tap.shift).collect();
        // Taps come in fours; those past the last are not kept.
        shifts.resize(depth.next_multiple_of(ROWS), 0);
        let (v, h) = (self.vertical, self.horizontal);
        let positions = ((v.map - 1) * layout.row + h.map).next_multiple_of(4);
        let whole = self.outputs / COLUMNS * COLUMNS;
        BUFFERS.with_borrow_mut(|Buffers { image, map, result, panels }| {
            let (image, map) = (clear(image, layout.image_size()), clear(map, layout.map_size()));
            let sums = clear(result, shifts.len() * self.outputs);
            panels.resize(positions.max(panels.len()), [Half([0.0; 4]); 2]);
            let panel = &mut panels[..positions];
            for (from, to) in images.chunks(self.image_size()).zip(maps.chunks(self.map_size())) {
                layout.split(from, image);
                layout.space(to, map);
                let shifted = Shifted { values: image, shifts: &shifts };
                let map = &map[layout.margin..];
                let columns =
                    View { values: map, rows: layout.map_plane, columns: self.outputs, transposed: true };
                for first in (0..whole).step_by(COLUMNS) {
                    pack(2, columns, (0, positions), (first, COLUMNS), panel.as_flattened_mut());
                    add_panel_columns(shifted, panel, &mut sums[first..], self.outputs);
                }
                for j in whole..self.outputs {
                    let line = &map[j * layout.map_plane..][..positions];
                    add_dots(shifted, line, &mut sums[j..], self.outputs);
                }
            }
            for (j, weights) in weights.chunks_mut(depth).enumerate() {
                for (weight, sums) in weights.iter_mut().zip(sums.chunks(self.outputs)) {
                    *weight += sums[j];
                }
            }
        });
    }

    fn check(&self, images: usize, maps: usize, weights: usize) {
        assert_eq!(images, self.batch * self.image_size(), "images have batch × channels × points values");
        assert_eq!(maps, self.batch * self.map_size(), "maps have batch × channels × points values");
        assert_eq!(weights, self.outputs * self.window_size(), "there is a window for every output");
    }
}

/// Weights, packed, and where each is applied.
struct Product {
    shifts: Vec<usize>,
    /// For each eight channels, a row for each tap.
    panels: Vec<[Half; 2]>,
    /// The remaining channels, one by one.
    lines: Vec<f32>,
    /// What each channel starts from, zeros to fill eight.
    start: Vec<f32>,
    channels: usize,
}

impl Product {
    /// The weights of the taps, those of a channel being `stride` away from those of the one before.
    fn new(weights: &[f32], taps: &[Tap], channels: usize, stride: usize) -> Self {
        let whole = channels / COLUMNS * COLUMNS;
        let mut panels = Vec::with_capacity(whole / COLUMNS * taps.len());
        for first in (0..whole).step_by(COLUMNS) {
            panels.extend(taps.iter().map(|tap| {
                let at = |j: usize| weights[tap.weight + (first + j) * stride];
                [Half([at(0), at(1), at(2), at(3)]), Half([at(4), at(5), at(6), at(7)])]
            }));
        }
        let lines = (whole..channels)
            .flat_map(|channel| taps.iter().map(move |tap| weights[tap.weight + channel * stride]))
            .collect();
        let shifts = taps.iter().map(|tap| tap.shift).collect();
        Self { shifts, panels, lines, start: vec![0.0; channels], channels }
    }

    /// Takes the bias of image n: a row is for all images, several are one for each.
    fn begin(&mut self, start: Start, n: usize) {
        if let Start::Row(rows) = start {
            let row = if rows.len() == self.channels { rows } else { &rows[n * self.channels..] };
            self.start.copy_from_slice(&row[..self.channels]);
        }
    }

    /// All channels at `positions` positions; also how far apart the channels are.
    fn compute<'b>(&self, values: &[f32], positions: usize, result: &'b mut Vec<f32>) -> (&'b [f32], usize) {
        let (whole, depth) = (self.channels / COLUMNS * COLUMNS, self.shifts.len());
        // Whole stretches, where there are channels that are computed in such.
        let unit = if whole < self.channels { STRETCH } else { ROWS };
        let plane = positions.next_multiple_of(unit);
        result.resize((self.channels * plane).max(result.len()), 0.0);
        let image = Shifted { values, shifts: &self.shifts };
        let (starts, other_starts) = self.start.as_chunks::<COLUMNS>();
        let (panels, lines) = result.split_at_mut(whole * plane);
        for (i, start) in starts.iter().enumerate() {
            let panel = &self.panels[i * depth..][..depth];
            panel_rows(
                image,
                panel,
                start,
                &mut panels[i * COLUMNS * plane..],
                plane,
                positions.div_ceil(ROWS),
            );
        }
        for (i, (start, c)) in other_starts.iter().zip(lines.chunks_mut(plane)).enumerate() {
            line(image, &self.lines[i * depth..][..depth], *start, c);
        }
        (&result[..self.channels * plane], plane)
    }
}

/// How results become rows of the output.
struct Writer<'a> {
    columns: usize,
    /// From a value to the next in the output.
    step: usize,
    start: Start<'a>,
    low: f32,
}

impl Writer<'_> {
    /// Writes a row, or adds it.
    #[inline(always)]
    fn write(&self, from: &[f32], to: &mut [f32]) {
        let from = &from[..self.columns];
        match (self.start, self.step) {
            // The usual steps have loops of their own.
            (Start::Sum, 1) => add(from, self.low, to, 1),
            (Start::Sum, 2) => add(from, self.low, to, 2),
            (Start::Sum, step) => add(from, self.low, to, step),
            (_, 1) => put(from, self.low, to, 1),
            (_, 2) => put(from, self.low, to, 2),
            (_, step) => put(from, self.low, to, step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Calls `f` with the place in the image, in the map and in the weights of every product.
    fn every_product(conv: &Conv, mut f: impl FnMut(usize, usize, usize)) {
        let (v, h) = (conv.vertical, conv.horizontal);
        for n in 0..conv.batch {
            for (o, i) in (0..conv.outputs).flat_map(|o| (0..conv.inputs).map(move |i| (o, i))) {
                for (y, x) in (0..v.map).flat_map(|y| (0..h.map).map(move |x| (y, x))) {
                    for (a, b) in (0..v.kernel).flat_map(|a| (0..h.kernel).map(move |b| (a, b))) {
                        let (row, column) = (y * v.stride + a, x * h.stride + b);
                        let inside = |at: usize, axis: Axis| {
                            at.checked_sub(axis.padding).filter(|at| *at < axis.image)
                        };
                        if let (Some(row), Some(column)) = (inside(row, v), inside(column, h)) {
                            f(
                                ((n * conv.inputs + i) * v.image + row) * h.image + column,
                                ((n * conv.outputs + o) * v.map + y) * h.map + x,
                                ((o * conv.inputs + i) * v.kernel + a) * h.kernel + b,
                            );
                        }
                    }
                }
            }
        }
    }

    fn close(got: &[f32], expected: &[f64], depth: usize, what: &str) {
        for (i, (x, y)) in got.iter().zip(expected).enumerate() {
            assert!((f64::from(*x) - y).abs() < 1e-6 * (depth as f64 + 8.0), "{what} {i}: {x}, not {y}");
        }
    }

    fn check(conv: &Conv, rng: &mut Rng) {
        let (images, maps) = (conv.batch * conv.image_size(), conv.batch * conv.map_size());
        let (xs, ys) = (rng.normals(images), rng.normals(maps));
        let ws = rng.normals(conv.outputs * conv.window_size());
        let wide = |values: &[f32]| values.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
        for start in 0..4 {
            for low in [f32::NEG_INFINITY, 0.0] {
                let what = format!("{conv:?} {start} {low}");
                let bias = rng.normals(conv.batch * conv.outputs.max(conv.inputs));
                let begin = |channels: usize| match start {
                    0 => Start::Zero,
                    1 => Start::Row(&bias[..channels * conv.batch.min(1)]),
                    2 => Start::Row(&bias[..channels * conv.batch]),
                    _ => Start::Sum,
                };
                let starts = |before: &[f32], channels: usize, plane: usize| -> Vec<f64> {
                    let value = |(i, x): (usize, &f32)| match begin(channels) {
                        Start::Zero => 0.0,
                        Start::Row(row) => f64::from(row[i / plane % row.len()]),
                        Start::Sum => f64::from(*x),
                    };
                    before.iter().enumerate().map(value).collect()
                };
                let bound = |values: Vec<f64>| values.into_iter().map(|x| x.max(f64::from(low))).collect();
                let plane = conv.vertical.map * conv.horizontal.map;
                let mut expected = starts(&ys, conv.outputs, plane);
                every_product(conv, |x, y, w| expected[y] += f64::from(xs[x]) * f64::from(ws[w]));
                let mut got = ys.clone();
                conv.windows(&xs, &ws, begin(conv.outputs), low, &mut got);
                let expected: Vec<f64> = bound(expected);
                close(&got, &expected, conv.window_size(), &format!("maps {what}"));

                let plane = conv.vertical.image * conv.horizontal.image;
                let mut expected = starts(&xs, conv.inputs, plane);
                every_product(conv, |x, y, w| expected[x] += f64::from(ys[y]) * f64::from(ws[w]));
                let mut got = xs.clone();
                conv.spread(&ys, &ws, begin(conv.inputs), low, &mut got);
                let depth = conv.outputs * conv.vertical.kernel * conv.horizontal.kernel;
                close(&got, &bound(expected), depth, &format!("images {what}"));
            }
        }
        let mut expected = wide(&ws);
        every_product(conv, |x, y, w| expected[w] += f64::from(ys[y]) * f64::from(xs[x]));
        let mut got = ws.clone();
        conv.add_weights(&xs, &ys, &mut got);
        close(&got, &expected, maps, &format!("weights {conv:?}"));
    }

    #[test]
    fn maps_images_and_weights_match_the_definition_at_every_size() {
        let mut rng = Rng::stream(1, "conv");
        for kernel in [1, 2, 3, 4, 5] {
            for stride in [1, 2, 3] {
                for padding in [0, 1, 2, 3] {
                    for (i, image) in [1, 2, 3, 5, 7, 8].into_iter().enumerate() {
                        let Some(horizontal) = Axis::new(image, kernel, stride, padding) else { continue };
                        let height = [7, 3, 1, 6, 4, 9][i];
                        let Some(vertical) = Axis::new(height, kernel, stride, padding) else { continue };
                        let (inputs, outputs) =
                            [(1, 1), (3, 8), (9, 2), (8, 11), (2, 3), (16, 1)][(i + kernel) % 6];
                        check(&Conv { batch: 1 + i % 2, inputs, outputs, vertical, horizontal }, &mut rng);
                    }
                }
            }
        }
        // One direction only; different windows; nothing at all.
        let line = Axis::new(1, 1, 1, 0).unwrap();
        let horizontal = Axis::new(17, 3, 2, 1).unwrap();
        check(&Conv { batch: 3, inputs: 5, outputs: 17, vertical: line, horizontal }, &mut rng);
        let vertical = Axis::new(6, 2, 1, 0).unwrap();
        check(&Conv { batch: 3, inputs: 5, outputs: 7, vertical, horizontal }, &mut rng);
        check(&Conv { batch: 0, inputs: 5, outputs: 7, vertical, horizontal }, &mut rng);
        check(&Conv { batch: 2, inputs: 5, outputs: 0, vertical, horizontal }, &mut rng);
        check(&Conv { batch: 2, inputs: 0, outputs: 9, vertical, horizontal }, &mut rng);
    }

    #[test]
    fn axes_know_what_fits() {
        assert_eq!(Axis::new(3, 4, 1, 0), None);
        assert_eq!(Axis::new(3, 0, 1, 0), None);
        assert_eq!(Axis::new(3, 1, 0, 0), None);
        assert_eq!(Axis::new(28, 3, 2, 1).map(|axis| axis.map), Some(14));
        assert_eq!(Axis::transposed(7, 4, 2, 1, 0).map(|axis| axis.image), Some(14));
        assert_eq!(Axis::transposed(7, 3, 2, 1, 1).map(|axis| axis.image), Some(14));
        assert_eq!(Axis::transposed(7, 3, 2, 1, 2), None);
        assert_eq!(Axis::transposed(1, 1, 1, 1, 0), None);
    }
}
