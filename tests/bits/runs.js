/** @file Fixed runs and their digests; the same file runs in Node and in browsers. */

export const STEPS = 200;

/** One data set of each kind for every model. @param {import("../../www/protocol.js").Catalog} catalog */
export function runs(catalog) {
  return catalog.models.flatMap((model) =>
    model.domains.flatMap((domain) => {
      const dataset = catalog.datasets.find((set) => set.domain === domain && !set.drawable && !(set.id in model.misfits));
      return dataset ? [{ name: `${model.id} on ${dataset.id}`, config: { dataset: dataset.id, model: model.id, seed: 42 } }] : [];
    }));
}

/** Everything that a session is after {@link STEPS} steps, as a digest. */
export async function digestOf(wasm, config) {
  const session = new wasm.Session(JSON.stringify(config));
  session.step(STEPS);
  const bytes = session.snapshot();
  session.free();
  return digestOfSnapshot(bytes);
}

/** A snapshot's digest; what its header says is left out. @param {Uint8Array} bytes */
export async function digestOfSnapshot(bytes) {
  const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const digest = await crypto.subtle.digest("SHA-256", bytes.slice(header));
  return [...new Uint8Array(digest).subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
