//! Units that are silent throughout a batch, which nobody needs to compute with.
//!
//! relu gives 0 for whatever is negative, and after some steps many units of a layer give nothing else: what they are
//! multiplied with adds 0, and what comes back to them is multiplied by 0.

use super::scratch::Scratch;
use crate::nn::kernels::{reduce, select};

/// With fewer rows, or a narrower layer, there is nothing to gain.
const FEWEST: usize = 32;
/// A product with fewer rows or columns is computed in another order ([`crate::nn::kernels::skinny`]): none of those
/// between such a layer and its neighbours changes.
pub(super) const NARROWEST: usize = 8;

/// Those units of a layer that give something, in their order.
#[derive(Debug, Clone)]
pub(super) struct Live {
    units: Vec<u32>,
}

impl Live {
    /// What lives of a layer of relu which gave `ys`, n rows; `None` where it is too much for the rest to be worth
    /// leaving out.
    pub(super) fn among(ys: &[f32], n: usize) -> Option<Self> {
        let width = ys.len() / n.max(1);
        if n < FEWEST || width < FEWEST {
            return None;
        }
        let mut sums = vec![0.0; width];
        // A few rows tell at once of most layers that they are not for this.
        let (some, others) = ys.split_at(FEWEST / 2 * width);
        for rows in [some, others] {
            reduce::add_rows(rows, &mut sums);
            if sums.iter().filter(|sum| **sum == 0.0).count() < width / 8 {
                return None;
            }
        }
        // What relu gives is not negative, so that a sum is 0 where all is; that of NaN is not.
        let lives = sums.iter().filter(|sum| **sum != 0.0).count();
        let wanted = NARROWEST.saturating_sub(lives);
        sums.iter_mut().filter(|sum| **sum == 0.0).take(wanted).for_each(|sum| *sum = 1.0);
        Some(Self { units: (0..).zip(&sums).filter(|(_, sum)| **sum != 0.0).map(|(unit, _)| unit).collect() })
    }
}

/// What counts of a matrix whose rows and columns are units of two layers.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// `None`: all.
    pub(super) rows: Option<Live>,
    /// `None`: all.
    pub(super) columns: Option<Live>,
}

impl Part {
    /// Whether it is all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.rows.is_none() && self.columns.is_none()
    }

    /// How much of a matrix (rows, columns) counts.
    pub(super) fn sizes(&self, rows: usize, columns: usize) -> [usize; 2] {
        [count(self.rows.as_ref(), rows), count(self.columns.as_ref(), columns)]
    }

    /// What counts of a matrix of so many columns.
    pub(super) fn of(&self, matrix: &[f32], columns: usize) -> Scratch {
        chosen(matrix, columns, [self.rows.as_ref(), self.columns.as_ref()])
    }

    /// Puts rows of what counts, from the one of this number on, into a matrix that begins with the row `above`.
    pub(super) fn put(&self, part: &[f32], first: usize, matrix: &mut [f32], columns: usize, above: usize) {
        let width = self.sizes(0, columns)[1];
        for (i, part) in part.chunks_exact(width.max(1)).enumerate() {
            let start = (self.row(first + i) - above) * columns;
            let row = &mut matrix[start..start + columns];
            match &self.columns {
                Some(live) => select::put(part, &live.units, row),
                None => row.copy_from_slice(part),
            }
        }
    }

    /// Adds rows of values, one for each row that counts, to a sum for each row.
    pub(super) fn add_rows(&self, values: &[f32], sums: &mut [f32]) {
        let Some(live) = &self.rows else { return reduce::add_rows(values, sums) };
        let mut part = Scratch::of(live.units.len());
        select::pick(sums, &live.units, &mut part);
        reduce::add_rows(values, &mut part);
        select::put(&part, &live.units, sums);
    }

    /// Which of all the rows lie from the first of these that count on, up to the next that counts: so every row lies
    /// in one span.
    pub(super) fn span(&self, first: usize, count: usize, rows: usize) -> [usize; 2] {
        let begin = |i: usize| {
            if i == 0 {
                0
            } else if i < self.sizes(rows, 0)[0] {
                self.row(i)
            } else {
                rows
            }
        };
        [begin(first), begin(first + count)]
    }

    /// The row of the matrix that is this one of those that count.
    fn row(&self, i: usize) -> usize {
        place(self.rows.as_ref(), i)
    }
}

/// How many units count, of so many.
pub(super) fn count(live: Option<&Live>, all: usize) -> usize {
    live.map_or(all, |live| live.units.len())
}

/// The unit that is this one of those that count.
fn place(live: Option<&Live>, i: usize) -> usize {
    live.map_or(i, |live| live.units[i] as usize)
}

/// These rows and these columns of a matrix of so many columns; `None`: all.
pub(super) fn chosen(matrix: &[f32], columns: usize, [rows, some]: [Option<&Live>; 2]) -> Scratch {
    let (height, width) = (count(rows, matrix.len() / columns.max(1)), count(some, columns));
    let mut part = Scratch::of(height * width);
    for (i, part) in part.chunks_exact_mut(width.max(1)).enumerate() {
        let start = place(rows, i) * columns;
        let row = &matrix[start..start + columns];
        match some {
            Some(live) => select::pick(row, &live.units, part),
            None => part.copy_from_slice(row),
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{in_parts, layer_by_layer, normal, stages, to_f64};
    use crate::nn::ops::{backward, gradients, perceptron};
    use candle_core::{Tensor, Var};

    /// Whether this unit of this layer is.
    type Silent = fn(usize, usize) -> bool;

    /// x, then W and b of each layer, all variables; the units that are `silent` (layer, unit) are never above 0.
    fn network(n: usize, widths: &[usize], silent: Silent) -> Vec<Tensor> {
        let mut all = vec![normal(&[n, widths[0]], 1.0, "x")];
        for (i, pair) in widths.windows(2).enumerate() {
            all.push(normal(&[pair[1], pair[0]], 0.2, &format!("w{i}")));
            let bias = (0..pair[1]).map(|unit| if silent(i, unit) { -100.0 } else { 0.01 * unit as f32 });
            all.push(Tensor::from_iter(bias, &candle_core::Device::Cpu).unwrap());
        }
        all.iter().map(|x| Var::from_tensor(x).unwrap().as_tensor().clone()).collect()
    }

    #[test]
    fn what_is_left_out_changes_nothing_bit_for_bit() {
        let patterns: [(&str, Silent); 5] = [
            ("none", |_, _| false),
            ("every third", |_, unit| unit % 3 == 1),
            ("one layer", |layer, unit| layer == 1 && unit % 2 == 0),
            ("all but one of the first", |layer, unit| layer == 0 && unit != 30),
            ("all", |_, _| true),
        ];
        for (name, silent) in patterns {
            for n in [31, 32, 65] {
                for widths in [
                    &[20, 40, 64, 16, 48][..],
                    &[3, 33, 2],
                    &[100, 260, 300, 12],
                    &[2, 64, 64, 2],
                    &[2, 64, 40],
                ] {
                    let x = network(n, widths, silent);
                    let stages = stages(&x);
                    let weights = normal(&[n, *widths.last().unwrap()], 1.0, "weights");
                    let results = [false, true].map(|whole| {
                        let once = |xs: &Tensor, factor: f64| {
                            let xs = (xs * factor).unwrap();
                            if whole {
                                layer_by_layer(&xs, &stages)
                            } else {
                                perceptron(&xs, &stages).unwrap().unwrap()
                            }
                        };
                        // Twice, so that gradients are added to others.
                        let (ys, more) = (once(&x[0], 1.0), once(&x[0], -0.5));
                        let loss = ((&ys + more).unwrap() * &weights).unwrap().sum_all().unwrap();
                        let all = backward(&loss).unwrap();
                        let of_all = x.iter().map(|x| to_f64(all.get(x).unwrap())).collect::<Vec<_>>();
                        (to_f64(&ys), of_all)
                    });
                    assert_eq!(results[0], results[1], "{name} {n} {widths:?}");
                }
            }
        }
    }

    #[test]
    fn a_gradient_in_parts_has_all_rows_those_of_silent_units_too() {
        let patterns: [Silent; 2] = [|_, unit| unit % 2 == 0, |_, unit| !(7..200).contains(&unit)];
        for silent in patterns {
            let x = network(32, &[100, 400, 300, 12], silent);
            let loss = |ys: Tensor| ys.sum_all().unwrap();
            let got = gradients(&loss(perceptron(&x[0], &stages(&x)).unwrap().unwrap())).unwrap();
            let expected = gradients(&loss(layer_by_layer(&x[0], &stages(&x)))).unwrap();
            for var in &x[1..] {
                assert_eq!(Some(in_parts(&got, var)), expected.with(var, <[f32]>::to_vec).unwrap());
            }
        }
    }

    #[test]
    fn the_silent_are_found_and_only_where_it_pays() {
        let ys = |n: usize, width: usize, lives: fn(usize) -> bool| -> Vec<f32> {
            // A unit gives something in one row only.
            (0..n * width).map(|i| f32::from(i / width == i % width % n && lives(i % width))).collect()
        };
        let found = |n, width, lives| Live::among(&ys(n, width, lives), n).map(|live| live.units);
        assert_eq!(found(32, 40, |unit| unit % 4 == 3), Some((0..40).filter(|unit| unit % 4 == 3).collect()));
        // Eight at least.
        assert_eq!(found(50, 40, |unit| unit == 20), Some((0..7).chain([20]).collect()));
        assert_eq!(found(50, 40, |_| false), Some((0..8).collect()));
        assert_eq!(found(50, 40, |unit| unit > 3), None);
        assert_eq!(found(31, 40, |unit| unit == 20), None);
        assert_eq!(found(50, 31, |unit| unit == 20), None);
        let mut odd = ys(50, 40, |unit| unit == 20);
        odd[40 * 30 + 35] = f32::NAN;
        assert!(Live::among(&odd, 50).unwrap().units.contains(&35));
        assert!(Live::among(&[], 0).is_none());
    }
}
