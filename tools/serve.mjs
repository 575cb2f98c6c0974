/**
 * @file A small static server for the built page: right media types, nothing outside its folder, this machine only.
 * `node tools/serve.mjs [folder] [--port=8080] [--no-open]`
 */
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { Sentence, isMain, main, root, say, which } from "./console.mjs";

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".py": "text/plain; charset=utf-8",
  ".rs": "text/plain; charset=utf-8",
};

/** The file that an address names, or null where there is none inside `folder`. */
async function locate(folder, address) {
  let wanted;
  try {
    wanted = decodeURIComponent(address.split(/[?#]/, 1)[0]);
  } catch {
    return null;
  }
  if (!wanted.startsWith("/") || wanted.includes("\0")) return null;
  let file = path.join(folder, wanted);
  try {
    if ((await stat(file)).isDirectory()) file = path.join(file, "index.html");
    // The real path, so that a link inside the folder cannot lead out of it.
    const real = await realpath(file);
    if (real !== folder && !real.startsWith(folder + path.sep)) return null;
    const { size } = await stat(real);
    return { file: real, size };
  } catch {
    return null;
  }
}

/**
 * Serves `folder` on the first free port from `port` on.
 * @param {{folder: string, port?: number, tries?: number, headers?: Record<string, string>}} options `port` 0 takes any free port.
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function serve({ folder, port = 8080, tries = 50, headers = {} }) {
  const home = await realpath(folder).catch(() => {
    throw new Sentence(`there is no folder ${folder}: run "npm run build" first`);
  });
  const server = http.createServer(async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { Allow: "GET, HEAD" }).end();
      return;
    }
    const found = await locate(home, request.url ?? "/");
    if (!found) {
      response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("Not found\n");
      return;
    }
    response.writeHead(200, {
      "Content-Type": types[path.extname(found.file)] ?? "application/octet-stream",
      "Content-Length": found.size,
      "Cache-Control": "no-cache",
      // Public files: a page of another origin may embed the element, a sandboxed frame load its scripts.
      "Access-Control-Allow-Origin": "*",
      "X-Content-Type-Options": "nosniff",
      ...headers,
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(found.file).on("error", () => response.destroy()).pipe(response);
  });
  for (let attempt = 0; ; attempt++) {
    const wanted = port === 0 ? 0 : port + attempt;
    try {
      await new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(wanted, "127.0.0.1", () => {
          server.off("error", reject);
          resolve(undefined);
        });
      });
      break;
    } catch (error) {
      const busy = error.code === "EADDRINUSE" || error.code === "EACCES";
      if (busy && attempt + 1 < tries) continue;
      throw new Sentence(`could not listen on 127.0.0.1, ports ${port} to ${wanted}: ${error.message}`);
    }
  }
  const { port: bound } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${bound}/`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}

/** Opens an address in the person's browser where there is one; never fails. @param {string} url */
export function open(url) {
  const desktop = process.platform !== "linux" || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  const opener = { darwin: "open", win32: "explorer" }[process.platform] ?? "xdg-open";
  if (process.env.CI || !desktop || !which(opener)) return;
  const child = spawn(opener, [url], { detached: true, stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}

/** Serves the built page until interrupted. @param {string[]} args */
export async function serveForever(args) {
  const folder = path.resolve(root, args.find((arg) => !arg.startsWith("--")) ?? "dist");
  const asked = args.find((arg) => arg.startsWith("--port="))?.slice("--port=".length);
  const port = asked === undefined ? 8080 : Number(asked);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Sentence(`--port=${asked} is not a port: give a whole number from 0 to 65535`);
  }
  const { url } = await serve({ folder, port });
  console.log("");
  say(`Tealight runs at ${url}`);
  say("Press Ctrl+C to stop.");
  if (!args.includes("--no-open")) open(url);
}

if (isMain(import.meta.url)) await main(() => serveForever(process.argv.slice(2)));
