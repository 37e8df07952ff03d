/**
 * Decoders for Brotli that may be given what others packed. Node's own, where it is mended: those of before October 2026, and of Node 20 for good,
 * write past a buffer for a few crafted bytes (CVE-2026-111497), which can run a stranger's code. Elsewhere one that cannot be overrun, somewhat slower.
 */
import type { Transform } from "node:stream"
import { constants, createBrotliDecompress } from "node:zlib"
import { BrotliThreadDecoder } from "./BrotliThread.ts"

/** The mend brought an error of its own; `process.versions.brotli` tells of it only where the library was replaced as a whole. */
const isMended = "BROTLI_DECODER_ERROR_FORMAT_BLOCK_SWITCH" in constants

/** Counts the packed bytes it read; those behind the end are none of them. */
export type BrotliDecoder = Transform & { readonly bytesWritten: number }

/** For one body. Whichever it is, it fails in the same way, but that Rust's lets set bits behind the last one pass. */
export const brotliDecoder = (): BrotliDecoder =>
  isMended ? createBrotliDecompress() : new BrotliThreadDecoder()
