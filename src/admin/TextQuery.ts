/** The parameters of a question, as the audit is asked; and the cursor of a page, which callers only give back. */
import * as Either from "effect/Either"
import {
  type AuditFilter,
  instantText,
  outcomes,
  parseStatus,
  parseTime,
  type StatusRange,
} from "../audit/read/AuditFilter.ts"
import type { RowPlace } from "../audit/read/MonthQuery.ts"
import type { RequestQuery } from "./api/RequestQuery.ts"

/** What is wrong with a parameter. */
export interface WrongParam {
  readonly param: string
  readonly message: string
}

type Filters = Omit<RequestQuery, "cursor" | "limit" | "order" | "whole" | "within_ms">

/** An empty one is none: forms send those. */
const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text)

const read = <A>(
  param: string,
  text: string | undefined,
  parse: (text: string) => Either.Either<A, string>,
): Either.Either<A | undefined, WrongParam> => {
  const value = given(text)
  return value === undefined
    ? Either.right(undefined)
    : Either.mapLeft(parse(value), (message) => ({ param, message: `${param}: ${message}` }))
}

const parseOutcome = (text: string): Either.Either<NonNullable<AuditFilter["outcome"]>, string> => {
  const found = [...outcomes, "failed" as const].find((outcome) => outcome === text)
  return found === undefined
    ? Either.left(`expected one of ${[...outcomes, "failed"].join(", ")}`)
    : Either.right(found)
}

const statusText = ({ first, last }: StatusRange): string =>
  first === last ? String(first) : `${Math.floor(first / 100)}xx`

/** The filter that a question's parameters describe. Times without a zone are UTC. */
export const filterIn = (query: Filters, now: number): Either.Either<AuditFilter, WrongParam> =>
  Either.gen(function* () {
    const time = (text: string) => parseTime(text, now, "utc")
    return {
      since: yield* read("since", query.since, time),
      until: yield* read("until", query.until, time),
      model: given(query.model),
      upstream: given(query.upstream),
      endpoint: given(query.endpoint),
      status: yield* read("status", query.status, parseStatus),
      outcome: yield* read("outcome", query.outcome, parseOutcome),
      clientIp: given(query.ip),
      keyFingerprint: given(query.key),
      conversation: given(query.conversation),
      text: given(query.text),
    }
  })

/** The parameters that describe a filter: the way back. */
export const paramsOf = ({
  clientIp,
  keyFingerprint,
  since,
  status,
  until,
  ...others
}: AuditFilter): Filters => ({
  ...others,
  since: since === undefined ? undefined : instantText(since),
  until: until === undefined ? undefined : instantText(until),
  status: status === undefined ? undefined : statusText(status),
  ip: clientIp,
  key: keyFingerprint,
})

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

/** A place among the rows as a text for URLs. */
export const cursorOf = ({ key, startedAt }: RowPlace): string =>
  Buffer.from(JSON.stringify([startedAt, key])).toString("base64url")

const parseCursor = (text: string): Either.Either<RowPlace, string> => {
  const place = Either.try((): unknown => JSON.parse(Buffer.from(text, "base64url").toString()))
  const [startedAt, key]: ReadonlyArray<unknown> =
    Either.isRight(place) && Array.isArray(place.right) ? place.right : []
  return typeof startedAt === "string" &&
    instant.test(startedAt) &&
    !Number.isNaN(Date.parse(startedAt)) &&
    typeof key === "string"
    ? Either.right({ startedAt, key })
    : Either.left("expected the `next` of a page")
}

/** The place that a cursor stands for. */
export const cursorIn = (text: string | undefined): Either.Either<RowPlace | undefined, WrongParam> =>
  read("cursor", text, parseCursor)
