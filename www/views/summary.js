/** What a picture shows, in numbers: pure functions behind the text equivalents. */

/**
 * Centre and standard deviation per coordinate of finite points.
 * @param {ArrayLike<number>} points x, y, …
 * @param {number} count
 */
export function spread(points, count) {
  let [n, mx, my, vx, vy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [x, y] = [points[2 * i], points[2 * i + 1]];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    n += 1;
    // Welford's update: no loss of digits far from the origin.
    const [dx, dy] = [x - mx, y - my];
    mx += dx / n;
    my += dy / n;
    vx += dx * (x - mx);
    vy += dy * (y - my);
  }
  return { n, x: mx, y: my, sx: n > 1 ? Math.sqrt(vx / n) : 0, sy: n > 1 ? Math.sqrt(vy / n) : 0 };
}

/** Smallest and largest finite value. @param {ArrayLike<number>} values @param {number} [stride] @param {number} [from] */
export function range(values, stride = 1, from = 0) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = from; i < values.length; i += stride) {
    const v = values[i];
    if (v < low && v !== -Infinity) low = v;
    if (v > high && v !== Infinity) high = v;
  }
  return low <= high ? { low, high } : null;
}

/**
 * Root mean squared difference of each of `n` rows between two halves of a buffer.
 * @param {ArrayLike<number>} data originals, then reconstructions
 * @param {number} n
 * @param {number} size
 */
export function rowErrors(data, n, size) {
  const errors = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += (data[i * size + j] - data[(n + i) * size + j]) ** 2;
    errors[i] = Math.sqrt(sum / size);
  }
  return errors;
}

/** @param {ArrayLike<number>} values */
export function mean(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return values.length ? sum / values.length : NaN;
}
