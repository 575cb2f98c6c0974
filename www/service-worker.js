/**
 * @file The site without a network: keeps every file of one build, and answers with them alone.
 *
 * The build writes the list of files and their digests into this script, so another build is another script. It keeps
 * its files beside those of the one before, and takes over when no page of that one is left, or when the only one is
 * loaded again: so no page ever has files of two builds. A file whose digest is not the one in the list is not kept,
 * and then neither is the build.
 */

/**
 * The little of a service worker's global scope that is needed here.
 * @typedef {object} Extendable
 * @property {(done: Promise<unknown>) => void} waitUntil
 *
 * @typedef {Extendable & {request: Request, respondWith: (answer: Promise<Response>) => void, data?: unknown}} Moment
 *
 * @typedef {object} Scope
 * @property {(type: string, listener: (event: Moment) => void) => void} addEventListener
 * @property {{scope: string, waiting: {postMessage: (message: string) => void} | null}} registration
 * @property {{matchAll: () => Promise<unknown[]>}} clients
 * @property {() => Promise<void>} skipWaiting
 */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
const { version, files } = TEALIGHT_OFFLINE;

/** The page itself: hosts differ in whether they like its file's name in an address. */
const PAGE = "./";
/** What the page says to the build that waits. */
const NOW = "now";
/** Several sites of one origin each have their own. */
const OURS = `tealight ${scope.registration.scope} `;
const CACHE = OURS + version;

/** Keeps every file, or none. */
async function keep() {
  const cache = await caches.open(CACHE);
  try {
    await Promise.all(Object.entries(files).map(async ([name, integrity]) => {
      const response = await fetch(new Request(name, { integrity, cache: "no-cache" }));
      if (!response.ok) throw new Error(`${name}: ${response.status}`);
      const { body, headers, status, statusText } = response;
      // A page may not be answered with what was redirected.
      await cache.put(name, response.redirected ? new Response(body, { headers, status, statusText }) : response);
    }));
  } catch (error) {
    await caches.delete(CACHE);
    throw error;
  }
}

/** Forgets the builds before. */
async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== CACHE).map((name) => caches.delete(name)));
}

/** The file of the list that an address names, or null. @param {string} address */
function fileAt(address) {
  const { scope: home } = scope.registration;
  const plain = address.split(/[?#]/, 1)[0];
  if (!plain.startsWith(home)) return null;
  const name = plain.slice(home.length);
  if (name === "" || name === "index.html") return PAGE;
  return Object.hasOwn(files, name) ? name : null;
}

/** @param {Request} request @param {string} name @returns {Promise<Response>} */
async function answer(request, name) {
  const { waiting } = scope.registration;
  if (name === PAGE && waiting && (await scope.clients.matchAll()).length < 2) {
    waiting.postMessage(NOW);
    return changing();
  }
  const cache = await caches.open(CACHE);
  const [kept, page] = await Promise.all([cache.match(name), cache.match(PAGE)]);
  // A browser that was short of room may have thrown everything away: then it is as if there were no worker.
  if (!page) return fetch(request);
  return kept ?? fetch(new Request(name, { integrity: files[name] }));
}

/** What a page is for the moment in which another build takes over. */
function changing() {
  const script = 'const again=()=>location.reload();navigator.serviceWorker.addEventListener("controllerchange",again,{once:true});setTimeout(again,3000)';
  return new Response(`<!doctype html><meta charset="utf-8"><title>Tealight</title><link rel="icon" href="data:,"><script>${script}</script>`, { headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" } });
}

scope.addEventListener("install", (event) => event.waitUntil(keep()));
scope.addEventListener("activate", (event) => event.waitUntil(forget()));
scope.addEventListener("message", (event) => {
  if (event.data === NOW) void scope.skipWaiting();
});
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const name = request.method === "GET" ? fileAt(request.url) : null;
  if (name !== null) event.respondWith(answer(request, name));
});
