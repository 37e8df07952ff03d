/** Asks the clients of a configuration what they are, each with its own key: which models they list, and which dialects they speak. Nothing asked costs anything. */
import * as Effect from "effect/Effect"
import { saidError } from "../../errors/SaidError.ts"
import { toUpstream } from "../../operations/HeadersToUpstream.ts"
import { operations } from "../../operations/Operations.ts"
import { dialects as allDialects, type Dialect } from "../../routing/Dialect.ts"
import { askedAs, listCallOf } from "../../routing/ListCall.ts"
import { type Model, readModels } from "../../routing/ModelList.ts"
import { pathAt, type Upstream, urlOf } from "../../routing/Upstream.ts"
import type { Secrets } from "../../secrets/Secrets.ts"
import { told } from "../../secrets/Told.ts"
import type { UpstreamCall } from "../../upstream/calls/UpstreamCall.ts"
import { Upstreams } from "../../upstream/calls/Upstreams.ts"
import { whole } from "../../upstream/calls/WholeAnswer.ts"
import { toldFailure } from "../../upstream/policy/AttemptFailure.ts"
import { reasonOf } from "../../upstream/policy/FailureWords.ts"
import { parseJson } from "../../wire/JsonBytes.ts"
import { type Answer, type AskedModel, type Findings, speaks } from "./Reading.ts"

const mostBytes = 4 * 1024 * 1024

/** How long one answer is waited for. */
const waitMs = 10_000

const connectMs = 5_000

/** How many clients are asked side by side, and how many models each is asked for by name. */
const atOnce = 8
const mostModels = 20

/** The longest words of an answer that are told. */
const longestWords = 200

const operationOf = {
  chat: operations["chat.completions"],
  responses: operations.responses,
  messages: operations.messages,
} as const

/** An empty request: every API refuses it, and none answers it. */
const nothing = new TextEncoder().encode("{}")

type Asked = Pick<UpstreamCall, "method" | "path" | "query" | "body">

/** With waits as short as somebody has who looks on. */
const waitedForBriefly = (upstream: Upstream): Upstream => ({
  ...upstream,
  timeouts: { connectMs, firstByteMs: waitMs, answerMs: waitMs, idleMs: waitMs, totalMs: waitMs },
})

/** Asks a client once. */
const ask = (upstream: Upstream, asked: Asked, secrets: Secrets): Effect.Effect<Answer, never, Upstreams> =>
  Effect.flatMap(Upstreams, (upstreams) =>
    whole(
      upstreams,
      {
        ...asked,
        upstream,
        headers: toUpstream({ accept: "application/json" }, upstream, upstream.apiKey, {
          body: asked.body === undefined ? "none" : "json",
          face: askedAs(upstream),
        }),
        awaits: "answer",
        unpacks: "any",
        deadline: undefined,
      },
      mostBytes,
    ).pipe(
      Effect.match({
        onFailure: (failure): Answer => ({ failure: reasonOf(toldFailure(failure, secrets)) }),
        onSuccess: ({ body, headers, status }): Answer => ({
          status,
          headers,
          body,
          words: told(saidError(body)?.message ?? "", secrets, longestWords),
        }),
      }),
    ),
  )

const modelsIn = (answer: Answer, upstream: Upstream): ReadonlyArray<Model> | undefined =>
  "status" in answer && answer.status === 200 ? readModels(parseJson(answer.body), upstream.name) : undefined

/** The names that the client would surely be sent. */
const namesOf = ({ match, model }: Upstream): ReadonlyArray<string> =>
  model !== undefined ? [model] : match.type === "exact" ? match.values : []

const isListed = (models: ReadonlyArray<Model>, name: string): boolean =>
  models.some(({ id }) => id === name || id === `models/${name}` || id === `${name}:latest`)

/** Lists are not whole: what an alias leads to has another name there. So what is not listed is asked for by itself. */
const askFor = (upstream: Upstream, list: ReadonlyArray<Model>, model: string, secrets: Secrets) =>
  isListed(list, model)
    ? Effect.succeed<AskedModel>({ model, has: "yes" })
    : Effect.map(
        ask(
          upstream,
          {
            method: "GET",
            path: `${listCallOf(upstream).path}/${encodeURIComponent(model)}`,
            body: undefined,
          },
          secrets,
        ),
        (answer): AskedModel => {
          if (!("status" in answer)) return { model, has: "unknown" }
          return { model, has: answer.status < 300 ? "yes" : answer.status === 404 ? "no" : "unknown" }
        },
      )

const probe = (upstream: Upstream, dialect: Dialect, secrets: Secrets) => {
  const path = pathAt(upstream, operationOf[dialect])
  const { origin, pathname } = new URL(urlOf(upstream, path))
  return Effect.map(ask(upstream, { method: "POST", path, body: nothing }, secrets), (answer) => ({
    dialect,
    url: origin + pathname,
    answer,
  }))
}

const findingsOf = (configured: Upstream, secrets: Secrets): Effect.Effect<Findings, never, Upstreams> =>
  Effect.gen(function* () {
    const upstream = waitedForBriefly(configured)
    const list = yield* ask(upstream, { method: "GET", ...listCallOf(upstream), body: undefined }, secrets)
    if (!("status" in list)) return { upstream, list, listed: undefined, models: [], dialects: [] }
    const listed = modelsIn(list, upstream)
    const models =
      listed === undefined
        ? []
        : yield* Effect.forEach(namesOf(upstream).slice(0, mostModels), (name) =>
            askFor(upstream, listed, name, secrets),
          )
    const probed = (some: ReadonlyArray<Dialect>) =>
      Effect.forEach(some, (dialect) => probe(upstream, dialect, secrets))
    const asked = upstream.dialectsAssumed ? allDialects : upstream.dialects
    const own = yield* probed(asked)
    // Where it has none of those that are written, another may be meant.
    const lacksAll = own.length > 0 && own.every(({ answer }) => speaks(answer) === "no")
    const others = lacksAll ? yield* probed(allDialects.filter((one) => !asked.includes(one))) : []
    const dialects = [...own, ...others]
    return { upstream, list, listed: listed?.length, models, dialects }
  })

/** What each of the clients says of itself, in their order. */
export const askAll = (
  upstreams: ReadonlyArray<Upstream>,
  secrets: Secrets,
): Effect.Effect<ReadonlyArray<Findings>, never, Upstreams> =>
  Effect.forEach(upstreams, (upstream) => findingsOf(upstream, secrets), { concurrency: atOnce })
