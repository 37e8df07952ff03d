/** The text of the configuration file, or in words why there is none. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { largestFile, textOfBytes } from "./ConfigFile.ts"

/** The file cannot be read. */
export class ConfigUnreadable extends Data.TaggedError("ConfigUnreadable")<{
  readonly path: string
  /** In words: "permission denied". */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path}: the configuration cannot be read: ${this.reason}`
  }
}

export interface ConfigText {
  readonly text: string
  /** When it was written, in epoch milliseconds, by the clock of whoever keeps the file. */
  readonly writtenAt: number | undefined
}

/** Reads the file. */
export const readConfigText = (
  path: string,
): Effect.Effect<ConfigText, ConfigUnreadable, FileSystem.FileSystem> => {
  const unreadable = (reason: string) => new ConfigUnreadable({ path, reason })
  return Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { mtime, size, type } = yield* fs.stat(path)
    // A pipe or a device would keep the reader waiting.
    if (type !== "File") return yield* unreadable(`it is a ${kinds[type] ?? type}, not a file`)
    if (size > largestFile) return yield* unreadable("it is larger than 4 MiB, which no configuration is")
    const text = textOfBytes(yield* fs.readFile(path))
    if (text === undefined) return yield* unreadable("it is not UTF-8 text; save it as UTF-8")
    return { text, writtenAt: Option.getOrUndefined(mtime)?.getTime() }
  }).pipe(
    Effect.catchTags({
      SystemError: ({ reason }) => unreadable(reasonInWords(reason)),
      BadArgument: () => unreadable("its path is not valid"),
    }),
  )
}

const kinds: Readonly<Record<string, string>> = {
  Directory: "directory",
  FIFO: "pipe",
  Socket: "socket",
  CharacterDevice: "device",
  BlockDevice: "device",
}

const reasonInWords = (reason: string): string =>
  reason === "NotFound"
    ? "there is no such file"
    : reason === "PermissionDenied"
      ? "permission denied"
      : `the system says ${reason}`
