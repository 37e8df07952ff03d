/** Effect's logger over the lines of the log: plain objects among the logged values, and annotations, become members of the line. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { Lines, type Members } from "./Lines.ts"

const isMembers = (part: unknown): part is Members =>
  typeof part === "object" && part !== null && Object.getPrototypeOf(part) === Object.prototype

/** `Effect.logInfo("text", { name: value })`: texts are joined, plain objects are members, as annotations are, and an error is a cause. */
const parts = (
  message: unknown,
  annotations: HashMap.HashMap<string, unknown>,
  cause: Cause.Cause<unknown>,
): { readonly text: string; readonly members: Members } => {
  const texts: Array<string> = []
  const members: Record<string, unknown> = {}
  let whole = cause
  for (const part of Array.isArray(message) ? message : [message]) {
    if (isMembers(part)) Object.assign(members, part)
    else if (part instanceof Error) whole = Cause.sequential(whole, Cause.die(part))
    else texts.push(typeof part === "string" ? part : Inspectable.toStringUnknown(part, 0))
  }
  for (const [name, value] of annotations) members[name] = value
  if (!Cause.isEmpty(whole)) members["cause"] = Cause.pretty(whole, { renderErrorCause: true })
  return { text: texts.join(" "), members }
}

/** Replaces Effect's default logger. */
export const layer: Layer.Layer<never, never, Lines> = Layer.unwrapEffect(
  Effect.map(Lines, ({ level, write }) =>
    Layer.merge(
      Logger.replace(
        Logger.defaultLogger,
        Logger.make<unknown, void>(({ annotations, cause, date, logLevel, message }) => {
          const { members, text } = parts(message, annotations, cause)
          write(logLevel, text, members, date)
        }),
      ),
      Logger.minimumLogLevel(level),
    ),
  ),
)
