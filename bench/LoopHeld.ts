/**
 * Loaded into a program whose event loop is looked at (`node --import`): whenever it is sent SIGUSR2, it writes how long the loop was held at most since
 * it was sent it before, in milliseconds, into the file that `BENCH_TOLD` names.
 */
import { renameSync, writeFileSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"

const path = process.env["BENCH_TOLD"] ?? ""

/** A timer of so many milliseconds is looked at: how late it comes. */
const resolution = 1

const delay = monitorEventLoopDelay({ resolution })
delay.enable()

process.on("SIGUSR2", () => {
  writeFileSync(`${path}.part`, String(Math.max(0, delay.max / 1e6 - resolution)))
  delay.reset()
  renameSync(`${path}.part`, path)
})
