/**
 * Lines on their way to a file of the day. Several processes write to the same one: each writes whole lines at once to its end. A folder that cannot be
 * written, or a full disk, costs lines alone, and no request waits for one: they wait in memory up to a bound.
 */
import { closeSync, constants, openSync, writeSync } from "node:fs"
import { type FileHandle, mkdir, open } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { dayOf, fileNameOf, type LogKind } from "./LogDays.ts"

export interface DailyFileOptions {
  readonly directory: string
  readonly kind: LogKind
  /** Epoch milliseconds. */
  readonly now: () => number
  /** It cannot be written from here on, or, without a reason, it can again. */
  readonly told: (reason: string | undefined) => void
  /** A day's file is open that was not: the days behind it may go. */
  readonly onDay: (day: number) => Effect.Effect<void>
}

export interface DailyFile {
  readonly write: (line: string) => void
  /** How many lines could not be written. */
  readonly dropped: () => number
}

/** How much waits, in characters; as much again may be on its way. */
const maxWaiting = 1024 * 1024

const retryMs = 1_000

/** A file is opened anew so often: one that somebody moved away or removed is made again. */
const reopenMs = 60_000

/** How long the end waits for a disk that does not answer. */
const endMs = 1_000

/** For its owner alone. A link is not followed, and nobody is waited for: a folder may be anybody's. */
const flags =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NONBLOCK |
  (constants.O_NOFOLLOW ?? 0)
const mode = 0o600

const newline = 0x0a

class NotAFile extends Error {
  readonly code = "it is no file"
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? ("code" in error ? String(error.code) : error.message) : String(error)

/** Lines did not get to the disk. */
class Unwritten extends Data.TaggedError("Unwritten")<{ readonly reason: string }> {}

const unwritten = (error: unknown): Unwritten => new Unwritten({ reason: reasonOf(error) })

/** An open file of a day. */
interface Opened {
  readonly handle: FileHandle
  readonly day: number
  readonly at: number
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code

/**
 * Makes a folder and those it stands in. Node's own way of it goes round without end where a file system says of what cannot be made that it is not there,
 * as `/proc` does.
 */
const makeFolder = async (directory: string): Promise<void> => {
  const make = () => mkdir(directory, { mode: 0o700 })
  const above = dirname(directory)
  try {
    await make().catch(async (error: unknown) => {
      if (!isCode(error, "ENOENT") || above === directory) throw error
      await makeFolder(above)
      await make()
    })
  } catch (error) {
    // Another process may have made it; what else stands there is no folder, which opening a file in it tells.
    if (!isCode(error, "EEXIST")) throw error
  }
}

const openAt = async (directory: string, name: string): Promise<FileHandle> => {
  await makeFolder(directory)
  const handle = await open(join(directory, name), flags, mode)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new NotAFile()
}

/** How many of these were written to the file: some of them, or it failed. */
const bytesTaken = async (handle: FileHandle, bytes: Buffer): Promise<number> => {
  const { bytesWritten } = await handle.write(bytes)
  if (bytesWritten > 0) return bytesWritten
  throw new Error("it takes nothing")
}

class Writing implements DailyFile {
  readonly #options: DailyFileOptions
  readonly #some = Effect.unsafeMakeLatch(false)
  #waiting = ""
  #dropped = 0
  #opened: Opened | undefined
  /** The last thing in the file is a piece of a line. */
  #isTorn = false
  #fails = false

  constructor(options: DailyFileOptions) {
    this.#options = options
  }

  write(line: string): void {
    if (this.#waiting.length + line.length >= maxWaiting) {
      this.#dropped++
      return
    }
    if (this.#waiting === "") this.#some.unsafeOpen()
    this.#waiting += `${line}\n`
  }

  dropped(): number {
    return this.#dropped
  }

  /** Writes what waits, again and again. */
  readonly run: Effect.Effect<never> = Effect.suspend(() =>
    Effect.forever(
      Effect.zipRight(
        this.#some.await,
        Effect.uninterruptible(this.#once).pipe(
          Effect.tap(() => this.#tell(undefined)),
          Effect.catchTag("Unwritten", ({ reason }) => Effect.sleep(this.#tell(reason))),
        ),
      ),
    ),
  )

  /** The last of it, while the process ends: nothing is waited for any more. */
  readonly last = (): void => {
    const text = this.#waiting
    if (text === "") return
    this.#waiting = ""
    const { directory, kind, now } = this.#options
    try {
      const fd = openSync(join(directory, fileNameOf(kind, dayOf(now()))), flags, mode)
      writeSync(fd, this.#isTorn ? `\n${text}` : text)
      closeSync(fd)
    } catch {
      // Standard output has them.
    }
  }

  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const handle = this.#opened?.handle
    this.#opened = undefined
    return handle === undefined ? Effect.void : Effect.ignore(Effect.tryPromise(() => handle.close()))
  })

  /** Says it once; gives how long to wait before another try. */
  #tell(reason: string | undefined): number {
    if (this.#fails !== (reason !== undefined)) {
      this.#fails = reason !== undefined
      this.#options.told(reason)
    }
    return retryMs
  }

  get #once(): Effect.Effect<void, Unwritten> {
    return Effect.gen(this, function* () {
      const handle = yield* this.#ready
      const text = this.#waiting
      this.#waiting = ""
      this.#some.unsafeClose()
      const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text)
      const written = yield* Effect.tryPromise({
        try: () => bytesTaken(handle, bytes),
        catch: unwritten,
      }).pipe(Effect.tapError(() => Effect.sync(() => this.#back(text))))
      if (written < bytes.length) this.#cutOff(bytes, written)
      else this.#isTorn = false
    })
  }

  /** Puts what was not written before what has come since. */
  #back(text: string): void {
    this.#waiting = text + this.#waiting
    this.#some.unsafeOpen()
  }

  /** A full disk took a part: of the line in which it ends the rest would stand behind those of others. */
  #cutOff(bytes: Buffer, written: number): void {
    this.#isTorn = bytes[written - 1] !== newline
    const next = this.#isTorn ? bytes.indexOf(newline, written) + 1 : written
    if (this.#isTorn) this.#dropped++
    const rest = bytes.subarray(next).toString()
    if (rest !== "") this.#back(rest)
  }

  /** The file of today. */
  get #ready(): Effect.Effect<FileHandle, Unwritten> {
    return Effect.gen(this, function* () {
      const { directory, kind, now, onDay } = this.#options
      const at = now()
      const day = dayOf(at)
      const opened = this.#opened
      if (opened !== undefined && opened.day === day && Math.abs(at - opened.at) < reopenMs) {
        return opened.handle
      }
      yield* this.close
      const handle = yield* Effect.tryPromise({
        try: () => openAt(directory, fileNameOf(kind, day)),
        catch: unwritten,
      })
      this.#opened = { handle, day, at }
      if (opened?.day !== day) yield* onDay(day)
      return handle
    })
  }
}

/** Writes until the scope closes, and what is left then; a disk that does not answer keeps nobody. */
export const dailyFile = (options: DailyFileOptions): Effect.Effect<DailyFile, never, Scope.Scope> =>
  Effect.gen(function* () {
    const file = new Writing(options)
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("exit", file.last)),
      () =>
        Effect.sync(() => {
          file.last()
          process.off("exit", file.last)
        }),
    )
    yield* Effect.acquireRelease(Effect.forkDaemon(Effect.interruptible(file.run)), (fiber) =>
      Effect.zipRight(Fiber.interrupt(fiber), file.close).pipe(
        Effect.interruptible,
        Effect.disconnect,
        Effect.timeoutOption(endMs),
      ),
    )
    return file
  })
