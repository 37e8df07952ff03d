/** Where a command's answer goes: standard output, no faster than it is read, and no longer; and how it may look there. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type Paint, paintFor } from "../terminal/Colour.ts"
import { CliFailure } from "./CliFailure.ts"

/** Whoever read the answer has seen enough (`| head`). */
export class OutputClosed extends Data.TaggedError("OutputClosed") {}

const codeOf = (error: Error): string => ("code" in error ? String(error.code) : "")

/** Succeeds once the text was taken. */
const writeTo = (stream: NodeJS.WriteStream) => {
  // Errors come to the callback and as an event, which would end the process where nobody listens to it.
  stream.on("error", () => {})
  return (text: string): Effect.Effect<void, OutputClosed | CliFailure> =>
    Effect.async((resume) => {
      stream.write(text, (error) => {
        if (error === null || error === undefined) return resume(Effect.void)
        resume(
          Effect.fail(
            codeOf(error) === "EPIPE" || codeOf(error) === "ERR_STREAM_DESTROYED"
              ? new OutputClosed()
              : new CliFailure({ exitCode: 1, message: `cannot write the answer: ${error.message}` }),
          ),
        )
      })
    })
}

/** As many columns as a terminal has that nobody asked. */
const usualRoom = 100

/** Standard output, or what a test put in its place; `paint` colours where it is a terminal, `room` is how many columns that has, also where people look at it later. */
export class Output extends Context.Reference<Output>()("sluice/cli/Output", {
  defaultValue: (): {
    readonly write: (text: string) => Effect.Effect<void, OutputClosed | CliFailure>
    readonly paint: Paint
    readonly room: number
    readonly isTerminal: boolean
  } => ({
    write: writeTo(process.stdout),
    paint: paintFor(process.stdout, process.env),
    room: process.stdout.isTTY === true ? process.stdout.columns : usualRoom,
    isTerminal: process.stdout.isTTY === true,
  }),
}) {}

/** Writes to standard output, or to what a test put in its place. */
export const write = (text: string): Effect.Effect<void, OutputClosed | CliFailure> =>
  Effect.flatMap(Output, (output) => output.write(text))
