//! The gates of a gated recurrent unit.
//!
//! Of a row's inputs [r | z | n] the first two thirds and those of the state add up in
//! r = σ(i + s) and z = σ(i + s); then n = tanh(i + r·s) and h′ = (1 − z)·n + z·h.

use super::maps::{load_at as load, store_at as store};
use super::simd::F4;
use super::vmath::{sigmoid, tanh};

/// The next states, and what the way back needs: r, z, n, and the state's part of n before it is gated.
///
/// # Shapes
/// inputs and states (rows, 3·width), before and after (rows, width), kept (rows, 4·width)
///
/// # Panics
/// When the sizes do not fit together.
#[inline(never)]
pub fn gates(
    inputs: &[f32],
    states: &[f32],
    before: &[f32],
    width: usize,
    after: &mut [f32],
    kept: &mut [f32],
) {
    let rows = after.len() / width.max(1);
    assert!(inputs.len() == 3 * after.len() && states.len() == inputs.len() && before.len() == after.len());
    assert!(kept.len() == 4 * after.len() && rows * width == after.len());
    let one = F4::splat(1.0);
    for row in 0..rows {
        let input = &inputs[row * 3 * width..(row + 1) * 3 * width];
        let state = &states[row * 3 * width..(row + 1) * 3 * width];
        let [ir, iz, in_] = parts::<3>(input, width);
        let [sr, sz, sn] = parts::<3>(state, width);
        let (kr, rest) = kept[row * 4 * width..(row + 1) * 4 * width].split_at_mut(width);
        let (kz, rest) = rest.split_at_mut(width);
        let (kn, ks) = rest.split_at_mut(width);
        let before = &before[row * width..(row + 1) * width];
        let after = &mut after[row * width..(row + 1) * width];
        for at in (0..width).step_by(4) {
            let r = sigmoid(load(ir, at) + load(sr, at));
            let z = sigmoid(load(iz, at) + load(sz, at));
            let s = load(sn, at);
            let n = tanh(load(in_, at) + r * s);
            store(r, kr, at);
            store(z, kz, at);
            store(n, kn, at);
            store(s, ks, at);
            store((one - z) * n + z * load(before, at), after, at);
        }
    }
}

/// The gradients by the inputs and by the states' part, and the direct one by the state before, from that by the
/// state after.
///
/// # Panics
/// When the sizes do not fit together.
#[inline(never)]
pub fn gates_backward(
    kept: &[f32],
    before: &[f32],
    gradient: &mut [f32],
    width: usize,
    to_inputs: &mut [f32],
    to_states: &mut [f32],
) {
    let rows = gradient.len() / width.max(1);
    assert!(kept.len() == 4 * gradient.len() && before.len() == gradient.len());
    assert!(to_inputs.len() == 3 * gradient.len() && to_states.len() == to_inputs.len());
    assert_eq!(rows * width, gradient.len());
    let one = F4::splat(1.0);
    for row in 0..rows {
        let [kr, kz, kn, ks] = parts::<4>(&kept[row * 4 * width..(row + 1) * 4 * width], width);
        let before = &before[row * width..(row + 1) * width];
        let gradient = &mut gradient[row * width..(row + 1) * width];
        let [ir, iz, in_] = parts_mut(&mut to_inputs[row * 3 * width..(row + 1) * 3 * width], width);
        let [sr, sz, sn] = parts_mut(&mut to_states[row * 3 * width..(row + 1) * 3 * width], width);
        for at in (0..width).step_by(4) {
            let (r, z, n, s) = (load(kr, at), load(kz, at), load(kn, at), load(ks, at));
            let g = load(gradient, at);
            let to_n = g * (one - z) * (one - n * n);
            let to_z = g * (load(before, at) - n) * (z * (one - z));
            let to_r = to_n * s * (r * (one - r));
            store(to_r, ir, at);
            store(to_z, iz, at);
            store(to_n, in_, at);
            store(to_r, sr, at);
            store(to_z, sz, at);
            store(to_n * r, sn, at);
            store(g * z, gradient, at);
        }
    }
}

#[inline(always)]
fn parts<const N: usize>(row: &[f32], width: usize) -> [&[f32]; N] {
    std::array::from_fn(|i| &row[i * width..(i + 1) * width])
}

#[inline(always)]
fn parts_mut(row: &mut [f32], width: usize) -> [&mut [f32]; 3] {
    let (a, rest) = row.split_at_mut(width);
    let (b, c) = rest.split_at_mut(width);
    [a, b, c]
}
