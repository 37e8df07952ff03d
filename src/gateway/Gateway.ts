/**
 * What the HTTP edge asks of the gateway: it hands in a plain value and gets a plain value back, so that the way of a request (Passage.ts) knows nothing of
 * servers. The impurity of a request enters once: Admission reads one snapshot, one seed is drawn here.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { PCGRandom } from "effect/Utils"
import { deadlineOf } from "../access/Deadline.ts"
import { OpenRequests } from "../access/OpenRequests.ts"
import { Strangers } from "../access/Strangers.ts"
import { Aside } from "../aside/Aside.ts"
import { Audit } from "../audit/Audit.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { AskedTarget } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { Spool } from "../spool/Spool.ts"
import { AccessLog } from "../telemetry/AccessLog.ts"
import { FinishedRequests } from "../telemetry/FinishedRequests.ts"
import { Metrics } from "../telemetry/metrics/Metrics.ts"
import { Traces } from "../telemetry/otlp/Traces.ts"
import { Attempts } from "../upstream/Attempts.ts"
import { Breakers } from "../upstream/Breakers.ts"
import { Upstreams } from "../upstream/calls/Upstreams.ts"
import { Dialects } from "../upstream/Dialects.ts"
import { Slots } from "../upstream/Slots.ts"
import { ActiveRequests } from "./ActiveRequests.ts"
import { Admission, answeredWith } from "./Admission.ts"
import type { ClientCall, RecordedAnswer, RequestFrame, Served, Unserved } from "./Exchange.ts"
import { Frame } from "./Frame.ts"
import { Passage, type Stations } from "./Passage.ts"
import { type PassOn, passingOn } from "./Passthrough.ts"
import { makeRespond } from "./Respond.ts"
import { formBoundary } from "./Uploads.ts"

export class Gateway extends Context.Tag("sluice/Gateway")<
  Gateway,
  {
    /** Answers one request of an operation. */
    readonly proxy: (operation: ServedOperation, call: ClientCall, target: AskedTarget) => Served
    /** Hands one request on to the upstream of a rule. */
    readonly passOn: PassOn
    /** Answers one request that reached no endpoint: it leaves a line in the access log, and no record. */
    readonly unserved: (asked: Unserved, call: ClientCall, error: GatewayError) => Served
    /** The frame around a request of any endpoint: lets in only who may, and answers errors as they are declared. */
    readonly serve: (
      endpointName: string,
      call: ClientCall,
      answer: (frame: RequestFrame) => Effect.Effect<RecordedAnswer, GatewayError>,
    ) => Served
  }
>() {}

export const layer: Layer.Layer<
  Gateway,
  never,
  | AccessLog
  | ActiveRequests
  | Aside
  | Attempts
  | Audit
  | Breakers
  | CurrentConfig
  | Dialects
  | FinishedRequests
  | Metrics
  | OpenRequests
  | Slots
  | Spool
  | Strangers
  | Traces
  | Upstreams
> = Layer.scoped(
  Gateway,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const openRequests = yield* OpenRequests
    const admission = new Admission({
      accessLog: yield* AccessLog,
      active: yield* ActiveRequests,
      finished: yield* FinishedRequests,
      audit: yield* Audit,
      clock,
      current: yield* CurrentConfig,
      metrics: yield* Metrics,
      openRequests,
      strangers: yield* Strangers,
      traces: yield* Traces,
    })
    const { inFlight, open } = yield* Upstreams
    const runFork = yield* FiberSet.makeRuntime<never>()
    const stations: Stations = {
      aside: yield* Aside,
      attempts: yield* Attempts,
      dialects: yield* Dialects,
      inFlight,
      // Seeded once by the service that tests own; asking it for each request would be an effect each time.
      random: new PCGRandom(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)),
      respond: yield* makeRespond(runFork),
      runFork,
      spool: yield* Spool,
    }

    // What is beneath stays open until all requests have ended, those that were cut too. A finalizer cannot be interrupted otherwise, not even by its timeout.
    yield* Effect.addFinalizer(() =>
      Effect.timeoutOption(Effect.interruptible(openRequests.allEnded), "5 seconds"),
    )

    return Gateway.of({
      serve: (endpointName, call, answer) => admission.serve(endpointName, call, answer),
      unserved: (asked, call, error) => admission.unserved(asked, call, error),
      passOn: passingOn(admission, {
        breakers: yield* Breakers,
        slots: yield* Slots,
        open,
        now: () => clock.unsafeCurrentTimeMillis(),
      }),
      proxy: (operation, call, target) => {
        const frame = admission.open(operation, call)
        if (!(frame instanceof Frame)) return frame
        const { draft, snapshot } = frame
        const boundary = formBoundary(operation, call.headers)
        if (boundary !== undefined && Either.isLeft(boundary))
          return answeredWith(boundary.left, draft, { ends: frame, isStranger: false })
        const deadline = deadlineOf(call.headers, draft.startedAt, snapshot.server.requestTimeoutMs)
        return Either.isLeft(deadline)
          ? answeredWith(deadline.left, draft, { ends: frame, isStranger: false })
          : new Passage(stations, frame, {
              operation,
              call,
              target,
              deadline: deadline.right,
              boundary: boundary?.right,
            }).served()
      },
    })
  }),
)
