/**
 * @file What the content security policy of the page refused, and what would allow it: a host that embeds the
 * element, or a server with headers of its own, should read it on the page and not in a console.
 */

/** What was refused, as what would allow it. @type {Set<string>} */
const wanted = new Set();

/** @param {SecurityPolicyViolationEvent} event */
function note({ effectiveDirective, blockedURI }) {
  if (blockedURI === "wasm-eval") wanted.add("script-src 'wasm-unsafe-eval'");
  else if (effectiveDirective === "worker-src") wanted.add("worker-src 'self' blob:");
  else if (effectiveDirective === "connect-src" && /\.wasm$/.test(blockedURI)) wanted.add("connect-src 'self'");
}

if (typeof document !== "undefined") document.addEventListener("securitypolicyviolation", note);

/** The directives that the page's policy would need, as they are written there; empty if nothing was refused. */
export function missingDirectives() {
  return [...wanted].join("; ");
}
