//! Settings: one declaration gives the typed struct, its defaults, ranges, scales, effects and documentation.
//!
//! ```
//! tealight::params! {
//!     /// Settings of an example.
//!     pub struct Example {
//!         /// How fast it goes.
//!         rate("rate"): f64 = 0.01, log(1e-5, 1.0), Live;
//!         /// How wide it is.
//!         width("width"): usize = 64, integer(1, 512), Restart;
//!     }
//! }
//! ```

mod field;

pub use field::Field;

use crate::error::Result;

/// The value of a setting, as it crosses the boundary.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A choice's id, or free text.
    Text(String),
    /// Layer widths, from the input's side to the output's.
    Widths(Vec<usize>),
}

impl Value {
    fn describe(&self) -> String {
        match self {
            Self::Number(x) => x.to_string(),
            Self::Flag(x) => x.to_string(),
            Self::Text(x) => format!("\"{x}\""),
            Self::Widths(x) => format!("{x:?}"),
        }
    }
}

/// When a changed setting takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// On the next step.
    Live,
    /// The session is rebuilt at step 0.
    Restart,
}

/// What a setting holds, and what is allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number on a linear scale.
    Linear {
        /// Smallest allowed value.
        low: f64,
        /// Largest allowed value.
        high: f64,
    },
    /// A number on a logarithmic scale.
    Log {
        /// Smallest allowed value (above 0).
        low: f64,
        /// Largest allowed value.
        high: f64,
    },
    /// A whole number; `log` asks for a logarithmic control.
    Integer {
        /// Smallest allowed value.
        low: usize,
        /// Largest allowed value.
        high: usize,
        /// Whether the control's scale is logarithmic.
        log: bool,
    },
    /// One of several ids.
    Choice {
        /// The ids.
        options: &'static [&'static str],
    },
    /// Yes or no.
    Flag,
    /// Layer widths.
    Widths {
        /// Most layers.
        layers: usize,
        /// Widest layer.
        width: usize,
    },
    /// Text that its reader interprets (drawn points, words).
    Text {
        /// Longest text, in bytes.
        length: usize,
        /// Whether it may have several lines.
        lines: bool,
    },
}

/// A number on a linear scale.
pub const fn linear(low: f64, high: f64) -> Kind {
    Kind::Linear { low, high }
}
/// A number on a logarithmic scale.
pub const fn log(low: f64, high: f64) -> Kind {
    Kind::Log { low, high }
}
/// A whole number.
pub const fn integer(low: usize, high: usize) -> Kind {
    Kind::Integer { low, high, log: false }
}
/// A whole number whose control is logarithmic.
pub const fn log_integer(low: usize, high: usize) -> Kind {
    Kind::Integer { low, high, log: true }
}
/// One of the variants of `C`.
pub const fn choice<C: Choice>() -> Kind {
    Kind::Choice { options: C::IDS }
}
/// Yes or no.
pub const fn flag() -> Kind {
    Kind::Flag
}
/// Layer widths.
pub const fn widths(layers: usize, width: usize) -> Kind {
    Kind::Widths { layers, width }
}
/// Text of at most `length` bytes.
pub const fn text(length: usize) -> Kind {
    Kind::Text { length, lines: false }
}
/// Text of several lines, at most `length` bytes altogether.
pub const fn lines(length: usize) -> Kind {
    Kind::Text { length, lines: true }
}

/// One setting, as the catalogue lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The key in configurations and links.
    pub key: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its value when nothing is said.
    pub default: Value,
    /// When a change takes effect.
    pub effect: Effect,
    /// Shown only while another setting of the same struct has one of these values.
    pub when: Option<(&'static str, &'static [&'static str])>,
    /// Shown only on request.
    pub advanced: bool,
    /// Whether it says how far a step goes: what a run that diverged should have less of.
    pub rate: bool,
}

/// An enum that is a setting: its variants have ids.
pub trait Choice: Sized + Copy + PartialEq + 'static {
    /// The ids, in the order of the variants.
    const IDS: &'static [&'static str];
    /// This variant's id.
    fn id(self) -> &'static str;
    /// The variant with this id.
    fn from_id(id: &str) -> Option<Self>;
}

/// A struct of settings.
pub trait Params: Default + Clone {
    /// What there is to set.
    fn specs() -> Vec<Spec>;
    /// The value of `key`, if there is such a setting.
    fn get(&self, key: &str) -> Option<Value>;
    /// Sets `key`, or says why not and leaves everything as it was.
    fn set(&mut self, key: &str, value: &Value) -> Result<Effect>;

    /// The defaults with these values set; a key that is not ours is an error.
    fn from_values(values: &[(String, Value)]) -> Result<Self> {
        let mut params = Self::default();
        for (key, value) in values {
            params.set(key, value)?;
        }
        Ok(params)
    }
}

impl Kind {
    /// Whether a value may stand here: the check that [`Params::set`] makes, without the struct.
    ///
    /// # Errors
    /// What is wrong with it and what is allowed.
    pub fn check(&self, key: &str, value: &Value) -> Result<()> {
        match self {
            Self::Linear { .. } | Self::Log { .. } => f64::from_value(key, self, value).map(drop),
            Self::Integer { .. } => usize::from_value(key, self, value).map(drop),
            Self::Flag => bool::from_value(key, self, value).map(drop),
            Self::Widths { .. } => Vec::from_value(key, self, value).map(drop),
            Self::Text { .. } => String::from_value(key, self, value).map(drop),
            Self::Choice { options } => match value {
                Value::Text(id) if options.contains(&id.as_str()) => Ok(()),
                other => Err(field::not_an_option(key, options, other)),
            },
        }
    }
}

/// Declares an enum that is a setting, each variant with the id it has in links.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $id:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $crate::params::Choice for $name {
            const IDS: &'static [&'static str] = &[$($id),+];
            fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }
            fn from_id(id: &str) -> Option<Self> {
                match id { $($id => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

/// Declares a struct of settings: see the module's example.
///
/// After the effect may stand `when("loss" in "wgan" | "hinge")` and then `advanced(true)` or `rate(true)`.
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[doc = $doc:literal])+ $field:ident($key:literal): $type:ty = $default:expr, $kind:expr, $effect:ident
          $(, when($other:literal in $($value:literal)|+))? $(, advanced($advanced:literal))? $(, rate($rate:literal))? ;)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[doc = $doc])+ pub $field: $type),* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl $crate::params::Params for $name {
            fn specs() -> Vec<$crate::params::Spec> {
                #[allow(unused_imports)]
                use $crate::params::*;
                vec![$(Spec {
                    key: $key,
                    // The page has its own words, in every language: the package need not carry these.
                    doc: if cfg!(target_arch = "wasm32") { "" } else { concat!($($doc),+).trim() },
                    kind: $kind,
                    default: Field::to_value(&Self::default().$field),
                    effect: Effect::$effect,
                    when: None $(.or(Some(($other, &[$($value),+][..]))))?,
                    advanced: false $(|| $advanced)?,
                    rate: false $(|| $rate)?,
                }),*]
            }

            #[allow(unused_variables)]
            fn get(&self, key: &str) -> Option<$crate::params::Value> {
                match key {
                    $($key => Some($crate::params::Field::to_value(&self.$field)),)*
                    _ => None,
                }
            }

            #[allow(unused_variables)]
            fn set(&mut self, key: &str, value: &$crate::params::Value) -> $crate::error::Result<$crate::params::Effect> {
                #[allow(unused_imports)]
                use $crate::params::*;
                match key {
                    $($key => {
                        self.$field = Field::from_value($key, &$kind, value)?;
                        Ok(Effect::$effect)
                    })*
                    _ => Err($crate::error::Error::unknown("setting", key, [$($key),*])),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    choices! {
        /// A colour.
        pub enum Colour {
            /// Like the sky.
            Blue = "blue",
            /// Like a flame.
            Orange = "orange",
        }
    }

    params! {
        /// Settings for the tests below.
        pub struct Example {
            /// How fast it goes.
            rate("rate"): f64 = 0.01, log(1e-5, 1.0), Live;
            /// How many there are.
            count("count"): usize = 3, integer(1, 9), Restart, advanced(true);
            /// What colour it has.
            colour("colour"): Colour = Colour::Blue, choice::<Colour>(), Live;
            /// How strong the orange is.
            strength("strength"): f64 = 0.5, linear(0.0, 1.0), Live, when("colour" in "orange");
            /// The layers.
            layers("layers"): Vec<usize> = vec![4, 4], widths(3, 8), Restart;
        }
    }

    #[test]
    fn one_declaration_gives_defaults_ranges_and_effects() {
        let specs = Example::specs();
        assert_eq!(specs[0].default, Value::Number(0.01));
        assert_eq!(specs[0].doc, "How fast it goes.");
        assert!(specs[1].advanced && !specs[0].advanced);
        assert_eq!(specs[3].when, Some(("colour", &["orange"][..])));
        let mut example = Example::default();
        assert_eq!(example.set("rate", &Value::Number(0.1)).unwrap(), Effect::Live);
        assert_eq!(example.set("count", &Value::Number(9.0)).unwrap(), Effect::Restart);
        assert_eq!(example.get("count"), Some(Value::Number(9.0)));
        assert_eq!(example.get("nothing"), None);
    }

    #[test]
    fn every_bad_value_is_refused_with_what_is_allowed() {
        let mut example = Example::default();
        let mut refused = |key: &str, value: Value| example.set(key, &value).unwrap_err().to_string();
        assert_eq!(refused("rate", Value::Number(2.0)), "rate = 2 is outside 0.00001..=1");
        assert!(refused("rate", Value::Number(f64::NAN)).contains("outside"));
        assert!(refused("rate", Value::Number(f64::INFINITY)).contains("outside"));
        assert!(refused("rate", Value::Flag(true)).contains("a number"));
        assert!(refused("count", Value::Number(2.5)).contains("a whole number"));
        assert!(refused("colour", Value::Text("pink".into())).contains("blue, orange"));
        assert!(refused("layers", Value::Widths(vec![1; 4])).contains("at most 3 layers"));
        assert!(refused("layers", Value::Widths(vec![0])).contains("outside 1..=8"));
        assert!(refused("speed", Value::Number(1.0)).contains("rate, count"));
        assert_eq!(example, Example::default());
    }
}
