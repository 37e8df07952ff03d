/**
 * Lines on their way to standard output, which may be a full disk, a pipe that nobody reads or a terminal that is closed. What cannot be written is
 * dropped and counted, and told when lines can be written again: serving goes on, since no client minds the log.
 */
import { constants, fstatSync, openSync } from "node:fs"
import { Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What of a `NodeJS.WriteStream` is used. */
export interface LineStream {
  readonly writableLength: number
  readonly write: (text: string, done: (error?: Error | null) => void) => boolean
  readonly on: (event: "error", heard: () => void) => unknown
  readonly off: (event: "error", heard: () => void) => unknown
}

export interface LineWriter {
  readonly write: (line: string) => void
  /** How many lines could not be written. */
  readonly dropped: () => number
}

/** A pipe of standard output opened once more, where the system has a way to. */
const openedAnew = (): Socket | undefined => {
  try {
    if (!fstatSync(1).isFIFO()) return undefined
    const fd = openSync("/proc/self/fd/1", constants.O_WRONLY | constants.O_NONBLOCK)
    return new Socket({ fd, readable: false, writable: true })
  } catch {
    return undefined
  }
}

/**
 * Standard output. Whether writing to a pipe waits for its reader is a state of the pipe as it was opened, which a process shares with those it
 * starts, and each of them makes it wait again when it starts and when it ends: a worker's end would have all of them stand still for a reader that
 * does. Opened anew it is this process's alone.
 */
export const standardOutput: Effect.Effect<LineStream, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(Effect.sync(openedAnew), (opened) => Effect.sync(() => opened?.destroy())),
  (opened) => opened ?? process.stdout,
)

/** How much waits for a slow reader of a pipe, in characters. */
const maxWaiting = 1024 * 1024

/** How long the end waits for such a reader. */
const endMs = 1_000

const reasonOf = (error: Error): string => ("code" in error ? String(error.code) : error.message)

// Each error comes to the write's own callback; as an event it would end the process where nobody listens.
const heard = () => {}

/** How many writers a stream has: several gateways of one process share its standard output, and one listener does for all of them. */
const writersOf = new WeakMap<LineStream, number>()

const enter = (stream: LineStream): void => {
  const writers = writersOf.get(stream) ?? 0
  if (writers === 0) stream.on("error", heard)
  writersOf.set(stream, writers + 1)
}

const leave = (stream: LineStream): void => {
  const writers = (writersOf.get(stream) ?? 1) - 1
  if (writers === 0) stream.off("error", heard)
  writersOf.set(stream, writers)
}

/**
 * Writes the lines of one turn of the event loop at once: a write each would take as long as all else of a line. What is left when the process ends
 * is written then.
 *
 * @param told the line that says how many could not be written, and why
 */
export const lineWriter = (
  stream: LineStream,
  told: (dropped: number, reason: string) => string,
): Effect.Effect<LineWriter, never, Scope.Scope> =>
  Effect.gen(function* () {
    let text = ""
    let lines = 0
    let dropped = 0
    /** Those that nobody was told of. */
    let untold = 0
    let reason = ""
    const drop = (count: number, why: string) => {
      dropped += count
      untold += count
      reason = why
    }
    const flush = () => {
      const due = text
      const count = lines
      text = ""
      lines = 0
      if (due === "") return
      if (stream.writableLength + due.length > maxWaiting) return drop(count, "nobody reads them")
      stream.write(due, (error) => {
        if (error !== undefined && error !== null) drop(count, reasonOf(error))
        else if (untold > 0) {
          const line = told(untold, reason)
          untold = 0
          write(line)
        }
      })
    }
    const write = (line: string) => {
      if (lines === 0) setImmediate(flush)
      text += `${line}\n`
      lines += 1
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        enter(stream)
        process.on("exit", flush)
      }),
      () =>
        Effect.async<void>((resume) => {
          flush()
          process.off("exit", flush)
          if (stream.writableLength === 0) resume(Effect.void)
          else stream.write("", () => resume(Effect.void))
        }).pipe(
          Effect.interruptible,
          Effect.timeoutOption(endMs),
          Effect.ensuring(Effect.sync(() => leave(stream))),
        ),
    )
    return { write, dropped: () => dropped }
  })
