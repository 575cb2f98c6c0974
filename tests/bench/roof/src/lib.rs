//! Multiplications and additions that stay in registers: the bound for any matrix product in wasm without threads.

#[cfg(target_arch = "wasm32")]
use core::arch::wasm32::{f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat};

/// Products and sums in flight: as many as four units need that answer after three cycles, and with the factor few
/// enough that no browser moves any of them out of its register.
pub const CHAINS: u32 = 6;

/// Floating-point operations in each iteration: a product and a sum for each of four lanes.
#[unsafe(no_mangle)]
pub extern "C" fn operations() -> u32 {
    CHAINS * 4 * 2
}

/// s ← s + p, p ← p·x in each chain, so many times.
///
/// A sum does not wait for the product beside it, as in a matrix product: a ← a·x + y would be bound by the time
/// that one multiplication and one addition take after each other, which is half the rate. With x = 1 the products
/// stay what they are; the compiler does not know it.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
pub extern "C" fn roof(iterations: u32, x: f32) -> f32 {
    let x = f32x4_splat(x);
    let start = |i: f32| f32x4_mul(f32x4(0.1, 0.2, 0.3, 0.4), f32x4_splat(i));
    let [mut a, mut b, mut c, mut d, mut e, mut f] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(start);
    let [mut p, mut q, mut r, mut s, mut t, mut u] = [a, b, c, d, e, f];
    for _ in 0..iterations {
        a = f32x4_add(a, p);
        b = f32x4_add(b, q);
        c = f32x4_add(c, r);
        d = f32x4_add(d, s);
        e = f32x4_add(e, t);
        f = f32x4_add(f, u);
        p = f32x4_mul(p, x);
        q = f32x4_mul(q, x);
        r = f32x4_mul(r, x);
        s = f32x4_mul(s, x);
        t = f32x4_mul(t, x);
        u = f32x4_mul(u, x);
    }
    let sum = [b, c, d, e, f, p, q, r, s, t, u].into_iter().fold(a, |sum, x| f32x4_add(sum, x));
    f32x4_extract_lane::<0>(sum)
}
