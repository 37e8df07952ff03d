/** How many files the process may open, connections among them, and how many of clients that allows. */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Set by Linux; Node raises it to the hard limit when it starts. */
const limitsPath = "/proc/self/limits"

/** What a process has open beside connections: databases, logs, libraries, the pipes between its threads, names being looked up. */
const ownFiles = 64

/** The limit of this process; nothing where it cannot be known, or there is none. */
export const filesAllowed: Effect.Effect<number | undefined> = Effect.try(() =>
  readFileSync(limitsPath, "utf8"),
).pipe(
  Effect.map((text) => {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(text) ?? []
    return soft === undefined ? undefined : Number(soft)
  }),
  Effect.option,
  Effect.map(Option.getOrUndefined),
)

/** So many that each may have a call to an upstream under way, which is a connection too. */
export const mostConnections = (files: number): number => Math.max(1, Math.floor((files - ownFiles) / 2))
