/** The signals that end the process: the first one drains, the second ends at once, as soon as what it cut is written down. */
import * as Effect from "effect/Effect"

/**
 * A signal that comes again within this time is the same one: under npm, Ctrl-C arrives from the terminal and from npm, which passes it on.
 */
const echoMs = 200

/** How long the end may take to write down what it cut. */
const lastMs = 2_000

let isSaid = false
const waiting = new Set<() => void>()

/** Whether the end is to be at once. */
export const isHurried = (): boolean => isSaid

/** Ends at once. */
export const hurry = (): void => {
  if (isSaid) return
  isSaid = true
  setTimeout(() => process.exit(1), lastMs).unref()
  for (const go of waiting) go()
}

/** Done when the end is to be at once. */
export const hurried: Effect.Effect<void> = Effect.async((resume) => {
  const go = () => resume(Effect.void)
  if (isSaid) return go()
  waiting.add(go)
  return Effect.sync(() => waiting.delete(go))
})

/** Counts signals by their name and time: how many there were so far, an echo being none of its own. */
export const signalCounter = (): ((signal: string, atMs: number) => number) => {
  let count = 0
  let last = ""
  let lastAtMs = Number.NEGATIVE_INFINITY
  return (signal, atMs) => {
    if (signal === last && atMs - lastAtMs < echoMs) return count
    last = signal
    lastAtMs = atMs
    count += 1
    return count
  }
}

/** Counts the signals from here on: whoever runs the process takes the first one as its end. */
export const heedSignals = (): void => {
  const countOf = signalCounter()
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const count = countOf(signal, performance.now())
      if (count === 2) hurry()
      if (count > 2) process.exit(1)
    })
  }
}
