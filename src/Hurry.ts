/** The signals that end the process: the first one drains, the second ends at once, as soon as what it cut is written down. */
import * as Effect from "effect/Effect"

/** How long the end may take to write down what it cut. */
const lastMs = 2_000

let signals = 0
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

/** Counts the signals from here on: whoever runs the process takes the first one as its end. */
export const heedSignals = (): void => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      signals += 1
      if (signals === 2) hurry()
      if (signals > 2) process.exit(1)
    })
  }
}
