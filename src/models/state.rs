//! The state of a model's optimisers, by name.

use crate::error::Result;
use crate::nn::Optimizer;

/// The state of an optimiser under a name of its own.
pub fn named_state(name: &str, optimizer: &Optimizer) -> Vec<(String, Vec<f32>)> {
    optimizer.state().into_iter().map(|(key, values)| (format!("{name}/{key}"), values)).collect()
}

/// Gives an optimiser back what [`named_state`] took under this name.
///
/// # Errors
/// If it is another optimiser's state.
pub fn load_named_state(name: &str, optimizer: &mut Optimizer, state: &[(String, Vec<f32>)]) -> Result<()> {
    let own: Vec<_> = state
        .iter()
        .filter_map(|(key, values)| {
            let key = key.strip_prefix(name)?.strip_prefix('/')?;
            Some((key.to_string(), values.clone()))
        })
        .collect();
    optimizer.load_state(&own)
}
