/**
 * @file Takes out of the module what can never run.
 *
 * candle compiles every operation for ten number types and keeps all of it, because the type is known only when a
 * program runs. Every tensor here is `f32` or `u32`, and convolutions, pooling and the like are the project's own
 * (see the deny-list in tests/js/invariants.test.mjs): the rest is dead weight that no linker can see. Its bodies
 * become a trap, and wasm-bindgen then drops what only they had called. tests/js/package.test.mjs trains and draws
 * every model with the result.
 */

import { assemble, functionImports, leb, sectionsOf, toLeb } from "./wasm-module.mjs";

/**
 * Functions that never run, by their mangled names (v0).
 * The compiler merges functions that are the same for types of one size, under any of their names: what belongs to
 * the standard library stays, and so does what is for i32.
 */
const NEVER = [
  // Numbers of 8 and 16 bits.
  /^_R[^C]*C(?:s[0-9A-Za-z]*_)?11candle_core.*(?:4half|6float8)/,
  // The library's products.
  /C(?:s[0-9A-Za-z]*_)?(?:4gemm|8gemm_(?:f16|f32|f64|c32|c64)|11gemm_common)/,
  // An operation on f64, i64 or i16, and arithmetic on anything but f32.
  /(?:Map\d|Map1Any|Map2U8|Map2InPlace)1f[dxs]E/,
  /^_R[^C]*C(?:s[0-9A-Za-z]*_)?11candle_core.*5utils\d+(?:unary|binary)_map[a-z_]*?[dxshlm](?=[A-Z])/,
  /11candle_core.*(?:11IndexSelect|10CpuStorage.*4powf)/,
  /11candle_core11cpu_backend17copy_strided_src_[dxslmh]E/,
  // Every tensor stays of the type that it is made with. The library's clamp, minimum and maximum would convert their bounds.
  /11candle_core.*8to_dtype/,
  // Functions of one number that no model takes of the library.
  /11candle_core.*2op(?:3Sin|3Cos|3Erf|4Tanh|5Recip|4Gelu|7GeluErf|4Silu|4Ceil|5Floor|5Round|4Sign)N/,
  // Operations that the project has replaced, or does not need.
  /11candle_core.*(?:5WCond|6MatMul|3Cmp|11ReduceIndex|6Gather|8IndexAdd|6conv1d|6conv2d|ConvTranspose|Conv1D|Conv2D|AvgPool2D|MaxPool2D|UpsampleNearest|UpsampleBilinear|Im2Col|Col2Im|7Scatter|10ScatterAdd)/,
  // What a gradient of the library's would need that no model takes.
  /11candle_core.*6Tensor(?:3sin|3cos|3erf|4tanh|5recip|4powf|7permute|12index_select|14slice_scatter0?|14cat_contiguousB|4cat0B|3catB|5stackB|6matmul|10where_cond|9index_add|6gather|7scatter|11scatter_add|14scatter_checks|13interpolate2d|1[0-9]conv|2[0-9]conv|2[0-9]avg_pool2d|2[0-9]max_pool2d)/,
  // What waits for another thread, or begins one.
  /11parking_lot10raw_rwlock.*9RawRwLock\d+(?:[a-z_]+_slow|wait_for_readers)$/,
  /16parking_lot_core/,
  /3std6thread(?:9lifecycle|9spawnhook)/,
  // Backtraces, which are not taken where there is no environment to ask for them.
  /12backtrace_rs5print/,
  /^_RNvX.*3std9backtrace.*3fmt$/,
  // Threads, which there are none of.
  /^_R[^C]*C(?:s[0-9A-Za-z]*_)?(?:5rayon|10rayon_core|15crossbeam_(?:deque|epoch))/,
  // The words of errors that nothing here can have: of files of the library's, of a system there is none of, of text cut
  // within a letter (which traps all the same).
  /11safetensors6tensor15SafeTensorErrorNtNt.*3fmt7Display3fmt$/,
  /3std2io5error.*3fmt(?:5Debug|7Display)3fmt$/,
  /3str19slice_error_fail_rt$/,
  /(?:3str5lossyNt\w*5DebugNt\w*3fmt5Debug|4bstrNt\w*7ByteStrNt\w*3fmt7Display)3fmt$/,
  // Sines of angles from 1.6 million on, which src/math/lib.rs turns back first.
  /14rem_pio2_large/,
  // A number of 128 bits in words: serde's for a reader that has such numbers.
  /4core3fmt3numo\d+__fmt_inner/,
  // Names in backtraces, which have no symbols to name.
  /14rustc_demangle/,
];

/** The crate for which a function was compiled says nothing about what it does. @param {string} mangled */
function withoutInstance(mangled) {
  const name = mangled.replace(/\.(?:llvm\.)?\d+$/, "");
  for (const part of name.matchAll(/C(?:s[0-9A-Za-z]*_)?(\d+)_?/g)) {
    if (part.index + part[0].length + Number(part[1]) === name.length) return name.slice(0, part.index);
  }
  return name;
}

/** `unreachable`, without locals. */
const TRAP = Uint8Array.of(3, 0, 0x00, 0x0b);

/** The names of functions by index. @param {Uint8Array} bytes @param {number} start @param {number} end of the name section */
function functionNames(bytes, start, end) {
  /** @type {Map<number, string>} */
  const names = new Map();
  const decoder = new TextDecoder();
  for (let at = start; at < end;) {
    const kind = bytes[at];
    const [length, from] = leb(bytes, at + 1);
    if (kind === 1) {
      let [count, position] = leb(bytes, from);
      for (; count > 0; count--) {
        const [index, afterIndex] = leb(bytes, position);
        const [size, text] = leb(bytes, afterIndex);
        names.set(index, decoder.decode(bytes.subarray(text, text + size)));
        position = text + size;
      }
    }
    at = from + length;
  }
  return names;
}

/**
 * The module without what never runs.
 * @param {Uint8Array} bytes with a name section
 * @returns {{bytes: Uint8Array, removed: number, functions: number}} `removed` counts bytes
 */
export function slim(bytes) {
  const sections = sectionsOf(bytes);
  const code = sections.find(({ id }) => id === 10);
  let names = new Map();
  for (const { id, from, end } of sections) {
    if (id !== 0) continue;
    const [length, text] = leb(bytes, from);
    if (new TextDecoder().decode(bytes.subarray(text, text + length)) === "name") names = functionNames(bytes, text + length, end);
  }
  if (!code || names.size === 0) throw new Error("this module has no code or no names");
  const first = functionImports(bytes, sections);
  let [count, at] = leb(bytes, code.from);
  /** @type {Uint8Array[]} */
  const bodies = [Uint8Array.from(toLeb(count))];
  let [removed, functions] = [0, 0];
  for (let i = 0; i < count; i++) {
    const [length, from] = leb(bytes, at);
    const name = withoutInstance(names.get(first + i) ?? "");
    if (NEVER.some((pattern) => pattern.test(name))) {
      bodies.push(TRAP);
      removed += length;
      functions++;
    } else bodies.push(bytes.subarray(at, from + length));
    at = from + length;
  }
  return { bytes: assemble(bytes, sections, new Map([[10, bodies]])), removed, functions };
}
