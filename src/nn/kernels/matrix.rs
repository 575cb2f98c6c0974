//! What products are of: matrices in memory, and what is there before.

/// A matrix in memory.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Its elements.
    pub values: &'a [f32],
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
    /// Whether `values` holds it column after column instead of row after row.
    pub transposed: bool,
}

impl<'a> View<'a> {
    /// A matrix that is stored row after row.
    ///
    /// # Panics
    /// When `values` is of another length.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix has rows × columns values");
        Self { values, rows, columns, transposed: false }
    }

    /// The transpose, without moving anything.
    pub fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// How far apart neighbours in a column are, and neighbours in a row.
    pub(super) fn strides(&self) -> (usize, usize) {
        if self.transposed { (1, self.rows) } else { (self.columns, 1) }
    }
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// Nothing.
    Zero,
    /// This row, in every row: a bias.
    Row(&'a [f32]),
    /// What is there already.
    Sum,
}
