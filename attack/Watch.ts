/** Loaded into the gateway before it starts: writes down, once a second, for how long its event loop stood still at most. */
import { appendFileSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { isMainThread } from "node:worker_threads"

const path = process.env["ATTACK_WATCH"]
const resolutionMs = 5
const nanosPerMilli = 1e6

if (isMainThread && path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  setInterval(() => {
    appendFileSync(path, `${Date.now()} ${(delay.max / nanosPerMilli - resolutionMs).toFixed(1)}\n`)
    delay.reset()
  }, 1_000).unref()
}
