//! Four `f32` at a time: simd128 on wasm, plain arrays elsewhere, with the same bits.
//!
//! Every operation is one IEEE 754 operation on each lane; there is no fused multiply-add, whose rounding
//! would differ between machines. A NaN stays a NaN, though its payload is the machine's own.

use std::ops::{Add, Div, Mul, Neg, Sub};

#[cfg(target_arch = "wasm32")]
mod lanes {
    use core::arch::wasm32::*;

    /// Four lanes.
    #[derive(Debug, Clone, Copy)]
    pub struct F4(v128);

    /// For each lane all ones or all zeros.
    #[derive(Debug, Clone, Copy)]
    pub struct Mask(v128);

    impl F4 {
        /// The same value in all lanes.
        #[inline(always)]
        pub fn splat(x: f32) -> Self {
            Self(f32x4_splat(x))
        }

        /// # Safety
        /// `from` is valid for reading four `f32`; no alignment beyond theirs is needed.
        #[inline(always)]
        pub unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's; wasm loads are unaligned.
            Self(unsafe { v128_load(from.cast()) })
        }

        /// # Safety
        /// `to` is valid for writing four `f32`; no alignment beyond theirs is needed.
        #[inline(always)]
        pub unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's; wasm stores are unaligned.
            unsafe { v128_store(to.cast(), self.0) }
        }

        #[inline(always)]
        pub(super) fn add(self, other: Self) -> Self {
            Self(f32x4_add(self.0, other.0))
        }
        #[inline(always)]
        pub(super) fn sub(self, other: Self) -> Self {
            Self(f32x4_sub(self.0, other.0))
        }
        #[inline(always)]
        pub(super) fn mul(self, other: Self) -> Self {
            Self(f32x4_mul(self.0, other.0))
        }
        #[inline(always)]
        pub(super) fn div(self, other: Self) -> Self {
            Self(f32x4_div(self.0, other.0))
        }
        #[inline(always)]
        pub(super) fn neg(self) -> Self {
            Self(f32x4_neg(self.0))
        }
        /// √x
        #[inline(always)]
        pub fn sqrt(self) -> Self {
            Self(f32x4_sqrt(self.0))
        }
        /// |x|
        #[inline(always)]
        pub fn abs(self) -> Self {
            Self(f32x4_abs(self.0))
        }
        /// x, or `low` where x < low.
        #[inline(always)]
        pub fn at_least(self, low: Self) -> Self {
            Self(f32x4_pmax(self.0, low.0))
        }
        /// x, or `high` where x > high.
        #[inline(always)]
        pub fn at_most(self, high: Self) -> Self {
            Self(f32x4_pmin(self.0, high.0))
        }
        /// x < y
        #[inline(always)]
        pub fn below(self, other: Self) -> Mask {
            Mask(f32x4_lt(self.0, other.0))
        }
        /// The bits, shifted to the left, plus `plus`, as a float.
        #[inline(always)]
        pub fn shift_bits_left<const BY: u32>(self, plus: u32) -> Self {
            Self(i32x4_add(i32x4_shl(self.0, BY), u32x4_splat(plus)))
        }
        /// n and m of x = 2ⁿ·m, where m's bits are at least `from` and m < 2·`from`.
        #[inline(always)]
        pub fn split_exponent(self, from: u32) -> (Self, Self) {
            let above = i32x4_sub(self.0, u32x4_splat(from));
            let m = i32x4_add(v128_and(above, u32x4_splat(0x7f_ffff)), u32x4_splat(from));
            (Self(f32x4_convert_i32x4(i32x4_shr(above, 23))), Self(m))
        }
        /// The even and the odd ones of eight values.
        #[inline(always)]
        pub fn unzip_lanes(a: Self, b: Self) -> (Self, Self) {
            (Self(i32x4_shuffle::<0, 2, 4, 6>(a.0, b.0)), Self(i32x4_shuffle::<1, 3, 5, 7>(a.0, b.0)))
        }
        /// Eight values from the even and the odd ones.
        #[inline(always)]
        pub fn zip_lanes(a: Self, b: Self) -> (Self, Self) {
            (Self(i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0)), Self(i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0)))
        }
        /// The lanes 0 to 3 of four vectors become the vectors.
        #[inline(always)]
        pub fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            let ab_low = i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
            let ab_high = i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
            let cd_low = i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0);
            let cd_high = i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0);
            [
                Self(i64x2_shuffle::<0, 2>(ab_low, cd_low)),
                Self(i64x2_shuffle::<1, 3>(ab_low, cd_low)),
                Self(i64x2_shuffle::<0, 2>(ab_high, cd_high)),
                Self(i64x2_shuffle::<1, 3>(ab_high, cd_high)),
            ]
        }
    }

    impl Mask {
        /// `yes` where the lane is set, else `no`.
        #[inline(always)]
        pub fn select(self, yes: F4, no: F4) -> F4 {
            F4(v128_bitselect(yes.0, no.0, self.0))
        }
        /// 0 where the lane is set, else x.
        #[inline(always)]
        pub fn clear(self, x: F4) -> F4 {
            F4(v128_andnot(x.0, self.0))
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod lanes {
    /// Four lanes.
    #[derive(Debug, Clone, Copy)]
    #[repr(C, align(16))]
    pub struct F4([f32; 4]);

    /// For each lane yes or no.
    #[derive(Debug, Clone, Copy)]
    pub struct Mask([bool; 4]);

    impl F4 {
        /// The same value in all lanes.
        #[inline(always)]
        pub fn splat(x: f32) -> Self {
            Self([x; 4])
        }

        /// # Safety
        /// `from` is valid for reading four `f32`; no alignment beyond theirs is needed.
        #[inline(always)]
        pub unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's.
            Self(unsafe { from.cast::<[f32; 4]>().read() })
        }

        /// # Safety
        /// `to` is valid for writing four `f32`; no alignment beyond theirs is needed.
        #[inline(always)]
        pub unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's.
            unsafe { to.cast::<[f32; 4]>().write(self.0) }
        }

        #[inline(always)]
        fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
            let ([a, b, c, d], [p, q, r, s]) = (self.0, other.0);
            Self([f(a, p), f(b, q), f(c, r), f(d, s)])
        }
        #[inline(always)]
        fn map(self, f: impl Fn(f32) -> f32) -> Self {
            let [a, b, c, d] = self.0;
            Self([f(a), f(b), f(c), f(d)])
        }

        #[inline(always)]
        pub(super) fn add(self, other: Self) -> Self {
            self.zip(other, |x, y| x + y)
        }
        #[inline(always)]
        pub(super) fn sub(self, other: Self) -> Self {
            self.zip(other, |x, y| x - y)
        }
        #[inline(always)]
        pub(super) fn mul(self, other: Self) -> Self {
            self.zip(other, |x, y| x * y)
        }
        #[inline(always)]
        pub(super) fn div(self, other: Self) -> Self {
            self.zip(other, |x, y| x / y)
        }
        #[inline(always)]
        pub(super) fn neg(self) -> Self {
            self.map(|x| -x)
        }
        /// √x
        #[inline(always)]
        pub fn sqrt(self) -> Self {
            self.map(f32::sqrt)
        }
        /// |x|
        #[inline(always)]
        pub fn abs(self) -> Self {
            self.map(f32::abs)
        }
        /// x, or `low` where x < low.
        #[inline(always)]
        pub fn at_least(self, low: Self) -> Self {
            self.zip(low, |x, low| if x < low { low } else { x })
        }
        /// x, or `high` where x > high.
        #[inline(always)]
        pub fn at_most(self, high: Self) -> Self {
            self.zip(high, |x, high| if high < x { high } else { x })
        }
        /// x < y
        #[inline(always)]
        pub fn below(self, other: Self) -> Mask {
            let ([a, b, c, d], [p, q, r, s]) = (self.0, other.0);
            Mask([a < p, b < q, c < r, d < s])
        }
        /// The bits, shifted to the left, plus `plus`, as a float.
        #[inline(always)]
        pub fn shift_bits_left<const BY: u32>(self, plus: u32) -> Self {
            self.map(|x| f32::from_bits((x.to_bits() << BY).wrapping_add(plus)))
        }
        /// n and m of x = 2ⁿ·m, where m's bits are at least `from` and m < 2·`from`.
        #[inline(always)]
        pub fn split_exponent(self, from: u32) -> (Self, Self) {
            let above = |x: f32| x.to_bits().wrapping_sub(from);
            let m = self.map(|x| f32::from_bits((above(x) & 0x7f_ffff).wrapping_add(from)));
            (self.map(|x| (above(x) as i32 >> 23) as f32), m)
        }
        /// The even and the odd ones of eight values.
        #[inline(always)]
        pub fn unzip_lanes(a: Self, b: Self) -> (Self, Self) {
            let ([a, b, c, d], [e, f, g, h]) = (a.0, b.0);
            (Self([a, c, e, g]), Self([b, d, f, h]))
        }
        /// Eight values from the even and the odd ones.
        #[inline(always)]
        pub fn zip_lanes(a: Self, b: Self) -> (Self, Self) {
            let ([a, c, e, g], [b, d, f, h]) = (a.0, b.0);
            (Self([a, b, c, d]), Self([e, f, g, h]))
        }
        /// The lanes 0 to 3 of four vectors become the vectors.
        #[inline(always)]
        pub fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            let column = |i: usize| Self([a.0[i], b.0[i], c.0[i], d.0[i]]);
            [column(0), column(1), column(2), column(3)]
        }
    }

    impl Mask {
        /// `yes` where the lane is set, else `no`.
        #[inline(always)]
        pub fn select(self, yes: F4, no: F4) -> F4 {
            let pick = |i: usize| if self.0[i] { yes.0[i] } else { no.0[i] };
            F4([pick(0), pick(1), pick(2), pick(3)])
        }
        /// 0 where the lane is set, else x.
        #[inline(always)]
        pub fn clear(self, x: F4) -> F4 {
            self.select(F4([0.0; 4]), x)
        }
    }
}

pub use lanes::{F4, Mask};

impl F4 {
    /// Four values in order.
    #[inline(always)]
    pub fn from_array(values: &[f32; 4]) -> Self {
        // SAFETY: the array holds four values.
        unsafe { Self::load(values.as_ptr()) }
    }

    /// The four values in order.
    #[inline(always)]
    pub fn to_array(self) -> [f32; 4] {
        let mut values = [0.0; 4];
        self.write(&mut values);
        values
    }

    /// Writes the four values in order.
    #[inline(always)]
    pub fn write(self, values: &mut [f32; 4]) {
        // SAFETY: the array holds four values.
        unsafe { self.store(values.as_mut_ptr()) }
    }

    /// (x₀ + x₁) + (x₂ + x₃)
    #[inline(always)]
    pub fn sum(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        (a + b) + (c + d)
    }
}

impl Add for F4 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        F4::add(self, other)
    }
}
impl Sub for F4 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        F4::sub(self, other)
    }
}
impl Mul for F4 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        F4::mul(self, other)
    }
}
impl Div for F4 {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        F4::div(self, other)
    }
}
impl Neg for F4 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        F4::neg(self)
    }
}
