/** What a caller saw and what was written down of one request, in the words expectations are written in. */
import type { AuditRecord } from "../../src/audit/record/AuditRecord.ts"
import { givenOf, samples } from "../support/OperationSamples.ts"
import type { RawAnswer } from "../support/RawHttp.ts"
import type { Case } from "./Cases.ts"
import { type Expectation, fallbackText, type Outcome, type Seen } from "./Expectation.ts"

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A member of what may be anything. */
const member = (value: unknown, name: string | number): unknown => Object(value)[name]

const textOr = <A>(value: unknown, otherwise: A): string | A =>
  typeof value === "string" ? value : otherwise

/** The `error` member of an OpenAI error; `undefined` where there is none. */
const errorIn = (value: unknown) => {
  const error = member(value, "error")
  const message = member(error, "message")
  return typeof message === "string"
    ? { message, type: textOr(member(error, "type"), ""), code: textOr(member(error, "code"), null) }
    : undefined
}

const excerpt = (body: Buffer): string => body.toString("latin1").slice(0, 200)

/** Sluice's only form of events (§8); a heartbeat is `: ping`. */
const eventForm = /^(?:(?:data: [^\r\n]+\n)+\n|: ping\n)*$/

const seenOfStream = (body: Buffer): Seen => {
  const text = body.toString("utf8")
  if (!eventForm.test(text)) return { kind: "other", what: `odd events: ${excerpt(body)}` }
  const datas = text
    .split("\n\n")
    .slice(0, -1)
    .map((event) => event.replace(/^(?:: ping\n)*data: /, ""))
  const last = datas.at(-1)
  const chunks = datas.slice(0, -1).map(parse)
  const said = chunks
    .map((one) => textOr(member(member(member(member(one, "choices"), 0), "delta"), "content"), ""))
    .join("")
  if (datas.slice(0, -1).includes("[DONE]") || chunks.some((one) => errorIn(one) !== undefined)) {
    return { kind: "other", what: "something after its end" }
  }
  if (last === "[DONE]") return { kind: "answer", text: said }
  const error = errorIn(parse(last ?? ""))
  return error === undefined
    ? { kind: "other", what: `an end without [DONE] or an error: ${excerpt(body)}` }
    : { kind: "broken", text: said, code: error.code }
}

/** The bytes that the expectation says come from the upstream as they are. */
const bodyOf = (expected: Expectation): Buffer | undefined =>
  expected.kind === "passed"
    ? expected.body
    : expected.kind === "failed" && "body" in expected.error
      ? expected.error.body
      : undefined

const seenIn = (answer: RawAnswer | undefined, { operation, side, way }: Case): Seen => {
  const { expected } = side
  const isStream = way === "stream"
  if (answer === undefined) return { kind: "other", what: "no answer" }
  const { body, headers, status, whole } = answer
  if (!whole) return { kind: "other", what: `${status}, broken off after ${body.length} bytes` }
  if (bodyOf(expected)?.equals(body) === true) return { kind: "as it came", status }
  if (operation !== "chat.completions" && status === 200) {
    const isWhole = givenOf(samples[operation]).whole.equals(body)
    return isWhole ? { kind: "answer", text: fallbackText } : { kind: "other", what: excerpt(body) }
  }
  const isEventStream = (headers["content-type"] ?? "").startsWith("text/event-stream")
  if (status < 300 && isEventStream && isStream) return seenOfStream(body)
  const parsed = parse(body.toString("utf8"))
  const error = errorIn(parsed)
  if (error !== undefined && status >= 400) return { kind: "error", status, ...error }
  const text = member(member(member(member(parsed, "choices"), 0), "message"), "content")
  return status < 300 && !isStream && typeof text === "string"
    ? { kind: "answer", text }
    : { kind: "other", what: `${status}: ${excerpt(body)}` }
}

/** What is wrong with the form of an answer, whatever it says: `""` where nothing is. */
export const formOf = (answer: RawAnswer | undefined, isStream: boolean): string => {
  if (answer === undefined) return "no answer"
  if (!answer.whole) return `${answer.status}, broken off after ${answer.body.length} bytes`
  if (answer.status < 200 || answer.status > 599) return `the status ${answer.status}`
  const isEventStream = (answer.headers["content-type"] ?? "").startsWith("text/event-stream")
  if (answer.status < 300) {
    if (!isEventStream) return answer.body.length > 0 ? "" : "an empty answer"
    const seen = isStream ? seenOfStream(answer.body) : ({ kind: "other", what: "a stream" } as const)
    return seen.kind === "other" ? seen.what : ""
  }
  return errorIn(parse(answer.body.toString("utf8"))) === undefined ? `no error: ${excerpt(answer.body)}` : ""
}

/** What came of one request. */
export const observe = (
  answer: RawAnswer | undefined,
  one: Case,
  records: ReadonlyArray<AuditRecord> | undefined,
): Outcome & { readonly seen: Seen } => ({
  seen: seenIn(answer, one),
  headers: {
    upstream: answer?.headers["x-sluice-upstream"],
    attempts: answer?.headers["x-sluice-attempts"],
    shouldRetry: answer?.headers["x-should-retry"],
    retryAfter: answer?.headers["retry-after"],
  },
  audit: records?.map(({ attempts, outcome, status, upstream }) => ({
    status,
    outcome,
    upstream,
    attempts: attempts.map((attempt) => ({
      upstream: attempt.upstream,
      status: attempt.status,
      cause: attempt.cause,
    })),
  })),
})
