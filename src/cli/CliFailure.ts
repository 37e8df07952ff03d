/** How a command ends when its answer is no (1) or it was misused (2); the message is for people, on standard error. */
import * as Data from "effect/Data"

export class CliFailure extends Data.TaggedError("CliFailure")<{
  readonly exitCode: 1 | 2
  readonly message: string
}> {}
