//! The trainable variables of a model: ordered, named, saved and loaded as safetensors.

use crate::error::{Error, Result, clip};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

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
            var.set(&var.as_detached_tensor().clamp(-limit, limit)?)?;
        }
        Ok(())
    }

    /// The names of the variables that `grads` holds no gradient for: empty unless the graph was cut.
    pub fn without_gradient(&self, grads: &GradStore) -> Vec<&str> {
        self.iter().filter(|(_, var)| grads.get(var).is_none()).map(|(name, _)| name).collect()
    }

    /// The variables as a safetensors file, in their order, with `metadata` in its header.
    /// The same values and metadata always give the same bytes.
    pub fn to_safetensors(&self, metadata: HashMap<String, String>) -> Result<Vec<u8>> {
        let mut header = Map::new();
        if !metadata.is_empty() {
            // Sorted, because the order of a HashMap changes from run to run.
            let sorted: BTreeMap<_, _> = metadata.into_iter().collect();
            header.insert("__metadata__".into(), json!(sorted));
        }
        let mut end = 0;
        for (name, var) in self.iter() {
            let start = end;
            end += 4 * var.elem_count();
            let info = json!({"dtype": "F32", "shape": var.dims(), "data_offsets": [start, end]});
            header.insert(name.into(), info);
        }
        let mut text = Value::Object(header).to_string();
        // Spaces after the JSON align the data, as the format asks.
        text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
        let mut bytes = Vec::with_capacity(8 + text.len() + end);
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
        for (_, var) in self.iter() {
            for value in var.flatten_all()?.to_vec1::<f32>()? {
                bytes.extend(value.to_le_bytes());
            }
        }
        Ok(bytes)
    }

    /// Sets every variable from a safetensors file.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be read, lacks a variable, holds one that is not ours, or has
    /// one of another shape or type or with values that are not finite.
    /// Everything is checked before anything is written.
    pub fn load_safetensors(&self, bytes: &[u8]) -> Result<()> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| Error::File(error.to_string()))?;
        if let Some(name) = file.names().into_iter().find(|name| self.get(name).is_none()) {
            return Err(Error::File(format!("the model has no variable \"{}\"", clip(name))));
        }
        let mut loaded = Vec::with_capacity(self.len());
        for (name, var) in self.iter() {
            let Ok(view) = file.tensor(name) else {
                return Err(Error::File(format!("the variable \"{name}\" is missing")));
            };
            if view.dtype() != Dtype::F32 || view.shape() != var.dims() {
                return Err(Error::File(format!(
                    "the variable \"{name}\" should be F32 {:?}, but is {} {:?}",
                    var.dims(),
                    view.dtype(),
                    view.shape()
                )));
            }
            let values: Vec<f32> = view
                .data()
                .chunks_exact(4)
                .map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]))
                .collect();
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

    fn metadata() -> HashMap<String, String> {
        (0..9).map(|i| (format!("key {i}"), "\"词\"".to_string())).collect()
    }

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
        let bytes = vars.to_safetensors(metadata()).unwrap();
        assert_eq!(bytes, example().to_safetensors(metadata()).unwrap());
        other.clamp(0.0).unwrap();
        other.load_safetensors(&bytes).unwrap();
        assert_eq!(values(&vars), values(&other));
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header.metadata().as_ref().unwrap(), &metadata());
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
            vars.to_safetensors(HashMap::new()).unwrap()
        };
        let missing = build(&|_| ());
        assert!(refused(&missing).contains("\"encoder.0.bias\" is missing"));
        let shape = build(&|vars| drop(vars.add("encoder.0.bias", &[3], vec![0.0; 3])));
        assert!(refused(&shape).contains("\"encoder.0.bias\" should be F32 [2]"));
        let unknown = build(&|vars| drop(vars.add("intruder", &[3], vec![0.0; 3])));
        assert!(refused(&unknown).contains("\"intruder\""));
        let infinite = build(&|vars| drop(vars.add("encoder.0.bias", &[2], vec![f32::INFINITY, 0.0])));
        assert!(refused(&infinite).contains("\"encoder.0.bias\" holds"));
        let good = vars.to_safetensors(metadata()).unwrap();
        for end in 0..good.len() {
            refused(&good[..end]);
        }
        refused(b"not a file");
        assert_eq!(values(&vars), before);
    }
}
