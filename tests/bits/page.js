/** @file Computes the digests in a browser and hands them to whoever asked. */
import * as wasm from "../../pkg/tealight.js";
import { replay } from "./links.js";
import { digestOf, runs } from "./runs.js";

/** @type {Record<string, Record<string, string>> & {error?: string}} */
const found = { runs: {}, links: {} };
try {
  await wasm.default();
  const catalog = JSON.parse(wasm.catalog());
  for (const { name } of catalog.supplies) wasm.provide(name, new Uint8Array(await (await fetch(`../../pkg/${name}`)).arrayBuffer()));
  for (const { name, config } of runs(catalog)) found.runs[name] = await digestOf(wasm, config);
  const list = await (await fetch("../reference/links.json")).json();
  for (const { link } of list) found.links[link] = (await replay(wasm, catalog, link)).digest;
} catch (error) {
  found.error = String(error);
}
await fetch(new URL(location.href).searchParams.get("report") ?? "", { method: "POST", mode: "no-cors", body: JSON.stringify(found) });
