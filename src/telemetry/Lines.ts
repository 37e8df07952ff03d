/**
 * The lines of the log: what they look like, flat JSON for machines, one aligned line for people, and where they go. Effect's own logger writes
 * them (Log.ts), and so does what logs each request, directly: through the logger a line would take three times as long.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import { lineWriter } from "./StandardOutput.ts"

/** Members of a line by name; those that are `undefined` are left out. */
export type Members = Readonly<Record<string, unknown>>

export class Lines extends Context.Tag("sluice/Lines")<
  Lines,
  {
    /** Writes a line, unless it is below the level that is logged. */
    readonly write: (level: LogLevel.LogLevel, text: string, members: Members, date?: Date) => void
    readonly level: LogLevel.LogLevel
    /** How many lines could not be written. */
    readonly dropped: () => number
  }
>() {}

type Render = (level: LogLevel.LogLevel, text: string, members: Members, date: Date) => string

export interface LineOptions {
  readonly format: "pretty" | "json"
  readonly level: LogLevel.LogLevel
  readonly colour: boolean
  /** Where lines go; standard output, where containers collect them, if left out. */
  readonly sink?: (line: string) => void
}

/** What can be printed as it is, nearly always, is; looking for circles takes five times as long. */
const stringify = (line: Members): string => {
  try {
    return JSON.stringify(line)
  } catch {
    return Inspectable.stringifyCircular(line)
  }
}

/** One JSON object a line: `time`, `level`, `message`, then the members, which are printed where they are rather than copied behind the others. */
const json = (level: LogLevel.LogLevel, text: string, members: Members, date: Date): string => {
  const head = `{"time":"${date.toISOString()}","level":"${level.label.toLowerCase()}","message":${JSON.stringify(text)}`
  const rest = stringify(members)
  return rest === "{}" ? `${head}}` : `${head},${rest.slice(1)}`
}

const colours: Partial<Record<LogLevel.LogLevel["_tag"], string>> = {
  Debug: "\u001b[2m",
  Info: "\u001b[32m",
  Warning: "\u001b[33m",
  Error: "\u001b[31m",
  Fatal: "\u001b[31;1m",
}

/** A value on a pretty line. Clients choose some of them, so what could forge a line or drive a terminal is escaped. */
const pair = (name: string, value: unknown): string => {
  const text = typeof value === "string" ? value : Inspectable.toStringUnknown(value, 0)
  return `${name}=${/^[\x21-\x7e\u00a1-\uffff]+$/u.test(text) ? text : JSON.stringify(text).replace(/[\x7f-\x9f]/g, "?")}`
}

/** `17:35:00.123 INFO  message name=value …`; coloured unless `NO_COLOR` is set (https://no-color.org). A `cause` goes on lines of its own. */
const pretty =
  (colour: boolean) =>
  (level: LogLevel.LogLevel, text: string, { cause, ...members }: Members, date: Date): string => {
    const label = level.label.padEnd(5)
    const shade = colour ? colours[level._tag] : undefined
    const parts = [
      date.toISOString().slice(11, 23),
      shade === undefined ? label : `${shade}${label}\u001b[0m`,
      text,
    ]
    for (const [name, value] of Object.entries(members))
      if (value !== undefined) parts.push(pair(name, value))
    if (typeof cause === "string") parts.push(cause.includes("\n") ? `\n${cause}` : pair("cause", cause))
    return parts.join(" ")
  }

/** At the level at which an operator looks. */
const couldNotBeWritten =
  (render: Render, now: () => number) =>
  (lines: number, reason: string): string =>
    render(LogLevel.Warning, "lines of the log could not be written", { lines, reason }, new Date(now()))

export const layer = ({ colour, format, level, sink }: LineOptions): Layer.Layer<Lines> =>
  Layer.scoped(
    Lines,
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const render: Render = format === "json" ? json : pretty(colour)
      const { dropped, write } =
        sink === undefined
          ? yield* lineWriter(
              process.stdout,
              couldNotBeWritten(render, () => clock.unsafeCurrentTimeMillis()),
            )
          : { write: sink, dropped: () => 0 }
      return Lines.of({
        level,
        dropped,
        write: (of, text, members, date) => {
          if (LogLevel.lessThan(of, level)) return
          write(render(of, text, members, date ?? new Date(clock.unsafeCurrentTimeMillis())))
        },
      })
    }),
  )
