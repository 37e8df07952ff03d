/** A configuration that cannot be used, and its problems on one line. */
import { basename } from "node:path"
import * as Data from "effect/Data"
import { type Problem, toldPublicly } from "./ConfigFile.ts"
import type { ConfigUnreadable } from "./ConfigText.ts"

/** The file is there and says something that cannot be used. */
export class ConfigInvalid extends Data.TaggedError("ConfigInvalid")<{
  readonly path: string
  readonly problems: ReadonlyArray<Problem>
}> {
  /** For everybody. */
  override get message(): string {
    return this.problems.map((problem) => toldPublicly(this.path, problem)).join("\n")
  }
}

/** How many problems `status` repeats. */
const problemsInStatus = 3

/** What is wrong, on one line, for `/health`. */
export const summary = (error: ConfigInvalid | ConfigUnreadable): string => {
  if (error._tag === "ConfigUnreadable") return error.message
  const errors = error.problems.filter(({ severity }) => severity === "error")
  const first = errors
    .slice(0, problemsInStatus)
    .map((problem) => toldPublicly(basename(error.path), problem))
  const more = errors.length - first.length
  return more > 0 ? `${first.join("; ")}; and ${more} more` : first.join("; ")
}
