/**
 * The lists of models that upstreams give: kept for a while per credential, one refresh in flight each, the last good one while an upstream is down,
 * and a failure for a while, so that a host that hangs is not waited for again by everybody who asks.
 */
import { createHash } from "node:crypto"
import type * as Clock from "effect/Clock"
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
import type { Model } from "../../routing/ModelList.ts"
import type { Upstream } from "../../routing/Upstream.ts"
import type { Secrets } from "../../secrets/Secrets.ts"
import { Breakers } from "../Breakers.ts"
import { Upstreams } from "../calls/Upstreams.ts"
import { AttemptFailure, type ToldFailure, toldFailure } from "../policy/AttemptFailure.ts"
import { admits } from "../policy/Breaker.ts"
import { recordedAs } from "../policy/FailureWords.ts"
import { KeptLists } from "./KeptLists.ts"
import { ListCalls } from "./ListCalls.ts"

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

/** How long a list is waited for. Clients, which have a page to show, give up after 5 seconds. One that comes later is kept all the same. */
const waitMs = 3_000

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

/** A list that is being asked for anew. */
interface Refresh {
  readonly request: ListRequest
  readonly key: string
  readonly entry: Entry
  readonly coming: Coming
}

/** What came of asking: the list, or why there is none. */
type Came = Either.Either<ReadonlyArray<Model>, ToldFailure>

/** Goes on by itself: others wait for the same refresh, and the client that caused it may leave without taking it along. */
type Fork = (refresh: Effect.Effect<void>) => void

/** Mutable on purpose: the lists of all upstreams. */
class RefreshedLists {
  readonly #calls: ListCalls
  readonly #breakers: Breakers["Type"]
  readonly #clock: Clock.Clock
  readonly #fork: Fork
  readonly #kept = new KeptLists(unknown)

  constructor(calls: ListCalls, breakers: Breakers["Type"], clock: Clock.Clock, fork: Fork) {
    this.#calls = calls
    this.#breakers = breakers
    this.#clock = clock
    this.#fork = fork
  }

  ask(request: ListRequest): AskedList {
    const key = keyOf(request)
    const entry = this.#kept.ask(key)
    this.#refreshWhereDue(request, key, entry)
    const { coming } = entry
    return {
      models: () => coming?.models ?? this.#kept.models(key),
      failure: () => entry.failure,
      coming:
        coming === undefined ? undefined : { attempt: Deferred.await(coming.attempt), since: coming.since },
    }
  }

  #refreshWhereDue(request: ListRequest, key: string, entry: Entry): void {
    const now = this.#clock.unsafeCurrentTimeMillis()
    if (request.generation > entry.generation) {
      entry.generation = request.generation
      entry.until = 0
    }
    if (entry.until > now || entry.isAsked) return
    if (!admits(this.#breakers.status(request.upstream).breaker, now)) {
      entry.failure = setAside
      return
    }
    const coming: Coming = {
      attempt: Deferred.unsafeMake<ListAttempt>(FiberId.none),
      since: now,
      models: undefined,
    }
    entry.isAsked = true
    entry.coming = coming
    this.#fork(this.#refresh({ request, key, entry, coming }))
  }

  /** Asks once, and tells whoever waits: when the list is in, or when it takes too long. */
  #refresh(refresh: Refresh): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      const { credential, secrets, upstream } = refresh.request
      const called = yield* this.#calls.ask(upstream, credential).pipe(
        Effect.mapError((failure) => toldFailure(failure, secrets)),
        Effect.either,
        Effect.fork,
      )
      const inTime = yield* Effect.timeoutOption(Fiber.join(called), waitMs)
      if (Option.isNone(inTime)) this.#settle(refresh, Either.left(takesTooLong))
      this.#settle(refresh, yield* Fiber.join(called))
      refresh.entry.isAsked = false
    })
  }

  /** Keeps what came, and tells those who wait, where nobody told them before. */
  #settle({ coming, entry, key, request }: Refresh, came: Came): void {
    const now = this.#clock.unsafeCurrentTimeMillis()
    const failed = Either.isLeft(came)
    if (Either.isRight(came)) {
      this.#kept.keep(key, came.right)
      coming.models = came.right
    }
    entry.failure = failed ? came.left : undefined
    entry.until = now + (failed ? failedForMs : request.ttlMs)
    if (entry.coming !== coming) return
    entry.coming = undefined
    const record = {
      upstream: request.upstream.name,
      upstreamModel: undefined,
      ...(failed ? recordedAs(came.left) : { status: 200, cause: undefined }),
      ms: now - coming.since,
    }
    if (failed) request.onFailed(record)
    Deferred.unsafeDone(coming.attempt, Effect.succeed({ record, failed }))
  }
}

export const layer: Layer.Layer<ModelLists, never, Aside | Breakers | Upstreams> = Layer.scoped(
  ModelLists,
  Effect.gen(function* () {
    const calls = new ListCalls(yield* Upstreams, yield* Aside)
    const fork = yield* FiberSet.makeRuntime<never>()
    const lists = new RefreshedLists(calls, yield* Breakers, yield* Effect.clock, fork)
    return ModelLists.of({ ask: (request) => lists.ask(request) })
  }),
)
