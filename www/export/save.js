/** @file Files that the page hands to the visitor. */

/** @typedef {{name: string, type: string, bytes: Uint8Array<ArrayBuffer>}} Product A file that was made. */

/** How long the address of a file that was handed over stays good, in milliseconds: a slow disk may still be reading. */
const KEPT = 60_000;

/** @param {string} name @param {string} text @param {string} type @returns {Product} */
export function textFile(name, text, type) {
  return { name, type: `${type};charset=utf-8`, bytes: new TextEncoder().encode(text) };
}

/** A part of a file name that every system takes. @param {string} text */
export function plainName(text) {
  return text.replace(/[^\p{L}\p{N}.-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 60) || "tealight";
}

/** Offers a file for download. @param {Product} product */
export function save({ name, type, bytes }) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}
