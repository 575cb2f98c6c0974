//! The trainable variables of a model: ordered, named, saved and loaded as safetensors.

use super::ops::storage_slice_mut;
use super::tensor_file::{F32, Part, TensorFile, write};
use crate::error::{Error, Result, clip};
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Tensor, Var};

/// Variables in the order in which they were added. A clone shares the variables' storage.
///
/// The order is part of the model: the optimiser's moments and the files written follow it.
#[derive(Debug, Clone, Default)]
pub struct Vars {
    vars: Vec<(String, Var)>,
}

impl Vars {
    /// No variables yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable with these values and returns it as a tensor through which gradients flow.
    ///
    /// # Errors
    /// When the name is taken, or when `values` does not fill `shape`.
    pub fn add(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> Result<Tensor> {
        if self.get(name).is_some() {
            return Err(Error::Config(format!("there are two variables named \"{}\"", clip(name))));
        }
        let var = Var::from_vec(values, shape, &Device::Cpu)?;
        let tensor = var.as_tensor().clone();
        self.vars.push((name.to_string(), var));
        Ok(tensor)
    }

    /// The variables and their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.vars.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// The variable of this name.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.iter().find(|(known, _)| *known == name).map(|(_, var)| var)
    }

    /// How many variables (tensors) there are.
    pub fn len(&self) -> usize {
        self.vars.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.vars.is_empty()
    }

    /// How many numbers there are in all variables together.
    pub fn count(&self) -> usize {
        self.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// The variables at or below `prefix`, sharing their storage: `encoder` selects `encoder.0.weight`,
    /// but not `encoder2.0.weight`.
    pub fn select(&self, prefix: &str) -> Self {
        let prefix = prefix.trim_end_matches('.');
        let below = |name: &str| {
            name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        Self { vars: self.vars.iter().filter(|(name, _)| below(name)).cloned().collect() }
    }

    /// The variables below `prefix`, sharing their storage, named as if there were no prefix: so that two parts
    /// of one model can be twins.
    pub fn within(&self, prefix: &str) -> Self {
        let inner = |name: &str| Some(name.strip_prefix(prefix)?.strip_prefix('.')?.to_string());
        Self { vars: self.vars.iter().filter_map(|(name, var)| Some((inner(name)?, var.clone()))).collect() }
    }

    /// Appends the variables of `other`.
    ///
    /// # Errors
    /// When a name is in both; then nothing is appended.
    pub fn extend(&mut self, other: Self) -> Result<()> {
        if let Some((name, _)) = other.iter().find(|(name, _)| self.get(name).is_some()) {
            return Err(Error::Config(format!("there are two variables named \"{}\"", clip(name))));
        }
        self.vars.extend(other.vars);
        Ok(())
    }

    /// Copies the values of `other`, which has the same names and shapes in the same order.
    ///
    /// # Errors
    /// When it has not; then nothing is copied.
    pub fn copy_from(&self, other: &Self) -> Result<()> {
        self.check_twin(other)?;
        for ((_, var), (_, source)) in self.iter().zip(other.iter()) {
            // A copy of the storage: candle refuses to set a variable to a view of itself.
            var.set(&source.as_detached_tensor().copy()?)?;
        }
        Ok(())
    }

    /// Fails unless `other` has the same names and shapes in the same order.
    pub(crate) fn check_twin(&self, other: &Self) -> Result<()> {
        let same = self.len() == other.len()
            && self.iter().zip(other.iter()).all(|((a, x), (b, y))| a == b && x.dims() == y.dims());
        if same { Ok(()) } else { Err(Error::Config("the two sets of variables differ".into())) }
    }

    /// Limits every value to [−limit, limit] in place (the weight clipping of WGAN,
    /// <https://arxiv.org/abs/1701.07875>).
    pub fn clamp(&self, limit: f32) -> Result<()> {
        for (_, var) in self.iter() {
            var.inplace_op1(&Clamp { limit })?;
        }
        Ok(())
    }

    /// The names of the variables that `grads` holds no gradient for: empty unless the graph was cut.
    pub fn without_gradient(&self, grads: &GradStore) -> Vec<&str> {
        self.iter().filter(|(_, var)| grads.get(var).is_none()).map(|(name, _)| name).collect()
    }

    /// The variables as a safetensors file, in their order, with `metadata` in its header.
    /// The same values and metadata always give the same bytes.
    pub fn to_safetensors(&self, metadata: &[(&str, &str)]) -> Result<Vec<u8>> {
        let part = |(name, var): (&str, &Var)| -> Result<Part> {
            let values = var.flatten_all()?.to_vec1::<f32>()?;
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Ok((name.to_string(), F32, var.dims().to_vec(), bytes))
        };
        Ok(write(metadata, &self.iter().map(part).collect::<Result<Vec<_>>>()?))
    }

    /// Sets every variable from a safetensors file.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be read, lacks a variable, holds one that is not ours, or has
    /// one of another shape or type or with values that are not finite.
    /// Everything is checked before anything is written.
    pub fn load_safetensors(&self, bytes: &[u8]) -> Result<()> {
        let file = TensorFile::read(bytes)?;
        if let Some(other) = file.tensors.iter().find(|tensor| self.get(&tensor.name).is_none()) {
            return Err(Error::File(format!("the model has no variable \"{}\"", clip(&other.name))));
        }
        let mut loaded = Vec::with_capacity(self.len());
        for (name, var) in self.iter() {
            let Some(found) = file.get(name) else {
                return Err(Error::File(format!("the variable \"{name}\" is missing")));
            };
            if found.dtype != F32 || found.shape != var.dims() {
                return Err(Error::File(format!(
                    "the variable \"{name}\" should be F32 {:?}, but is {} {:?}",
                    var.dims(),
                    found.dtype,
                    found.shape
                )));
            }
            let values: Vec<f32> =
                found.bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
            if values.iter().any(|value| !value.is_finite()) {
                return Err(Error::File(format!("the variable \"{name}\" holds values that are not finite")));
            }
            loaded.push(Tensor::from_vec(values, var.dims(), &Device::Cpu)?);
        }
        for ((_, var), values) in self.iter().zip(&loaded) {
            var.set(values)?;
        }
        Ok(())
    }
}

/// Limits values to [−limit, limit].
struct Clamp {
    limit: f32,
}

impl InplaceOp1 for Clamp {
    fn name(&self) -> &'static str {
        "clamp"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        for x in storage_slice_mut(x, layout)? {
            // Written so that NaN is kept.
            if *x > self.limit {
                *x = self.limit;
            } else if *x < -self.limit {
                *x = -self.limit;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vars {
        let mut vars = Vars::new();
        vars.add("encoder.0.weight", &[2, 3], (0..6).map(|i| i as f32 * 0.5 - 1.0).collect()).unwrap();
        vars.add("encoder.0.bias", &[2], vec![-0.0, f32::MIN_POSITIVE]).unwrap();
        vars.add("encoder2.0.weight", &[1], vec![7.0]).unwrap();
        vars
    }

    fn values(vars: &Vars) -> Vec<u32> {
        let all = vars.iter().flat_map(|(_, var)| var.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        all.map(f32::to_bits).collect()
    }

    const METADATA: [(&str, &str); 3] = [("key 1", "\"词\""), ("key 2", ""), ("key 0", "{}")];

    #[test]
    fn names_are_unique_ordered_and_selected_by_whole_segments() {
        let mut vars = example();
        assert!(vars.add("encoder.0.bias", &[1], vec![0.0]).is_err());
        assert!(vars.add("short", &[2], vec![0.0]).is_err());
        assert_eq!((vars.len(), vars.count()), (3, 9));
        let names = |vars: &Vars| vars.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&vars), ["encoder.0.weight", "encoder.0.bias", "encoder2.0.weight"]);
        assert_eq!(names(&vars.select("encoder")), ["encoder.0.weight", "encoder.0.bias"]);
        assert_eq!(names(&vars.select("encoder.")), names(&vars.select("encoder")));
        assert_eq!(names(&vars.select("encoder2.0.weight")), ["encoder2.0.weight"]);
        assert!(vars.select("enc").is_empty());
        assert_eq!(names(&vars.within("encoder")), ["0.weight", "0.bias"]);
        assert_eq!(names(&vars.within("encoder2.0")), ["weight"]);
        let again = vars.select("encoder");
        assert!(vars.extend(again).is_err());
        assert_eq!(vars.len(), 3);
    }

    #[test]
    fn a_selection_and_the_tensor_handed_out_share_the_storage() {
        let mut vars = Vars::new();
        let tensor = vars.add("a.b", &[2], vec![1.0, 2.0]).unwrap();
        let part = vars.select("a");
        part.get("a.b").unwrap().set(&Tensor::new(&[3_f32, 4.0], &Device::Cpu).unwrap()).unwrap();
        assert_eq!(tensor.to_vec1::<f32>().unwrap(), [3.0, 4.0]);
        vars.clamp(3.5).unwrap();
        assert_eq!(tensor.to_vec1::<f32>().unwrap(), [3.0, 3.5]);
    }

    #[test]
    fn safetensors_round_trip_is_exact_and_deterministic() {
        let (vars, other) = (example(), example());
        let bytes = vars.to_safetensors(&METADATA).unwrap();
        assert_eq!(bytes, example().to_safetensors(&METADATA).unwrap());
        other.clamp(0.0).unwrap();
        other.load_safetensors(&bytes).unwrap();
        assert_eq!(values(&vars), values(&other));
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = header.metadata().as_ref().unwrap();
        assert_eq!(metadata.len(), METADATA.len());
        assert!(METADATA.iter().all(|(key, text)| metadata[*key] == *text));
        other.clamp(0.0).unwrap();
        other.copy_from(&vars).unwrap();
        assert_eq!(values(&vars), values(&other));
        assert!(other.copy_from(&vars.select("encoder")).is_err());
    }

    #[test]
    fn a_bad_file_is_refused_by_name_before_anything_is_written() {
        let vars = example();
        let before = values(&vars);
        let refused = |bytes: &[u8]| match vars.load_safetensors(bytes) {
            Err(Error::File(message)) => message,
            other => panic!("not refused as a file: {other:?}"),
        };
        let build = |change: &dyn Fn(&mut Vars)| {
            let mut vars = Vars::new();
            vars.add("encoder.0.weight", &[2, 3], vec![9.0; 6]).unwrap();
            change(&mut vars);
            vars.to_safetensors(&[]).unwrap()
        };
        let missing = build(&|_| ());
        assert!(refused(&missing).contains("\"encoder.0.bias\" is missing"));
        let shape = build(&|vars| drop(vars.add("encoder.0.bias", &[3], vec![0.0; 3])));
        assert!(refused(&shape).contains("\"encoder.0.bias\" should be F32 [2]"));
        let unknown = build(&|vars| drop(vars.add("intruder", &[3], vec![0.0; 3])));
        assert!(refused(&unknown).contains("\"intruder\""));
        let infinite = build(&|vars| drop(vars.add("encoder.0.bias", &[2], vec![f32::INFINITY, 0.0])));
        assert!(refused(&infinite).contains("\"encoder.0.bias\" holds"));
        let good = vars.to_safetensors(&METADATA).unwrap();
        for end in 0..good.len() {
            refused(&good[..end]);
        }
        refused(b"not a file");
        assert_eq!(values(&vars), before);
    }
}
