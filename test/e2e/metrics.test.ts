/** What `/metrics` tells of requests, whatever callers send, and to whom. */
import { spawnSync } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ask } from "../support/Ask.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatCompletion } from "../support/Wire.ts"

const usage = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4 },
}

const pageOf = (baseUrl: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(`${baseUrl}/metrics`, { headers })
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() }
  })

/** The values of a page's samples. */
const samplesOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text.split("\n").flatMap((line) => {
      const found = /^(?!#)(.+?[}\w]) (\S+)(?: #.*)?$/.exec(line)
      return found?.[1] === undefined ? [] : [[found[1], Number(found[2])] as const]
    }),
  )

/** The samples of requests are there once their records are closed, which is after their answers are out. */
const settled = (baseUrl: string, sample: string, value: number) =>
  Effect.map(
    eventually(
      sample,
      Effect.map(pageOf(baseUrl), ({ text }) => samplesOf(text)),
      (samples) => samples.get(sample) === value,
    ),
    (samples) => samples,
  )

/** Effect counts for the whole process, in which other files are tested too: these names occur in none of them. */
const entry = (name: string, url: string, more = "") =>
  `  - { name: metered-${name}, base_url: "${url}", api_key: sk-own, model_match: { type: exact, value: [metered-${name}-m] }${more} }\n`

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0

const linted = (text: string): string => {
  const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], { input: text })
  return `${status} ${String(stdout)}${String(stderr)}`
}

describe("GET /metrics", () => {
  it.scopedLive(
    "counts a plain request with its time, tokens and attempt, under names of the configuration",
    () =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(
          Scripted.json({ ...chatCompletion("hello"), usage }),
        )
        const { baseUrl } = yield* startGateway(`openai_clients:\n${entry("plain", upstream.url)}`)
        expect(yield* ask(baseUrl, { model: "metered-plain-m" })).toBe(200)
        const of = 'endpoint="chat.completions",model="metered-plain-m",client="metered-plain"'
        const samples = yield* settled(baseUrl, `sluice_requests_total{${of},status="200",outcome="ok"}`, 1)
        const value = (sample: string) => samples.get(sample)
        expect(value(`sluice_request_duration_seconds_count{${of}}`)).toBe(1)
        expect(value(`sluice_request_duration_seconds_bucket{${of},le="+Inf"}`)).toBe(1)
        expect(value('sluice_attempts_total{client="metered-plain",result="ok"}')).toBe(1)
        for (const [kind, tokens] of Object.entries({ input: 10, output: 5, cached: 4 })) {
          expect(
            value(`sluice_tokens_total{model="metered-plain-m",client="metered-plain",kind="${kind}"}`),
          ).toBe(tokens)
        }
        expect(value('sluice_client_active{client="metered-plain"}')).toBe(0)
        expect(value('sluice_breaker_state{client="metered-plain"}')).toBe(0)
        expect(value("sluice_config_generation")).toBe(1)
        expect(value("sluice_processes")).toBe(1)
        expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6)
      }),
  )

  it.scopedLive("tells whom a request went on to, and why", () =>
    Effect.gen(function* () {
      const down = yield* Scripted.scriptedUpstream(Scripted.status(429, { error: { message: "slow down" } }))
      const well = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { baseUrl } = yield* startGateway(
        `retry: { rounds: 1 }\nopenai_clients:\n${entry("first", down.url, ", fallback: metered-spare")}${entry("spare", well.url)}`,
      )
      expect(yield* ask(baseUrl, { model: "metered-first-m" })).toBe(200)
      const samples = yield* settled(baseUrl, 'sluice_fallbacks_total{model="metered-first-m"}', 1)
      expect(samples.get('sluice_attempts_total{client="metered-first",result="429"}')).toBe(1)
      expect(samples.get('sluice_attempts_total{client="metered-spare",result="ok"}')).toBe(1)
      expect(
        samples.get('sluice_tokens_missing_total{model="metered-first-m",client="metered-spare"}'),
      ).toBeUndefined()
    }),
  )

  it.scopedLive("tells whether the second of two won that were asked at once", () =>
    Effect.gen(function* () {
      const slow = yield* Scripted.scriptedUpstream(Scripted.hang())
      const fast = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { baseUrl } = yield* startGateway(
        `openai_clients:\n${entry("slow", slow.url, ", fallback: metered-fast, hedge_after_ms: 20")}${entry("fast", fast.url)}`,
      )
      expect(yield* ask(baseUrl, { model: "metered-slow-m" })).toBe(200)
      const samples = yield* settled(baseUrl, 'sluice_hedges_total{model="metered-slow-m",won="true"}', 1)
      expect(samples.get('sluice_attempts_total{client="metered-slow",result="cancelled"}')).toBe(1)
      expect(samples.get('sluice_fallbacks_total{model="metered-slow-m"}')).toBeUndefined()
    }),
  )

  it.scopedLive("times streams, and tells those that broke off or were resumed", () =>
    Effect.gen(function* () {
      const chunk = { choices: [{ index: 0, delta: { content: "one" } }] }
      const breaking = yield* Scripted.scriptedUpstream(
        Scripted.sse([chunk], { done: false, ending: "reset" }),
      )
      const going = yield* Scripted.scriptedUpstream(Scripted.chat("two"))
      const { baseUrl } = yield* startGateway(
        `retry: { rounds: 1 }\nopenai_clients:\n${entry("breaking", breaking.url, ", fallback: metered-going")}${entry("going", going.url, ", resume: true")}${entry("alone", breaking.url)}`,
      )
      yield* ask(baseUrl, { model: "metered-breaking-m", stream: true })
      yield* ask(baseUrl, { model: "metered-alone-m", stream: true })
      const samples = yield* settled(baseUrl, 'sluice_attempts_total{client="metered-alone",result="cut"}', 1)
      expect(samples.get('sluice_attempts_total{client="metered-breaking",result="cut"}')).toBe(1)
      expect(samples.get('sluice_resumes_total{model="metered-breaking-m",result="ok"}')).toBe(1)
      const of = 'endpoint="chat.completions",model="metered-alone-m",client="metered-alone"'
      expect(samples.get(`sluice_time_to_first_event_seconds_count{${of}}`)).toBe(1)
      expect(samples.get(`sluice_requests_total{${of},status="200",outcome="stream_broken"}`)).toBe(1)
    }),
  )

  it.scopedLive("has no more series after 1,000 invented models, paths, user agents and keys", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { baseUrl } = yield* startGateway(
        `openai_clients:\n  - { name: metered-any, base_url: "${upstream.url}", api_key: sk-own, model_match: { type: keyword, value: [invented] } }\nmetrics: { models: [invented-told], names: [sluice, gpt_api] }\n`,
      )
      const invented = (at: number) =>
        Effect.gen(function* () {
          yield* ask(baseUrl, {
            model: at % 2 === 0 ? `invented-${at}` : `made-up-${at}`,
            headers: { "user-agent": `agent/${at}`, authorization: `Bearer key-${at}` },
          })
          yield* Effect.promise(() => fetch(`${baseUrl}/v1/${at}`, { method: "POST", body: "{}" }))
        })
      for (let at = 0; at < 4; at++) yield* invented(at)
      yield* ask(baseUrl, { model: "invented-told" })
      const of = (model: string) =>
        `sluice_requests_total{endpoint="chat.completions",model="${model}",client="metered-any",status="200",outcome="ok"}`
      const ofNone =
        'sluice_requests_total{endpoint="chat.completions",model="other",client="none",status="404",outcome="rejected"}'
      const before = yield* settled(baseUrl, of("invented-told"), 1)
      yield* Effect.forEach(
        Array.from({ length: 500 }, (_, at) => at + 4),
        invented,
        { concurrency: 8, discard: true },
      )
      const after = yield* settled(baseUrl, of("invented"), 252)
      expect(after.get(ofNone)).toBe((before.get(ofNone) ?? 0) + 250)
      expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted())
    }),
  )

  it.scopedLive("forgets the gauges of a client that a reload took away, and keeps what was counted", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { baseUrl, reload } = yield* startGateway(`openai_clients:\n${entry("gone", upstream.url)}`)
      yield* ask(baseUrl, { model: "metered-gone-m" })
      const counted = 'sluice_attempts_total{client="metered-gone",result="ok"}'
      expect((yield* settled(baseUrl, counted, 1)).get('sluice_client_active{client="metered-gone"}')).toBe(0)
      yield* reload(`openai_clients:\n${entry("other", upstream.url)}`)
      const samples = samplesOf((yield* pageOf(baseUrl)).text)
      expect(samples.get(counted)).toBe(1)
      expect(samples.has('sluice_client_active{client="metered-gone"}')).toBe(false)
      expect(samples.get('sluice_client_active{client="metered-other"}')).toBe(0)
      expect(samples.get('sluice_config_reload_total{result="replaced"}')).toBe(1)
      yield* reload("openai_clients: nonsense")
      const rejected = samplesOf((yield* pageOf(baseUrl)).text)
      // Once for who watches the file, where that saw it first, and once for who asks anew.
      expect([1, 2]).toContain(rejected.get('sluice_config_reload_total{result="rejected"}'))
      expect(rejected.get("sluice_config_generation")).toBe(2)
    }),
  )

  it.scopedLive("counts what is under way, and is let go of when its caller leaves", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { baseUrl } = yield* startGateway(`openai_clients:\n${entry("hung", upstream.url)}`)
      const waiting = yield* Effect.fork(
        Effect.promise((signal) =>
          fetch(`${baseUrl}/v1/chat/completions`, {
            method: "POST",
            signal,
            body: JSON.stringify({ model: "metered-hung-m", messages: [{ role: "user", content: "hi" }] }),
          }),
        ),
      )
      yield* upstream.awaitRequest(1)
      const during = samplesOf((yield* pageOf(baseUrl)).text)
      expect(during.get('sluice_active_requests{endpoint="chat.completions"}')).toBe(1)
      expect(during.get('sluice_client_active{client="metered-hung"}')).toBe(1)
      yield* Fiber.interrupt(waiting)
      const after = yield* settled(
        baseUrl,
        'sluice_attempts_total{client="metered-hung",result="cancelled"}',
        1,
      )
      expect(after.get('sluice_active_requests{endpoint="chat.completions"}')).toBe(0)
      expect(
        after.get(
          'sluice_requests_total{endpoint="chat.completions",model="metered-hung-m",client="metered-hung",status="499",outcome="client_closed"}',
        ),
      ).toBe(1)
    }),
  )

  it.scopedLive("is for operators: with one of admin.keys, or to all where no key is asked for", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* startGateway(
        `server: { access_keys: [access-key-of-a-caller] }\nadmin: { keys: [admin-key-of-the-operator] }\nopenai_clients: []\n`,
      )
      const statusFor = (key: string) =>
        Effect.map(pageOf(baseUrl, { authorization: `Bearer ${key}` }), ({ status }) => status)
      expect((yield* pageOf(baseUrl)).status).toBe(401)
      expect(yield* statusFor("access-key-of-a-caller")).toBe(401)
      expect(yield* statusFor("admin-key-of-the-operator")).toBe(200)
    }),
  )

  it.scopedLive("speaks OpenMetrics to who asks for it, with the trace that a caller names", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { baseUrl } = yield* startGateway(`openai_clients:\n${entry("traced", upstream.url)}`)
      const trace = "0af7651916cd43dd8448eb211c80319c"
      yield* ask(baseUrl, {
        model: "metered-traced-m",
        headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
      })
      yield* settled(baseUrl, 'sluice_attempts_total{client="metered-traced",result="ok"}', 1)
      const { text, type } = yield* pageOf(baseUrl, { accept: "application/openmetrics-text;version=1.0.0" })
      expect(type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8")
      expect(text.endsWith("# EOF\n")).toBe(true)
      expect(text).toMatch(new RegExp(`model="metered-traced-m".*le=.* # \\{trace_id="${trace}"\\} \\d`))
      const plain = yield* pageOf(baseUrl)
      expect(plain.type).toBe("text/plain; version=0.0.4; charset=utf-8")
      expect(plain.text).not.toContain(trace)
    }),
  )

  it.scopedLive.skipIf(!hasPromtool)("is without reproach to promtool, under both names", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json({ ...chatCompletion("hello"), usage }))
      const down = yield* Scripted.scriptedUpstream(Scripted.status(500, { error: { message: "no" } }))
      const { baseUrl } = yield* startGateway(
        `retry: { rounds: 1 }\nmetrics: { names: [sluice, gpt_api] }\nopenai_clients:\n${entry("up", upstream.url)}${entry("down", down.url, ", fallback: metered-up")}`,
      )
      yield* ask(baseUrl, { model: "metered-up-m" })
      yield* ask(baseUrl, { model: "metered-down-m" })
      yield* ask(baseUrl, { model: "nobody's" })
      yield* settled(baseUrl, 'gpt_api_failover_total{model="metered-down-m"}', 1)
      const { text } = yield* pageOf(baseUrl)
      expect(linted(text)).toBe("0 ")
      expect(text).toContain("sluice_requests_total{")
      const of = 'endpoint="/v1/chat/completions",status="200",model="metered-up-m",backend="metered-up"'
      expect(samplesOf(text).get(`gpt_api_requests_total{${of}}`)).toBe(1)
      expect(samplesOf(text).get('gpt_api_tokens_total{model="metered-up-m",type="prompt"}')).toBe(10)
      expect(
        samplesOf(text).get(
          'gpt_api_success_rate{endpoint="/v1/chat/completions",model="metered-up-m",backend="metered-up"}',
        ),
      ).toBe(1)
    }),
  )
})
