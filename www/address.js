/** @file Where this page is. */

import { inlined } from "./module.js";

/** Where this page can be found again: the site's folder, or the file; empty where it has no address. */
export function siteAddress() {
  if (!inlined()) return new URL("./", import.meta.url).href;
  const { href, protocol } = location;
  // An element that carries everything says nothing about where the whole page is.
  if (document.documentElement.dataset.page !== "tealight") return "";
  return protocol === "about:" || protocol === "data:" || protocol === "blob:" ? "" : href.split("#")[0];
}
