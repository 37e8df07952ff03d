/** All faults are run once, as many at a time as do not disturb each other; the tests and the documentation look at what came of it. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { stringify } from "yaml"
import type { AttemptRecord, AuditedBody } from "../../src/audit/record/AuditRecord.ts"
import { allOperations, type OperationName, operations } from "../../src/operations/Operations.ts"
import { toldAs } from "../../src/operations/paths/Spellings.ts"
import { unpack } from "../../src/wire/PackedData.ts"
import { configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { givenOf, sampleBody, samples } from "../support/OperationSamples.ts"
import { within } from "../support/Patience.ts"
import { addressOf, sluice } from "../support/process.ts"
import { post, type RawAnswer } from "../support/RawHttp.ts"
import { chat, type Script, scriptedUpstream, status } from "../support/ScriptedUpstream.ts"
import { type Case, cases } from "./Cases.ts"
import { fallbackText, type Outcome, type Seen } from "./Expectation.ts"
import type { Place } from "./Faults.ts"
import { observe } from "./Observation.ts"
import { authorityPath } from "./Tls.ts"

export interface Observed extends Outcome {
  readonly seen: Seen
  /** What the upstreams of the case have to complain of. */
  readonly complaints: ReadonlyArray<string>
  /** The first attempt, as the audit has it. */
  readonly firstAttempt: AttemptRecord | undefined
}

export class FaultRun extends Context.Tag("FaultRun")<
  FaultRun,
  {
    readonly observed: (one: Case) => Observed
    /** Everything callers were answered and the audit was given, as text. */
    readonly everything: string
    /** Promises nobody handled, and exceptions nobody caught. */
    readonly unhandled: ReadonlyArray<unknown>
  }
>() {}

export const healthyName = "healthy"

/** The key of the caller, passed through where an entry has none. */
export const callersKey = "sk-of-the-caller"

/** Of every upstream: each operation is asked of it. */
const dialects = ["chat", "responses", "messages"]

/** A case with its upstreams under way. */
interface Prepared {
  readonly one: Case
  readonly places: ReadonlyArray<Place>
  readonly entries: ReadonlyArray<Readonly<Record<string, unknown>>>
}

const prepare = (one: Case): Effect.Effect<Prepared, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { alike, company, fault, faulty, side } = one
    const names = company === "fallback alike" ? [faulty, alike] : [faulty]
    const fallbacks = { alone: undefined, "with fallback": healthyName, "fallback alike": alike }
    const places = yield* Effect.forEach(names, () => side.place)
    const entries = names.map((name, at) => ({
      name,
      base_url: places[at]?.url,
      api_key: configuredKey,
      dialects,
      model_match: { type: "exact", value: [name] },
      ...(name === faulty ? { fallback: fallbacks[company] } : {}),
      ...fault.entry,
      ...places[at]?.entry,
    }))
    return { one, places, entries }
  })

/** What is not to be found late is not, however slow the machine. */
const neverMs = 120_000

const configOf = (prepared: ReadonlyArray<Prepared>, healthyUrl: string): string =>
  stringify({
    retry: { rounds: 1 },
    // One case is not to set an upstream aside for another.
    breaker: { failures: 0 },
    timeouts: {
      connect_ms: neverMs,
      first_byte_ms: neverMs,
      answer_ms: neverMs,
      idle_ms: neverMs,
      total_ms: neverMs,
    },
    openai_clients: [
      {
        name: healthyName,
        base_url: healthyUrl,
        api_key: configuredKey,
        dialects,
        model_match: { type: "exact", value: [healthyName] },
      },
      ...prepared.flatMap(({ entries }) => entries),
    ],
  })

/** How many ordinary requests are under way at once. */
const atOnce = 16

/** Far longer than any case takes. */
const patienceMs = 90_000

const pathOf = (operation: OperationName): string => toldAs(operations[operation].paths[0])

const ask = (port: number, { faulty, operation, way }: Case): Effect.Effect<RawAnswer | undefined> => {
  const streaming = way === "stream" ? { stream: true } : {}
  const { bytes, type } = sampleBody(operation, {
    model: faulty,
    ...samples[operation].request,
    ...streaming,
  })
  const headers = { authorization: `Bearer ${callersKey}`, "content-type": type, "x-request-id": faulty }
  return within(faulty, post(port, pathOf(operation), bytes, headers), patienceMs).pipe(
    Effect.orElseSucceed(() => undefined),
  )
}

/** Chats are answered with a text that shows who answered, all others with their sample. */
const answering: Script = (request) => {
  const asked = allOperations.find(({ name }) => request.path === pathOf(name))
  if (asked === undefined || asked.name === "chat.completions") return chat(fallbackText)
  const { headers, whole } = givenOf(samples[asked.name])
  return status(200, whole, headers)
}

/** Waits for time to pass. */
const isSlow = ({ fault }: Case): boolean => fault.entry?.["timeouts"] !== undefined

/**
 * Asks all: those without end before all others, those that wait for time to pass all at once, and those that move many bytes one by one.
 */
const askAll = (port: number, prepared: ReadonlyArray<Prepared>) => {
  const lane = (isIn: (one: Case) => unknown, concurrency: number | "unbounded") =>
    Effect.forEach(
      prepared.filter(({ one }) => isIn(one)),
      (one) => answered(port, one),
      { concurrency },
    )
  return Effect.map(
    Effect.all(
      [
        lane(({ fault }) => fault.isEndless, "unbounded"),
        lane((one) => isSlow(one) && !one.fault.isEndless, "unbounded"),
        lane((one) => !isSlow(one) && !one.fault.isCostly, atOnce),
        lane(({ fault }) => fault.isCostly, 1),
      ],
      { concurrency: "unbounded" },
    ),
    (lanes) => lanes.flat(),
  )
}

const answered = (port: number, prepared: Prepared) =>
  Effect.map(ask(port, prepared.one), (answer) => ({ ...prepared, answer }))

/** A gateway as a process of its own that trusts the authority of the tests. */
const startTrustingGateway = (config: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    const path = `${folder}/config.yaml`
    yield* files.writeFileString(path, config)
    const gateway = yield* sluice(["serve", "--config", path, "--port", "0"], {
      NODE_EXTRA_CA_CERTS: authorityPath,
    })
    return Number(new URL(yield* addressOf(gateway)).port)
  }).pipe(Effect.orDie, Effect.provide(NodeContext.layer))

const collectUnhandled: Effect.Effect<ReadonlyArray<unknown>, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const unhandled: Array<unknown> = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on("unhandledRejection", note)
    process.on("uncaughtExceptionMonitor", note)
    return { unhandled, note }
  }),
  ({ note }) =>
    Effect.sync(() => {
      process.off("unhandledRejection", note)
      process.off("uncaughtExceptionMonitor", note)
    }),
).pipe(Effect.map(({ unhandled }) => unhandled))

const textOf = (body: AuditedBody | undefined): ReadonlyArray<string> => {
  if (body === undefined) return []
  return (body.kind === "plain" ? [body.bytes] : unpack(body.packed)).map((bytes) =>
    Buffer.from(bytes).toString("latin1"),
  )
}

const run = Effect.gen(function* () {
  const unhandled = yield* collectUnhandled
  const healthy = yield* scriptedUpstream(answering)
  const prepared = yield* Effect.forEach(cases, prepare, { concurrency: atOnce })
  const audited = prepared.filter(({ one }) => one.fault.trustsAuthority === undefined)
  const trusting = prepared.filter(({ one }) => one.fault.trustsAuthority)

  const gateway = yield* startGateway(configOf(audited, healthy.url))
  const [ofAudited, ofTrusting] = yield* Effect.all(
    [
      askAll(gateway.port, audited),
      Effect.flatMap(startTrustingGateway(configOf(trusting, healthy.url)), (port) => askAll(port, trusting)),
    ],
    { concurrency: 2 },
  )
  const allRecords = yield* Effect.orDie(
    within("the audit records", gateway.awaitRecords(audited.length), patienceMs),
  )

  const observed = new Map<string, Observed>()
  for (const { answer, one, places } of [...ofAudited, ...ofTrusting]) {
    const records = one.fault.trustsAuthority ? undefined : allRecords.filter(({ id }) => id === one.faulty)
    observed.set(one.faulty, {
      ...observe(answer, one, records),
      firstAttempt: records?.[0]?.attempts[0],
      complaints: places.flatMap(({ complaint }) => complaint() ?? []),
    })
  }
  return FaultRun.of({
    observed: (one) => {
      const found = observed.get(one.faulty)
      if (found === undefined) throw new Error(`${one.faulty} was not run`)
      return found
    },
    everything: JSON.stringify([
      allRecords.map(({ request: _, response, ...record }) => ({ ...record, response: textOf(response) })),
      [...ofAudited, ...ofTrusting].map(({ answer }) => [answer?.headers, answer?.body.toString("latin1")]),
    ]),
    unhandled,
  })
})

export const layer = Layer.scoped(FaultRun, run)
