//! Safetensors: named tensors in one file, behind a header in JSON.
//!
//! <https://huggingface.co/docs/safetensors>. What is read may hold anything; what is written comes in the order in
//! which it is given, so that the same values are the same bytes.

use serde_json::{Map, Value, json};

use crate::error::{Error, Result, clip};
use crate::order::ascending;

/// The type of what models learn.
pub const F32: &str = "F32";
/// The type of histories.
pub const F64: &str = "F64";
/// The type of labels.
pub const U32: &str = "U32";

/// The key of the header that names no tensor.
const METADATA: &str = "__metadata__";
/// Longest header that is read, in bytes: ours have some thousands.
const LONGEST: usize = 8 << 20;
/// Bytes before the header, which say how long it is.
const PREFIX: usize = 8;

/// A tensor of a file.
pub struct Stored<'a> {
    /// Its name.
    pub name: String,
    /// The type of its values, as the format calls it.
    pub dtype: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its values, little-endian.
    pub bytes: &'a [u8],
}

/// A file that was read.
pub struct TensorFile<'a> {
    /// The texts that are no tensors.
    metadata: Map<String, Value>,
    /// The tensors, in the order in which they lie in the file.
    pub tensors: Vec<Stored<'a>>,
}

fn bad(what: impl Into<String>) -> Error {
    Error::File(what.into())
}

/// Bytes of one value; `None` for a type that is not known, or that does not fill bytes.
fn width(dtype: &str) -> Option<usize> {
    match dtype {
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" => Some(1),
        "U16" | "I16" | "F16" | "BF16" => Some(2),
        U32 | "I32" | F32 => Some(4),
        "U64" | "I64" | F64 | "C64" => Some(8),
        _ => None,
    }
}

impl<'a> TensorFile<'a> {
    /// Reads a file. Nothing is copied but the header.
    ///
    /// # Errors
    /// [`Error::File`] for bytes that are no such file, or of which some belong to no tensor or to two.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let refused = |what: &str| bad(format!("it is no safetensors file: {what}"));
        let (prefix, rest) =
            bytes.split_first_chunk::<PREFIX>().ok_or_else(|| refused("it is shorter than 8 bytes"))?;
        let length = usize::try_from(u64::from_le_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(refused(&format!(
                "its header would have {length} bytes; at most {LONGEST} are read"
            )));
        }
        let (header, data) =
            rest.split_at_checked(length).ok_or_else(|| refused("its header is longer than the file"))?;
        let header = serde_json::from_slice(header).map_err(|error| refused(&error.to_string()))?;
        let Value::Object(mut header) = header else { return Err(refused("its header is no object")) };
        let metadata = match header.shift_remove(METADATA) {
            None => Map::new(),
            Some(Value::Object(texts)) if texts.values().all(Value::is_string) => texts,
            Some(_) => return Err(refused("its metadata are no texts")),
        };
        let mut found = Vec::with_capacity(header.len());
        for (name, about) in &header {
            found.push(
                place(about).ok_or_else(|| refused(&format!("\"{}\" is described wrongly", clip(name))))?,
            );
        }
        let names: Vec<&String> = header.keys().collect();
        let starts: Vec<i64> = found.iter().map(|place| place.start as i64).collect();
        let (mut tensors, mut end) = (Vec::with_capacity(found.len()), 0);
        for i in ascending(&starts) {
            let (Some(name), Some(Place { dtype, shape, start, end: to })) = (names.get(i), found.get(i))
            else {
                continue;
            };
            let bytes = data.get(*start..*to).filter(|_| *start == end);
            let bytes =
                bytes.ok_or_else(|| refused(&format!("\"{}\" does not lie where it should", clip(name))))?;
            tensors.push(Stored { name: (*name).clone(), dtype: dtype.clone(), shape: shape.clone(), bytes });
            end = *to;
        }
        if end != data.len() {
            return Err(refused("it goes on behind its last tensor"));
        }
        Ok(Self { metadata, tensors })
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<&Stored<'a>> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// A text of the metadata.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.metadata.get(key)?.as_str()
    }
}

/// What the header says of a tensor.
struct Place {
    dtype: String,
    shape: Vec<usize>,
    start: usize,
    end: usize,
}

/// Reads it; nothing if it is incomplete, or if the values do not fill the bytes.
fn place(about: &Value) -> Option<Place> {
    let numbers = |key: &str| -> Option<Vec<usize>> {
        let list = about.get(key)?.as_array()?.iter();
        list.map(|x| x.as_u64().and_then(|x| usize::try_from(x).ok())).collect()
    };
    let dtype = about.get("dtype")?.as_str()?.to_string();
    let (shape, offsets) = (numbers("shape")?, numbers("data_offsets")?);
    let [start, end] = offsets.try_into().ok()?;
    let size = shape.iter().try_fold(width(&dtype)?, |size, side| size.checked_mul(*side))?;
    (end.checked_sub(start)? == size).then_some(Place { dtype, shape, start, end })
}

/// A tensor that is to be written: name, type, sizes and values.
pub type Part = (String, &'static str, Vec<usize>, Vec<u8>);

/// A file of these tensors and texts, in this order.
pub fn write(metadata: &[(&str, &str)], tensors: &[Part]) -> Vec<u8> {
    let mut header = Map::new();
    if !metadata.is_empty() {
        let texts = metadata.iter().map(|(key, text)| (key.to_string(), json!(text)));
        header.insert(METADATA.into(), Value::Object(texts.collect()));
    }
    let mut end = 0;
    for (name, dtype, shape, bytes) in tensors {
        let start = end;
        end += bytes.len();
        header.insert(name.clone(), json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }));
    }
    let mut text = Value::Object(header).to_string();
    // Spaces after the JSON align the data, as the format asks.
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(PREFIX) - text.len()));
    let mut file = Vec::with_capacity(PREFIX + text.len() + end);
    file.extend((text.len() as u64).to_le_bytes());
    file.extend(text.as_bytes());
    for (_, _, _, bytes) in tensors {
        file.extend(bytes);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::SafeTensors;

    fn example() -> Vec<u8> {
        let part =
            |name: &str, dtype, shape: &[usize], n| (name.to_string(), dtype, shape.to_vec(), vec![7; n]);
        let parts = [part("z", F64, &[2], 16), part("a.词", F32, &[2, 0, 3], 0), part("b", U32, &[], 4)];
        write(&[("key", "\"词\""), ("another", "")], &parts)
    }

    fn file(header: &str, data: usize) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
    }

    #[test]
    fn what_is_written_is_read_by_the_formats_own_library_and_by_ours() {
        let bytes = example();
        assert_eq!(bytes.len() % 8, 4);
        let theirs = SafeTensors::deserialize(&bytes).unwrap();
        let ours = TensorFile::read(&bytes).unwrap();
        assert_eq!(ours.tensors.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["z", "a.词", "b"]);
        assert_eq!(theirs.len(), 3);
        for Stored { name, dtype, shape, bytes } in &ours.tensors {
            let view = theirs.tensor(name).unwrap();
            assert_eq!(
                (view.dtype().to_string(), view.shape(), view.data()),
                (dtype.clone(), &shape[..], *bytes)
            );
        }
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = metadata.metadata().as_ref().unwrap();
        assert_eq!((metadata["key"].as_str(), metadata["another"].as_str()), ("\"词\"", ""));
        assert_eq!(
            (ours.text("key"), ours.text("another"), ours.text("no")),
            (Some("\"词\""), Some(""), None)
        );
    }

    #[test]
    fn tensors_lie_in_the_file_in_any_order_of_the_header() {
        let header = r#"{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#;
        let bytes = file(header, 3);
        let read = TensorFile::read(&bytes).unwrap();
        assert_eq!(read.tensors.iter().map(|it| it.bytes.len()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(read.get("b").unwrap().shape, [2]);
        assert!(read.get("c").is_none());
    }

    #[test]
    fn what_is_no_such_file_is_refused_as_the_formats_own_library_does() {
        let entry = |rest: &str| format!("{{\"a\":{{{rest}}}}}");
        for (header, data) in [
            ("[]".to_string(), 0),
            ("{".into(), 0),
            ("{}".into(), 1),
            (r#"{"__metadata__":{"a":1}}"#.into(), 0),
            (r#"{"a":7}"#.into(), 0),
            (entry(r#""dtype":"F32","shape":[1]"#), 4),
            (entry(r#""dtype":"F33","shape":[1],"data_offsets":[0,4]"#), 4),
            (entry(r#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#), 4),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#), 3),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#), 5),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[4,8]"#), 8),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#), 4),
            (entry(r#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#), 4),
            (entry(r#""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]"#), 0),
        ] {
            let bytes = file(&header, data);
            let Err(Error::File(message)) = TensorFile::read(&bytes) else { panic!("read: {header}") };
            assert!(message.starts_with("it is no safetensors file"), "{message}");
            assert!(SafeTensors::deserialize(&bytes).is_err(), "{header}");
        }
        let whole = example();
        for end in 0..whole.len() {
            assert!(TensorFile::read(&whole[..end]).is_err());
        }
    }
}
