//! Variables in double precision, for what is estimated in closed form.

use crate::error::{Error, Result};
use crate::nn::Vars;
use candle_core::{Device, Tensor};

/// Variables that keep 48 bits of each value: an `f32` that everyone sees in [`Vars`], and the rest beside it.
///
/// What is read is what was written, rounded to 48 bits; so a snapshot, which holds both halves, goes on bit for
/// bit. When weights are loaded from elsewhere, a rest that no longer belongs to its value is left out.
#[derive(Debug, Clone, Default)]
pub struct DoubleVars {
    vars: Vars,
    rests: Vec<Vec<f32>>,
}

/// The nearest `f32`, and what is missing to the value, as another.
fn split(x: f64) -> (f32, f32) {
    let high = x as f32;
    (high, (x - f64::from(high)) as f32)
}

/// The value of both halves, if they belong together.
fn join(high: f32, rest: f32) -> f64 {
    let x = f64::from(high) + f64::from(rest);
    if x as f32 == high { x } else { f64::from(high) }
}

impl DoubleVars {
    /// No variables yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable with these values.
    ///
    /// # Errors
    /// When the name is taken, or when `values` does not fill `shape`.
    pub fn add(&mut self, name: &str, shape: &[usize], values: &[f64]) -> Result<()> {
        let (high, rest) = values.iter().map(|x| split(*x)).unzip();
        self.vars.add(name, shape, high)?;
        self.rests.push(rest);
        Ok(())
    }

    /// The variables in single precision.
    pub fn vars(&self) -> &Vars {
        &self.vars
    }

    /// The values of a variable.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn get(&self, name: &str) -> Result<Vec<f64>> {
        let ((_, var), rest) = self
            .vars
            .iter()
            .zip(&self.rests)
            .find(|((known, _), _)| *known == name)
            .ok_or_else(|| Error::Config(format!("there is no variable \"{name}\"")))?;
        let high = var.as_detached_tensor().flatten_all()?.to_vec1::<f32>()?;
        Ok(high.iter().zip(rest).map(|(high, rest)| join(*high, *rest)).collect())
    }

    /// Changes the values of a variable.
    ///
    /// # Errors
    /// When there is none of this name, or when it has another number of values.
    pub fn set(&mut self, name: &str, values: &[f64]) -> Result<()> {
        for ((known, var), slot) in self.vars.iter().zip(&mut self.rests) {
            if known == name {
                let (high, rest): (Vec<f32>, Vec<f32>) = values.iter().map(|x| split(*x)).unzip();
                var.set(&Tensor::from_vec(high, var.shape(), &Device::Cpu)?)?;
                *slot = rest;
                return Ok(());
            }
        }
        Err(Error::Config(format!("there is no variable \"{name}\"")))
    }

    /// The rests, for a snapshot that holds the variables already.
    pub fn state(&self) -> Vec<(String, Vec<f32>)> {
        let names = self.vars.iter().map(|(name, _)| format!("rest.{name}"));
        names.zip(self.rests.iter().cloned()).collect()
    }

    /// Takes back what [`DoubleVars::state`] gave; other entries are left to others.
    ///
    /// # Errors
    /// When a rest is missing or has another length; then nothing is changed.
    pub fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        let mut rests = Vec::with_capacity(self.rests.len());
        for ((name, _), old) in self.vars.iter().zip(&self.rests) {
            let found = state.iter().find(|(key, _)| key.strip_prefix("rest.") == Some(name));
            match found {
                Some((_, rest)) if rest.len() == old.len() => rests.push(rest.clone()),
                _ => return Err(Error::File(format!("the rest of the variable \"{name}\" is missing"))),
            }
        }
        self.rests = rests;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written_to_48_bits_and_again_exactly() {
        let values = [1.0 / 3.0, -1e-20 / 7.0, 12_345.678_901_234_5, 0.0, 1.0, -0.1];
        let mut vars = DoubleVars::new();
        vars.add("a", &[2, 3], &values).unwrap();
        let read = vars.get("a").unwrap();
        for (x, y) in values.iter().zip(&read) {
            assert!((x - y).abs() <= x.abs() * 2.0_f64.powi(-48), "{x}, {y}");
        }
        vars.set("a", &read).unwrap();
        assert_eq!(vars.get("a").unwrap(), read);
        assert!(
            vars.set("a", &read[1..]).is_err() && vars.set("b", &read).is_err() && vars.get("b").is_err()
        );
    }

    #[test]
    fn rests_come_back_and_those_of_other_weights_do_no_harm() {
        let mut vars = DoubleVars::new();
        vars.add("a", &[2], &[0.1, 0.2]).unwrap();
        let (before, state) = (vars.get("a").unwrap(), vars.state());
        vars.load_state(&[("rest.a".into(), vec![0.0; 2])]).unwrap();
        assert_ne!(vars.get("a").unwrap(), before);
        vars.load_state(&state).unwrap();
        assert_eq!(vars.get("a").unwrap(), before);
        assert!(vars.load_state(&[]).is_err());
        let bytes = {
            let mut other = Vars::new();
            other.add("a", &[2], vec![1e-12, 3e6]).unwrap();
            other.to_safetensors(&[]).unwrap()
        };
        vars.vars().load_safetensors(&bytes).unwrap();
        // At most half a unit in the last place is left of them, and nothing where it would be more.
        let read = vars.get("a").unwrap();
        assert_eq!(read.iter().map(|x| *x as f32).collect::<Vec<_>>(), [1e-12, 3e6]);
        assert_eq!(read[0], f64::from(1e-12_f32));
    }
}
