/** @file Unpacks what a self-contained build carries. */

/** @param {string} base64 of gzip @returns {Promise<ArrayBuffer>} */
export async function gunzip(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
