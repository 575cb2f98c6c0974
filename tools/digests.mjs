/**
 * @file `node tools/digests.mjs` writes the digests of fixed runs to tests/reference/digests.json.
 * Do this only where a change is meant to change the bits of a run, and say so in its title.
 */
import { writeFileSync } from "node:fs";
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
  say(`${Object.keys(digests).length} digests written to ${path.relative(root, file)}.`);
});
