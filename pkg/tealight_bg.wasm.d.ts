/* tslint:disable */
/* eslint-disable */
export const memory: WebAssembly.Memory;
export const __wbg_session_free: (a: number, b: number) => void;
export const catalog: () => [number, number];
export const freshSeed: () => [number, number, number];
export const preview: (a: number, b: number, c: number) => [number, number, number];
export const session_info: (a: number) => [number, number];
export const session_loadWeights: (a: number, b: number, c: number) => [number, number];
export const session_new: (a: number, b: number) => [number, number, number];
export const session_prepare: (a: number, b: number, c: number) => [number, number, number, number];
export const session_read: (a: number, b: any) => [number, number];
export const session_reset: (a: number) => [number, number];
export const session_restore: (a: number, b: number, c: number) => [number, number];
export const session_set: (a: number, b: number, c: number, d: number, e: number) => [number, number, number, number];
export const session_snapshot: (a: number) => [number, number, number];
export const session_step: (a: number, b: number) => [number, number];
export const session_steps: (a: number) => number;
export const session_weights: (a: number) => [number, number, number];
export const start: () => void;
export const __wbindgen_free: (a: number, b: number, c: number) => void;
export const __wbindgen_exn_store: (a: number) => void;
export const __externref_table_alloc: () => number;
export const __wbindgen_externrefs: WebAssembly.Table;
export const __wbindgen_malloc: (a: number, b: number) => number;
export const __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
export const __externref_table_dealloc: (a: number) => void;
export const __wbindgen_start: () => void;
