//! Some values of a row, taken out and put back.

/// xs ← 0
#[inline(never)]
pub fn clear(xs: &mut [f32]) {
    xs.fill(0.0);
}

/// out ← what the row has in these places.
///
/// # Panics
/// When a place lies beyond the row.
#[inline(never)]
pub fn pick(row: &[f32], places: &[u32], out: &mut [f32]) {
    for (out, &place) in out.iter_mut().zip(places) {
        *out = row[place as usize];
    }
}

/// Puts values into these places of a row.
///
/// # Panics
/// When a place lies beyond the row.
#[inline(never)]
pub fn put(values: &[f32], places: &[u32], row: &mut [f32]) {
    for (value, &place) in values.iter().zip(places) {
        row[place as usize] = *value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_picked_can_be_put_back() {
        let row = [1.0, 2.0, 3.0, 4.0, 5.0];
        let places = [0, 3, 4];
        let (mut some, mut back) = ([0.0; 3], [9.0; 5]);
        pick(&row, &places, &mut some);
        assert_eq!(some, [1.0, 4.0, 5.0]);
        put(&some, &places, &mut back);
        assert_eq!(back, [1.0, 9.0, 9.0, 4.0, 5.0]);
        clear(&mut back);
        assert_eq!(back, [0.0; 5]);
    }
}
