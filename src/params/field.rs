//! The types that a setting's field can have, and the check of each.

use super::{Choice, Kind, Value};
use crate::error::{Error, Result};

/// A type that a setting's field can have.
pub trait Field: Sized {
    /// The value as it crosses the boundary.
    fn to_value(&self) -> Value;
    /// The field, if `value` is of the right kind and allowed.
    fn from_value(key: &str, kind: &Kind, value: &Value) -> Result<Self>;
}

impl Kind {
    /// The check that every number passes: finite, and inside the range.
    fn number(&self, key: &str, value: &Value) -> Result<f64> {
        let &Value::Number(x) = value else {
            return Err(Error::wrong_kind(key, "a number", value.describe()));
        };
        let (low, high) = match *self {
            Self::Linear { low, high } | Self::Log { low, high } => (low, high),
            Self::Integer { low, high, .. } => (low as f64, high as f64),
            _ => (f64::MIN, f64::MAX),
        };
        // NaN fails this test too.
        if !(low..=high).contains(&x) {
            return Err(Error::OutOfRange { key: key.into(), got: x.to_string(), low, high });
        }
        Ok(x)
    }
}

pub(super) fn not_an_option(key: &str, options: &[&str], value: &Value) -> Error {
    Error::wrong_kind(key, format!("one of: {}", options.join(", ")), value.describe())
}

impl Field for f64 {
    fn to_value(&self) -> Value {
        Value::Number(*self)
    }
    fn from_value(key: &str, kind: &Kind, value: &Value) -> Result<Self> {
        kind.number(key, value)
    }
}

impl Field for usize {
    fn to_value(&self) -> Value {
        Value::Number(*self as f64)
    }
    fn from_value(key: &str, kind: &Kind, value: &Value) -> Result<Self> {
        let x = kind.number(key, value)?;
        if x.fract() != 0.0 {
            return Err(Error::wrong_kind(key, "a whole number", value.describe()));
        }
        Ok(x as usize)
    }
}

impl Field for bool {
    fn to_value(&self) -> Value {
        Value::Flag(*self)
    }
    fn from_value(key: &str, _: &Kind, value: &Value) -> Result<Self> {
        match value {
            Value::Flag(x) => Ok(*x),
            other => Err(Error::wrong_kind(key, "true or false", other.describe())),
        }
    }
}

impl Field for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
    fn from_value(key: &str, kind: &Kind, value: &Value) -> Result<Self> {
        let (Value::Text(x), Kind::Text { length, .. }) = (value, kind) else {
            return Err(Error::wrong_kind(key, "text", value.describe()));
        };
        if x.len() > *length {
            return Err(Error::wrong_kind(
                key,
                format!("at most {length} bytes long"),
                format!("{} bytes", x.len()),
            ));
        }
        Ok(x.clone())
    }
}

impl Field for Vec<usize> {
    fn to_value(&self) -> Value {
        Value::Widths(self.clone())
    }
    fn from_value(key: &str, kind: &Kind, value: &Value) -> Result<Self> {
        let (Value::Widths(xs), &Kind::Widths { layers, width }) = (value, kind) else {
            return Err(Error::wrong_kind(key, "a list of layer widths", value.describe()));
        };
        if xs.len() > layers {
            return Err(Error::wrong_kind(
                key,
                format!("at most {layers} layers"),
                format!("{} layers", xs.len()),
            ));
        }
        for x in xs {
            if !(1..=width).contains(x) {
                return Err(Error::OutOfRange {
                    key: key.into(),
                    got: x.to_string(),
                    low: 1.0,
                    high: width as f64,
                });
            }
        }
        Ok(xs.clone())
    }
}

impl<C: Choice> Field for C {
    fn to_value(&self) -> Value {
        Value::Text(self.id().into())
    }
    fn from_value(key: &str, _: &Kind, value: &Value) -> Result<Self> {
        let chosen = match value {
            Value::Text(id) => C::from_id(id),
            _ => None,
        };
        chosen.ok_or_else(|| not_an_option(key, C::IDS, value))
    }
}
