/**
 * `GET /v1/models` and `/v1/models/{id}`: each upstream's list, cached per credential, one refresh in flight per key, and the last
 * good list served while an upstream is down.
 */
import { createHash } from "node:crypto"
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { endingOf } from "../audit/RecordDraft.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { AttemptFailure, errorOf, type Failed } from "../domain/AttemptPolicy.ts"
import { type GatewayError, ModelNotFound } from "../domain/GatewayError.ts"
import { type Model, readModels, union } from "../domain/ModelList.ts"
import { toUpstream } from "../domain/RequestHeaders.ts"
import { withoutOuterSlashes } from "../domain/RequestPath.ts"
import type { Snapshot } from "../domain/Snapshot.ts"
import type { Upstream } from "../domain/Upstream.ts"
import { type ClientCall, credentialFor, Gateway, type RecordedAnswer, type Served } from "../Gateway.ts"
import { Upstreams, whole } from "../upstream/Upstreams.ts"
import { jsonAnswer } from "./JsonAnswer.ts"

export class Models extends Context.Tag("sluice/Models")<
  Models,
  {
    readonly list: (call: ClientCall) => Served
    /** @param id as it stands in the path, slashes around it included */
    readonly retrieve: (call: ClientCall, id: string) => Served
  }
>() {}

const maxCachedLists = 1_000
const maxListBytes = 8 * 1024 * 1024
const maxConcurrentLists = 16

/** A list is small and somebody waits for it: it gets less time than a completion. */
const listTimeoutMs = 10_000

/** How soon an upstream that failed is asked again while its last good list is served. */
const staleForMs = 15_000

/** What is fetched, equal for equal upstreams and credentials under one configuration: a reload asks anew. */
class ListKey implements Equal.Equal {
  /** A digest of upstream and credential, so that comparing and remembering needs no credential. */
  readonly source: string
  readonly generation: number
  readonly upstream: Upstream
  readonly credential: Redacted.Redacted<string> | undefined

  constructor(generation: number, upstream: Upstream, credential: Redacted.Redacted<string> | undefined) {
    const digest = createHash("sha256")
      .update(JSON.stringify([upstream.name, upstream.baseUrl, upstream.headers]))
      .update(credential === undefined ? "" : Redacted.value(credential))
    this.source = digest.digest("base64")
    this.generation = generation
    this.upstream = upstream
    this.credential = credential
  }

  [Hash.symbol](): number {
    return Hash.string(this.source)
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof ListKey && that.source === this.source && that.generation === this.generation
  }
}

interface CachedList {
  readonly models: ReadonlyArray<Model>
  readonly stale: boolean
}

const parse = (bytes: Uint8Array): Effect.Effect<unknown, AttemptFailure> =>
  Effect.try({
    try: (): unknown => JSON.parse(Buffer.from(bytes).toString()),
    catch: () => AttemptFailure.BrokenOff({ reason: "its model list is not JSON" }),
  })

/** A good answer. */
const listed = (value: unknown): RecordedAnswer => {
  const answer = jsonAnswer(value)
  return { ...answer, ending: endingOf(answer.status, "ok", undefined, answer.body) }
}

export const layer: Layer.Layer<Models, never, Gateway | Upstreams | CurrentConfig> = Layer.effect(
  Models,
  Effect.gen(function* () {
    const gateway = yield* Gateway
    const upstreams = yield* Upstreams
    const current = yield* CurrentConfig

    const fetch = ({ credential, upstream }: ListKey): Effect.Effect<ReadonlyArray<Model>, AttemptFailure> =>
      Effect.gen(function* () {
        const { body, headers, retryAfterMs, status } = yield* whole(
          upstreams,
          {
            upstream: {
              ...upstream,
              timeouts: {
                ...upstream.timeouts,
                firstByteMs: Math.min(upstream.timeouts.firstByteMs, listTimeoutMs),
                totalMs: Math.min(upstream.timeouts.totalMs, listTimeoutMs),
              },
            },
            method: "GET",
            path: "/models",
            headers: toUpstream({ accept: "application/json" }, upstream, credential, "none"),
            body: undefined,
            firstByte: "head",
            deadline: undefined,
          },
          maxListBytes,
        )
        if (status !== 200) {
          return yield* Effect.fail(AttemptFailure.Refused({ status, headers, body, retryAfterMs }))
        }
        const models = readModels(yield* parse(body), upstream.name)
        return models === undefined
          ? yield* Effect.fail(AttemptFailure.BrokenOff({ reason: "its model list has no data" }))
          : models
      })

    const lastGood = new Map<string, ReadonlyArray<Model>>()
    const remember = (source: string, models: ReadonlyArray<Model>) => {
      lastGood.delete(source)
      lastGood.set(source, models)
      const oldest = lastGood.keys().next()
      if (lastGood.size > maxCachedLists && oldest.done !== true) lastGood.delete(oldest.value)
    }

    const refresh = (key: ListKey): Effect.Effect<CachedList, AttemptFailure> =>
      fetch(key).pipe(
        Effect.map((models): CachedList => {
          remember(key.source, models)
          return { models, stale: false }
        }),
        Effect.catchAll((failure) => {
          const models = lastGood.get(key.source)
          return models === undefined ? Effect.fail(failure) : Effect.succeed({ models, stale: true })
        }),
        // Others wait for the same refresh: the client that caused it may leave, and must not take it along.
        Effect.uninterruptible,
      )

    const cache = yield* Cache.makeWith({
      capacity: maxCachedLists,
      lookup: refresh,
      timeToLive: (exit) => {
        if (Exit.isFailure(exit)) return Duration.zero
        const ttl = Duration.seconds(current.snapshot().modelsCache.ttlSeconds)
        return exit.value.stale ? Duration.min(ttl, Duration.millis(staleForMs)) : ttl
      },
    })

    /** The union for this client; fails only where nothing can be listed and an upstream is the reason. */
    const models = (
      snapshot: Snapshot,
      call: ClientCall,
    ): Effect.Effect<ReadonlyArray<Model>, GatewayError> =>
      Effect.gen(function* () {
        const failed: Array<Failed> = []
        const listings = yield* Effect.forEach(
          snapshot.routes.upstreams,
          (upstream) =>
            cache
              .get(
                new ListKey(snapshot.generation, upstream, credentialFor(snapshot, upstream, call.headers)),
              )
              .pipe(
                Effect.map((list) => ({ upstream, models: list.models })),
                Effect.catchAll((failure) => {
                  failed.push({ target: { upstream, upstreamModel: "" }, failure })
                  return Effect.succeed({ upstream, models: [] })
                }),
              ),
          { concurrency: maxConcurrentLists },
        )
        const all = union(listings)
        return all.length === 0 && failed.length > 0 ? yield* errorOf(failed) : all
      })

    return Models.of({
      list: (call) =>
        gateway.serve("models", call, ({ snapshot }) =>
          Effect.map(models(snapshot, call), (data) => listed({ object: "list", data })),
        ),
      retrieve: (call, id) =>
        gateway.serve("models", call, ({ draft, snapshot }) => {
          const meant = withoutOuterSlashes(id)
          draft.askedFor(meant)
          return Effect.flatMap(models(snapshot, call), (all) => {
            const model = all.find((one) => one.id === id) ?? all.find((one) => one.id === meant)
            return model === undefined
              ? Effect.fail(new ModelNotFound({ model: meant }))
              : Effect.succeed(listed(model))
          })
        }),
    })
  }),
)
