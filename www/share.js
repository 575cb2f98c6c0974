/**
 * @file Links and code for other pages: pure functions. What a host is called and explained as stands in the
 * language files under its id here.
 */

/** Where a playground can be put, in the order in which they are listed. */
export const HOSTS = /** @type {const} */ (["html", "element", "quarto", "mkdocs", "myst", "jupyter", "reveal", "docusaurus", "moodle"]);

/** @typedef {typeof HOSTS[number]} Host */

/**
 * @typedef {object} Embedding
 * @property {string} address The site: its folder, or the file that is the whole page.
 * @property {string} link What stands after the `#`.
 * @property {string} title What a frame is called, for those who hear it.
 * @property {number} height In pixels.
 */

/** An address as it may stand in code: nothing in it can end a quotation. @param {string} address */
export function safeAddress(address) {
  const text = address.trim().split("#")[0].slice(0, 2048);
  // Only what a frame can show; anything with another scheme is no address of a page.
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) && !/^(?:https?|file):/i.test(text)) return "";
  // Half a character cannot be encoded; what is encoded already stays so.
  return encodeURI(text.replace(/\p{Surrogate}/gu, "")).replaceAll("%25", "%").replace(/['"`\\<>(){}\s]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A string of Python. @param {string} text */
function python(text) {
  return JSON.stringify(text);
}

/** The address of a file beside the page. @param {string} address @param {string} name */
function beside(address, name) {
  return address.replace(/[^/]*$/, "") + name;
}

/** A link as attributes of the element. @param {string} link */
function attributes(link) {
  return link.split("&").filter(Boolean).map((pair) => {
    const [key, value = ""] = pair.split("=").map(decodeURIComponent);
    return value === "true" ? key : `${key}="${escaped(value)}"`;
  }).join(" ");
}

/**
 * The code that puts a playground into a page.
 * @param {Host} host
 * @param {Embedding} embedding
 * @returns {string}
 */
export function embedCode(host, { address: given, link, title, height }) {
  const address = safeAddress(given);
  const url = `${address}#${link}`;
  const frame = `<iframe src="${escaped(url)}" title="${escaped(title)}" width="100%" height="${height}" style="border: 0" loading="lazy"></iframe>`;
  // Gives the frame the height that its content needs.
  const helper = `<script src="${escaped(beside(address, "tealight-host.js"))}" async></script>`;
  switch (host) {
    case "html":
    case "mkdocs":
      return `${frame}\n${helper}`;
    case "element":
      return `<script type="module" src="${escaped(beside(address, "tealight.js"))}"></script>\n<tealight-playground ${attributes(link)}></tealight-playground>`;
    case "quarto":
      return `\`\`\`{=html}\n${frame}\n${helper}\n\`\`\``;
    case "myst":
      return `\`\`\`{iframe} ${url}\n:width: 100%\n\`\`\``;
    case "jupyter":
      return `from IPython.display import IFrame\n\nIFrame(${python(url)}, width="100%", height=${height})`;
    case "reveal":
      return `<section>\n  <iframe data-src="${escaped(url)}" title="${escaped(title)}" width="100%" height="${height}" style="border: 0"></iframe>\n</section>`;
    case "docusaurus":
      return `<iframe src="${escaped(url)}" title="${escaped(title)}" width="100%" height="${height}" style={{ border: 0 }} loading="lazy" />`;
    case "moodle":
      return frame;
  }
}
