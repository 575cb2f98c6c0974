//! The benchmark's workloads in Tealight: its layers, fused operations and optimiser, used as its models use them.
#![warn(missing_docs)]

mod convolutional;
mod ddpm;
mod gan;
mod shared;
mod vae;

pub use shared::Workload;
use tealight::error::{Error, Result};

/// The workload of this name on these rows.
///
/// # Errors
/// If there is none of this name.
pub fn workload(id: &str, rows: Vec<f32>) -> Result<Box<dyn Workload>> {
    Ok(match id {
        "w1" => Box::new(vae::Vae::new(rows, &vae::POINTS)?),
        "w2" => Box::new(gan::Gan::new(rows)?),
        "w3" => Box::new(vae::Vae::new(rows, &vae::DIGITS)?),
        "w4" => Box::new(vae::Vae::new(rows, &vae::IMAGES)?),
        "w5" => Box::new(ddpm::Ddpm::new(rows)?),
        "w6" => Box::new(convolutional::ConvVae::new(rows)?),
        _ => return Err(Error::Config(format!("there is no workload \"{id}\" here"))),
    })
}

#[cfg(target_arch = "wasm32")]
mod page {
    use super::Workload;
    use wasm_bindgen::prelude::*;

    /// One workload, for the page.
    #[wasm_bindgen]
    pub struct Bench(Box<dyn Workload>);

    #[wasm_bindgen]
    impl Bench {
        /// The workload of this name on these rows.
        #[wasm_bindgen(constructor)]
        pub fn new(id: &str, rows: Vec<f32>) -> Result<Bench, JsError> {
            Ok(Self(super::workload(id, rows)?))
        }

        /// Takes so many steps; the loss of the last.
        pub fn run(&mut self, steps: u32) -> Result<f32, JsError> {
            let mut loss = f32::NAN;
            for _ in 0..steps {
                loss = self.0.step()?;
            }
            Ok(loss)
        }
    }
}
