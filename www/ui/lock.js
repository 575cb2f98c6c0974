/** @file Groups of controls that can be locked: they show their values, and nothing in them can be changed. */

import { el } from "../views/dom.js";

/**
 * Controls that can be locked together. A disabled fieldset disables what is in it, now and later, whatever
 * each control's own state is.
 * @param {HTMLElement[]} parts
 */
export function lockable(parts) {
  return el("fieldset", { class: "lockable" }, parts);
}

/**
 * Locks a group, or unlocks it.
 * @param {HTMLElement} group
 * @param {boolean} locked
 */
export function setLocked(group, locked) {
  group.classList.toggle("locked", locked);
  for (const part of group.querySelectorAll("fieldset.lockable")) if (part instanceof HTMLFieldSetElement) part.disabled = locked;
}
