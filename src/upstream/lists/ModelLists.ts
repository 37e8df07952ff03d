/**
 * The lists of models that upstreams give: kept for a while per credential, one refresh in flight each, the last good one while an upstream is down,
 * and a failure for a while, so that a host that hangs is not waited for again by everybody who asks.
 */
import { createHash } from "node:crypto"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Aside } from "../../aside/Aside.ts"
import type { AttemptRecord } from "../../audit/record/AuditRecord.ts"
import { toUpstream } from "../../operations/HeadersToUpstream.ts"
import { type Model, nextPageOf, readModels } from "../../routing/ModelList.ts"
import { pathAt, type Upstream } from "../../routing/Upstream.ts"
import type { Secrets } from "../../secrets/Secrets.ts"
import { parseJson } from "../../wire/JsonBytes.ts"
import { JsonCost } from "../../wire/JsonCost.ts"
import { outlineOf, relayLimits, surelyReadable } from "../../wire/JsonOutline.ts"
import { Breakers } from "../Breakers.ts"
import type { UpstreamCall } from "../calls/UpstreamCall.ts"
import { Upstreams } from "../calls/Upstreams.ts"
import { whole } from "../calls/WholeAnswer.ts"
import { AttemptFailure, refusedBy, type ToldFailure, toldFailure } from "../policy/AttemptFailure.ts"
import { admits } from "../policy/Breaker.ts"
import { recordedAs } from "../policy/FailureWords.ts"
import { KeptLists } from "./KeptLists.ts"

/** Whose list is asked for, and by whom. */
export interface ListRequest {
  readonly upstream: Upstream
  readonly credential: Redacted.Redacted<string> | undefined
  /** What no upstream may say of what it was sent. */
  readonly secrets: Secrets
  /** Of the configuration: a reload asks anew. */
  readonly generation: number
  /** How long a good list is kept. */
  readonly ttlMs: number
  /** Told once of each list that could not be had, by whoever asked first. */
  readonly onFailed: (attempt: AttemptRecord) => void
}

/** An attempt to have a list, and whether it failed. */
export interface ListAttempt {
  readonly record: AttemptRecord
  readonly failed: boolean
}

/** A list that was asked for. What is known of it changes when the refresh comes in. */
export interface AskedList {
  /** The list, or the last good one; nothing where there never was one. */
  readonly models: () => ReadonlyArray<Model> | undefined
  /** Why there is no list of now. */
  readonly failure: () => ToldFailure | undefined
  /** Done when the refresh under way is in, has failed or takes too long, and when it began (epoch milliseconds); nothing where none is waited for. */
  readonly coming: { readonly attempt: Effect.Effect<ListAttempt>; readonly since: number } | undefined
}

export class ModelLists extends Context.Tag("sluice/ModelLists")<
  ModelLists,
  { readonly ask: (request: ListRequest) => AskedList }
>() {}

const maxListBytes = 8 * 1024 * 1024

/** The most that a list is parsed to: of OpenRouter's, which is the longest, some 10 MB. */
const maxTreeBytes = 16 * 1024 * 1024

/** The most of all lists that are being read, from all upstreams and for all credentials. */
const maxReadBytes = 4 * maxListBytes

/** How many lists one upstream is asked for side by side: there is one for each credential, and one that hangs must not hold up the others. */
const maxAsked = 16

/** How long a list is waited for. Clients, which have a page to show, give up after 5 seconds. */
const waitMs = 3_000

/** How long a list may take that nobody waits for any more: it is kept all the same. */
const lateMs = 10_000

/** How soon an upstream that failed is asked again. */
const failedForMs = 30_000

const setAside = toldFailure(
  AttemptFailure.Unusable({ reason: "is set aside after what its last requests came to" }),
)

const takesTooLong = toldFailure(AttemptFailure.TimedOut({ phase: "total", afterMs: waitMs }))

/** What is known of one list, which is kept apart. Mutable on purpose. */
interface Entry {
  generation: number
  failure: ToldFailure | undefined
  /** When to ask again, in epoch milliseconds. */
  until: number
  /** A call is under way. */
  isAsked: boolean
  /** What whoever asks now waits for. */
  coming: Coming | undefined
}

interface Coming {
  readonly attempt: Deferred.Deferred<ListAttempt>
  readonly since: number
  /** For whoever waits, though it may not be kept. */
  models: ReadonlyArray<Model> | undefined
}

const unknown = (): Entry => ({
  generation: 0,
  failure: undefined,
  until: 0,
  isAsked: false,
  coming: undefined,
})

const listOfModels = { name: "models", paths: ["/models"] } as const

const plain = (secret: Redacted.Redacted<string> | undefined): string | null =>
  secret === undefined ? null : Redacted.value(secret)

/** A digest of all that a list depends on, so that remembering needs no credential. */
const keyOf = ({ credential, upstream }: ListRequest): string => {
  const { baseUrl, headers, keyHeader, name, paths, proxy, query } = upstream
  const way = proxy === undefined ? null : [proxy.shown, plain(proxy.authorization)]
  return createHash("sha256")
    .update(JSON.stringify([name, baseUrl, query, paths, headers, keyHeader, plain(credential), way]))
    .digest("base64")
}

/** What a list has of models, and behind which of them it goes on. */
interface Page {
  readonly models: ReadonlyArray<Model>
  readonly next: string | undefined
}

/** Pages of a list of Anthropic's, each as large as it may be. */
const mostPages = 10

const queryOfPage = (after: string | undefined): string =>
  after === undefined ? "limit=1000" : `limit=1000&after_id=${encodeURIComponent(after)}`

/** The models of a list, a long one read aside; `undefined` where it is none. */
const readList = (
  aside: Aside["Type"],
  bytes: Uint8Array,
  ownedBy: string,
): Effect.Effect<ReadonlyArray<Model> | undefined, AttemptFailure> => {
  const cost = new JsonCost()
  cost.feed(bytes)
  if (cost.memory > maxTreeBytes) {
    return Effect.fail(AttemptFailure.Unusable({ reason: "its model list is more than any provider's" }))
  }
  if (bytes.length <= surelyReadable) {
    const parsed = parseJson(bytes)
    return parsed === undefined
      ? Effect.fail(AttemptFailure.Unusable({ reason: "its model list is not JSON" }))
      : Effect.succeed(readModels(parsed, ownedBy))
  }
  return aside.run("models", { bytes, ownedBy }).pipe(
    Effect.mapBoth({
      onSuccess: ({ models }) => models,
      onFailure: () => AttemptFailure.Unusable({ reason: "its model list could not be read" }),
    }),
  )
}

export const layer: Layer.Layer<ModelLists, never, Aside | Breakers | Upstreams> = Layer.scoped(
  ModelLists,
  Effect.gen(function* () {
    const aside = yield* Aside
    const breakers = yield* Breakers
    const upstreams = yield* Upstreams
    const clock = yield* Effect.clock
    const placesOf = new WeakMap<Upstream, Effect.Semaphore>()
    // Others wait for the same refresh: the client that caused it may leave, and must not take it along.
    const runFork = yield* FiberSet.makeRuntime<never>()
    const kept = new KeptLists(unknown)
    let readBytes = 0

    const placesAt = (upstream: Upstream): Effect.Semaphore => {
      const places = placesOf.get(upstream) ?? Effect.unsafeMakeSemaphore(maxAsked)
      placesOf.set(upstream, places)
      return places
    }

    const fetch = ({
      credential,
      upstream,
    }: ListRequest): Effect.Effect<ReadonlyArray<Model>, AttemptFailure> => {
      let held = 0
      const hold = (bytes: number): boolean => {
        if (readBytes + bytes > maxReadBytes) return false
        readBytes += bytes
        held += bytes
        return true
      }
      const { timeouts } = upstream
      // Anthropic's own list is not to be had without its headers, nor as a whole, which others pass over.
      const isAnthropics = upstream.dialects.includes("messages")
      const call = (after: string | undefined): UpstreamCall => ({
        upstream: {
          ...upstream,
          timeouts: {
            ...timeouts,
            answerMs: Math.min(timeouts.answerMs, lateMs),
            totalMs: Math.min(timeouts.totalMs, lateMs),
          },
        },
        method: "GET",
        path: pathAt(upstream, listOfModels),
        query: isAnthropics ? queryOfPage(after) : undefined,
        headers: toUpstream({ accept: "application/json" }, upstream, credential, {
          body: "none",
          face: isAnthropics ? "anthropic" : "openai",
        }),
        body: undefined,
        awaits: "answer",
        unpacks: "any",
        deadline: undefined,
      })
      const page = (after: string | undefined): Effect.Effect<Page, AttemptFailure> =>
        Effect.gen(function* () {
          const answer = yield* whole(upstreams, call(after), maxListBytes, hold)
          const { body, headers, retryAfterMs, status } = answer
          if (status !== 200) {
            return yield* Effect.fail(refusedBy({ status, headers, retryAfterMs }, body))
          }
          const models = yield* readList(aside, body, upstream.name)
          const next = isAnthropics ? nextPageOf(outlineOf(body, relayLimits)) : undefined
          return models === undefined
            ? yield* Effect.fail(AttemptFailure.Unusable({ reason: "its model list has no entries" }))
            : { models, next }
        })
      const read = Effect.gen(function* () {
        let { models, next } = yield* page(undefined)
        for (let pages = 1; next !== undefined && pages < mostPages; pages++) {
          const more: Page = yield* page(next)
          models = [...models, ...more.models]
          // One that goes on with the same page never ends.
          next = more.next === next ? undefined : more.next
        }
        return models
      })
      return Effect.ensuring(
        read,
        Effect.sync(() => {
          readBytes -= held
        }),
      )
    }

    /** Asks once, and tells whoever waits: when the list is in, or when it takes too long. */
    const refresh = (request: ListRequest, key: string, entry: Entry, coming: Coming) =>
      Effect.gen(function* () {
        const settle = (result: Either.Either<ReadonlyArray<Model>, ToldFailure>) => {
          const now = clock.unsafeCurrentTimeMillis()
          const failed = Either.isLeft(result)
          if (Either.isRight(result)) {
            kept.keep(key, result.right)
            coming.models = result.right
          }
          entry.failure = failed ? result.left : undefined
          entry.until = now + (failed ? failedForMs : request.ttlMs)
          if (entry.coming !== coming) return
          entry.coming = undefined
          const { name } = request.upstream
          const record = {
            upstream: name,
            upstreamModel: undefined,
            ...(failed ? recordedAs(result.left) : { status: 200, cause: undefined }),
            ms: now - coming.since,
          }
          if (failed) request.onFailed(record)
          Deferred.unsafeDone(coming.attempt, Effect.succeed({ record, failed }))
        }
        const called = yield* fetch(request).pipe(
          Effect.catchAllDefect((defect) =>
            Effect.zipRight(
              Effect.logError("a model list could not be read", { upstream: request.upstream.name }, defect),
              Effect.fail(AttemptFailure.Unusable({ reason: "its model list could not be read" })),
            ),
          ),
          Effect.mapError((failure) => toldFailure(failure, request.secrets)),
          Effect.either,
          placesAt(request.upstream).withPermits(1),
          Effect.fork,
        )
        const inTime = yield* Effect.timeoutOption(Fiber.join(called), waitMs)
        if (Option.isNone(inTime)) settle(Either.left(takesTooLong))
        settle(yield* Fiber.join(called))
        entry.isAsked = false
      })

    return ModelLists.of({
      ask: (request) => {
        const now = clock.unsafeCurrentTimeMillis()
        const key = keyOf(request)
        const entry = kept.ask(key)
        if (request.generation > entry.generation) {
          entry.generation = request.generation
          entry.until = 0
        }
        if (entry.until <= now && !entry.isAsked) {
          if (admits(breakers.status(request.upstream).breaker, now)) {
            const coming: Coming = {
              attempt: Deferred.unsafeMake<ListAttempt>(FiberId.none),
              since: now,
              models: undefined,
            }
            entry.isAsked = true
            entry.coming = coming
            runFork(refresh(request, key, entry, coming))
          } else entry.failure = setAside
        }
        const { coming } = entry
        return {
          models: () => coming?.models ?? kept.models(key),
          failure: () => entry.failure,
          coming:
            coming === undefined
              ? undefined
              : { attempt: Deferred.await(coming.attempt), since: coming.since },
        }
      },
    })
  }),
)
