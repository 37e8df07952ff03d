/**
 * How log lines look: flat JSON for machines, one aligned line for people. Plain objects among the
 * logged values, and annotations, become members of the line, so that whatever is logged can be searched by name.
 */
import * as Cause from "effect/Cause"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"

/** A log line: its text, and its members in the order they were given, which annotations do not keep. */
interface Line {
  readonly text: string
  readonly members: ReadonlyArray<readonly [name: string, value: unknown]>
}

const isMembers = (part: unknown): part is Readonly<Record<string, unknown>> =>
  typeof part === "object" && part !== null && Object.getPrototypeOf(part) === Object.prototype

/** `Effect.logInfo("text", { name: value })`: texts are joined, plain objects are members, as annotations are. */
const lineOf = (message: unknown, annotations: HashMap.HashMap<string, unknown>): Line => {
  const parts = Array.isArray(message) ? message : [message]
  const texts: Array<string> = []
  const members: Array<readonly [string, unknown]> = []
  for (const part of parts) {
    if (isMembers(part)) members.push(...Object.entries(part))
    else texts.push(typeof part === "string" ? part : Inspectable.toStringUnknown(part, 0))
  }
  return { text: texts.join(" "), members: [...members, ...HashMap.toEntries(annotations)] }
}

/** One JSON object a line: `time`, `level`, `message`, the members, and `cause` where there is one. */
const json = Logger.make<unknown, string>(({ annotations, cause, date, logLevel, message }) => {
  const { members, text } = lineOf(message, annotations)
  const line: Record<string, unknown> = {
    time: date.toISOString(),
    level: logLevel.label.toLowerCase(),
    message: text,
  }
  for (const [name, value] of members) line[name] = value
  if (!Cause.isEmpty(cause)) line.cause = Cause.pretty(cause, { renderErrorCause: true })
  return Inspectable.stringifyCircular(line)
})

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

/** `17:35:00.123 INFO  message name=value …`; coloured unless `NO_COLOR` is set (https://no-color.org). */
const pretty = (colour: boolean) =>
  Logger.make<unknown, string>(({ annotations, cause, date, logLevel, message }) => {
    const { members, text } = lineOf(message, annotations)
    const level = logLevel.label.padEnd(5)
    const shade = colour ? colours[logLevel._tag] : undefined
    const parts = [
      date.toISOString().slice(11, 23),
      shade === undefined ? level : `${shade}${level}\u001b[0m`,
      text,
    ]
    for (const [name, value] of members) parts.push(pair(name, value))
    if (!Cause.isEmpty(cause)) parts.push(`\n${Cause.pretty(cause, { renderErrorCause: true })}`)
    return parts.join(" ")
  })

/** Replaces Effect's default logger. Lines go to standard output, where containers collect them. */
export const layer = (options: {
  readonly format: "pretty" | "json"
  readonly level: LogLevel.LogLevel
  readonly colour: boolean
}): Layer.Layer<never> =>
  Layer.merge(
    Logger.replace(
      Logger.defaultLogger,
      Logger.withConsoleLog(options.format === "json" ? json : pretty(options.colour)),
    ),
    Logger.minimumLogLevel(options.level),
  )
