//! Images made smaller and larger: blocks of `size` × `size` points of an image against one point of another.
//! Points of the larger image that fill no block take no part.

/// Planes of blocks.
#[derive(Debug, Clone, Copy)]
pub struct Blocks {
    /// How many blocks one below the other.
    pub rows: usize,
    /// How many blocks side by side.
    pub columns: usize,
    /// How high the plane of points is, at least `rows` × `size`.
    pub height: usize,
    /// How wide the plane of points is, at least `columns` × `size`.
    pub width: usize,
    /// How high and wide a block is.
    pub size: usize,
}

impl Blocks {
    /// The whole blocks of a plane.
    pub fn of(height: usize, width: usize, size: usize) -> Option<Self> {
        let (rows, columns) = (height.checked_div(size)?, width.checked_div(size)?);
        Some(Self { rows, columns, height, width, size })
    }

    fn check(&self, points: &[f32], blocks: &[f32]) {
        assert!(self.rows * self.size <= self.height && self.columns * self.size <= self.width);
        let (plane, small) = (self.height * self.width, self.rows * self.columns);
        assert!(points.len() * small == blocks.len() * plane, "as many planes of points as of blocks");
    }

    /// Calls `f` with each row of blocks and the rows of points that are in it, planes after planes.
    #[inline(always)]
    fn each_row(&self, points: usize, mut f: impl FnMut(usize, usize)) {
        let plane = self.height * self.width;
        for (row, plane) in (0..points).step_by(plane.max(1)).enumerate() {
            for y in 0..self.rows {
                f((row * self.rows + y) * self.columns, plane + y * self.size * self.width);
            }
        }
    }

    /// point ← point + scale·block
    ///
    /// # Panics
    /// When there are not as many planes of points as of blocks.
    #[inline(never)]
    pub fn add_to_points(&self, blocks: &[f32], scale: f32, points: &mut [f32]) {
        self.check(points, blocks);
        self.each_row(points.len(), |block, point| {
            let blocks = &blocks[block..block + self.columns];
            for line in points[point..].chunks_mut(self.width).take(self.size) {
                for (points, block) in line.chunks_mut(self.size).zip(blocks) {
                    for point in points {
                        *point += scale * block;
                    }
                }
            }
        });
    }

    /// block ← block + scale·(the sum of its points)
    ///
    /// # Panics
    /// When there are not as many planes of points as of blocks.
    #[inline(never)]
    pub fn add_sums(&self, points: &[f32], scale: f32, blocks: &mut [f32]) {
        self.check(points, blocks);
        self.each_row(points.len(), |block, point| {
            for (x, block) in blocks[block..block + self.columns].iter_mut().enumerate() {
                let lines = points[point..].chunks(self.width).take(self.size);
                let sum = lines
                    .flat_map(|line| &line[x * self.size..(x + 1) * self.size])
                    .fold(0.0, |sum, point| sum + point);
                *block += scale * sum;
            }
        });
    }

    /// block ← its largest point, and where that is among all points: the first of equals. NaN is the largest.
    ///
    /// # Panics
    /// When there are not as many planes of points as of blocks.
    #[inline(never)]
    pub fn largest(&self, points: &[f32], blocks: &mut [f32]) -> Vec<u32> {
        self.check(points, blocks);
        let mut places = vec![0; blocks.len()];
        self.each_row(points.len(), |block, point| {
            for x in 0..self.columns {
                let mut best = point + x * self.size;
                for y in 0..self.size {
                    let from = point + y * self.width + x * self.size;
                    for place in from..from + self.size {
                        if points[place] > points[best] || (points[place].is_nan() && !points[best].is_nan())
                        {
                            best = place;
                        }
                    }
                }
                blocks[block + x] = points[best];
                places[block + x] = best as u32;
            }
        });
        places
    }
}

/// xs[place] ← xs[place] + value
///
/// # Panics
/// When a place is outside.
#[inline(never)]
pub fn add_at(places: &[u32], values: &[f32], xs: &mut [f32]) {
    for (place, value) in places.iter().zip(values) {
        xs[*place as usize] += value;
    }
}
