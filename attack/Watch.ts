/**
 * Loaded into the gateway before it starts: writes down, once a second, for how long its event loop stood still at most, by the clock, and by what its
 * thread worked meanwhile. The second is the gateway's own doing, and the same on a machine that does much else.
 */
import { appendFileSync, openSync, readSync } from "node:fs"
import { isMainThread } from "node:worker_threads"

const path = process.env["ATTACK_WATCH"]
const lookEveryMs = 5
const nanosPerMilli = 1e6

/** Milliseconds of a core that this thread has used, as Linux tells it (`Documentation/scheduler/sched-stats.rst`). */
const workedMs = (() => {
  const bytes = Buffer.alloc(128)
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r")
    return () => {
      const length = readSync(file, bytes, 0, bytes.length, 0)
      return Number(bytes.toString("latin1", 0, length).split(" ", 1)[0]) / nanosPerMilli
    }
  } catch {
    return () => performance.now()
  }
})()

if (isMainThread && path !== undefined) {
  let lastAt = performance.now()
  let lastWorked = workedMs()
  let held = 0
  let worked = 0
  setInterval(() => {
    const at = performance.now()
    const workedUntil = workedMs()
    held = Math.max(held, at - lastAt - lookEveryMs)
    worked = Math.max(worked, workedUntil - lastWorked)
    lastAt = at
    lastWorked = workedUntil
  }, lookEveryMs).unref()
  setInterval(() => {
    appendFileSync(path, `${Date.now()} ${held.toFixed(1)} ${worked.toFixed(1)}\n`)
    held = 0
    worked = 0
  }, 1_000).unref()
}
