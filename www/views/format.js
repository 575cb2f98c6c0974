/** Numbers for people: a real minus sign, thousands apart, no noise digits. */

/** @param {number} n a count */
export function formatCount(n) {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/**
 * @param {number} x
 * @param {number} [digits] after the point, for values of ordinary size
 */
export function formatNumber(x, digits = 2) {
  if (!Number.isFinite(x)) return '–';
  const size = Math.abs(x);
  let text;
  if (size >= 1e5 || (size > 0 && size < 10 ** -(digits + 1))) text = x.toExponential(1).replace('e+', 'e').replace('e-', 'e−');
  else if (size >= 1000) text = (x < 0 ? '-' : '') + formatCount(size);
  else text = x.toFixed(size >= 100 ? Math.min(digits, 1) : digits);
  return Number(text.replace('−', '-').replace(',', '')) === 0 ? (0).toFixed(digits) : text.replace(/^-/, '−');
}

/** A tick's label: as short as it can be. @param {number} x */
export function formatTick(x) {
  const size = Math.abs(x);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return x.toExponential(0).replace('e+', 'e').replace(/-/g, '−');
  if (size >= 1000) return `${Number((x / 1000).toFixed(1))}k`.replace('-', '−');
  return String(Number(x.toPrecision(6))).replace('-', '−');
}

/** The word that tokens spell: token i is letter i, counted from 1, and 0 ends it. @param {ArrayLike<number>} tokens @param {string[]} letters */
export function spell(tokens, letters) {
  let word = '';
  for (let i = 0; i < tokens.length && tokens[i] > 0; i++) word += letters[tokens[i] - 1] ?? '';
  return word;
}
