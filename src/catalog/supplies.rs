//! The files that the program can be built without, and taking them.

use serde_json::{Value as Json, json};

use crate::data;
use crate::error::{Error, Result};
use crate::metrics::classifier;
use crate::supply::Supply;

/// Each of them with what it is needed for: "rows" of data sets, or "scores".
fn all() -> impl Iterator<Item = (&'static Supply, &'static str)> {
    let stored = data::ALL.iter().filter_map(|entry| entry.stored.as_ref());
    stored.map(|stored| (stored.file, "rows")).chain([(&classifier::FILE, "scores")])
}

/// What the catalogue says of them.
pub(super) fn supplies_json() -> Json {
    all().map(|(file, needed)| json!({ "name": file.name, "bytes": file.length(), "for": needed })).collect()
}

/// Takes the contents of one.
///
/// # Errors
/// A name that none has, or bytes that are not the file's; nothing is different then.
pub fn provide(name: &str, bytes: &[u8]) -> Result<()> {
    match all().find(|(file, _)| file.name == name) {
        Some((file, _)) => file.provide(bytes),
        None => Err(Error::unknown("file", name, all().map(|(file, _)| file.name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_catalogue_names_is_taken() {
        let refused = provide("nothing.bin", b"x").unwrap_err().to_string();
        assert!(all().count() >= 2 && all().all(|(file, _)| refused.contains(file.name)), "{refused}");
        for (file, _) in all() {
            let bytes = file.bytes().unwrap().to_vec();
            provide(file.name, &bytes).unwrap();
            assert!(provide(file.name, &bytes[1..]).is_err());
        }
    }
}
