/** What keeps the gateway from starting, and how it is told: a line of the log for machines, standard error for people. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as Lines from "../telemetry/Lines.ts"
import { CliFailure } from "./CliFailure.ts"

export class CannotStart extends Data.TaggedError("CannotStart")<{
  readonly exitCode: 1 | 2
  /** A line each: what is wrong, where, and what to do. Hold no secret. */
  readonly problems: ReadonlyArray<string>
}> {}

/**
 * Tells the problems once, and ends the command. Whatever the level of the log is: a process that ends without a word helps nobody.
 *
 * @param attended whether somebody looks at standard error, but not at the log
 */
export const tellCannotStart = (
  { exitCode, problems }: CannotStart,
  format: "pretty" | "json",
  attended: boolean,
): Effect.Effect<never, CliFailure> => {
  const forPeople = ["cannot start:", ...problems].join("\n")
  if (format === "pretty") return new CliFailure({ exitCode, message: forPeople })
  return Effect.flatMap(Lines.Lines, ({ write }) =>
    Effect.sync(() => write(LogLevel.Error, "cannot start", { problems })),
  ).pipe(
    Effect.provide(Lines.layer({ format, level: LogLevel.All, colour: false })),
    Effect.zipRight(new CliFailure({ exitCode, message: attended ? forPeople : "" })),
  )
}
