/**
 * `GET /v1/models` and `/v1/models/{id}`: the union of what the upstreams list and their match admits. Nobody is waited for longer than it takes to
 * know what is asked, and no host holds the others up.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { credentialFor } from "../access/Credential.ts"
import { endingOf } from "../audit/record/RecordDraft.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { type InvalidRequest, ModelNotFound } from "../errors/RequestErrors.ts"
import { noMemory } from "../errors/ServerErrors.ts"
import { withoutOuterSlashes } from "../operations/paths/ModelPath.ts"
import { queryOf } from "../operations/paths/RequestTarget.ts"
import { type Model, union } from "../routing/ModelList.ts"
import { matches } from "../routing/Route.ts"
import { hostOf, type Upstream } from "../routing/Upstream.ts"
import { AccessLog } from "../telemetry/AccessLog.ts"
import { type AskedList, ModelLists } from "../upstream/lists/ModelLists.ts"
import { errorOfAll, type Failed } from "../upstream/policy/LastError.ts"
import type { ClientCall, RecordedAnswer, RequestFrame, Served } from "./Exchange.ts"
import { Gateway } from "./Gateway.ts"
import { jsonAnswer } from "./JsonAnswer.ts"
import { anthropicModel, modelPage } from "./ModelPage.ts"

export class Models extends Context.Tag("sluice/Models")<
  Models,
  {
    /** @param target as the client wrote it, with its query */
    readonly list: (call: ClientCall, target: string) => Served
    /** @param id as it stands in the path, slashes around it included */
    readonly retrieve: (call: ClientCall, id: string) => Served
  }
>() {}

/** How long the list of an upstream is waited for whose names the configuration has: it would only tell more of them. */
const namedWaitMs = 300

/** How long a new list is waited for where there is an old one. */
const agedWaitMs = 1_000

/** The list of an upstream that was asked for. */
interface Asked extends AskedList {
  readonly upstream: Upstream
}

/** A good answer, which takes memory until its client has it. */
const good = (value: unknown, { hold }: RequestFrame): Effect.Effect<RecordedAnswer, GatewayError> => {
  const answer = jsonAnswer(value)
  return hold(answer.body.length)
    ? Effect.succeed({ ...answer, ending: endingOf(answer.status, "ok", undefined, answer.body) })
    : Effect.fail(noMemory)
}

/** Waits for a list no longer than its absence would be felt, and notes what asking for it came to. */
const waitFor = ({ coming, models, upstream }: Asked, { draft }: RequestFrame): Effect.Effect<void> => {
  if (coming === undefined) return Effect.void
  const noted = Effect.map(coming.attempt, ({ failed, record }) => draft.attempted(record, failed))
  const longest =
    models() !== undefined ? agedWaitMs : upstream.match.type === "exact" ? namedWaitMs : undefined
  if (longest === undefined) return noted
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.asVoid(Effect.timeoutOption(noted, Math.max(0, coming.since + longest - now))),
  )
}

const failedOf = (lists: ReadonlyArray<Asked>): ReadonlyArray<Failed> =>
  lists.flatMap(({ failure, models, upstream }) => {
    const why = models() === undefined ? failure() : undefined
    return why === undefined ? [] : [{ target: { upstream, upstreamModel: "" }, failure: why }]
  })

const unionOf = (lists: ReadonlyArray<Asked>): ReadonlyArray<Model> =>
  union(lists.map(({ models, upstream }) => ({ upstream, models: models() ?? [] })))

export const layer: Layer.Layer<Models, never, AccessLog | Gateway | ModelLists> = Layer.effect(
  Models,
  Effect.gen(function* () {
    const accessLog = yield* AccessLog
    const gateway = yield* Gateway
    const lists = yield* ModelLists

    const ask = (call: ClientCall, { draft, secrets, snapshot }: RequestFrame) => {
      draft.gathered()
      return (upstream: Upstream): Asked => ({
        upstream,
        ...lists.ask({
          upstream,
          credential: credentialFor(snapshot.server.accessKeys, upstream, call),
          secrets,
          generation: snapshot.generation,
          ttlMs: snapshot.modelsCache.ttlSeconds * 1000,
          onFailed: (attempt) =>
            accessLog.failedAttempt(call.id, attempt, { number: 1, host: hostOf(upstream.baseUrl) }),
        }),
      })
    }

    /** Fails only where nothing can be listed and an upstream is the reason. */
    const listAll = (
      call: ClientCall,
      target: string,
      frame: RequestFrame,
    ): Effect.Effect<RecordedAnswer, GatewayError> =>
      Effect.gen(function* () {
        const asked = frame.snapshot.routes.upstreams.map(ask(call, frame))
        yield* Effect.forEach(asked, (one) => waitFor(one, frame), {
          concurrency: "unbounded",
          discard: true,
        })
        const data = unionOf(asked)
        const failed = failedOf(asked)
        if (data.length === 0 && failed.length > 0) return yield* errorOfAll(failed)
        const list: Either.Either<unknown, InvalidRequest> =
          call.face === "anthropic"
            ? modelPage(data, new URLSearchParams(queryOf(target)))
            : Either.right({ object: "list", data })
        return yield* good(yield* list, frame)
      })

    /** Asks those alone that may serve it, and waits for no other once one lists it. */
    const find = (
      call: ClientCall,
      frame: RequestFrame,
      id: string,
    ): Effect.Effect<RecordedAnswer, GatewayError> =>
      Effect.gen(function* () {
        const meant = withoutOuterSlashes(id)
        frame.draft.askedFor(meant)
        const asked = frame.snapshot.routes.upstreams
          .filter((upstream) => matches(upstream, id) || matches(upstream, meant))
          .map(ask(call, frame))
        const lists = ({ models }: Asked) =>
          models()?.some((model) => model.id === id || model.id === meant) === true
        if (!asked.some(lists)) {
          const found = yield* Deferred.make<void>()
          const all = Effect.forEach(
            asked,
            (one) =>
              Effect.flatMap(waitFor(one, frame), () =>
                lists(one) ? Deferred.succeed(found, undefined) : Effect.void,
              ),
            { concurrency: "unbounded", discard: true },
          )
          yield* Effect.raceFirst(all, Deferred.await(found))
        }
        const all = unionOf(asked)
        const model = all.find((one) => one.id === id) ?? all.find((one) => one.id === meant)
        if (model !== undefined) {
          return yield* good(call.face === "anthropic" ? anthropicModel(model) : model, frame)
        }
        const failed = failedOf(asked)
        return failed.length > 0 && failed.length === asked.length
          ? yield* errorOfAll(failed)
          : yield* new ModelNotFound({ model: meant })
      })

    return Models.of({
      list: (call, target) => gateway.serve("models", call, (frame) => listAll(call, target, frame)),
      retrieve: (call, id) => gateway.serve("models", call, (frame) => find(call, frame, id)),
    })
  }),
)
