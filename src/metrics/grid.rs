//! The Jensen–Shannon divergence of two samples on a grid, every point counted once.

use super::pairwise::comparable;

/// The Jensen–Shannon divergence of the histograms of two samples of the plane, in bits: 0 for equal ones, 1 for
/// such that share no cell. Points outside of `extent` (x₀, x₁, y₀, y₁) count in the nearest cell.
///
/// Two samples of one distribution do not reach 0: with 450 points on 30 × 30 cells about 0.34, with 10,000 about
/// 0.03. So it is read beside the same figure for real against real.
/// `None` if a sample is empty, not whole or not finite, or there is no cell.
pub fn grid_js(xs: &[f32], ys: &[f32], extent: [f32; 4], cells: usize) -> Option<f64> {
    if !comparable(xs, ys, 2) || cells == 0 {
        return None;
    }
    let [x0, x1, y0, y1] = extent.map(f64::from);
    let index = |x: f32, low: f64, high: f64| {
        (((f64::from(x) - low) / (high - low) * cells as f64).max(0.0) as usize).min(cells - 1)
    };
    let histogram = |rows: &[f32]| {
        let mut shares = vec![0.0; cells * cells];
        let each = 2.0 / rows.len() as f64;
        for p in rows.chunks_exact(2) {
            shares[index(p[1], y0, y1) * cells + index(p[0], x0, x1)] += each;
        }
        shares
    };
    let term = |p: f64, q: f64| if p > 0.0 { p * (2.0 * p / (p + q)).log2() } else { 0.0 };
    let (ps, qs) = (histogram(xs), histogram(ys));
    Some(ps.iter().zip(&qs).map(|(p, q)| 0.5 * (term(*p, *q) + term(*q, *p))).sum())
}
