/** The faults of callers, played one after the other at gateways of their own. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { stringify } from "yaml"
import { configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually, within } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { textChunk } from "../support/Wire.ts"
import {
  type CallerFault,
  type CallerSeen,
  callerFaults,
  type Model,
  maxBodyBytes,
  models,
  play,
} from "./CallerFaults.ts"

export class CallerRun extends Context.Tag("CallerRun")<
  CallerRun,
  ReadonlyArray<readonly [CallerFault, CallerSeen]>
>() {}

const event = Scripted.eventStream([textChunk("…")], { done: false }).toString()

const answers: Readonly<Record<Model, Scripted.Answer>> = {
  [models.answers]: Scripted.chat("Hello there."),
  [models.saysNothing]: Scripted.hang(),
  [models.isWaitedFor]: Scripted.hang(),
  [models.streamsOn]: Scripted.trickle(
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
    event,
    20,
  ),
  [models.stopsInHalf]: Scripted.raw(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{",
    "silence",
  ),
}

const run = Effect.gen(function* () {
  const upstreams = new Map(
    yield* Effect.forEach(Object.values(models), (model) =>
      Effect.map(Scripted.scriptedUpstream(answers[model]), (upstream) => [model, upstream] as const),
    ),
  )
  const gatewayWith = (server: Readonly<Record<string, number>>) =>
    startGateway(
      stringify({
        server: { max_body_bytes: maxBodyBytes, ...server },
        retry: { rounds: 1 },
        openai_clients: Array.from(upstreams, ([name, { url }]) => ({
          name,
          base_url: url,
          api_key: configuredKey,
          model_match: { type: "exact", value: [name] },
        })),
      }),
    )
  const patient = yield* gatewayWith({})
  const impatient = yield* gatewayWith({ receive_ms: 200 })
  const heard = (model: Model) => Effect.asVoid(upstreams.get(model)?.awaitRequest(1) ?? Effect.void)

  const seen: Array<readonly [CallerFault, CallerSeen]> = []
  for (const [at, fault] of callerFaults(heard).entries()) {
    const id = `caller-${at}`
    const gateway = fault.isSlow ? impatient : patient
    const got = yield* Effect.scoped(within(fault.words, play(gateway.port, fault, id)))
    const rows = Effect.map(gateway.records, (all) => all.filter((record) => record.id === id))
    const [row, ...more] =
      fault.expected.audited === undefined
        ? yield* rows
        : yield* eventually(`the row of one that ${fault.words}`, rows, ({ length }) => length > 0)
    seen.push([fault, { seen: got, audited: more.length === 0 ? row?.outcome : `${more.length + 1} rows` }])
  }
  // Whoever was left has been told so.
  for (const model of [models.saysNothing, models.isWaitedFor, models.streamsOn, models.stopsInHalf]) {
    const open = Effect.sync(() => upstreams.get(model)?.openConnections())
    yield* eventually(`the end of the call that ${model}`, open, (count) => count === 0)
  }
  return seen
})

export const layer = Layer.scoped(CallerRun, run)
