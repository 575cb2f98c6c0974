//! Data from files: what was dropped on the page becomes rows.
//!
//! The readers are pure functions over bytes that may hold anything; an error says which byte, line or field is
//! wrong, and what is allowed.
//! The split is the same whatever the seed: a fifth of the rows, drawn once, is held out.

mod idx;
mod images;
mod picture;
mod table;
#[cfg(test)]
mod tests;

pub use table::number;

use super::sequences::Tokens;
use super::{Data, Entry, Shape, Split};
use crate::error::{Error, Result};
use crate::params;
use crate::params::Params;
use crate::rng::Rng;

/// Most values that are kept of a file: 40 MB.
pub const MOST_VALUES: usize = 10_000_000;
/// Longest text that is read, in bytes.
pub const LONGEST_TEXT: usize = 32 << 20;
/// Most classes that labels may tell apart.
pub const MOST_CLASSES: usize = 100;

params! {
    /// Data from files have no settings.
    pub struct Settings {}
}

const fn entry(id: &'static str, shape: Shape) -> Entry {
    Entry {
        id,
        shape,
        classes: 0,
        specs: Settings::specs,
        presets: &[],
        drawable: false,
        attribution: None,
        stored: None,
        generate: |_, _| {
            Err(Error::Config(
                "these data came from a file, which a link cannot carry; drop the file again".into(),
            ))
        },
    }
}

/// Points from a file; the shape says only what kind of data it is.
pub const POINTS: Entry = entry("own-points", Shape::points(2));
/// Images from files.
pub const IMAGES: Entry = entry("own-images", Shape::image(1, 16, 16));
/// Words from a file.
pub const WORDS: Entry = entry("own-words", Shape::sequence(16, 27));

/// The data sets that files make, which are in no list of what can be generated.
pub const ALL: &[&Entry] = &[&POINTS, &IMAGES, &WORDS];

/// Whether a data set's rows come from a file.
pub fn is_file(entry: &Entry) -> bool {
    ALL.iter().any(|file| file.id == entry.id)
}

/// How files are to be read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Images are made this many pixels wide and high; as they are if there is no number.
    pub size: Option<usize>,
}

/// Data from files, ready to train on.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the data set is called in configurations.
    pub dataset: &'static Entry,
    /// The data.
    pub data: Data,
    /// How many rows the files have; more than are kept, if there are too many.
    pub rows: usize,
    /// Whether points were moved and scaled to mean 0 and standard deviation 1.
    pub scaled: bool,
}

/// Rows as a reader found them.
struct Rows {
    shape: Shape,
    xs: Vec<f32>,
    labels: Option<Vec<u32>>,
    classes: usize,
}

impl Rows {
    /// A data set of these rows, a fifth of them held out; a single row is both trained on and held out.
    fn split(self) -> Result<Data> {
        let Self { shape, xs, labels, classes } = self;
        let all = Split { xs, labels };
        let order = Rng::stream(0, "split").permutation(all.len(&shape));
        let (held_out, train) = order.split_at(order.len().div_ceil(5).min(order.len() / 2));
        let held_out = if held_out.is_empty() { train } else { held_out };
        let part = |order: &[usize]| Split {
            xs: order.iter().flat_map(|i| all.row(&shape, *i)).copied().collect(),
            labels: all
                .labels
                .as_ref()
                .map(|labels| order.iter().filter_map(|i| labels.get(*i)).copied().collect()),
        };
        Data::from_parts(shape, part(train), part(held_out), classes, Vec::new())
    }
}

/// Gathers files until all are there.
#[derive(Debug)]
pub struct Loader {
    options: Options,
    images: Option<idx::Images>,
    labels: Option<Vec<u8>>,
    pictures: images::Pictures,
    whole: Option<Loaded>,
}

fn bad<T>(name: &str, what: impl std::fmt::Display) -> Result<T> {
    Err(Error::File(format!("{}: {what}", crate::error::clip(name))))
}

impl Loader {
    /// A loader that has no files yet.
    pub fn new(options: Options) -> Self {
        Self { options, images: None, labels: None, pictures: images::Pictures::default(), whole: None }
    }

    /// Takes a file: images or labels in the IDX format of MNIST, a table of points, or lines of text.
    ///
    /// A name that ends in `.csv` or `.tsv` is a table's; other text is one if its first line that is not empty
    /// holds nothing but two numbers or more.
    ///
    /// # Errors
    /// [`Error::File`] with the file's name and what is wrong in it; what was taken before stays.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if idx::is_idx(bytes) {
            return match idx::read(bytes, self.options.size).or_else(|what| bad(name, what))? {
                idx::File::Images(images) => put(&mut self.images, images, name, "images"),
                idx::File::Labels(labels) => put(&mut self.labels, labels, name, "labels"),
            };
        }
        if bytes.len() > LONGEST_TEXT {
            return bad(name, format_args!("it has {} bytes; at most {LONGEST_TEXT} are read", bytes.len()));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}'),
            Err(error) => {
                return bad(
                    name,
                    format_args!(
                        "it is neither IDX images, an image, nor text in UTF-8: byte {} belongs to none of them",
                        error.valid_up_to() + 1
                    ),
                );
            }
        };
        let ending =
            name.as_bytes().last_chunk::<4>().map(|ending| ending.map(|byte| byte.to_ascii_lowercase()));
        let named = ending.is_some_and(|ending| [*b".csv", *b".tsv"].contains(&ending));
        let loaded = if named || table::is_table(text) {
            table::read(text).or_else(|what| bad(name, what))?
        } else {
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let tokens = Tokens::of(&lines).or_else(|error| bad(name, error))?;
            let rows = tokens.rows.len();
            Loaded { dataset: &WORDS, data: tokens.split(0)?, rows, scaled: false }
        };
        put(&mut self.whole, loaded, name, "data")
    }

    /// Takes an image as the browser decoded it: four bytes a pixel, red, green, blue and opacity.
    ///
    /// # Errors
    /// [`Error::File`] if that is not what there is, or another image has another size.
    pub fn add_image(&mut self, name: &str, rgba: &[u8], width: usize, height: usize) -> Result<()> {
        self.pictures.add(rgba, width, height).or_else(|what| bad(name, what))
    }

    /// The data of all files together; one image alone is a density of points, several are a set of images.
    ///
    /// # Errors
    /// [`Error::File`] if there is nothing, or what there is does not belong together.
    pub fn finish(self) -> Result<Loaded> {
        let Self { images, labels, pictures, whole, .. } = self;
        let kinds = [images.is_some(), !pictures.is_empty(), whole.is_some()];
        if kinds.iter().filter(|is| **is).count() > 1 {
            return Err(Error::File(
                "images, tables and texts cannot be mixed; drop those of one kind".into(),
            ));
        }
        if let Some(whole) = whole {
            return if labels.is_none() { Ok(whole) } else { Err(orphans()) };
        }
        if !pictures.is_empty() {
            return match (labels, pictures.single()) {
                (Some(_), _) => Err(orphans()),
                (None, Some(single)) => picture::density(single),
                (None, None) => pictures.finish(),
            };
        }
        match images {
            Some(images) => images.finish(labels),
            None if labels.is_some() => Err(orphans()),
            None => Err(Error::File("it is empty".into())),
        }
    }
}

fn orphans() -> Error {
    Error::File("these are labels without their images; drop both files together".into())
}

fn put<T>(slot: &mut Option<T>, value: T, name: &str, what: &str) -> Result<()> {
    if slot.is_some() {
        return bad(name, format_args!("there are {what} already; drop one file of them at a time"));
    }
    *slot = Some(value);
    Ok(())
}
