//! The window of a transposed convolution that does what a convolution does to an image of repeated points.

/// wide[i][o][y + a][x + b] += weights[o][i][size − 1 − y][size − 1 − x] for all a, b < `factor`: the window that a
/// transposed convolution with stride `factor` needs to do what a convolution does to an image whose points
/// are repeated `factor` times in both directions.
///
/// # Shapes
/// weights (outputs, inputs, size, size), wide (inputs, outputs, size + factor − 1, size + factor − 1)
#[inline(never)]
pub fn add_widened(
    weights: &[f32],
    (outputs, inputs): (usize, usize),
    size: usize,
    factor: usize,
    wide: &mut [f32],
) {
    each_window(weights.len(), (outputs, inputs), size, factor, |from, to, width| {
        for a in 0..factor {
            for wide in &mut wide[to + a * width..][..factor] {
                *wide += weights[from];
            }
        }
    });
}

/// The transpose of [`add_widened`], from the gradient by `wide` to that by the weights.
#[inline(never)]
pub fn add_widened_gradient(
    wide: &[f32],
    (outputs, inputs): (usize, usize),
    size: usize,
    factor: usize,
    weights: &mut [f32],
) {
    each_window(weights.len(), (outputs, inputs), size, factor, |from, to, width| {
        for a in 0..factor {
            for wide in &wide[to + a * width..][..factor] {
                weights[from] += wide;
            }
        }
    });
}

/// Calls `f` with each weight's place, where its block in the wide window begins, and how wide that is.
#[inline(always)]
fn each_window(
    count: usize,
    (outputs, inputs): (usize, usize),
    size: usize,
    factor: usize,
    mut f: impl FnMut(usize, usize, usize),
) {
    let (width, window) = (size + factor - 1, size * size);
    assert_eq!(count, outputs * inputs * window, "there is a window for every output");
    for from in 0..count {
        let (pair, place) = (from / window, window - 1 - from % window);
        let pair = pair % inputs * outputs + pair / inputs;
        f(from, pair * width * width + place / size * width + place % size, width);
    }
}
