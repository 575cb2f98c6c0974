//! Arithmetic on slices: products, functions of single values, sums. Knows nothing of tensors or gradients.
//!
//! The same source gives the same bits natively and in every browser: plain multiplications and additions,
//! in an order that depends only on the sizes.

pub mod functions;
pub mod gemm;
pub mod reduce;
pub mod simd;
mod skinny;
pub mod vmath;
