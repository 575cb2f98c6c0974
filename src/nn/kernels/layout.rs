//! How the images and maps of a convolution lie in working memory.
//!
//! With a stride s, an image is kept as its s·s phases: the points whose padded row and column leave the same
//! remainders. Within a phase, what a tap of the window sees moves by one place when the window moves by one
//! output. The same distance between rows serves image and map, and the gaps between a map's rows are zero:
//! they stand for what lies outside of it on either side.

use super::conv::Conv;
use super::lines::take;
use super::shift::STRETCH;
use std::ops::Range;

/// A convolution in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// How long the image is.
    pub image: usize,
    /// How long the map is.
    pub map: usize,
    /// How long the window is.
    pub kernel: usize,
    /// How far the window moves.
    pub stride: usize,
    /// How many zeros stand before and after the image.
    pub padding: usize,
}

impl Axis {
    /// From an image to its map; nothing, if no window fits.
    pub fn new(image: usize, kernel: usize, stride: usize, padding: usize) -> Option<Self> {
        if image == 0 || kernel == 0 || stride == 0 {
            return None;
        }
        let room = (image + 2 * padding).checked_sub(kernel)?;
        Some(Self { image, map: room / stride + 1, kernel, stride, padding })
    }

    /// From a map back to the image of which it is the map; `extra`, less than the stride, says which of the
    /// images that have such maps. Nothing, if there is none.
    pub fn transposed(
        map: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        extra: usize,
    ) -> Option<Self> {
        let image = (map.checked_sub(1)? * stride + kernel + extra).checked_sub(2 * padding)?;
        Self::new(image, kernel, stride, padding).filter(|axis| axis.map == map)
    }

    /// How many points of a phase the windows see.
    pub(super) fn points(&self) -> usize {
        self.map + (self.kernel - 1) / self.stride
    }

    /// The points of a phase that are inside the image and seen by windows.
    pub(super) fn inside(&self, phase: usize) -> Range<usize> {
        let first = self.padding.saturating_sub(phase).div_ceil(self.stride);
        let end = (self.padding + self.image).saturating_sub(phase).div_ceil(self.stride);
        first..end.max(first)
    }

    /// Where in the image a point of a phase inside it is.
    pub(super) fn place(&self, phase: usize, point: usize) -> usize {
        point * self.stride + phase - self.padding
    }

    /// How many taps fall on a phase.
    fn taps(&self, phase: usize) -> usize {
        self.kernel.saturating_sub(phase).div_ceil(self.stride)
    }

    /// How far the transpose looks past the ends of the map.
    fn overhang(&self) -> usize {
        let past = |phase: usize| {
            let (inside, taps) = (self.inside(phase), self.taps(phase));
            if inside.is_empty() || taps == 0 {
                return 0;
            }
            (taps - 1).saturating_sub(inside.start).max(inside.end.saturating_sub(self.map))
        };
        (0..self.stride).map(past).max().unwrap_or(0)
    }
}

/// Where one weight is, and where what it is multiplied with begins.
pub(super) struct Tap {
    pub weight: usize,
    pub shift: usize,
}

/// How one image and one map lie in working memory.
pub(super) struct Layout<'a> {
    conv: &'a Conv,
    /// From a row to the next, of image and map.
    pub row: usize,
    /// From a phase of a channel of the image to the next.
    image_plane: usize,
    /// From a channel of the map to the next.
    pub map_plane: usize,
    /// What lies before the first channel of the map.
    pub margin: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(conv: &'a Conv) -> Self {
        let (v, h) = (conv.vertical, conv.horizontal);
        // Without a stride the padding after a row is also that before the next.
        let shared = if h.stride == 1 { h.padding } else { 0 };
        let row = (h.points() - shared.min(h.points())).max(h.map + h.overhang()).max(shared + 1);
        Self {
            conv,
            row,
            image_plane: v.points() * row,
            // Positions are also computed in fours: zeros lie behind the last row, too.
            map_plane: (v.map + v.overhang()) * row + 3,
            margin: v.overhang() * row + h.overhang(),
        }
    }

    /// Rounded up, and with what the last row shares with none: positions are computed in whole stretches.
    pub(super) fn image_size(&self) -> usize {
        let (v, h) = (self.conv.vertical, self.conv.horizontal);
        self.conv.inputs * v.stride * h.stride * self.image_plane + h.points() + STRETCH
    }

    pub(super) fn map_size(&self) -> usize {
        self.conv.outputs * self.map_plane + 2 * self.margin + STRETCH
    }

    /// Where a phase of a channel of the image begins.
    fn phase(&self, channel: usize, a: usize, b: usize) -> usize {
        let (v, h) = (self.conv.vertical, self.conv.horizontal);
        ((channel * v.stride + a) * h.stride + b) * self.image_plane
    }

    /// Every weight of a window, in the image.
    pub(super) fn window_taps(&self) -> impl Iterator<Item = Tap> {
        let (v, h) = (self.conv.vertical, self.conv.horizontal);
        (0..self.conv.window_size()).map(move |weight| {
            let (channel, y, x) =
                (weight / (v.kernel * h.kernel), weight / h.kernel % v.kernel, weight % h.kernel);
            let phase = self.phase(channel, y % v.stride, x % h.stride);
            Tap { weight, shift: phase + y / v.stride * self.row + x / h.stride }
        })
    }

    /// Every weight that falls on a phase of the image, in the map: the first channel's, seen from the phase's
    /// first point inside.
    pub(super) fn phase_taps(&self, a: usize, b: usize) -> impl Iterator<Item = Tap> {
        let (v, h) = (self.conv.vertical, self.conv.horizontal);
        let first = self.margin + v.inside(a).start * self.row + h.inside(b).start;
        let (down, across) = (v.taps(a), h.taps(b));
        (0..self.conv.outputs * down * across).map(move |p| {
            let (channel, y, x) = (p / (down * across), p / across.max(1) % down, p % across);
            Tap {
                weight: channel * self.conv.window_size() + (a + y * v.stride) * h.kernel + b + x * h.stride,
                shift: first + channel * self.map_plane - y * self.row - x,
            }
        })
    }

    /// Copies an image to its phases.
    #[inline(never)]
    pub(super) fn split(&self, image: &[f32], to: &mut [f32]) {
        let (v, h) = (self.conv.vertical, self.conv.horizontal);
        for b in 0..h.stride {
            let inside = h.inside(b).start..h.inside(b).end.min(h.points());
            if inside.is_empty() {
                continue;
            }
            let first = h.place(b, inside.start);
            for (channel, plane) in image.chunks_exact(v.image * h.image).enumerate() {
                let (mut a, mut point) = (v.padding % v.stride, v.padding / v.stride);
                for line in plane.chunks_exact(h.image) {
                    if point == v.points() {
                        break;
                    }
                    let at = self.phase(channel, a, b) + point * self.row;
                    take(&line[first..], h.stride, &mut to[at + inside.start..at + inside.end]);
                    a += 1;
                    if a == v.stride {
                        (a, point) = (0, point + 1);
                    }
                }
            }
        }
    }

    /// Copies a map to rows with gaps between them.
    #[inline(never)]
    pub(super) fn space(&self, map: &[f32], to: &mut [f32]) {
        let (v, h) = (self.conv.vertical, self.conv.horizontal);
        for (channel, plane) in map.chunks_exact(v.map * h.map).enumerate() {
            let mut at = self.margin + channel * self.map_plane;
            for line in plane.chunks_exact(h.map) {
                take(line, 1, &mut to[at..at + h.map]);
                at += self.row;
            }
        }
    }
}
