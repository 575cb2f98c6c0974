/** @file What the keys of the page do while no control wants them. */

/** @import {Experiment} from "../experiment.js" */

/** Controls that take letters. */
const TYPING = "input:not([type=range], [type=radio], [type=checkbox]), textarea, select, [contenteditable]";
/** Controls that take the space bar. */
const PRESSING = "input, button, summary, a[href], select, textarea, [tabindex], [contenteditable]";
/** Controls that take the arrows; a button does not. */
const ARROWS = "input, select, textarea, [tabindex], [contenteditable]";

/**
 * @param {KeyboardEvent} event
 * @param {Experiment} experiment
 * @param {{openHelp: () => void, openTakeAway: () => void, locked: boolean, pointed: Element | null}} options `locked`: the keys of
 *   the transport do nothing. `pointed`: the button that was pressed last, with mouse or finger. It has the focus since, but whoever
 *   presses the space bar now means to play, not to press it again.
 */
export function keyActions(event, experiment, { openHelp, openTakeAway, locked, pointed }) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  // Across shadow boundaries, the first of the path is where the key was pressed.
  const target = event.composedPath()[0];
  const within = (/** @type {string} */ selector) => target instanceof Element && target.closest(selector) !== null;
  // The enlarged picture is still the page; what lies over it is not.
  if (within(TYPING) || within("dialog:not(.enlarged)")) return;
  const left = pointed !== null && within("button") && target instanceof Element && target.closest("button") === pointed;
  const pressing = within(PRESSING) && !left;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = key === "?" ? openHelp : key === "t" ? openTakeAway : locked ? undefined : {
    " ": pressing ? undefined : () => (experiment.busy ? experiment.pause() : experiment.play()),
    ArrowRight: within(ARROWS) ? undefined : () => void experiment.step(),
    r: () => void experiment.rewind(),
    n: () => void experiment.newSeed(),
  }[key];
  if (!action) return;
  event.preventDefault();
  // Some browsers press a button when the bar comes up again.
  if (key === " " && left && target instanceof HTMLElement) target.blur();
  // A key that is held down repeats: that is right for steps and nothing else.
  if (!event.repeat || event.key === "ArrowRight") action();
}
