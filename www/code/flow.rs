//! The normalising flow that Tealight trained, in Rust with candle.
//!
// include parts/head.rs
use std::collections::HashMap;
use std::error::Error;

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module};
use serde_json::Value as Json;

const MODEL: &str = "flow";

/// No share of a spline's bin and no slope is below this.
const SMALLEST: f64 = 1e-3;

/// The coordinates that layer `index` moves: two layers go by each bit of the coordinates' numbers.
fn moved(size: usize, index: usize) -> Vec<usize> {
    let bits = (usize::BITS - (size - 1).max(1).leading_zeros()) as usize;
    let bit = (index / 2) % bits;
    (0..size).filter(|c| (c >> bit & 1 == 1) == (index % 2 == 0)).collect()
}

/// The network of a layer.
fn network(file: &File, index: usize, inputs: usize, outputs: usize) -> Result<Layers> {
    let mut widths = vec![inputs];
    widths.extend(file.widths());
    widths.push(outputs);
    file.layers(&format!("layer{index}"), &widths, file.text("activation")?, "linear")
}

/// A masked autoregressive layer sees with each coordinate only those before it: the other weights are 0.
fn masked(mut net: Layers, size: usize) -> Result<Layers> {
    let (mut before, last) = ((1..=size).collect::<Vec<_>>(), net.layers.len() - 1);
    for (i, layer) in net.layers.iter_mut().enumerate() {
        let outputs = layer.weight().dim(0)?;
        let after: Vec<usize> = match i == last {
            true => (1..=size).chain(1..=size).collect(),
            false => (0..outputs).map(|unit| 1 + unit % (size - 1).max(1)).collect(),
        };
        let may = |to: usize, from: usize| if i == last { from < to } else { from <= to };
        let mask = after.iter().flat_map(|to| before.iter().map(move |from| f32::from(u8::from(may(*to, *from)))));
        let mask = Tensor::from_vec(mask.collect::<Vec<_>>(), layer.weight().shape(), &Device::Cpu)?;
        *layer = Linear::new((layer.weight() * mask)?, layer.bias().cloned());
        before = after;
    }
    Ok(net)
}

/// These columns of rows.
fn columns(rows: &[Vec<f32>], columns: &[usize]) -> Result<Tensor> {
    let values = rows.iter().flat_map(|row| columns.iter().map(|c| row[*c])).collect::<Vec<f32>>();
    Ok(Tensor::from_vec(values, (rows.len(), columns.len()), &Device::Cpu)?)
}

/// The inverse of y = x·eˢ + t with s = 2·tanh(o/2).
fn unsquash(y: f32, o: f32, t: f32) -> f32 {
    (y - t) * (-2.0 * (0.5 * o).tanh()).exp()
}

/// The inverse of a rational-quadratic spline, which maps −bound..bound to itself (Durkan et al. 2019).
fn unbend(y: f32, parameters: &[f32], bins: usize, bound: f64) -> f32 {
    let y = f64::from(y);
    if y <= -bound || y >= bound {
        return y as f32;
    }
    let wide: Vec<f64> = parameters.iter().map(|x| f64::from(*x)).collect();
    let sizes = |u: &[f64]| -> Vec<f64> {
        let top = u.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = u.iter().map(|u| (u - top).exp()).sum();
        u.iter().map(|u| 2.0 * bound * (SMALLEST + (1.0 - SMALLEST * bins as f64) * (u - top).exp() / sum)).collect()
    };
    let (w, h) = (sizes(&wide[..bins]), sizes(&wide[bins..2 * bins]));
    let slope_at = |knot: usize| match knot {
        0 => 1.0,
        knot if knot == bins => 1.0,
        knot => SMALLEST + wide[2 * bins + knot - 1].exp().ln_1p(),
    };
    let (mut k, mut x0, mut y0) = (0, -bound, -bound);
    while k + 1 < bins && y >= y0 + h[k] {
        (x0, y0, k) = (x0 + w[k], y0 + h[k], k + 1);
    }
    let (left, right, slope, rise) = (slope_at(k), slope_at(k + 1), h[k] / w[k], y - y0);
    let bend = rise * (left + right - 2.0 * slope);
    let (a, b, c) = (bend + h[k] * (slope - left), h[k] * left - bend, -slope * rise);
    let theta = 2.0 * c / (-b - (b * b - 4.0 * a * c).max(0.0).sqrt());
    (x0 + theta * w[k]) as f32
}

/// The layers' inverses of noise, from the base's side to the data's.
fn sample(file: &File, n: usize, rng: &mut Rng) -> Result<Tensor> {
    let (size, kind) = (file.size(), file.text("transform")?);
    let mut rows = rng.normals(n, size)?.to_vec2::<f32>()?;
    for index in (0..file.whole("flowLayers")?).rev() {
        if kind == "autoregressive" {
            let net = masked(network(file, index, size, 2 * size)?, size)?;
            let order: Vec<usize> = if index % 2 == 0 { (0..size).collect() } else { (0..size).rev().collect() };
            for (place, &column) in order.iter().enumerate() {
                let out = net.forward(&columns(&rows, &order)?)?.to_vec2::<f32>()?;
                for (row, out) in rows.iter_mut().zip(out) {
                    row[column] = unsquash(row[column], out[place], out[size + place]);
                }
            }
            continue;
        }
        let active = moved(size, index);
        let passive: Vec<usize> = (0..size).filter(|c| !active.contains(c)).collect();
        let bins = file.whole("bins")?;
        let each = if kind == "affine" { 2 } else { 3 * bins - 1 };
        let net = network(file, index, passive.len(), each * active.len())?;
        let out = net.forward(&columns(&rows, &passive)?)?.to_vec2::<f32>()?;
        for (row, out) in rows.iter_mut().zip(out) {
            for (i, &column) in active.iter().enumerate() {
                row[column] = match kind {
                    "affine" => unsquash(row[column], out[i], out[active.len() + i]),
                    _ => unbend(row[column], &out[i * each..(i + 1) * each], bins, file.number("tailBound")?),
                };
            }
        }
    }
    let (mean, deviation) = (file.constants("mean"), file.constants("deviation"));
    let levels = file.constants("levels").first().copied();
    let leave = |(x, (mean, deviation)): (&f32, (&f32, &f32))| {
        let y = mean + x * deviation;
        // Grey values are rounded down to their level: the flow models them with uniform noise of one level.
        levels.map_or(y, |levels| {
            let v = (1.0 / (1.0 + (-y).exp()) - 0.05) / 0.9 * levels;
            v.floor().clamp(0.0, levels - 1.0) / (levels - 1.0)
        })
    };
    let values: Vec<f32> =
        rows.iter().flat_map(|row| row.iter().zip(mean.iter().zip(&deviation)).map(leave)).collect();
    Ok(Tensor::from_vec(values, (n, size), &Device::Cpu)?)
}

// include parts/common.rs
