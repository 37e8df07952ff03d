/** The body for a target: what configuration changes, and that nothing else does. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { InvalidRequest } from "../../../src/errors/RequestErrors.ts"
import { messagesInput } from "../../../src/operations/chat/MessagesInput.ts"
import { promptInput } from "../../../src/operations/completions/PromptInput.ts"
import type { Prepared } from "../../../src/operations/Operation.ts"
import { type CleanedRequest, clean, prepare } from "../../../src/operations/text/TextBody.ts"
import type { TextInput } from "../../../src/operations/text/TextInput.ts"
import { decode } from "../../../src/operations/text/TextRequest.ts"
import type { RequestCleaning, Upstream } from "../../../src/routing/Upstream.ts"
import { makeUpstream, upstreamArb } from "../../support/arbitraries.ts"
import { runs } from "../../support/Runs.ts"

const all: RequestCleaning = {
  mergeUserMessages: true,
  dropEmptyMessages: true,
  stripHistoryThink: ["think"],
}

const right = <A>(result: Either.Either<A, InvalidRequest>): A =>
  Either.getOrThrowWith(result, (error) => new Error(`refused: ${error.message}`))

const left = <A>(result: Either.Either<A, InvalidRequest>): InvalidRequest =>
  Either.getOrThrowWith(Either.flip(result), () => new Error("accepted"))

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const cleanedFrom = (text: string, input: TextInput = messagesInput): CleanedRequest =>
  right(clean(right(decode(input, bytesOf(text))), all))

const target = (upstream: Partial<Upstream> = {}, upstreamModel = "m") => ({
  upstream: makeUpstream(upstream),
  upstreamModel,
})

const textOf = ({ body }: Prepared): string => new TextDecoder().decode(body)

/** The whole way of a chat request: text in, text out. */
const send = (text: string, upstream: Partial<Upstream> = {}, upstreamModel = "m"): string =>
  textOf(right(prepare(cleanedFrom(text), target(upstream, upstreamModel))))

const members = (value: string) => `{"model":"m","messages":[{"role":"user","content":"a"}]${value}}`

describe("a request nothing has to change in", () => {
  it("is forwarded as the very bytes that came", () => {
    const bytes = bytesOf(members(',"seed":12345678901234567890,"stop":["x"],"max_tokens":5'))
    const cleaned = right(clean(right(decode(messagesInput, bytes)), all))
    for (const upstream of [{}, { stop: ["x"] }, { maxTokens: 5 }, { extraBody: { seed: 1 } }]) {
      const prepared = right(prepare(cleaned, target(upstream)))
      expect(prepared.body).toBe(bytes)
      expect(prepared.asItCame).toBe(true)
    }
  })

  it("is one too when it streams and its client asked for usage itself", () => {
    const bytes = bytesOf(members(',"stream":true,"stream_options":{"include_usage":true}'))
    const cleaned = right(clean(right(decode(messagesInput, bytes)), all))
    expect(right(prepare(cleaned, target())).body).toBe(bytes)
  })
})

describe("model", () => {
  it("is replaced, whatever stands around it", () => {
    expect(send(members(',"n":1.0'), {}, 'vendor/"x"')).toBe(
      '{"model":"vendor/\\"x\\"","messages":[{"role":"user","content":"a"}],"n":1.0}',
    )
  })
})

describe("a cap where several choices are asked for", () => {
  const upstream = { maxTokens: 100 }

  it.each<readonly [said: string, sent: string]>([
    [',"n":1', ',"n":1,"max_tokens":100'],
    [',"n":4', ',"n":4,"max_tokens":25'],
    [',"n":3', ',"n":3,"max_tokens":33'],
    [',"n":100', ',"n":100,"max_tokens":1'],
    [',"best_of":4', ',"best_of":4,"max_tokens":25'],
    [',"n":2,"best_of":4', ',"n":2,"best_of":4,"max_tokens":25'],
    [',"n":4,"max_tokens":25', ',"n":4,"max_tokens":25'],
    [',"n":4,"max_tokens":26', ',"n":4,"max_tokens":25'],
    [',"n":4,"max_completion_tokens":1000', ',"n":4,"max_completion_tokens":25'],
    [',"n":null', ',"n":null,"max_tokens":100'],
    // Several servers take it for no limit at all.
    [',"max_tokens":-1', ',"max_tokens":100'],
    [',"max_tokens":0', ',"max_tokens":0'],
    [',"max_tokens":1e999', ',"max_tokens":100'],
  ])("of %s is %s", (said, sent) => {
    expect(send(members(said), upstream)).toBe(members(sent))
  })

  it("holds over what extra_body asks for", () => {
    expect(send(members(""), { ...upstream, extraBody: { n: 5 } })).toBe(members(',"n":5,"max_tokens":20'))
  })

  it.each([
    '"n":"4"',
    '"n":1.5',
    '"n":0',
    '"n":-1',
    '"n":true',
    '"n":101',
    '"n":1e300',
    '"best_of":"4"',
    '"best_of":[4]',
  ])("refuses %s, which nobody could count or afford", (said) => {
    const cleaned = cleanedFrom(members(`,${said}`))
    expect(left(prepare(cleaned, target(upstream))).param).toBe(said.slice(1, said.indexOf('"', 1)))
    expect(right(prepare(cleaned, target())).asItCame).toBe(true)
  })

  it("law: all choices together have no more tokens than the cap, whatever is asked for", () => {
    const counts = fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined })
    const limits = fc.option(fc.integer({ min: -5, max: 1_000 }), { nil: undefined })
    fc.assert(
      fc.property(
        counts,
        counts,
        limits,
        limits,
        fc.integer({ min: 1, max: 500 }),
        (n, best, one, other, cap) => {
          const said = JSON.stringify({ n, best_of: best, max_tokens: one, max_completion_tokens: other })
          const prepared = prepare(
            cleanedFrom(members(`,${said.slice(1, -1)}`.replace(/,$/, ""))),
            target({ maxTokens: cap }),
          )
          const choices = Math.max(n ?? 1, best ?? 1)
          if (Either.isLeft(prepared)) {
            expect(choices).toBeGreaterThan(cap)
            return
          }
          const { max_completion_tokens: b, max_tokens: a } = Object(JSON.parse(textOf(prepared.right)))
          for (const limit of [a, b]) {
            if (limit === undefined) continue
            expect(limit).toBeGreaterThanOrEqual(0)
            expect(limit * choices).toBeLessThanOrEqual(cap)
          }
          expect(a ?? b).toBeDefined()
        },
      ),
    )
  })
})

describe("stop", () => {
  it("has the upstream's words first, then the request's, each once", () => {
    const upstream = { stop: ["u", "v", "u"] }
    expect(send(members(""), upstream)).toBe(members(',"stop":["u","v"]'))
    expect(send(members(',"stop":null'), upstream)).toBe(members(',"stop":["u","v"]'))
    expect(send(members(',"stop":"x"'), upstream)).toBe(members(',"stop":["u","v","x"]'))
    expect(send(members(',"stop":["u","v","x","x"]'), upstream)).toBe(members(',"stop":["u","v","x"]'))
    expect(send(members(',"stop":["x","v","x"]'), upstream)).toBe(members(',"stop":["u","v","x"]'))
  })

  it("is left as it came without words of the upstream, and where it says them already", () => {
    expect(send(members(',"stop":["x","x"]'))).toBe(members(',"stop":["x","x"]'))
    expect(send(members(',"stop":"u"'), { stop: ["u"] })).toBe(members(',"stop":"u"'))
  })

  it("is refused where it has to change and is no words, otherwise the upstream's to judge", () => {
    for (const stop of ["5", "{}", "[5]", '["a",null]', "true"]) {
      const cleaned = cleanedFrom(members(`,"stop":${stop}`))
      expect(left(prepare(cleaned, target({ stop: ["u"] }))).param).toBe("stop")
      expect(right(prepare(cleaned, target())).asItCame).toBe(true)
    }
  })

  it("law: upstream words lead, all words are there, none twice", () => {
    const wordsArb = fc.array(fc.string({ unit: "grapheme", maxLength: 3 }), { maxLength: 4 })
    fc.assert(
      fc.property(wordsArb, fc.oneof(wordsArb, fc.string(), fc.constant(null)), (configured, said) => {
        const sent: unknown = JSON.parse(
          send(members(`,"stop":${JSON.stringify(said)}`), { stop: configured }),
        )
        const words = said === null ? [] : typeof said === "string" ? [said] : said
        const expected = configured.length === 0 ? said : [...new Set([...configured, ...words])]
        const sameWord = typeof said === "string" && configured.every((word) => word === said)
        expect(sent).toMatchObject({ stop: sameWord ? said : expected })
      }),
    )
  })
})

describe("the token cap", () => {
  const upstream = { maxTokens: 100 }

  it("lowers whichever member the request uses, and both where it uses both", () => {
    expect(send(members(',"max_tokens":101'), upstream)).toBe(members(',"max_tokens":100'))
    expect(send(members(',"max_completion_tokens":1e9'), upstream)).toBe(
      members(',"max_completion_tokens":100'),
    )
    expect(send(members(',"max_tokens":500,"max_completion_tokens":7'), upstream)).toBe(
      members(',"max_tokens":100,"max_completion_tokens":7'),
    )
    expect(send(members(',"max_tokens":500,"max_completion_tokens":700'), upstream)).toBe(
      members(',"max_tokens":100,"max_completion_tokens":100'),
    )
  })

  it("is added where the request has neither, null being absent", () => {
    expect(send(members(""), upstream)).toBe(members(',"max_tokens":100'))
    expect(send(members(',"max_tokens":null'), upstream)).toBe(members(',"max_tokens":100'))
    expect(send(members(',"max_tokens":null,"max_completion_tokens":7'), upstream)).toBe(
      members(',"max_tokens":null,"max_completion_tokens":7'),
    )
    expect(send(members(',"max_completion_tokens":null'), upstream)).toBe(
      members(',"max_completion_tokens":null,"max_tokens":100'),
    )
  })

  it("refuses a limit it cannot cap", () => {
    for (const name of ["max_tokens", "max_completion_tokens"]) {
      for (const value of ['"5"', "{}", "[]", "true"]) {
        const cleaned = cleanedFrom(members(`,"${name}":${value}`))
        expect(left(prepare(cleaned, target(upstream))).param).toBe(name)
        expect(right(prepare(cleaned, target())).asItCame).toBe(true)
      }
    }
  })

  it("law: no limit sent is above the cap, and one is sent", () => {
    const limitArb = fc.option(fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.constant(null)), {
      nil: undefined,
    })
    fc.assert(
      fc.property(limitArb, limitArb, fc.integer({ min: 1 }), (plain, completion, cap) => {
        const body = JSON.stringify({ max_tokens: plain, max_completion_tokens: completion }).slice(1, -1)
        const sent: unknown = JSON.parse(send(members(body === "" ? "" : `,${body}`), { maxTokens: cap }))
        const { max_tokens: one, max_completion_tokens: other } = Object(sent)
        const limits = [one, other].filter((limit) => typeof limit === "number")
        expect(limits.length).toBeGreaterThan(0)
        for (const limit of limits) expect(limit).toBeLessThanOrEqual(cap)
      }),
    )
  })
})

describe("usage of streams", () => {
  it("is always asked for, beside the other stream options", () => {
    expect(send(members(',"stream":true'))).toBe(
      members(',"stream":true,"stream_options":{"include_usage":true}'),
    )
    expect(send(members(',"stream":true,"stream_options":null'))).toBe(
      members(',"stream":true,"stream_options":{"include_usage":true}'),
    )
    expect(send(members(',"stream":true,"stream_options":{ "x":1.0, "include_usage":false }'))).toBe(
      members(',"stream":true,"stream_options":{ "x":1.0, "include_usage":true }'),
    )
  })

  it("is asked for on completions too, and not of plain requests", () => {
    const cleaned = cleanedFrom('{"model":"m","prompt":"a","stream":true}', promptInput)
    expect(textOf(right(prepare(cleaned, target())))).toBe(
      '{"model":"m","prompt":"a","stream":true,"stream_options":{"include_usage":true}}',
    )
    expect(send(members(',"stream":false'))).toBe(members(',"stream":false'))
  })
})

describe("extra_body", () => {
  it("fills what the request does not say, null being said", () => {
    expect(send(members(',"top_k":null,"n":1'), { extraBody: { top_k: 40, n: 2, min_p: 0.1 } })).toBe(
      members(',"top_k":null,"n":1,"min_p":0.1'),
    )
  })

  it("never says model, messages, prompt or stream", () => {
    const extraBody = { model: "x", messages: [], prompt: "x", stream: true }
    expect(send(members(""), { extraBody })).toBe(members(""))
    const cleaned = cleanedFrom('{"model":"m"}', promptInput)
    expect(textOf(right(prepare(cleaned, target({ extraBody }))))).toBe('{"model":"m"}')
  })

  it("is itself subject to the stop words, the cap and the usage of streams", () => {
    const upstream = {
      stop: ["u"],
      maxTokens: 10,
      extraBody: { stop: "x", max_completion_tokens: 50, stream_options: { y: 1 } },
    }
    expect(send(members(',"stream":true'), upstream)).toBe(
      members(
        ',"stream":true,"stop":["u","x"],"max_completion_tokens":10,"stream_options":{"y":1,"include_usage":true}',
      ),
    )
  })

  it("adds neither a second name of the token limit nor stream options to a plain request", () => {
    const extraBody = { max_completion_tokens: 50, stream_options: { y: 1 } }
    expect(send(members(',"max_tokens":5'), { extraBody })).toBe(members(',"max_tokens":5'))
  })

  it("takes names of Object's prototype for names like any other", () => {
    expect(send(members(""), { extraBody: { toString: 1, ["__proto__"]: 2 } })).toBe(
      members(',"toString":1,"__proto__":2'),
    )
  })
})

describe("cleaning", () => {
  it("goes with every target, and everything beside the messages keeps its text", () => {
    const cleaned = cleanedFrom(
      '{"seed":12345678901234567890, "messages":[{"role":"user","content":"a"}, {"role":"user","content":"b"}] ,"model":"m"}',
    )
    const expected =
      '{"seed":12345678901234567890, "messages":[{"role":"user","content":"a\\n\\nb"}] ,"model":"m"}'
    expect(cleaned.text).toBe(expected)
    expect(textOf(right(prepare(cleaned, target())))).toBe(expected)
    expect(textOf(right(prepare(cleaned, target({}, "x"))))).toBe(expected.replace('"m"', '"x"'))
  })

  it("refuses a conversation nothing is left of", () => {
    const request = right(
      decode(messagesInput, bytesOf('{"model":"m","messages":[{"role":"user","content":""}]}')),
    )
    expect(left(clean(request, all)).param).toBe("messages")
    expect(right(clean(request, { ...all, dropEmptyMessages: false })).text).toBe(request.text)
  })

  it("survives depths in messages, parts and other members", () => {
    const deep = `${'{"a":['.repeat(10_000)}${"]}".repeat(10_000)}`
    const message = `{"role":"user","content":[${deep}]}`
    expect(send(`{"model":"a","x":${deep},"messages":[${message},${message}]}`)).toBe(
      `{"model":"m","x":${deep},"messages":[{"role":"user","content":[${deep},${deep}]}]}`,
    )
  })
})

describe("preparing as a whole", () => {
  const unknownArb = fc.array(
    fc.tuple(
      fc.string({ unit: "grapheme", maxLength: 6 }).map((name) => `x_${name}`),
      fc.oneof(
        fc.json({ maxDepth: 2 }),
        fc.constantFrom("1.0", "12345678901234567890", '"\\ud800"', "1e999"),
      ),
    ),
    { maxLength: 5 },
  )

  it("law: unknown members survive untouched, byte for byte, for any upstream", () => {
    fc.assert(
      fc.property(unknownArb, fc.boolean(), upstreamArb, (unknown, stream, upstream) => {
        const written = unknown.map(([name, value]) => `,${JSON.stringify(name)} : ${value}`).join("")
        const cleaned = cleanedFrom(members(`${written},"stream":${stream}`))
        expect(textOf(right(prepare(cleaned, { upstream, upstreamModel: "other" })))).toContain(written)
      }),
    )
  })

  it("law: wrong types anywhere are refused by their own name or forwarded, never thrown at", () => {
    const bodyArb = fc.record(
      {
        model: fc.constant("m"),
        messages: fc.array(
          fc.record({ role: fc.constantFrom("user", "assistant", 5, null), content: fc.jsonValue() }),
          { minLength: 1 },
        ),
        stream: fc.constantFrom(true, false, null),
        stream_options: fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
        stop: fc.jsonValue(),
        max_tokens: fc.jsonValue(),
        max_completion_tokens: fc.jsonValue(),
        top_k: fc.jsonValue(),
      },
      { requiredKeys: ["model", "messages"] },
    )
    const params = ["messages", "stop", "max_tokens", "max_completion_tokens"]
    fc.assert(
      fc.property(bodyArb, upstreamArb, (body, upstream) => {
        const prepared = decode(messagesInput, bytesOf(JSON.stringify(body))).pipe(
          Either.flatMap((request) => clean(request, all)),
          Either.flatMap((cleaned) => prepare(cleaned, { upstream, upstreamModel: "x" })),
        )
        if (Either.isLeft(prepared)) expect(params).toContain(prepared.left.param)
        else expect(JSON.parse(textOf(prepared.right))).toMatchObject({ model: "x" })
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: a prepared body prepared again for the same target is left as it is", () => {
    fc.assert(
      fc.property(unknownArb, fc.boolean(), upstreamArb, (unknown, stream, upstream) => {
        const written = unknown.map(([name, value]) => `,${JSON.stringify(name)}:${value}`).join("")
        const once = right(
          prepare(cleanedFrom(members(`${written},"stream":${stream}`)), { upstream, upstreamModel: "x" }),
        )
        const again = right(clean(right(decode(messagesInput, once.body)), all))
        expect(right(prepare(again, { upstream, upstreamModel: "x" })).body).toBe(once.body)
      }),
    )
  })
})
