/**
 * One gateway that all operations are tried at, and the upstreams behind it: to start one for each test takes longer than the tests. Each operation has
 * clients of its own in the configuration, so that none of them is set aside for what another's test made it do.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { FaceName } from "../../src/errors/faces/Face.ts"
import { allOperations, type OperationName } from "../../src/operations/Operations.ts"
import { configOf, type Entry } from "./GatewayConfig.ts"
import { type RunningGateway, startGateway } from "./gateway.ts"
import { givenOf, samples } from "./OperationSamples.ts"
import * as Scripted from "./ScriptedUpstream.ts"

const html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>"

/** Ways in which an upstream gives no answer, so that the next one is asked. */
export const failures = {
  "refuses with 500": Scripted.status(500, { error: { message: "out of order" } }),
  "refuses the gateway's key": Scripted.status(401, { error: { message: "no key" } }),
  "resets the connection": Scripted.reset("before"),
  "breaks off in its answer": Scripted.reset("in_body"),
  "answers with a page": Scripted.raw(html, "end"),
  "answers with nothing": Scripted.raw("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "end"),
  "answers with an error and 200": Scripted.json({ error: { message: "overloaded" } }),
  "answers with a detail and 200": Scripted.json({ detail: "worker timed out" }),
  "answers with vLLM's error and 200": Scripted.json({ object: "error", message: "no", code: 500 }),
  "answers with an object that says nothing": Scripted.json({ object: "list" }),
} as const

/** How an upstream refuses what only its caller can mend. */
export const refusals: Readonly<Record<FaceName, string>> = {
  openai:
    '{"error": {"message": "`input` is too long", "type": "invalid_request_error", "param": "input", "code": "too_long", "limit": 8192}}',
  anthropic:
    '{"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum", "limit": 8192}, "request_id": "req_1"}',
}

const refuses: Scripted.Script = (request) => {
  const refusal = refusals[operationIn(request)?.face ?? "openai"]
  return Scripted.raw(
    `HTTP/1.1 422 Unprocessable Entity\r\ncontent-type: application/json\r\ncontent-length: ${refusal.length}\r\n\r\n${refusal}`,
    "end",
  )
}

/** Tells what it was sent, credentials and all. */
const echo: Scripted.Script = ({ headers }) =>
  Scripted.status(400, { error: { message: `no good: ${JSON.stringify(headers)}` } })

/** The operation that a client is asked for: its base URL begins with its name. */
const nameIn = ({ path }: Scripted.RecordedRequest): string => path.split("/")[1] ?? ""

const operationIn = (request: Scripted.RecordedRequest) =>
  allOperations.find(({ name }) => name === nameIn(request))

const bodyIn = ({ body }: Scripted.RecordedRequest): Readonly<Record<string, unknown>> =>
  typeof body === "object" && body !== null ? { ...body } : {}

/** The sample's answer. */
const answers: Scripted.Script = (request) => {
  const asked = operationIn(request)
  if (asked === undefined) return Scripted.status(404, {})
  const { streamed } = samples[asked.name]
  const [[member, value] = []] = Object.entries(streamed?.asked ?? {})
  if (streamed !== undefined && member !== undefined && bodyIn(request)[member] === value)
    return Scripted.sse(streamed.events, { done: false })
  const { headers, whole } = givenOf(samples[asked.name])
  return Scripted.status(200, whole, headers)
}

/** What a client does, and what else is in its entry. */
interface Part {
  readonly script: Scripted.Script
  readonly entry?: Partial<Entry>
}

const onlyFailing = Object.fromEntries(
  Object.entries(failures).map(([what, script]): readonly [string, Part] => [what, { script }]),
)

/** The clients of each operation, by what their models are called. */
const parts: Readonly<Record<string, Part>> = {
  ...onlyFailing,
  good: { script: answers },
  aside: { script: failures["refuses with 500"] },
  left: { script: Scripted.hang() },
  hedged: { script: Scripted.hang(), entry: { hedge_after_ms: 30 } },
  late: { script: Scripted.hang(), entry: { timeouts: { answer_ms: 100 } } },
  busy: { script: Scripted.status(429, { error: { message: "slow down" } }, { "retry-after": "7" }) },
  refusing: { script: refuses },
  telling: { script: echo },
  changed: {
    script: answers,
    entry: {
      model: "gpt-other",
      extra_body: { top_k: 4 },
      headers: { "x-custom": "v" },
      stop: ["<|end|>"],
      max_tokens: 9,
      special_prefix: "P",
      thinking_format: "strip",
    },
  },
}

/** Of these, the models that another client answers where theirs fails. */
const spared: ReadonlySet<string> = new Set([...Object.keys(failures), "aside", "left", "hedged"])

/** The name of a model of an operation. */
export const modelOf = (operation: OperationName, what: string): string =>
  `${spared.has(what) || what === unreachable ? "spared" : "alone"}@${operation}/${what.replaceAll(" ", "-")}`

/** What a client is like that nobody listens for. */
export const unreachable = "refuses the connection"

/** The key that callers are let in by. */
export const accessKey = "sk-open-sesame-0123456789"

export interface Stage extends RunningGateway {
  /** All lines of its log. */
  readonly lines: ReadonlyArray<string>
  /** The upstream that does so. */
  readonly upstream: (what: string) => Scripted.ScriptedUpstream
  /** What an upstream was asked of an operation. */
  readonly asked: (what: string, operation: OperationName) => ReadonlyArray<Scripted.RecordedRequest>
}

export class OperationStage extends Context.Tag("test/OperationStage")<OperationStage, Stage>() {}

const exactly = (model: string) => ({ model_match: { type: "exact", value: [model] } })

/** All that clients may speak. */
const dialects = ["chat", "responses", "messages"]

const entriesOf = (operation: OperationName, origins: ReadonlyMap<string, string>): ReadonlyArray<Entry> => [
  ...Array.from(origins, ([what, origin]) => ({
    dialects,
    name: `${operation} ${what}`,
    base_url: `${origin}/${operation}/v1`,
    ...exactly(modelOf(operation, what)),
    priority: 1,
    ...parts[what]?.entry,
  })),
  {
    dialects,
    name: `${operation} spare`,
    base_url: `${origins.get("good")}/${operation}/v1`,
    model_match: { type: "keyword", value: [`spared@${operation}/`] },
    priority: 0,
  },
]

export const stage: Layer.Layer<OperationStage> = Layer.scoped(
  OperationStage,
  Effect.gen(function* () {
    const upstreams = new Map<string, Scripted.ScriptedUpstream>()
    for (const [what, { script }] of Object.entries(parts)) {
      upstreams.set(what, yield* Scripted.scriptedUpstream(script))
    }
    const origins = new Map(Array.from(upstreams, ([what, { origin }]) => [what, origin]))
    origins.set(unreachable, `http://127.0.0.1:${yield* Scripted.closedPort}`)
    const lines: Array<string> = []
    const config = configOf(
      allOperations.flatMap(({ name }) => entriesOf(name, origins)),
      {
        server: { access_keys: [accessKey], max_body_bytes: 4_000_000 },
        breaker: { failures: 2, open_ms: 60_000 },
      },
    )
    const gateway = yield* startGateway(config, {}, (line) => void lines.push(line))
    const upstream = (what: string): Scripted.ScriptedUpstream => {
      const found = upstreams.get(what)
      if (found === undefined) throw new Error(`no upstream ${what}`)
      return found
    }
    return {
      ...gateway,
      lines,
      upstream,
      asked: (what, operation) => upstream(what).requests.filter((request) => nameIn(request) === operation),
    }
  }),
)
