//! From candle's storage to slices and back.

use crate::error::Result;
use candle_core::{CpuStorage, Device, Layout, Shape, Storage, Tensor, bail};

/// The values of a contiguous `f32` tensor inside an operation.
pub(crate) fn storage_slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("expected contiguous f32 values"),
    }
}

/// The values of a contiguous `f32` tensor inside an operation that changes it.
pub(crate) fn storage_slice_mut<'a>(
    storage: &'a mut CpuStorage,
    layout: &Layout,
) -> candle_core::Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("expected contiguous f32 values"),
    }
}

/// Calls `f` with the values of a contiguous `f32` tensor, which are not copied.
///
/// # Errors
/// When it is of another type, or not contiguous.
pub(crate) fn with_slice<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> candle_core::Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(storage_slice(storage, layout)?)),
        _ => bail!("expected a tensor on the CPU"),
    }
}

/// What an operation returns.
pub(super) fn output(values: Vec<f32>, shape: impl Into<Shape>) -> candle_core::Result<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(values), shape.into()))
}

/// A tensor without a graph.
pub(super) fn constant(values: Vec<f32>, shape: &Shape) -> candle_core::Result<Tensor> {
    Tensor::from_vec(values, shape.clone(), &Device::Cpu)
}

/// Fails unless both have the same shape.
pub(super) fn same_shape(what: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.shape() == b.shape() {
        return Ok(());
    }
    Err(candle_core::Error::ShapeMismatchBinaryOp {
        lhs: a.shape().clone(),
        rhs: b.shape().clone(),
        op: what,
    }
    .into())
}
