/**
 * @file `node tools/digests.mjs` writes the digests of fixed runs to tests/reference/digests.json, and how links are read
 * and where they lead to tests/reference/links.json.
 * Do this only where a change is meant to change the bits of a run, and say so in its title.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { main, root, say } from "./console.mjs";

await main(async () => {
  await build();
  const { catalog, wasm } = await import("../tests/js/wasm.mjs");
  const { digestOf, runs } = await import("../tests/bits/runs.js");
  /** @type {Record<string, string>} */
  const digests = {};
  for (const { name, config } of runs(catalog)) digests[name] = await digestOf(wasm, config);
  const file = path.join(root, "tests/reference/digests.json");
  writeFileSync(file, `${JSON.stringify(digests, null, 2)}\n`);
  const { replay } = await import("../tests/bits/links.js");
  const { readLink } = await import("../www/state.js");
  const list = path.join(root, "tests/reference/links.json");
  const lines = [];
  for (const { link } of JSON.parse(readFileSync(list, "utf8"))) {
    const { config, events, step, clamped } = readLink(catalog, link);
    const { digest, losses } = await replay(wasm, catalog, link);
    lines.push(JSON.stringify({ link, digest, losses, read: { config, events, step, clamped } }));
  }
  writeFileSync(list, `[\n${lines.join(",\n")}\n]\n`);
  say(`${lines.length} links written to ${path.relative(root, list)}.`);
  say(`${Object.keys(digests).length} digests written to ${path.relative(root, file)}.`);
});
