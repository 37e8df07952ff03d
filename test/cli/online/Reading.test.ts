import { describe, expect, it } from "vitest"
import { type Answer, type Findings, readingOf, speaks } from "../../../src/cli/online/Reading.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

const answered = (status: number, words = ""): Answer => ({
  status,
  headers: {},
  body: new TextEncoder().encode(JSON.stringify({ error: { message: words } })),
  words,
})

const upstream = makeUpstream({ dialects: ["chat", "responses"], dialectsAssumed: false })

const findings = (given: Partial<Findings> = {}): Findings => ({
  upstream,
  list: answered(200),
  listed: 3,
  models: [{ model: "gpt-4", has: "yes" }],
  dialects: [
    { dialect: "chat", url: "http://a/v1/chat/completions", answer: answered(400) },
    { dialect: "responses", url: "http://a/v1/responses", answer: answered(422) },
  ],
  ...given,
})

describe("readingOf", () => {
  it("finds nothing wrong with a client that is as its entry says", () => {
    expect(readingOf(findings())).toEqual({
      problems: [],
      notes: ["lists 3 models", "speaks chat, responses"],
    })
  })

  it.each<[string, Partial<Findings>, ReadonlyArray<string>]>([
    [
      "is not there",
      { list: { failure: "could not connect (ECONNREFUSED)" } },
      ["cannot be reached: could not connect (ECONNREFUSED)"],
    ],
    [
      "refuses the key",
      { list: answered(401, "Incorrect API key") },
      [
        "refuses its api_key, sent as Authorization: Bearer (answered 401: Incorrect API key); if the key is good, set the auth or preset that fits",
      ],
    ],
    [
      "refuses the key where it is asked for an answer alone",
      { dialects: [{ dialect: "chat", url: "http://a", answer: answered(401, "no") }] },
      [
        "refuses its api_key, sent as Authorization: Bearer (answered 401: no); if the key is good, set the auth or preset that fits",
      ],
    ],
    [
      "refuses the key in the header that it was sent in",
      { upstream: makeUpstream({ keyHeader: "x-api-key" }), list: answered(401, "no") },
      [
        "refuses its api_key, sent as x-api-key (answered 401: no); if the key is good, set the auth or preset that fits",
      ],
    ],
    [
      "lacks a model",
      {
        models: [
          { model: "gpt-9", has: "no" },
          { model: "x", has: "unknown" },
        ],
      },
      ['has no model "gpt-9"'],
    ],
    [
      "lacks a dialect that is written",
      {
        dialects: [
          { dialect: "chat", url: "http://a/v1/chat/completions", answer: answered(400) },
          { dialect: "responses", url: "http://a/v1/responses", answer: answered(404, "Not Found") },
        ],
      },
      ["does not speak responses: http://a/v1/responses answered 404: Not Found; write dialects: [chat]"],
    ],
    [
      "lacks all that are written, and has another",
      {
        upstream: makeUpstream({ dialects: ["messages"], dialectsAssumed: false }),
        dialects: [
          { dialect: "messages", url: "http://a/v1/messages", answer: answered(404, "Not Found") },
          { dialect: "chat", url: "http://a/v1/chat/completions", answer: answered(400) },
          { dialect: "responses", url: "http://a/v1/responses", answer: answered(404, "Not Found") },
        ],
      },
      ["does not speak messages: http://a/v1/messages answered 404: Not Found; write dialects: [chat]"],
    ],
    [
      "has another address",
      {
        list: answered(404),
        listed: undefined,
        dialects: [{ dialect: "chat", url: "http://a/chat/completions", answer: answered(404) }],
      },
      ["has nothing at http://a/chat/completions (answered 404); check base_url"],
    ],
    [
      "of Azure's lacks its query, or has another address",
      {
        upstream: makeUpstream({ baseUrl: "https://x.openai.azure.com/openai/deployments/d" }),
        list: answered(404),
        listed: undefined,
        dialects: [{ dialect: "chat", url: "https://x/chat/completions", answer: answered(404) }],
      },
      [
        "has nothing at https://x/chat/completions (answered 404); check base_url; Azure's older addresses need ?api-version=… behind it",
      ],
    ],
  ])("says in words that a client %s", (_, given, problems) => {
    expect(readingOf(findings(given)).problems).toEqual(problems)
  })

  it("does not blame a client for the dialects that nobody wrote, and tells of those that could be", () => {
    const assumed = makeUpstream({ dialects: ["chat", "responses"], dialectsAssumed: true })
    const dialects: Findings["dialects"] = [
      { dialect: "chat", url: "u", answer: answered(400) },
      { dialect: "responses", url: "u", answer: answered(404) },
      { dialect: "messages", url: "u", answer: answered(400) },
    ]
    expect(readingOf(findings({ upstream: assumed, dialects }))).toEqual({
      problems: [],
      notes: ["lists 3 models", "speaks chat, messages", "to use messages, write dialects: [chat, messages]"],
    })
  })

  it("blames no client without a key for asking callers for theirs, but one that no key is sent to", () => {
    const list = answered(401, "no")
    const passing = makeUpstream({ apiKey: undefined, passesKey: true })
    const shut = makeUpstream({ apiKey: undefined, passesKey: false })
    expect(readingOf(findings({ upstream: passing, list })).problems).toEqual([])
    expect(readingOf(findings({ upstream: shut, list })).problems).toEqual([
      "asks for a key and has none (answered 401: no); set api_key",
    ])
  })

  it.each([
    [200, "yes"],
    [400, "yes"],
    [422, "yes"],
    [404, "no"],
    [405, "no"],
    [501, "no"],
    [429, "unknown"],
    [500, "unknown"],
  ])("takes %i for an empty request as: speaks it, %s", (status, expected) => {
    expect(speaks(answered(status))).toBe(expected)
    expect(speaks({ failure: "timed out" })).toBe("unknown")
  })
})
