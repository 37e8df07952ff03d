/** A request on one line for people: what came of it, where it went, how long it took. Machines get members (AccessLog.ts). */
import type { AttemptRecord, AuditRecord } from "../audit/record/AuditRecord.ts"
import type { Paint, Shade } from "../terminal/Colour.ts"
import { printable } from "../terminal/Printable.ts"
import { count, duration } from "../terminal/Quantity.ts"
import { clipped } from "../wire/Clipped.ts"

/** Clients and upstreams decide how long a name or an error is. */
const longest = 120

const shown = (text: string): string => printable(clipped(text, longest))

const shadeOf = ({ outcome, status }: AuditRecord): Shade =>
  outcome === "client_closed"
    ? "dim"
    : status >= 500 || outcome === "stream_broken"
      ? "red"
      : status >= 400
        ? "yellow"
        : "green"

/** `openai ✗503`; what did not fail stands as it is. */
const attempted =
  (paint: Paint) =>
  ({ cause, status, upstream }: AttemptRecord): string =>
    cause === undefined && status !== undefined && status < 400
      ? shown(upstream)
      : `${shown(upstream)} ${paint("red", `✗${status ?? shown(cause ?? "")}`)}`

/** The way it went, one attempt after the other: `gpt-4o → openai ✗503 → azure`. */
const wayOf = ({ attempts, endpoint, model }: AuditRecord, paint: Paint): string =>
  [shown(model ?? endpoint), ...attempts.map(attempted(paint))].join(" → ")

const tokensOf = ({ usage: { inputTokens, outputTokens } }: AuditRecord): string | undefined =>
  inputTokens === undefined && outputTokens === undefined
    ? undefined
    : `${inputTokens === undefined ? "?" : count(inputTokens)}→${outputTokens === undefined ? "?" : count(outputTokens)} tokens`

/** Less of the gateway's own time goes without saying. */
const notable = 100

/** The gateway's own time, where it is long enough that somebody may ask for it and upstreams had theirs. */
const overheadOf = ({ attempts, overheadMs }: AuditRecord): string | undefined =>
  overheadMs === undefined || overheadMs < notable || attempts.length === 0
    ? undefined
    : `overhead ${duration(overheadMs)}`

/** `200  gpt-4o → openai ✗503 → azure  45ms  9→12 tokens  80722e66` */
export const requestLine = (record: AuditRecord, paint: Paint): string =>
  [
    paint(shadeOf(record), String(record.status)),
    wayOf(record, paint),
    record.outcome === "ok" || record.outcome === "upstream_error" ? undefined : record.outcome,
    duration(record.latencyMs),
    record.ttftMs === undefined ? undefined : `first ${duration(record.ttftMs)}`,
    overheadOf(record),
    tokensOf(record),
    record.dropped.length === 0 ? undefined : shown(`dropped ${record.dropped.join(",")}`),
    record.outcome === "ok" || record.error === undefined ? undefined : shown(record.error),
    paint("dim", shown([...record.id].slice(-8).join(""))),
  ]
    .filter((part) => part !== undefined)
    .join("  ")
