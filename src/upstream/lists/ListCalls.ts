/** Asks upstreams for their lists of models: so many at a time of one upstream, so much of all of them, and no longer than a while. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Aside } from "../../aside/Aside.ts"
import { toUpstream } from "../../operations/HeadersToUpstream.ts"
import { askedAs, listCallOf } from "../../routing/ListCall.ts"
import { type Model, nextPageOf, readModels } from "../../routing/ModelList.ts"
import type { Upstream } from "../../routing/Upstream.ts"
import { parseJson } from "../../wire/JsonBytes.ts"
import { JsonCost } from "../../wire/JsonCost.ts"
import { outlineOf, relayLimits, surelyReadable } from "../../wire/JsonOutline.ts"
import type { UpstreamCall } from "../calls/UpstreamCall.ts"
import type { Upstreams } from "../calls/Upstreams.ts"
import { whole } from "../calls/WholeAnswer.ts"
import { AttemptFailure, refusedBy } from "../policy/AttemptFailure.ts"

const maxListBytes = 8 * 1024 * 1024

/** The most that a list is parsed to: of OpenRouter's, which is the longest, some 10 MB. */
const maxTreeBytes = 16 * 1024 * 1024

/** The most of all lists that are being read, from all upstreams and for all credentials. */
const maxReadBytes = 4 * maxListBytes

/** How many lists one upstream is asked for side by side: there is one for each credential, and one that hangs must not hold up the others. */
const maxAsked = 16

/** How long a list may take. */
const lateMs = 10_000

type Credential = Redacted.Redacted<string> | undefined

/** What a list has of models, and behind which of them it goes on. */
interface Page {
  readonly models: ReadonlyArray<Model>
  readonly next: string | undefined
}

/** Pages of a list of Anthropic's, each as large as it may be. */
const mostPages = 10

const callFor = (upstream: Upstream, credential: Credential, after: string | undefined): UpstreamCall => {
  const { timeouts } = upstream
  return {
    upstream: {
      ...upstream,
      timeouts: {
        ...timeouts,
        answerMs: Math.min(timeouts.answerMs, lateMs),
        totalMs: Math.min(timeouts.totalMs, lateMs),
      },
    },
    method: "GET",
    ...listCallOf(upstream, after),
    headers: toUpstream({ accept: "application/json" }, upstream, credential, {
      body: "none",
      face: askedAs(upstream),
    }),
    body: undefined,
    awaits: "answer",
    unpacks: "any",
    deadline: undefined,
  }
}

const unusable = (reason: string) => Effect.fail(AttemptFailure.Unusable({ reason }))

/** The models of a list, a long one read aside; `undefined` where it is none. */
const readList = (
  aside: Aside["Type"],
  bytes: Uint8Array,
  ownedBy: string,
): Effect.Effect<ReadonlyArray<Model> | undefined, AttemptFailure> => {
  const cost = new JsonCost()
  cost.feed(bytes)
  if (cost.memory > maxTreeBytes) {
    return unusable("its model list is more than any provider's")
  }
  if (bytes.length <= surelyReadable) {
    const parsed = parseJson(bytes)
    return parsed === undefined
      ? unusable("its model list is not JSON")
      : Effect.succeed(readModels(parsed, ownedBy))
  }
  return aside.run("models", { bytes, ownedBy }).pipe(
    Effect.mapBoth({
      onSuccess: ({ models }) => models,
      onFailure: () => AttemptFailure.Unusable({ reason: "its model list could not be read" }),
    }),
  )
}

/** Mutable on purpose: what is under way with all upstreams. */
export class ListCalls {
  readonly #upstreams: Upstreams["Type"]
  readonly #aside: Aside["Type"]
  readonly #placesOf = new WeakMap<Upstream, Effect.Semaphore>()
  #readBytes = 0

  constructor(upstreams: Upstreams["Type"], aside: Aside["Type"]) {
    this.#upstreams = upstreams
    this.#aside = aside
  }

  /** The list of an upstream, as soon as there is a place to ask. A defect is told in the log. */
  ask(upstream: Upstream, credential: Credential): Effect.Effect<ReadonlyArray<Model>, AttemptFailure> {
    return this.#read(upstream, credential).pipe(
      Effect.catchAllDefect((defect) =>
        Effect.zipRight(
          Effect.logError("a model list could not be read", { upstream: upstream.name }, defect),
          unusable("its model list could not be read"),
        ),
      ),
      this.#placesAt(upstream).withPermits(1),
    )
  }

  #placesAt(upstream: Upstream): Effect.Semaphore {
    const places = this.#placesOf.get(upstream) ?? Effect.unsafeMakeSemaphore(maxAsked)
    this.#placesOf.set(upstream, places)
    return places
  }

  #read(upstream: Upstream, credential: Credential): Effect.Effect<ReadonlyArray<Model>, AttemptFailure> {
    let held = 0
    const hold = (bytes: number): boolean => {
      if (this.#readBytes + bytes > maxReadBytes) return false
      this.#readBytes += bytes
      held += bytes
      return true
    }
    const pages = Effect.gen(this, function* () {
      let { models, next } = yield* this.#page(callFor(upstream, credential, undefined), hold)
      for (let read = 1; next !== undefined && read < mostPages; read++) {
        const more: Page = yield* this.#page(callFor(upstream, credential, next), hold)
        models = [...models, ...more.models]
        // One that goes on with the same page never ends.
        next = more.next === next ? undefined : more.next
      }
      return models
    })
    return Effect.ensuring(
      pages,
      Effect.sync(() => {
        this.#readBytes -= held
      }),
    )
  }

  #page(call: UpstreamCall, hold: (bytes: number) => boolean): Effect.Effect<Page, AttemptFailure> {
    return Effect.gen(this, function* () {
      const answer = yield* whole(this.#upstreams, call, maxListBytes, hold)
      const { body, headers, retryAfterMs, status } = answer
      if (status !== 200) return yield* Effect.fail(refusedBy({ status, headers, retryAfterMs }, body))
      const models = yield* readList(this.#aside, body, call.upstream.name)
      if (models === undefined) return yield* unusable("its model list has no entries")
      const next =
        askedAs(call.upstream) === "anthropic" ? nextPageOf(outlineOf(body, relayLimits)) : undefined
      return { models, next }
    })
  }
}
