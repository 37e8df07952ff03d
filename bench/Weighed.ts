/**
 * Loaded into a program that is to be weighed (`node --expose-gc --import`): whenever it is sent SIGUSR2, it collects, and writes what is left in its
 * heap and beside it, in bytes, into the file that `BENCH_TOLD` names.
 */
import { renameSync, writeFileSync } from "node:fs"

const path = process.env["BENCH_TOLD"] ?? ""

process.on("SIGUSR2", () => {
  // Twice: what lies beside the heap is freed behind a collection, and by the next one at the latest. No turn of the loop may come in between: in it a
  // thousand streams bring an event each, and what those leave to be collected, at times as much as is held, would be weighed as well.
  for (let times = 0; times < 2; times++) globalThis.gc?.()
  const { external, heapUsed } = process.memoryUsage()
  writeFileSync(`${path}.part`, String(heapUsed + external))
  // Whoever waits for it finds it whole.
  renameSync(`${path}.part`, path)
})
