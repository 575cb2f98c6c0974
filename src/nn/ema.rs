//! The moving average of weights that samplers use.

use crate::error::Result;
use crate::nn::Vars;
use crate::nn::kernels::update;
use crate::nn::ops::{storage_slice, storage_slice_mut};
use candle_core::{CpuStorage, InplaceOp2, Layout};

/// An exponential moving average of weights: e ← d·e + (1 − d)·θ.
///
/// The average lives in a second model's variables, so it is saved, loaded and run like any other model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ema {
    /// d, in [0, 1).
    pub decay: f64,
}

impl Ema {
    /// Moves `average` towards `vars`, which has the same names and shapes in the same order.
    /// Start from a copy: [`Vars::copy_from`].
    ///
    /// # Errors
    /// When the two sets differ; then nothing is changed.
    pub fn update(self, average: &Vars, vars: &Vars) -> Result<()> {
        average.check_twin(vars)?;
        for ((_, average), (_, var)) in average.iter().zip(vars.iter()) {
            average.inplace_op2(&var.as_detached_tensor(), &self)?;
        }
        Ok(())
    }
}

impl InplaceOp2 for Ema {
    fn name(&self) -> &'static str {
        "ema"
    }

    fn cpu_fwd(
        &self,
        average: &mut CpuStorage,
        average_layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (average, x) = (storage_slice_mut(average, average_layout)?, storage_slice(x, x_layout)?);
        update::average(average, x, self.decay as f32, (1.0 - self.decay) as f32);
        Ok(())
    }
}
