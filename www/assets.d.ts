/** Style sheets are imported as their text, for constructed style sheets in shadow roots. */
declare module "*.css" {
  const text: string;
  export default text;
}

/** Whether the build carries everything in one file. */
declare const TEALIGHT_INLINE: boolean;

/** The files of this build and their digests, as the service worker keeps them. */
declare const TEALIGHT_OFFLINE: { version: string; files: Record<string, string> };

/** The programs in `www/code/` that the build found: the endings of the files, by model. */
declare const TEALIGHT_CODE: Record<string, string[]>;

/** The encoder ships no types of its own. */
declare module "gifenc" {
  type Palette = number[][];
  interface Encoder {
    writeFrame(index: Uint8Array, width: number, height: number, options: { palette?: Palette; delay?: number; repeat?: number; transparent?: boolean; transparentIndex?: number; dispose?: number }): void;
    finish(): void;
    bytes(): Uint8Array;
  }
  export function GIFEncoder(): Encoder;
  export function quantize(rgba: Uint8Array | Uint8ClampedArray, colours: number, options?: { format?: "rgb565" | "rgb444" | "rgba4444" }): Palette;
  export function applyPalette(rgba: Uint8Array | Uint8ClampedArray, palette: Palette, format?: string): Uint8Array;
}
/** The file that a data set is stored in, by the data set; the build reads them in the catalogue. */
declare const TEALIGHT_SUPPLIES: Record<string, string | undefined>;
