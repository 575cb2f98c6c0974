//! Tables of points: one row a line, numbers between separators, with or without a line of names.

use super::{Loaded, MOST_CLASSES, MOST_VALUES, POINTS, Rows};
use crate::data::Shape;
use crate::error::clip;

/// Most coordinates.
const MOST_COLUMNS: usize = 16;
/// Names of a column of labels.
const LABELS: [&str; 6] = ["label", "labels", "class", "target", "species", "category"];
/// Values beyond this are too far out for the models' starting weights.
const REACH: f64 = 6.0;

/// What separates the fields of a line.
#[derive(Clone, Copy)]
enum Separator {
    Char(char),
    Space,
}

impl Separator {
    fn of(line: &str) -> Self {
        let found = ['\t', ';', ','].into_iter().find(|c| line.contains(*c));
        found.map_or(Self::Space, Self::Char)
    }

    /// The fields of a line, without the quotes around them.
    fn fields(self, line: &str) -> Vec<&str> {
        match self {
            Self::Char(c) => {
                let mut quoted = false;
                // A separator within quotes is part of a field.
                line.split(|d: char| {
                    quoted ^= d == '"';
                    d == c && !quoted
                })
                .map(|field| field.trim().trim_matches('"'))
                .collect()
            }
            Self::Space => line.split_whitespace().map(|field| field.trim_matches('"')).collect(),
        }
    }
}

/// A finite number in decimal notation, to a unit in the fifteenth digit.
///
/// The standard library's own reader is exact in the last bit, and its tables weigh as much as all of this folder.
pub fn number(field: &str) -> Option<f64> {
    let (negative, digits) = match field.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut mantissa, mut scale, mut seen, mut point) = (0_u64, 0_i32, false, false);
    let mut bytes = digits.iter();
    let mut exponent = 0_i32;
    while let Some(byte) = bytes.next() {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                // Eighteen digits fit; what comes after them only moves the point.
                if mantissa < 100_000_000_000_000_000 {
                    mantissa = 10 * mantissa + u64::from(byte - b'0');
                    scale -= i32::from(point);
                } else {
                    scale = scale.saturating_add(i32::from(!point));
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' if seen => {
                let rest = std::str::from_utf8(bytes.as_slice()).ok()?;
                // Longer ones are no more than larger ones.
                exponent = rest.parse().ok().map(|x: i32| x.clamp(-9999, 9999))?;
                break;
            }
            _ => return None,
        }
    }
    if !seen {
        return None;
    }
    let power = exponent.saturating_add(scale);
    let ten = |n: i32| libm::pow(10.0, f64::from(n));
    let size = match mantissa {
        0 => 0.0,
        // Powers of ten are exact upwards, so dividing is better than multiplying by a small one.
        m if power < -300 => m as f64 / ten(300) / ten(-300 - power),
        m if power < 0 => m as f64 / ten(-power),
        m => m as f64 * ten(power),
    };
    size.is_finite().then_some(if negative { -size } else { size })
}

/// Whether the first line that is not empty holds two numbers or more and nothing else.
pub fn is_table(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let fields = Separator::of(first).fields(first);
    fields.len() > 1 && fields.iter().all(|field| number(field).is_some())
}

/// Reads a table.
pub fn read(text: &str) -> std::result::Result<Loaded, String> {
    let lines = || (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
    let Some((first_at, first)) = lines().next() else {
        return Err("it has no lines".into());
    };
    let separator = Separator::of(first);
    let names = separator.fields(first);
    // A line of names has no number in it; a line of data may have a label.
    let header = names.iter().all(|name| number(name).is_none());
    let body = || lines().filter(move |(at, _)| *at > first_at || !header);
    let Some((_, model)) = body().next() else {
        return Err(format!("it has names in line {first_at} and no rows below them"));
    };
    let model = separator.fields(model);
    let named = |name: &str| header && LABELS.iter().any(|label| name.eq_ignore_ascii_case(label));
    let label = names.iter().position(|name| named(name)).or_else(|| {
        // Or the only column that holds no numbers.
        let mut words = model.iter().enumerate().filter(|(_, field)| number(field).is_none()).map(|(i, _)| i);
        words.next().filter(|_| words.next().is_none())
    });
    let columns = names.len() - usize::from(label.is_some());
    if !(1..=MOST_COLUMNS).contains(&columns) {
        return Err(format!(
            "line {first_at} has {columns} columns of numbers; 1..={MOST_COLUMNS} are allowed"
        ));
    }
    let (mut values, mut labels, mut classes, mut rows) = (Vec::new(), Vec::new(), Vec::<&str>::new(), 0);
    for (at, line) in body() {
        let fields = separator.fields(line);
        if fields.len() != names.len() {
            return Err(format!(
                "line {at} has {} fields and line {first_at} has {}",
                fields.len(),
                names.len()
            ));
        }
        rows += 1;
        let keep = rows * columns <= MOST_VALUES;
        for (i, field) in fields.iter().enumerate() {
            if label == Some(i) {
                let class = classes.iter().position(|class| class == field).unwrap_or_else(|| {
                    classes.push(field);
                    classes.len() - 1
                });
                if classes.len() > MOST_CLASSES {
                    return Err(format!(
                        "line {at}, field {}: with \"{}\" there are more than {MOST_CLASSES} different labels",
                        i + 1,
                        clip(field)
                    ));
                }
                if keep {
                    labels.push(class as u32);
                }
            } else {
                match number(field) {
                    Some(x) if keep => values.push(x),
                    Some(_) => {}
                    None => {
                        return Err(format!(
                            "line {at}, field {}: \"{}\" is no finite number",
                            i + 1,
                            clip(field)
                        ));
                    }
                }
            }
        }
    }
    let scaled = scale(&mut values, columns);
    let xs = values.into_iter().map(|x| x as f32).collect();
    let labels = label.map(|_| labels);
    let classes = if labels.is_some() { classes.len() } else { 0 };
    let data = Rows { shape: Shape::points(columns), xs, labels, classes }
        .split()
        .map_err(|error| error.to_string())?;
    Ok(Loaded { dataset: &POINTS, data, rows, scaled })
}

/// Moves and scales each column to mean 0 and standard deviation 1, if the values are too far out or too close together.
fn scale(values: &mut [f64], columns: usize) -> bool {
    let n = (values.len() / columns) as f64;
    let moments: Vec<(f64, f64)> = (0..columns)
        .map(|column| {
            let column = || values.iter().skip(column).step_by(columns);
            let mean = column().map(|x| x / n).sum::<f64>();
            let variance = column().map(|x| (x - mean) * ((x - mean) / n)).sum::<f64>();
            (mean, variance.sqrt())
        })
        .collect();
    let wide = moments.iter().map(|(_, spread)| *spread).fold(0.0, f64::max);
    if values.iter().all(|x| x.abs() <= REACH) && wide >= 0.1 {
        return false;
    }
    for row in values.chunks_exact_mut(columns) {
        for (x, (mean, spread)) in row.iter_mut().zip(&moments) {
            // A column that is all alike has nothing to scale; one beyond all bounds is cut off.
            let z = if *spread > 0.0 && spread.is_finite() { (*x - mean) / spread } else { 0.0 };
            *x = if z.is_finite() { z } else { 0.0 };
        }
    }
    true
}
