/**
 * The lines of the log: what they look like, flat JSON for machines, one aligned line for people, and where they go. Effect's own logger writes
 * them (Log.ts), and so does what logs each request, directly: through the logger a line would take three times as long.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import { betweenColours, coloured, type Paint, plain, type Shade } from "../terminal/Colour.ts"
import { printable, printableJson, printableLines } from "../terminal/Printable.ts"
import { timeOfDay } from "../terminal/Quantity.ts"
import { clipped } from "../wire/Clipped.ts"
import { type LogFolder, logFiles } from "./LogFiles.ts"
import { lineWriter, standardOutput } from "./StandardOutput.ts"

/** Members of a line by name; those that are `undefined` are left out. */
export type Members = Readonly<Record<string, unknown>>

export class Lines extends Context.Tag("sluice/Lines")<
  Lines,
  {
    /** Writes a line, unless it is below the level that is logged. */
    readonly write: (level: LogLevel.LogLevel, text: string, members: Members, date?: Date) => void
    /** Writes the line of a request at `info`, by the status of its answer. */
    readonly request: (status: number, text: string, members: Members) => void
    readonly level: LogLevel.LogLevel
    /** How people's lines are painted; `undefined` where lines are for machines. */
    readonly people: Paint | undefined
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
  /** Where they go besides, in files of the day. */
  readonly folder?: LogFolder | undefined
}

/** The most of one value, and of a line: a log is read by people, and gathered by what drops long ones. */
const longestValue = 4_096
const longestLine = 32 * 1024
const longestName = 64

/** Lines that nothing in them forges another of, or drives a terminal by: all that is printed as it is. */
const isPlain = (line: string): boolean => !/[^\x20-\x7e]/.test(line)

/** The members with texts no longer than may be, for a line that is too long. */
const shortened = (members: Members): Members =>
  Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      typeof value === "number" || typeof value === "boolean" || value === undefined
        ? value
        : clipped(typeof value === "string" ? value : Inspectable.toStringUnknown(value, 0), longestValue),
    ]),
  )

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
  const head = `{"time":"${date.toISOString()}","level":"${level.label.toLowerCase()}","message":${JSON.stringify(clipped(text, longestValue))}`
  const whole = stringify(members)
  const rest = whole.length > longestLine ? stringify(shortened(members)) : whole
  // Of members without end, not one is told.
  const line = rest === "{}" || rest.length > longestLine ? `${head}}` : `${head},${rest.slice(1)}`
  return isPlain(line) ? line : printableJson(line)
}

const shades: Partial<Record<LogLevel.LogLevel["_tag"], Shade>> = {
  Debug: "dim",
  Info: "green",
  Warning: "yellow",
  Error: "red",
  Fatal: "red",
}

/** A value on a pretty line. Clients and upstreams choose some of them, so what could forge a line or drive a terminal is escaped. */
const pair = (name: string, value: unknown): string => {
  const text = typeof value === "string" ? value : Inspectable.toStringUnknown(value, 0)
  const told = clipped(text, longestValue)
  return `${printable(clipped(name, longestName))}=${printable(/^[\x21-\x7e\u00a1-\uffff]+$/u.test(told) ? told : JSON.stringify(told))}`
}

/** What a line that goes on begins with, so that nobody takes it for one of its own. */
const goesOn = "    "

/** A text that may have lines: each but the first is seen to belong to it. */
const indented = (text: string): string =>
  printableLines(clipped(text, longestLine)).replace(/\n(?! {4})/g, `\n${goesOn}`)

/** A message: ours, but what stands in it may be of others. */
const shownText = (paint: Paint, text: string): string => {
  const short = clipped(text, longestLine)
  if (isPlain(short)) return short
  return paint === plain ? indented(short) : betweenColours(short, indented)
}

/** `17:35:00.123 INFO  message name=value …`, the time that of this machine. A `cause` goes on lines of its own. */
const pretty =
  (paint: Paint) =>
  (level: LogLevel.LogLevel, text: string, { cause, ...members }: Members, date: Date): string => {
    const label = level.label.padEnd(5)
    const shade = shades[level._tag]
    const parts = [
      timeOfDay(date, "local"),
      shade === undefined ? label : paint(shade, label),
      shownText(paint, text),
    ]
    for (const [name, value] of Object.entries(members))
      if (value !== undefined) parts.push(pair(name, value))
    if (typeof cause === "string") {
      parts.push(cause.includes("\n") ? `\n${goesOn}${indented(cause)}` : pair("cause", cause))
    }
    return clipped(parts.join(" "), longestLine)
  }

/** A text that may be painted, for where nobody paints. */
const unpainted = (text: string): string => betweenColours(text, identity, () => "")

/** At the level at which an operator looks. */
const couldNotBeWritten =
  (render: Render, now: () => number) =>
  (lines: number, reason: string): string =>
    render(LogLevel.Warning, "lines of the log could not be written", { lines, reason }, new Date(now()))

/** Told on standard output alone: what becomes of the files is not for them. */
const toldOf = ({ directory }: LogFolder, reason: string | undefined): readonly [string, Members] =>
  reason === undefined
    ? ["the files of the log can be written again", { directory }]
    : ["the files of the log cannot be written; serving goes on", { directory, reason }]

/** What the files of the log have of a line: as it is on standard output, without its paint. */
const filedBy =
  (people: Paint | undefined, render: Render): ((line: string, ...of: Parameters<Render>) => string) =>
  (line, level, text, members, date) =>
    people === coloured ? render(level, unpainted(text), members, date) : line

export const layer = ({ colour, folder, format, level, sink }: LineOptions): Layer.Layer<Lines> =>
  Layer.scoped(
    Lines,
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const now = () => clock.unsafeCurrentTimeMillis()
      const people = format === "json" ? undefined : colour ? coloured : plain
      const render: Render = people === undefined ? json : pretty(people)
      const out =
        sink === undefined
          ? yield* lineWriter(yield* standardOutput, couldNotBeWritten(render, now))
          : { write: sink, dropped: () => 0 }
      const files =
        folder === undefined
          ? undefined
          : yield* logFiles(folder, now, (reason) => {
              out.write(render(LogLevel.Warning, ...toldOf(folder, reason), new Date(now())))
            })
      const filed = filedBy(people, people === undefined ? json : pretty(plain))
      const put = (
        of: LogLevel.LogLevel,
        text: string,
        members: Members,
        date: Date,
        status: number | undefined,
      ): void => {
        const line = render(of, text, members, date)
        out.write(line)
        if (files !== undefined) files.write(filed(line, of, text, members, date), status)
      }
      return Lines.of({
        level,
        people,
        dropped: () => out.dropped() + (files?.dropped() ?? 0),
        write: (of, text, members, date) => {
          if (LogLevel.lessThan(of, level)) return
          put(of, text, members, date ?? new Date(now()), undefined)
        },
        request: (status, text, members) => {
          if (LogLevel.lessThan(LogLevel.Info, level)) return
          put(LogLevel.Info, text, members, new Date(now()), status)
        },
      })
    }),
  )
