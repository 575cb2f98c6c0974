/** @file Makes the site work without a network, where it is a site: not from a disk, not as a part of another page. */

/** Asks for a service worker in spite of the machine's own address, on which a new build should be seen at once. */
const ASKED = "offline";
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Whether this page may keep itself. @param {Window} page */
function may({ location, isSecureContext, top, self }) {
  if (TEALIGHT_INLINE || !isSecureContext || top !== self) return false;
  if (!/^https?:$/.test(location.protocol) || /[#&]embed=(?:true|1)\b/.test(location.hash)) return false;
  return !LOOPBACK.test(location.hostname) || new URLSearchParams(location.search).has(ASKED);
}

/** Keeps the site for later; where that is forbidden, it goes on without. */
export async function keepForLater() {
  try {
    if (may(window)) await navigator.serviceWorker.register("sw.js");
  } catch {
    // Storage is denied, or the host gives no such file.
  }
}
