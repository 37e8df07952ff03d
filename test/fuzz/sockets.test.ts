/**
 * Whatever bytes come over a socket, from an upstream or from a caller: the caller gets an answer in one of Sluice's forms or a closed
 * connection, the audit one row, nothing is left open, and whoever comes next is served.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import fc from "fast-check"
import { stringify } from "yaml"
import { formOf } from "../faults/Observation.ts"
import { configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import { head, jsonOf, parseAnswer, post, postBytes, rawConnection, request } from "../support/RawHttp.ts"
import { runs } from "../support/Runs.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatChunks, chatCompletion, openAiError } from "../support/Wire.ts"
import { mangled, pieces } from "./Bytes.ts"

const path = "/v1/chat/completions"
const asking = (model: string, stream: boolean) => ({
  model,
  stream,
  messages: [{ role: "user", content: "Hello?" }],
})

const wire = (lines: ReadonlyArray<string>, body: string): string =>
  ["HTTP/1.1 200 OK", ...lines, "", body].join("\r\n")

const answer = JSON.stringify(chatCompletion("Hello"))
const events = Scripted.eventStream(chatChunks(["Hello ", "<think>there</think>"])).toString()
const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

const fromUpstream = mangled(
  wire(["content-type: application/json", `content-length: ${answer.length}`], answer),
  wire(["content-type: text/event-stream", "transfer-encoding: chunked"], chunked(events)),
  wire(["content-type: text/event-stream", "connection: close"], events),
  wire(["content-type: text/event-stream", "connection: close"], events.replaceAll("\n", "\r")),
  `HTTP/1.1 429 No\r\nretry-after: 1\r\ncontent-length: 99\r\n\r\n${JSON.stringify(openAiError("no"))}`,
)

const fromCaller = mangled(
  postBytes(path, asking("sound", false)),
  postBytes(path, asking("sound", true), { "x-request-timeout-ms": "900", connection: "close" }),
  Buffer.concat([
    head("POST", path, { "content-type": "application/json", "transfer-encoding": "chunked" }),
    Buffer.from(chunked(JSON.stringify(asking("sound", true)))),
  ]),
  head("GET", "/v1/models"),
  head("GET", "/v1/models/org%2Fsound", { authorization: "Bearer x" }),
  head("OPTIONS", path, { "access-control-request-headers": "x" }),
)

const ending = fc.constantFrom("end" as const, "end" as const, "reset" as const, "silence" as const)

/** As many are under way at once, since those that fall silent take their time. */
const abreast = 12

/** A law that is an effect, checked. */
const assertEffect = <A>(
  arbitrary: fc.Arbitrary<A>,
  law: (value: A) => Effect.Effect<void, unknown, Scope.Scope>,
  numRuns: number,
): Effect.Effect<void> =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(arbitrary, (value) => Effect.runPromise(Effect.scoped(law(value)))),
      { numRuns: runs(numRuns) },
    ),
  )

describe("Fuzzed over sockets,", () => {
  it.scopedLive(
    "an upstream never makes the gateway answer in another form than its own, or leave anything open",
    () =>
      Effect.gen(function* () {
        const upstreams = yield* Effect.replicateEffect(Scripted.scriptedUpstream(Scripted.hang()), abreast)
        const gateway = yield* startGateway(
          stringify({
            retry: { rounds: 1 },
            breaker: { failures: 0 },
            timeouts: {
              connect_ms: 2_000,
              first_byte_ms: 250,
              answer_ms: 250,
              idle_ms: 250,
              total_ms: 1_000,
            },
            openai_clients: upstreams.map(({ url }, at) => ({
              name: `u${at}`,
              base_url: url,
              api_key: configuredKey,
              thinking_format: at % 2 === 0 ? "passthrough" : "strip",
              model_match: { type: "exact", value: [`u${at}`] },
            })),
          }),
        )
        let asked = 0
        const samples = fc.array(fc.record({ bytes: fromUpstream, ending, stream: fc.boolean() }), {
          minLength: 1,
          maxLength: abreast,
        })
        yield* assertEffect(
          samples,
          (batch) =>
            Effect.gen(function* () {
              const answers = yield* Effect.forEach(
                batch,
                ({ bytes, ending, stream }, at) => {
                  upstreams[at]?.setScript(Scripted.raw(bytes, ending))
                  return post(gateway.port, path, asking(`u${at}`, stream))
                },
                { concurrency: "unbounded" },
              )
              for (const [at, answer] of answers.entries())
                expect(formOf(answer, batch[at]?.stream === true)).toBe("")
              asked += batch.length
              const records = yield* gateway.awaitRecords(asked)
              expect(records.length).toBe(asked)
              expect(records.slice(-batch.length).map(({ outcome }) => outcome)).not.toContain(
                "client_closed",
              )
              expect(
                yield* Effect.map(request(gateway.port, "GET", "/health?verbose"), jsonOf),
              ).toMatchObject({
                status: "ok",
                requests: { in_flight: 0, buffered_bytes: 0 },
                upstreams: upstreams.map(() => ({ in_flight: 0 })),
              })
            }),
          12,
        )
      }),
  )

  it.scopedLive("a caller gets HTTP or a closed connection, and the next one is served", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(({ body }) =>
        String(JSON.stringify(body)).includes('"stream":true')
          ? Scripted.sse(chatChunks(["Hello"]))
          : Scripted.chat("Hello"),
      )
      const gateway = yield* startGateway(
        stringify({
          openai_clients: [
            {
              name: "sound",
              base_url: upstream.url,
              api_key: configuredKey,
              model_match: { type: "keyword", value: ["sound"] },
            },
          ],
        }),
      )
      const plays = (sent: ReadonlyArray<Buffer>, ending: "end" | "reset" | "silence") =>
        Effect.scoped(
          Effect.gen(function* () {
            const connection = yield* rawConnection(gateway.port)
            for (const piece of sent) yield* connection.send(piece)
            if (ending === "reset") connection.socket.resetAndDestroy()
            if (ending === "end") connection.socket.end()
            const text = yield* Effect.timeoutOption(
              connection.until((soFar) => parseAnswer(soFar)?.whole === true),
              ending === "silence" ? 200 : 5_000,
            )
            return Option.getOrElse(text, () => connection.received().toString("latin1"))
          }),
        )
      yield* assertEffect(
        fc.array(fc.tuple(pieces(fromCaller), ending), { minLength: 1, maxLength: abreast }),
        (batch) =>
          Effect.gen(function* () {
            const heard = yield* Effect.forEach(batch, ([sent, ending]) => plays(sent, ending), {
              concurrency: "unbounded",
            })
            for (const text of heard) expect(text).toMatch(/^(?:$|HTTP\/1\.1 [1-5]\d\d )/)
            const next = yield* post(gateway.port, path, asking("sound", false))
            expect(next?.status).toBe(200)
            yield* eventually(
              "the end of all requests",
              Effect.map(request(gateway.port, "GET", "/health?verbose"), jsonOf),
              (health) => JSON.stringify(health).includes('"in_flight":0,"buffered_bytes":0'),
            )
          }),
        12,
      )
    }),
  )
})
