//! What an experiment is: a data set, a model, a seed, and a value for every setting of both.

use crate::data::{self, Data, Domain, SAMPLES, Shape, load};
use crate::error::{Error, Result};
use crate::models::{self, Misfit};
use crate::params::{Effect, Kind, Spec, Value};

/// The seed of an experiment that names none.
pub const DEFAULT_SEED: u32 = 42;

/// The setting of some sets of images that says how high and wide they are.
const SIZE: &str = "size";

/// The largest value of a data set's setting at which a model takes it, where it does not take it at all values.
pub struct UpTo {
    /// The setting's key.
    pub key: &'static str,
    /// That value.
    pub most: usize,
    /// What keeps the model from more.
    pub misfit: Misfit,
}

impl UpTo {
    /// Where a model's taking a data set depends on a setting.
    pub fn of(model: &models::Entry, dataset: &data::Entry) -> Option<Self> {
        let spec = (dataset.specs)().into_iter().find(|spec| spec.key == SIZE)?;
        let Kind::Integer { low, high, .. } = spec.kind else { return None };
        let misfit = |side: usize| {
            model.misfit(&Shape { height: side, width: side, ..dataset.shape }, dataset.classes)
        };
        let most = (low..high).rev().find(|side| misfit(*side).is_none())?;
        Some(Self { key: SIZE, most, misfit: misfit(high)? })
    }
}

/// A data set, a seed, and a value for each of its settings that is not at its default.
pub struct Source {
    /// The data set.
    pub dataset: &'static data::Entry,
    /// The seed.
    pub seed: u32,
    /// Settings that were given, every one checked.
    pub data: Vec<(String, Value)>,
}

impl Source {
    /// This data set at its defaults.
    ///
    /// # Errors
    /// An unknown id.
    pub fn new(dataset: &str) -> Result<Self> {
        Ok(Self { dataset: data::find(dataset)?, seed: DEFAULT_SEED, data: Vec::new() })
    }

    /// Sets one value: the seed, or a setting of the data set.
    ///
    /// # Errors
    /// An unknown key, or a value that is not allowed.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<()> {
        if key == "seed" {
            self.seed = seed(value)?;
            return Ok(());
        }
        let specs = (self.dataset.specs)();
        let Some(spec) = specs.iter().find(|spec| spec.key == key) else {
            return Err(Error::unknown("setting", key, specs.iter().map(|spec| spec.key).chain(["seed"])));
        };
        spec.kind.check(key, value)?;
        self.data.push((key.into(), value.clone()));
        Ok(())
    }

    /// Asks for `n` rows instead of all, where that is possible: they are the first of all.
    pub fn few(&mut self, n: u32) {
        let all = self.data.iter().rev().find(|(key, _)| key == SAMPLES).map(|(_, value)| value.clone());
        let specs = (self.dataset.specs)();
        let Some(spec) = specs.into_iter().find(|spec| spec.key == SAMPLES) else { return };
        if let (Value::Number(all), Kind::Integer { low, .. }) = (all.unwrap_or(spec.default), spec.kind) {
            let few = all.min(f64::from(n).max(low as f64));
            self.data.push((SAMPLES.into(), Value::Number(few)));
        }
    }

    /// Makes the first `n` rows, or more where they are not made so few.
    ///
    /// # Errors
    /// Settings that do not make a data set; [`Error::Missing`] where so many are in a file that is not there.
    pub fn glimpse(mut self, n: u32) -> Result<Data> {
        if let Some(stored) = &self.dataset.stored
            && let Some(data) = (stored.glimpse)(&self.data, n as usize)?
        {
            return Ok(data);
        }
        self.few(n);
        self.generate()
    }

    /// Makes the data.
    ///
    /// # Errors
    /// Settings that do not make a data set.
    pub fn generate(&self) -> Result<Data> {
        (self.dataset.generate)(&self.data, self.seed)
    }
}

/// A whole configuration, every value checked.
#[derive(Clone)]
pub struct Config {
    /// The data set.
    pub dataset: &'static data::Entry,
    /// The model.
    pub model: &'static models::Entry,
    /// The seed of all streams.
    pub seed: u32,
    /// A value for every setting of the data set.
    pub data: Vec<(String, Value)>,
    /// A value for every setting of the model.
    pub params: Vec<(String, Value)>,
}

impl Config {
    /// This model on this data set, everything else at its default.
    ///
    /// # Errors
    /// An unknown id, or a model that does not take this kind of data.
    pub fn new(dataset: &str, model: &str) -> Result<Self> {
        let dataset = data::find(dataset)?;
        let model = models::find(model)?;
        // At another size it may; what the data are like in the end, the session sees.
        if let Some(misfit) = model.misfit(&dataset.shape, dataset.classes)
            && UpTo::of(model, dataset).is_none()
        {
            let fitting = data::ALL.iter().filter(|set| model.misfit(&set.shape, set.classes).is_none());
            return Err(Error::Config(format!(
                "the model \"{}\" does not take the data set \"{}\": {}; it takes: {}",
                model.id,
                dataset.id,
                misfit.reason(),
                fitting.map(|entry| entry.id).collect::<Vec<_>>().join(", ")
            )));
        }
        let data = (dataset.specs)().into_iter().map(|spec| (spec.key.to_string(), spec.default)).collect();
        Ok(Self { dataset, model, seed: DEFAULT_SEED, data, params: model.defaults_on(dataset.shape.domain) })
    }

    /// The kind of data.
    pub fn domain(&self) -> Domain {
        self.dataset.shape.domain
    }

    /// Sets one value: the seed, or a setting of the data set or of the model.
    ///
    /// # Errors
    /// An unknown key, or a value that is not allowed; the configuration is then as it was.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<Effect> {
        if key == "seed" {
            self.seed = seed(value)?;
            return Ok(Effect::Restart);
        }
        let (data, params) = ((self.dataset.specs)(), (self.model.specs)());
        let find =
            |specs: &[Spec]| specs.iter().find(|spec| spec.key == key).map(|spec| (spec.kind, spec.effect));
        let (values, (kind, effect)) = if let Some(found) = find(&data) {
            (&mut self.data, found)
        } else if let Some(found) = find(&params) {
            self.model.check_option(key, value, self.dataset.shape.domain)?;
            (&mut self.params, found)
        } else {
            let known = data.iter().chain(&params).map(|spec| spec.key).chain(["seed"]);
            return Err(Error::unknown("setting", key, known));
        };
        kind.check(key, value)?;
        for slot in values.iter_mut().filter(|(name, _)| name == key) {
            slot.1 = value.clone();
        }
        Ok(effect)
    }

    /// Sets a value from a link's notation: the first kind of value that the setting accepts.
    ///
    /// # Errors
    /// An unknown key, or a text that is no allowed value; the configuration is then as it was.
    pub fn set_text(&mut self, key: &str, text: &str) -> Result<Effect> {
        let number = load::number(text).map(Value::Number);
        let flag = text.parse().ok().map(Value::Flag);
        let widths: Option<Vec<usize>> =
            text.split(',').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect();
        let readings = [number.clone(), flag, widths.map(Value::Widths)];
        for reading in readings.into_iter().flatten() {
            if let Ok(effect) = self.set(key, &reading) {
                return Ok(effect);
            }
        }
        // No reading fits: the error of the plainest one says what would.
        self.set(key, &number.unwrap_or_else(|| Value::Text(text.into())))
    }
}

/// A seed from a value: a whole number that fits 32 bits.
fn seed(value: &Value) -> Result<u32> {
    match *value {
        Value::Number(x) if x.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&x) => Ok(x as u32),
        Value::Number(x) => {
            Err(Error::OutOfRange { key: "seed".into(), got: x.to_string(), low: 0.0, high: u32::MAX.into() })
        }
        _ => Err(Error::wrong_kind("seed", "a whole number", "something else")),
    }
}
