//! Multiplications and additions that stay in registers: the bound for any matrix product in wasm without threads.

#[cfg(target_arch = "wasm32")]
use core::arch::wasm32::{f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat};

/// Accumulators: as many as engines keep in registers along with their operands.
pub const ACCUMULATORS: u32 = 8;

/// Floating-point operations in each iteration: a product and a sum for each of four lanes.
#[unsafe(no_mangle)]
pub extern "C" fn operations() -> u32 {
    ACCUMULATORS * 4 * 2
}

/// a ← a·x + y in each accumulator, so many times.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
pub extern "C" fn roof(iterations: u32, x: f32, y: f32) -> f32 {
    let (x, y) = (f32x4_splat(x), f32x4_splat(y));
    let start = f32x4(0.1, 0.2, 0.3, 0.4);
    let mut a = [start; ACCUMULATORS as usize];
    for (i, a) in a.iter_mut().enumerate() {
        *a = f32x4_mul(*a, f32x4_splat(i as f32));
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = a;
    for _ in 0..iterations {
        a = f32x4_add(f32x4_mul(a, x), y);
        b = f32x4_add(f32x4_mul(b, x), y);
        c = f32x4_add(f32x4_mul(c, x), y);
        d = f32x4_add(f32x4_mul(d, x), y);
        e = f32x4_add(f32x4_mul(e, x), y);
        f = f32x4_add(f32x4_mul(f, x), y);
        g = f32x4_add(f32x4_mul(g, x), y);
        h = f32x4_add(f32x4_mul(h, x), y);
    }
    let sum =
        f32x4_add(f32x4_add(f32x4_add(a, b), f32x4_add(c, d)), f32x4_add(f32x4_add(e, f), f32x4_add(g, h)));
    f32x4_extract_lane::<0>(sum)
}
