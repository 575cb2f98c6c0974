//! Arithmetic on slices: products, functions of single values, sums, updates.
//! Knows nothing of tensors or gradients.
//!
//! The same source gives the same bits natively and in every browser: plain multiplications and additions,
//! in an order that depends only on the sizes. [`digest`] is there to check it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod attention;
pub mod bits;
mod block;
pub mod conv;
pub mod coupling;
pub mod density;
mod digest;
pub mod distances;
pub mod elementwise;
pub mod functions;
pub mod gemm;
pub mod kernel_sums;
pub mod lattice;
mod layout;
mod lines;
pub mod maps;
mod matrix;
pub mod mixture;
pub mod nearest;
pub mod norm;
mod pack;
pub mod pool;
pub mod recurrent;
pub mod reduce;
pub mod select;
mod shift;
pub mod simd;
mod skinny;
pub mod softmax;
mod sparse;
pub mod spline;
pub mod travel;
pub mod update;
pub mod vmath;
pub mod widen;

#[doc(hidden)]
pub use digest::{DIGEST, digest};
#[path = "../../rng.rs"]
pub mod rng;
