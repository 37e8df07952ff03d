/** The text of the configuration file, or in words why there is none. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { largestFile, textOfBytes } from "./ConfigFile.ts"

const missing = "there is no such file"

/** A path of which there is a file, or that has the name of a configuration; any other may be anything, a key too. */
const pathSaid = (path: string, reason: string): string =>
  reason !== missing || /\.(?:ya?ml|json)$/i.test(path)
    ? path
    : "the file that CONFIG_PATH or the command names"

/** The file cannot be read. */
export class ConfigUnreadable extends Data.TaggedError("ConfigUnreadable")<{
  readonly path: string
  /** In words: "permission denied". */
  readonly reason: string
}> {
  get isMissing(): boolean {
    return this.reason === missing
  }
  override get message(): string {
    return `${pathSaid(this.path, this.reason)}: the configuration cannot be read: ${this.reason}`
  }
}

export interface ConfigText {
  readonly text: string
  /** When it was written, in epoch milliseconds, by the clock of whoever keeps the file. */
  readonly writtenAt: number | undefined
  /** Every user of the machine may read it. Not told of what a link leads to: mounted secrets are for all in their container. */
  readonly isOpen: boolean
}

/** What is said of a file that holds keys and is open. */
export const openFile = `every user of this machine may read this file, and keys stand in it: chmod 600 it, or write \${NAME} and have them in the environment`

/** Reads the file. */
export const readConfigText = (
  path: string,
): Effect.Effect<ConfigText, ConfigUnreadable, FileSystem.FileSystem> => {
  const unreadable = (reason: string) => new ConfigUnreadable({ path, reason })
  return Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { mode, mtime, size, type } = yield* fs.stat(path)
    // A pipe or a device would keep the reader waiting.
    if (type !== "File") return yield* unreadable(`it is a ${kinds[type] ?? type}, not a file`)
    if (size > largestFile) return yield* unreadable("it is larger than 4 MiB, which no configuration is")
    const text = textOfBytes(yield* fs.readFile(path))
    if (text === undefined) return yield* unreadable("it is not UTF-8 text; save it as UTF-8")
    const isLink = yield* Effect.isSuccess(fs.readLink(path))
    return {
      text,
      writtenAt: Option.getOrUndefined(mtime)?.getTime(),
      isOpen: (mode & readableByOthers) !== 0 && !isLink && process.platform !== "win32",
    }
  }).pipe(
    Effect.catchTags({
      SystemError: ({ description, reason }) => unreadable(reasonInWords(reason, description ?? "")),
      BadArgument: () => unreadable("its path is not valid"),
    }),
  )
}

const readableByOthers = 0o004

const kinds: Readonly<Record<string, string>> = {
  Directory: "directory",
  FIFO: "pipe",
  Socket: "socket",
  CharacterDevice: "device",
  BlockDevice: "device",
}

/** Of the system's own words only the code is looked at: they repeat the path. */
const reasonInWords = (reason: string, description: string): string => {
  if (description.startsWith("ELOOP")) return "its symbolic links lead round in a circle"
  if (description.startsWith("ENOTDIR")) return "a part of its path is no directory"
  return reason === "NotFound"
    ? missing
    : reason === "PermissionDenied"
      ? "permission denied"
      : `the system says ${reason}`
}
