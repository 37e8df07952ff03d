/** Questions to the admin API of a running gateway, and in words what is wrong where one is not answered. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { apiRoot } from "../../admin/api/AdminApi.ts"
import { printable } from "../../terminal/Printable.ts"
import { CliFailure } from "../CliFailure.ts"

/** A running gateway: where it is, and who asks it. */
export interface RunningGateway {
  /** `http://localhost:9000`, without a slash at its end. */
  readonly address: string
  readonly key: Redacted.Redacted<string> | undefined
  /** The variable that the key is looked for in. */
  readonly keyVariable: string
}

/** It has too much to do, or cannot be reached: worth another try. */
export class AwayForNow extends Data.TaggedError("AwayForNow")<{
  readonly isBusy: boolean
  readonly message: string
}> {}

/** A name and a value each; what is `undefined` is left out. */
export type Params = Readonly<Record<string, string | undefined>>

/** Longer than the gateway waits for its own reading of the audit. */
const answerWithin = "70 seconds"

/** A gateway that too many ask at once is asked again a few times. */
const whileBusy = Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(10))

const Refusal = Schema.parseJson(
  Schema.Struct({ error: Schema.Struct({ message: Schema.String, code: Schema.NullOr(Schema.String) }) }),
)

const Health = Schema.Struct({ version: Schema.String })

const failed = ({ address }: RunningGateway, message: string) =>
  new CliFailure({ exitCode: 1, message: `--gateway ${address}: ${message}` })

const requestOf = ({ address, key }: RunningGateway, path: string, params: Params) => {
  const request = HttpClientRequest.get(`${address}${path}`, { urlParams: params })
  return key === undefined ? request : HttpClientRequest.bearerToken(request, key)
}

const noSluice = "no Sluice answers there; say the address of one, such as http://localhost:8000"

const notUnderstood = "what it answers is not what this release of Sluice understands"

/** A gateway that has no such path: its operators' API is at another port, or it is of before there was one. */
const withoutApi = (gateway: RunningGateway) =>
  HttpClient.execute(HttpClientRequest.get(`${gateway.address}/health`)).pipe(
    Effect.flatMap(HttpClientResponse.schemaBodyJson(Health)),
    Effect.match({
      onFailure: () => noSluice,
      onSuccess: ({ version }) =>
        `Sluice ${printable(version)} answers there, and has no operators' API at this address. Ask at its admin.port, if it has one; an older Sluice has to be updated`,
    }),
    Effect.flatMap((message) => failed(gateway, message)),
  )

const keyAskedFor = ({ key, keyVariable }: RunningGateway) =>
  key === undefined
    ? `it asks for one of its admin.keys: set ${keyVariable} to one`
    : `the key in ${keyVariable} is none of its admin.keys`

/** Why it is no answer, in words for whoever asked. */
const refusal = (
  gateway: RunningGateway,
  { status, text }: HttpClientResponse.HttpClientResponse,
): Effect.Effect<never, AwayForNow | CliFailure, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    if (status === 401) return yield* failed(gateway, keyAskedFor(gateway))
    if (status >= 300 && status < 400) {
      return yield* failed(
        gateway,
        `it answers ${status}, which leads elsewhere; say the address it leads to`,
      )
    }
    const said = yield* Effect.option(Effect.flatMap(text, Schema.decodeUnknown(Refusal)))
    if (said._tag === "None") return yield* status === 404 ? withoutApi(gateway) : failed(gateway, noSluice)
    const { code, message } = said.value.error
    if (status === 404 && code !== "request_not_found") return yield* withoutApi(gateway)
    const words = printable(message)
    return yield* status === 503
      ? new AwayForNow({ isBusy: code === "audit_busy", message: failed(gateway, words).message })
      : failed(gateway, words)
  })

const notReached = (gateway: RunningGateway) => () =>
  new AwayForNow({
    isBusy: false,
    message: failed(gateway, "it cannot be reached. Is it running, and is this its address?").message,
  })

/** It gives a page again and again: what answers there is no Sluice. */
export const goesRound = (gateway: RunningGateway): CliFailure => failed(gateway, notUnderstood)

/** The answer to a question, once it is one. */
const answered = (gateway: RunningGateway, path: string, params: Params) =>
  HttpClient.execute(requestOf(gateway, `${apiRoot}${path}`, params)).pipe(
    Effect.mapError(notReached(gateway)),
    Effect.filterOrElse(
      ({ status }) => status === 200,
      (response) => refusal(gateway, response),
    ),
  )

/** `fetch`, which is to follow nobody elsewhere: the key is for this address. */
const stayingHere = Layer.merge(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }),
)

/** What the gateway answers, which has to be what this release expects. */
export const ask = <A, I>(
  gateway: RunningGateway,
  path: string,
  params: Params,
  schema: Schema.Schema<A, I>,
): Effect.Effect<A, CliFailure> =>
  answered(gateway, path, params).pipe(
    Effect.retry({ schedule: whileBusy, while: (error) => error._tag === "AwayForNow" && error.isBusy }),
    Effect.flatMap(HttpClientResponse.schemaBodyJson(schema)),
    Effect.catchTags({
      AwayForNow: ({ message }) => new CliFailure({ exitCode: 1, message }),
      ParseError: () => failed(gateway, notUnderstood),
      ResponseError: ({ reason }) =>
        failed(gateway, reason === "Decode" ? notUnderstood : "its answer broke off"),
    }),
    Effect.timeoutFail({
      duration: answerWithin,
      onTimeout: () => failed(gateway, "it does not answer in time; ask for a shorter time"),
    }),
    Effect.provide(stayingHere),
  )

const isEventStream = ({ headers }: HttpClientResponse.HttpClientResponse): boolean =>
  headers["content-type"]?.startsWith("text/event-stream") === true

/** The bytes of server-sent events, which do not end by themselves. */
export const askForEvents = (
  gateway: RunningGateway,
  path: string,
  params: Params,
): Stream.Stream<Uint8Array, AwayForNow | CliFailure> =>
  HttpClientResponse.stream(
    Effect.filterOrFail(answered(gateway, path, params), isEventStream, () => failed(gateway, notUnderstood)),
  ).pipe(
    Stream.mapError((error) => (error._tag === "ResponseError" ? notReached(gateway)() : error)),
    Stream.provideLayer(stayingHere),
  )
