//! The boundary: the only file that knows wasm-bindgen. Thin, no logic.

use std::sync::Arc;

use js_sys::{Float32Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::data::{Data, load};
use crate::error::Error;
use crate::evaluation::Evaluator;
use crate::{catalog, frame, session};

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let thrown = js_sys::Error::new(&error.to_string());
        if let Error::Missing { file } = error {
            thrown.set_name("MissingFile");
            thrown.set_cause(&file.into());
        }
        thrown.into()
    }
}

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Everything that there is to choose, as JSON.
#[wasm_bindgen]
pub fn catalog() -> String {
    catalog::catalog()
}

/// Takes a file of the package, one of the catalogue's `supplies`, which is not in the module; twice does no harm.
///
/// What needs one that is not there throws a `MissingFile` whose `cause` is the name.
#[wasm_bindgen]
pub fn provide(name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    Ok(catalog::provide(name, bytes)?)
}

/// A data set without a model.
#[wasm_bindgen]
pub struct Source {
    data: Arc<Data>,
    info: String,
}

#[wasm_bindgen]
impl Source {
    /// The first `n` rows, if not more, of a flat JSON configuration: `{"dataset": …}` and what of its settings is
    /// not at its default.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str, n: u32) -> Result<Source, JsValue> {
        let data = catalog::read_dataset(config)?.glimpse(n)?;
        Ok(Self { info: catalog::data_json(&data), data: Arc::new(data) })
    }

    /// Shape, extent, alphabet and more, as JSON.
    pub fn info(&self) -> String {
        self.info.clone()
    }

    /// The first `n` rows, row-major.
    pub fn rows(&self, n: u32) -> Float32Array {
        Float32Array::from(session::preview(&self.data, n).as_slice())
    }
}

/// Makes a data set of files.
#[wasm_bindgen]
pub struct Loader {
    inner: load::Loader,
}

#[wasm_bindgen]
impl Loader {
    /// A loader that has no files yet; the options are JSON: `{"size": 16}`, or `{}`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<Loader, JsValue> {
        Ok(Self { inner: load::Loader::new(catalog::read_load_options(options)?) })
    }

    /// Takes a file: images or labels as IDX, a table of points, or lines of text.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
        Ok(self.inner.add(name, bytes)?)
    }

    /// Takes an image of four bytes a pixel.
    #[wasm_bindgen(js_name = addImage)]
    pub fn add_image(&mut self, name: &str, rgba: &[u8], width: u32, height: u32) -> Result<(), JsValue> {
        Ok(self.inner.add_image(name, rgba, width as usize, height as usize)?)
    }

    /// The data of all files together.
    pub fn finish(self) -> Result<Source, JsValue> {
        let loaded = self.inner.finish()?;
        Ok(Source { info: catalog::loaded_json(&loaded), data: Arc::new(loaded.data) })
    }
}

/// A seed that nobody chose: the only use of the platform's randomness.
#[wasm_bindgen(js_name = freshSeed)]
pub fn fresh_seed() -> Result<u32, JsValue> {
    getrandom::u32().map_err(|error| JsError::new(&format!("no fresh seed: {error}")).into())
}

/// One model on one data set.
#[wasm_bindgen]
pub struct Session {
    inner: session::Session,
    evaluator: Evaluator,
    prepared: Vec<f32>,
}

#[wasm_bindgen]
impl Session {
    /// A fresh session from a flat JSON configuration.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str) -> Result<Session, JsValue> {
        Ok(Self::around(session::Session::new(catalog::read_config(config)?)?))
    }

    /// A fresh session on data that are there already; the configuration names their data set.
    pub fn on(config: &str, source: &Source) -> Result<Session, JsValue> {
        Ok(Self::around(session::Session::on(catalog::read_config(config)?, source.data.clone())?))
    }

    /// Takes `n` steps.
    pub fn step(&mut self, n: u32) -> Result<(), JsValue> {
        Ok(self.inner.step(n)?)
    }

    /// Steps taken.
    pub fn steps(&self) -> f64 {
        self.inner.steps() as f64
    }

    /// Changes a setting to a value given as JSON; "live", or "restart" if the session was rebuilt at step 0.
    pub fn set(&mut self, key: &str, value: &str) -> Result<String, JsValue> {
        let effect = self.inner.set(key, &catalog::read_value(key, value)?)?;
        Ok(catalog::effect_id(effect).into())
    }

    /// Back to step 0 with the same weights again.
    pub fn reset(&mut self) -> Result<(), JsValue> {
        Ok(self.inner.reset()?)
    }

    /// Configuration, shape, extent, losses and more, as JSON.
    pub fn info(&self) -> String {
        catalog::info(&self.inner)
    }

    /// Computes views from a JSON list of requests; says as JSON where each lies in what `read` gives.
    pub fn prepare(&mut self, requests: &str) -> Result<String, JsValue> {
        let (sections, values) = frame::prepare(&self.inner, &catalog::read_requests(requests)?)?;
        self.prepared = values;
        Ok(catalog::sections(&sections, self.prepared.len()))
    }

    /// Copies the prepared values to the start of `out`.
    pub fn read(&self, out: &Float32Array) -> Result<(), JsValue> {
        let length = self.prepared.len() as u32;
        if out.length() < length {
            return Err(JsError::new(&format!(
                "the buffer holds {} values; {length} are needed",
                out.length()
            ))
            .into());
        }
        out.subarray(0, length).copy_from(&self.prepared);
        Ok(())
    }

    /// Begins an evaluation of the model as it is now; how many parts it has.
    #[wasm_bindgen(js_name = beginScores)]
    pub fn begin_scores(&mut self) -> Result<u32, JsValue> {
        Ok(self.evaluator.begin(&self.inner)? as u32)
    }

    /// Does the next part, and says as JSON whether it was the last one, and then what the evaluation came to.
    #[wasm_bindgen(js_name = scorePart)]
    pub fn score_part(&mut self) -> Result<String, JsValue> {
        Ok(catalog::evaluated_json(self.evaluator.advance()?.as_ref()))
    }

    /// Everything needed to go on, bit for bit.
    pub fn snapshot(&self) -> Result<Uint8Array, JsValue> {
        Ok(Uint8Array::from(self.inner.snapshot()?.as_slice()))
    }

    /// A snapshot without the rows of a file: for a session that has them.
    pub fn checkpoint(&self) -> Result<Uint8Array, JsValue> {
        Ok(Uint8Array::from(self.inner.checkpoint()?.as_slice()))
    }

    /// Becomes the session that a snapshot or a checkpoint was taken of.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        Ok(self.inner.restore(bytes)?)
    }

    /// The weights as safetensors.
    pub fn weights(&self) -> Result<Uint8Array, JsValue> {
        Ok(Uint8Array::from(self.inner.weights()?.as_slice()))
    }

    /// Takes weights from safetensors.
    #[wasm_bindgen(js_name = loadWeights)]
    pub fn load_weights(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        Ok(self.inner.load_weights(bytes)?)
    }
}

impl Session {
    fn around(inner: session::Session) -> Self {
        Self { inner, evaluator: Evaluator::new(), prepared: Vec::new() }
    }
}
