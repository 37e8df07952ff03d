/**
 * Whether the Brotli decoder of the running Node may be given what others packed. Those of before October 2026, and of Node 20 for good, write past
 * a buffer for a few crafted bytes (CVE-2026-111497), which can run a stranger's code. Where it may not, `br` is an encoding like any unknown one.
 */
import { constants } from "node:zlib"

/** The mend brought an error of its own; `process.versions.brotli` tells of it only where the library was replaced as a whole. */
export const readsBrotli: boolean = "BROTLI_DECODER_ERROR_FORMAT_BLOCK_SWITCH" in constants
