/** @file Icons of the controls: paths on a 20×20 grid, drawn with the text's colour. */

import { icon } from "../views/dom.js";

/** Lines. */
const LINES = {
  rewind: "M4 4v4.2h4.2M4.4 8A6.3 6.3 0 1 1 3.7 11",
  step: "M4 4.5 11.5 10 4 15.5ZM15.5 4.5v11",
  slow: "M10 5.5V10l3 2M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14",
  dice: "M5 3.5h10A1.5 1.5 0 0 1 16.5 5v10a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V5A1.5 1.5 0 0 1 5 3.5M7 7h.01M13 7h.01M10 10h.01M7 13h.01M13 13h.01",
  reset: "M5 5v3.4h3.4M5.3 8.2A5.4 5.4 0 1 1 4.7 11",
  close: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  plus: "M10 5v10M5 10h10",
  minus: "M5 10h10",
  pencil: "M4 16l.8-3.4L13 4.4a1.4 1.4 0 0 1 2 0l.6.6a1.4 1.4 0 0 1 0 2L7.4 15.2ZM11.8 5.6l2.6 2.6",
  more: "M6 8l4 4 4-4",
  take: "M10 3.5v9M6.5 9.2 10 12.7l3.5-3.5M4 13.5v3h12v-3",
};

/** Filled shapes. */
const SOLID = {
  play: "M6.5 3.8v12.4a.6.6 0 0 0 .9.5l9.6-6.2a.6.6 0 0 0 0-1L7.4 3.3a.6.6 0 0 0-.9.5Z",
  pause: "M5.5 4h3v12h-3ZM11.5 4h3v12h-3Z",
};

/** @param {keyof typeof LINES | keyof typeof SOLID} name */
export function iconOf(name) {
  const solid = name in SOLID;
  const svg = icon(solid ? SOLID[/** @type {keyof typeof SOLID} */ (name)] : LINES[/** @type {keyof typeof LINES} */ (name)]);
  if (solid) svg.classList.add("solid");
  return svg;
}
