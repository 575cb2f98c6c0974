/** @file The same runs have the same bits in every browser that is installed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { root } from "../../tools/console.mjs";
import { browsers, reportFrom } from "./browsers.mjs";

const reference = (name) => JSON.parse(readFileSync(path.join(root, "tests/reference", name), "utf8"));
/** What every browser must find: fixed runs, and links with their live changes and their steps. */
const expected = {
  runs: reference("digests.json"),
  links: Object.fromEntries(reference("links.json").map(({ link, digest }) => [link, digest])),
};

for (const browser of browsers) {
  test(`fixed runs and replayed links have the same bits in ${browser.name} as in Node`, { skip: browser.skip }, async () => {
    assert.deepEqual(await reportFrom(browser, root, "tests/bits/page.html"), expected);
  });
}
