//! Orders of things by a number, in one place: a sort is compiled anew for each type that it sorts.

/// The indices of the keys from the least to the greatest, equal ones as they come.
pub fn ascending(keys: &[i64]) -> Vec<usize> {
    let mut pairs: Vec<(i64, i64)> = keys.iter().copied().zip(0..).collect();
    // The indices make all pairs different, so that any sort keeps equal keys as they come.
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, i)| i as usize).collect()
}

/// The indices of the values from the greatest to the least, equal ones as they come.
pub fn falling(values: &[f64]) -> Vec<usize> {
    // As in `f64::total_cmp`: as whole numbers, the bits of positive values rise with them and those of negative
    // ones fall. The complement turns the order round.
    let key = |x: &f64| {
        let bits = x.to_bits() as i64;
        !(bits ^ (((bits >> 63) as u64) >> 1) as i64)
    };
    ascending(&values.iter().map(key).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn orders_are_those_of_stable_sorts() {
        let mut rng = Rng::stream(3, "test");
        for n in [0, 1, 2, 7, 400] {
            // Few different values, so that many are equal.
            let keys: Vec<i64> = (0..n).map(|_| i64::from(rng.below(20)) - 10).collect();
            let mut sorted: Vec<usize> = (0..n).collect();
            sorted.sort_by_key(|i| keys[*i]);
            assert_eq!(ascending(&keys), sorted);
            let special = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN, 5e-324];
            let value = |key: &i64| special.get(*key as usize).copied().unwrap_or(*key as f64 / 3.0);
            let values: Vec<f64> = keys.iter().map(value).collect();
            sorted = (0..n).collect();
            sorted.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
            assert_eq!(falling(&values), sorted);
        }
    }
}
