//! The losses of a run, kept at whatever resolution fits a fixed number of columns.

/// Most columns kept; when they are full, neighbours are averaged and the resolution halves.
const CAPACITY: usize = 2048;

/// The mean losses of consecutive runs of `stride` steps.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    series: usize,
    stride: u64,
    /// One row a column: the last step of the bucket, then a mean for each loss (NaN where none was computed).
    rows: Vec<f32>,
    /// The bucket that is still filling: number of steps, then sum and count for each loss.
    filling: u64,
    sums: Vec<f64>,
    counts: Vec<f64>,
    last: Vec<f32>,
}

impl History {
    /// Nothing yet, for this many losses.
    pub fn new(series: usize) -> Self {
        Self {
            series,
            stride: 1,
            rows: Vec::new(),
            filling: 0,
            sums: vec![0.0; series],
            counts: vec![0.0; series],
            last: vec![f32::NAN; series],
        }
    }

    /// Adds the losses of step number `step` (1 for the first).
    pub fn push(&mut self, step: u64, losses: &[f32]) {
        for (i, &loss) in losses.iter().enumerate().take(self.series) {
            self.last[i] = loss;
            if !loss.is_nan() {
                self.sums[i] += f64::from(loss);
                self.counts[i] += 1.0;
            }
        }
        self.filling += 1;
        if self.filling == self.stride {
            self.rows.push(step as f32);
            self.rows.extend(self.sums.iter().zip(&self.counts).map(|(sum, n)| (sum / n) as f32));
            self.filling = 0;
            self.sums.fill(0.0);
            self.counts.fill(0.0);
            if self.rows.len() == CAPACITY * (self.series + 1) {
                self.halve();
            }
        }
    }

    /// Averages neighbouring rows.
    fn halve(&mut self) {
        let width = self.series + 1;
        let halved = self.rows.chunks_exact(2 * width).flat_map(|pair| {
            let (a, b) = pair.split_at(width);
            (0..width).map(move |i| match (i, a[i].is_nan(), b[i].is_nan()) {
                (0, ..) | (_, true, _) => b[i],
                (_, _, true) => a[i],
                _ => (a[i] + b[i]) / 2.0,
            })
        });
        self.rows = halved.collect();
        self.stride *= 2;
    }

    /// The losses of the last step; NaN for those that it did not compute.
    pub fn last(&self) -> &[f32] {
        &self.last
    }

    /// The table by columns: steps, then each loss; (1 + series, columns).
    pub fn columns(&self) -> (usize, Vec<f32>) {
        let width = self.series + 1;
        let n = self.rows.len() / width;
        let columns = (0..width).flat_map(|i| self.rows.iter().skip(i).step_by(width).copied());
        (n, columns.collect())
    }

    /// Everything, as numbers, for a snapshot.
    pub fn to_numbers(&self) -> Vec<f64> {
        let mut numbers = vec![self.stride as f64, self.filling as f64];
        numbers.extend(&self.sums);
        numbers.extend(&self.counts);
        numbers.extend(self.last.iter().map(|x| f64::from(*x)));
        numbers.extend(self.rows.iter().map(|x| f64::from(*x)));
        numbers
    }

    /// What [`History::to_numbers`] gave for this many losses; `None` if the numbers cannot be that.
    pub fn from_numbers(series: usize, numbers: &[f64]) -> Option<Self> {
        let (head, rest) = numbers.split_at_checked(2)?;
        let (sums, rest) = rest.split_at_checked(series)?;
        let (counts, rest) = rest.split_at_checked(series)?;
        let (last, rows) = rest.split_at_checked(series)?;
        let (stride, filling) = (head.first()?, head.get(1)?);
        let fits = rows.len() % (series + 1) == 0
            && rows.len() < CAPACITY * (series + 1)
            && (1.0..=1e12).contains(stride)
            && (0.0..*stride).contains(filling);
        fits.then(|| Self {
            series,
            stride: *stride as u64,
            rows: rows.iter().map(|x| *x as f32).collect(),
            filling: *filling as u64,
            sums: sums.to_vec(),
            counts: counts.to_vec(),
            last: last.iter().map(|x| *x as f32).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_range_and_its_mean_in_bounded_space() {
        let mut history = History::new(2);
        for step in 1..=100_000_u64 {
            history.push(step, &[step as f32, if step % 2 == 0 { f32::NAN } else { 3.0 }]);
        }
        let (n, columns) = history.columns();
        assert!((CAPACITY / 2..CAPACITY).contains(&n), "{n}");
        assert_eq!(columns.len(), 3 * n);
        // Buckets average whole runs of steps: the mean of each is its middle.
        let (steps, rest) = columns.split_at(n);
        let (means, odd) = rest.split_at(n);
        let stride = history.stride as f32;
        assert!(steps.iter().zip(means).all(|(s, m)| (s - m - (stride - 1.0) / 2.0).abs() < 0.51));
        assert!(odd.iter().all(|x| *x == 3.0));
        let again = History::from_numbers(2, &history.to_numbers()).unwrap();
        assert_eq!(again.columns(), (n, columns));
        assert_eq!(History::from_numbers(2, &[1.0, 0.0]), None);
    }
}
