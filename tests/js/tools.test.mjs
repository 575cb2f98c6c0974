import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { serve } from "../../tools/serve.mjs";

/** A request whose path is sent as it is: fetch would tidy it first. */
function get(url, address, method = "GET") {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: "127.0.0.1", path: address, method, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece) => (body += piece)).on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    request.on("error", reject).end();
  });
}

test("the server", async (t) => {
  const place = mkdtempSync(path.join(os.tmpdir(), "tealight-"));
  const folder = path.join(place, "site");
  mkdirSync(path.join(folder, "sub"), { recursive: true });
  writeFileSync(path.join(place, "secret.txt"), "secret");
  writeFileSync(path.join(folder, "index.html"), "home");
  writeFileSync(path.join(folder, "a.wasm"), "\0asm");
  writeFileSync(path.join(folder, "sub", "a.js"), "1");
  symlinkSync(path.join(place, "secret.txt"), path.join(folder, "link.txt"));
  const { url, close } = await serve({ folder, port: 0 });
  t.after(async () => {
    await close();
    rmSync(place, { recursive: true });
  });

  await t.test("gives files with their media types", async () => {
    for (const [address, type] of [["/", "text/html"], ["/index.html?x=1", "text/html"], ["/a.wasm", "application/wasm"], ["/sub/a.js", "text/javascript"]]) {
      const { status, headers } = await get(url, address);
      assert.equal(status, 200, address);
      assert.ok(headers["content-type"].startsWith(type), address);
    }
    assert.equal((await get(url, "/a.wasm", "HEAD")).body, "");
    assert.equal((await get(url, "/a.wasm", "HEAD")).headers["content-length"], "4");
  });

  await t.test("gives nothing outside its folder", async () => {
    for (const address of ["/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt", "/link.txt", "/%00", "/%", "//etc/passwd", "/missing", "/sub"]) {
      const { status, body } = await get(url, address);
      assert.equal(status, 404, address);
      assert.doesNotMatch(body, /secret/);
    }
  });

  await t.test("only answers questions", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) assert.equal((await get(url, "/", method)).status, 405);
  });

  await t.test("takes the next port when one is in use", async () => {
    const { port } = new URL(url);
    const other = await serve({ folder, port: Number(port) });
    assert.notEqual(new URL(other.url).port, port);
    assert.equal((await get(other.url, "/")).body, "home");
    await other.close();
  });

  await t.test("says what to do when there is nothing to serve", async () => {
    await assert.rejects(serve({ folder: path.join(place, "nowhere") }), /npm run build/);
  });
});
