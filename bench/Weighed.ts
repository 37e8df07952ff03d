/**
 * Loaded into a program that is to be weighed (`node --expose-gc --import`): whenever it is sent SIGUSR2, it collects, and writes what is left in its
 * heap and beside it, in bytes, into the file that `BENCH_WEIGHED` names.
 */
import { renameSync, writeFileSync } from "node:fs"

const path = process.env["BENCH_WEIGHED"] ?? ""

/** Twice: what the first lets go of may have held more, and memory beside the heap is freed behind it. */
const collect = async (): Promise<void> => {
  for (let times = 0; times < 2; times++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

process.on("SIGUSR2", () => {
  void collect().then(() => {
    const { external, heapUsed } = process.memoryUsage()
    writeFileSync(`${path}.part`, String(heapUsed + external))
    // Whoever waits for it finds it whole.
    renameSync(`${path}.part`, path)
  })
})
