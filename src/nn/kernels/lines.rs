//! Short stretches of memory, copied to or from every first, second, … place of another.

use super::simd::F4;

/// to[i] ← from[i·step]
#[inline(always)]
pub(super) fn take(from: &[f32], step: usize, to: &mut [f32]) {
    if step > 2 {
        for (to, x) in to.iter_mut().zip(from.iter().step_by(step)) {
            *to = *x;
        }
        return;
    }
    let from = &from[..((to.len() * step).min(from.len()))];
    let (fours, rest) = to.as_chunks_mut::<4>();
    let done = 4 * fours.len() * step;
    if step == 1 {
        for (to, from) in fours.iter_mut().zip(from.as_chunks::<4>().0) {
            F4::from_array(from).write(to);
        }
    } else {
        // The last value may be the line's last: what stands for its neighbour is not there.
        let (eights, last) = from.as_chunks::<8>();
        for (to, from) in fours.iter_mut().zip(eights) {
            let (halves, _) = from.as_chunks::<4>();
            F4::unzip_lanes(F4::from_array(&halves[0]), F4::from_array(&halves[1])).0.write(to);
        }
        if let (Some(four), [_, _, _, _, _, _, _]) = (fours.get_mut(eights.len()), last) {
            *four = [last[0], last[2], last[4], last[6]];
        }
    }
    for (to, x) in rest.iter_mut().zip(from[done.min(from.len())..].iter().step_by(step)) {
        *to = *x;
    }
}

/// to[i·step] ← max(from[i], low)
#[inline(always)]
pub(super) fn put(from: &[f32], low: f32, to: &mut [f32], step: usize) {
    put_with(from, to, step, |x, _| x.at_least(F4::splat(low)));
}

/// to[i·step] ← max(to[i·step] + from[i], low)
#[inline(always)]
pub(super) fn add(from: &[f32], low: f32, to: &mut [f32], step: usize) {
    put_with(from, to, step, |x, sum| (sum + x).at_least(F4::splat(low)));
}

/// to[i·step] ← f(from[i], to[i·step])
#[inline(always)]
fn put_with(from: &[f32], to: &mut [f32], step: usize, f: impl Fn(F4, F4) -> F4) {
    let mut done = 0;
    if step == 1 {
        for (to, from) in to.as_chunks_mut::<4>().0.iter_mut().zip(from.as_chunks::<4>().0) {
            f(F4::from_array(from), F4::from_array(to)).write(to);
            done += 4;
        }
    } else if step == 2 {
        for (to, from) in to.as_chunks_mut::<8>().0.iter_mut().zip(from.as_chunks::<4>().0) {
            let (halves, _) = to.as_chunks_mut::<4>();
            let (even, odd) = F4::unzip_lanes(F4::from_array(&halves[0]), F4::from_array(&halves[1]));
            let (left, right) = F4::zip_lanes(f(F4::from_array(from), even), odd);
            left.write(&mut halves[0]);
            right.write(&mut halves[1]);
            done += 4;
        }
    }
    let rest = to.get_mut(done * step..).unwrap_or_default();
    for (to, x) in rest.iter_mut().step_by(step).zip(&from[done..]) {
        let [y, ..] = f(F4::splat(*x), F4::splat(*to)).to_array();
        *to = y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn lines_of_every_length_are_copied_as_defined() {
        let mut rng = Rng::stream(1, "lines");
        for step in 1..=3 {
            for n in 0..20 {
                // The shortest line that has all, and longer ones.
                let shortest = if n == 0 { 0 } else { (n - 1) * step + 1 };
                for length in shortest..shortest + 4 {
                    let (line, short) = (rng.normals(length), rng.normals(n));
                    let mut to = vec![0.0; n];
                    take(&line, step, &mut to);
                    assert!((0..n).all(|i| to[i] == line[i * step]), "take {step} {n} {length}");
                    for sum in [false, true] {
                        let mut to = line.clone();
                        if sum {
                            add(&short, 0.0, &mut to, step)
                        } else {
                            put(&short, 0.0, &mut to, step)
                        }
                        for (i, (to, before)) in to.iter().zip(&line).enumerate() {
                            let expected = match short.get(i / step).filter(|_| i % step == 0) {
                                Some(x) => (if sum { before + x } else { *x }).max(0.0),
                                None => *before,
                            };
                            assert_eq!(*to, expected, "{step} {n} {length} {sum} {i}");
                        }
                    }
                }
            }
        }
    }
}
