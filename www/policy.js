/**
 * @file What the content security policy of the page refused, and what would allow it: a host that embeds the
 * element, or a server with headers of its own, should read it on the page and not in a console.
 */

const { origin } = new URL(import.meta.url);
/** Where the scripts come from, as a policy writes it; a file that carries everything comes from nowhere. */
const site = origin === "null" ? "" : origin === globalThis.location?.origin ? "'self' " : `${origin} `;

/** What was refused, as what would allow it. @type {Set<string>} */
const wanted = new Set();

/** @param {SecurityPolicyViolationEvent} event */
function note({ effectiveDirective, blockedURI }) {
  if (blockedURI === "wasm-eval") wanted.add("script-src 'wasm-unsafe-eval'");
  else if (effectiveDirective === "worker-src") wanted.add(`worker-src ${site === "'self' " ? site : ""}blob:`);
  else if (effectiveDirective === "connect-src" && /\.wasm$/.test(blockedURI)) wanted.add(`connect-src ${site}`.trim());
}

if (typeof document !== "undefined") document.addEventListener("securitypolicyviolation", note);

/** The directives that the page's policy would need, as they are written there; empty if nothing was refused. */
export function missingDirectives() {
  return [...wanted].join("; ");
}
