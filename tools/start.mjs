/**
 * @file `npm start`: sets up what is missing, builds the page, serves it and opens it.
 */
import { build } from "./build.mjs";
import { main } from "./console.mjs";
import { serveForever } from "./serve.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup({ tests: false });
  await build();
  await serveForever(process.argv.slice(2));
});
