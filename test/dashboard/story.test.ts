/** What the dashboard makes of one request, and of many. */
import { execFileSync } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { answerIn, requestIn } from "../../dashboard/conversation/Reading.ts"
import { attemptsOf, attemptTone, attemptWord } from "../../dashboard/requests/Attempt.ts"
import { curlOf } from "../../dashboard/story/Repeat.ts"
import { mostOf, spansOf } from "../../dashboard/story/WhereTimeWent.ts"
import { curveOf } from "../../dashboard/usage/Curve.ts"
import type { UsageOf } from "../../src/admin/api/UsageReport.ts"

const attempt = (upstream: string, ms: number, status: number | null = 200) => ({ upstream, status, ms })

describe("Where the time of a request went", () => {
  it("is the gateway, the attempts that failed, the wait and the rest of the answer", () => {
    const spans = spansOf({
      attempts: [attempt("openai", 100, 429), attempt("azure", 290)],
      outcome: "ok",
      latency_ms: 1_000,
      overhead_ms: 10,
      ttft_ms: 400,
    })
    expect(spans.map(({ ms, what }) => `${what} ${ms}`)).toEqual([
      "Sluice itself 10",
      "openai: 429 100",
      "azure until its first content 290",
      "the rest of the answer 600",
    ])
    expect(mostOf(spans)?.what).toBe("the rest of the answer")
  })

  it("gives the client that answered first all of its time, and the one it overtook the rest", () => {
    const overtaken = { upstream: "slow", cause: "cancelled, another upstream answered first", ms: 450 }
    const spans = spansOf({
      attempts: [overtaken, attempt("quick", 150)],
      outcome: "ok",
      latency_ms: 700,
      overhead_ms: 10,
      ttft_ms: 460,
    })
    expect(spans.map(({ ms, tone, what }) => `${what} ${ms} ${tone}`)).toEqual([
      "Sluice itself 10 own",
      "slow: overtaken 300 off",
      "quick until its first content 150 wait",
      "the rest of the answer 240 write",
    ])
  })

  it("says that waits between attempts are in the gateway's own time", () => {
    const spans = spansOf({
      attempts: [attempt("only", 5, 503), attempt("only", 5, 503)],
      outcome: "upstream_error",
      latency_ms: 210,
      overhead_ms: 200,
      ttft_ms: null,
    })
    expect(spans.map(({ ms, what }) => `${what} ${ms}`)).toEqual([
      "Sluice itself, with waits between attempts 200",
      "only: 503 5",
      "only: 503 5",
    ])
  })

  it("adds up to the whole, whatever was measured (a law)", () => {
    const times = fc.double({ min: 0, max: 100_000, noNaN: true })
    const maybe = fc.option(times, { nil: null })
    const rows = fc.record({
      attempts: fc.array(
        fc.record({ upstream: fc.string(), status: fc.constantFrom(200, 429, null), ms: times }),
        { maxLength: 4 },
      ),
      outcome: fc.constantFrom("ok", "stream_broken"),
      latency_ms: times,
      overhead_ms: maybe,
      ttft_ms: maybe,
    })
    fc.assert(
      fc.property(rows, (row) => {
        const spans = spansOf(row)
        const sum = spans.reduce((total, { ms }) => total + ms, 0)
        expect(sum).toBeLessThanOrEqual(row.latency_ms + 1e-6)
        // What is left out is too short to be seen.
        expect(sum).toBeGreaterThan(row.latency_ms - 0.5 * (row.attempts.length + 3))
      }),
      { seed: 23 },
    )
  })
})

describe("What became of an attempt", () => {
  it.each([
    ["an answer", { status: 200 }, "200", "good"],
    ["a refusal", { status: 429 }, "429", "warn"],
    ["a failure", { status: 503, cause: "refused stream_options" }, "503", "bad"],
    ["no connection", { cause: "could not connect (ECONNREFUSED)" }, "could not connec…", "bad"],
    ["an answer that broke off", { status: 200, cause: "broke off (reset)" }, "200 broke off", "bad"],
    ["a caller who left", { cause: "the caller left" }, "caller left", "off"],
    ["a hedge that lost", { cause: "cancelled, another upstream answered first" }, "overtaken", "off"],
  ])("is told of %s", (_, of, word, tone) => {
    const told = { upstream: "openai", ms: 1, ...of }
    expect([attemptWord(told), attemptTone(told)]).toEqual([word, tone])
  })

  it("is a broken answer where the request alone says so", () => {
    const attempts = [attempt("openai", 1, 429), attempt("azure", 1)]
    expect(attemptsOf({ attempts, outcome: "stream_broken" }).map(attemptTone)).toEqual(["warn", "bad"])
    expect(attemptsOf({ attempts, outcome: "ok" }).map(attemptTone)).toEqual(["warn", "good"])
  })
})

describe("A request to be repeated", () => {
  const story = { endpoint: "chat.completions", headers: { "anthropic-version": "2023-06-01", cookie: "x" } }

  it("is a line that a shell reads as it was (a law)", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
        (request) => {
          const line =
            curlOf({ ...story, request }, "http://localhost:8000")?.replace(/^curl /, "printf '%s\\n' ") ?? ""
          const told = execFileSync("sh", ["-c", line], { encoding: "utf8", env: { SLUICE_KEY: "$(key)" } })
          expect(told).toBe(
            `${["http://localhost:8000/v1/chat/completions", "-H", "Authorization: Bearer $(key)", "-H", "Content-Type: application/json", "-H", "anthropic-version: 2023-06-01", "--data-raw", request].join("\n")}\n`,
          )
        },
      ),
      { seed: 23, numRuns: 25 },
    )
  })

  it("is none where the body is not kept or was a form", () => {
    expect(curlOf({ ...story, request: null }, "http://localhost:8000")).toBeUndefined()
    expect(curlOf({ ...story, endpoint: "audio.transcriptions", request: "{}" }, "x")).toBeUndefined()
  })
})

const wordsOf = (conversation: ReturnType<typeof requestIn>): ReadonlyArray<string> =>
  conversation.turns.map(
    ({ parts, role }) =>
      `${role}: ${parts.map((part) => ("text" in part ? part.text : part.is === "call" ? `${part.name}(${part.input})` : part.is === "result" ? `${part.id} gave ${part.parts.length}` : part.told)).join(" | ")}`,
  )

describe("A conversation", () => {
  it.each([
    [
      "chat",
      {
        tools: [{ type: "function", function: { name: "weather" } }],
        messages: [
          { role: "system", content: "Be brief." },
          {
            role: "user",
            content: [
              { type: "text", text: "Rain?" },
              { type: "image_url", image_url: { url: "https://a.example/b" } },
            ],
          },
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "c1", function: { name: "weather", arguments: '{"at":1}' } }],
          },
          { role: "tool", tool_call_id: "c1", content: "yes" },
        ],
      },
      [
        "system: Be brief.",
        "user: Rain? | picture at https://a.example/b",
        'assistant: weather({\n  "at": 1\n})',
        "tool: c1 gave 1",
      ],
    ],
    [
      "messages",
      {
        tools: [{ name: "weather" }],
        system: [{ type: "text", text: "Be brief." }],
        messages: [
          { role: "user", content: "Rain?" },
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "Hm." },
              { type: "tool_use", id: "c1", name: "weather", input: { at: 1 } },
            ],
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "yes" }] },
        ],
      },
      ["system: Be brief.", "user: Rain?", 'assistant: Hm. | weather({\n  "at": 1\n})', "user: c1 gave 1"],
    ],
    [
      "responses",
      {
        tools: [{ type: "function", name: "weather" }],
        instructions: "Be brief.",
        input: [
          { role: "user", content: [{ type: "input_text", text: "Rain?" }] },
          { type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }] },
          { type: "function_call", call_id: "c1", name: "weather", arguments: '{"at":1}' },
          { type: "function_call_output", call_id: "c1", output: "yes" },
        ],
      },
      [
        "system: Be brief.",
        "user: Rain?",
        "assistant: Hm.",
        'assistant: weather({\n  "at": 1\n})',
        "tool: c1 gave 1",
      ],
    ],
  ])("in %s is read out of its request", (_, body, words) => {
    const conversation = requestIn(JSON.stringify(body))
    expect(wordsOf(conversation)).toEqual(words)
    expect(conversation.tools).toEqual(["weather"])
  })

  it.each([
    [
      "chat",
      { choices: [{ message: { role: "assistant", content: "Yes.", reasoning_content: "Hm." } }] },
      "assistant: Hm. | Yes.",
    ],
    ["completions", { choices: [{ text: "Yes." }] }, "assistant: Yes."],
    [
      "messages",
      { type: "message", role: "assistant", content: [{ type: "text", text: "Yes." }] },
      "assistant: Yes.",
    ],
    [
      "responses",
      { output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Yes." }] }] },
      "assistant: Yes.",
    ],
  ])("in %s is read out of its answer", (_, body, words) => {
    expect(wordsOf(answerIn(JSON.stringify(body)))).toEqual([words])
  })

  it("is read out of anything without failing (a law)", () => {
    const names = [
      "messages",
      "input",
      "system",
      "choices",
      "output",
      "content",
      "type",
      "role",
      "tools",
      "text",
      "message",
    ]
    const { value } = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, "text", "image_url", "tool_use", "message", 7, true),
        fc.array(tie("value"), { maxLength: 3 }),
        tie("object"),
      ),
      object: fc.dictionary(fc.constantFrom(...names), tie("value"), { maxKeys: 4 }),
    }))
    fc.assert(
      fc.property(value, (body) => {
        requestIn(JSON.stringify(body))
        answerIn(JSON.stringify(body))
      }),
      { seed: 23, numRuns: 500 },
    )
    expect(
      [requestIn(null), requestIn('{"messages":[{"role":"us'), answerIn("")].map(({ turns }) => turns),
    ).toEqual([[], [], []])
  })
})

describe("A curve", () => {
  const usage = (group: string, requests: number): UsageOf => ({
    group,
    requests,
    errors: 0,
    rejected: 0,
    prompt_tokens: null,
    completion_tokens: null,
    cached_tokens: null,
    reasoning_tokens: null,
    latency_p50: null,
    latency_p95: null,
    ttft_p50: null,
    ttft_p95: null,
  })

  it("has a point for each step, also where nothing happened, and lays the period before over it", () => {
    const curve = curveOf(
      "hour",
      {
        since: "2026-11-28T10:20:00Z",
        until: "2026-11-28T13:20:00Z",
        groups: [usage("2026-11-28T10", 4), usage("2026-11-28T12", 6)],
      },
      { since: "2026-11-28T07:20:00Z", groups: [usage("2026-11-28T08", 9)] },
      ({ requests }) => requests,
    )
    expect(curve.at.map((at) => new Date(at * 1000).toISOString().slice(11, 16))).toEqual([
      "10:00",
      "11:00",
      "12:00",
      "13:00",
    ])
    expect(curve.now).toEqual([4, 0, 6, 0])
    expect(curve.before).toEqual([0, 9, 0, 0])
  })
})
