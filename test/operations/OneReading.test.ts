/** Members that are decided by are read alike by all readers, or not at all; and all that anything is decided by is declared to be. */
import * as Either from "effect/Either"
import * as fc from "fast-check"
import { afterEach, describe, expect, it, vi } from "vitest"
import { ambiguityIn, deciding, folded } from "../../src/operations/OneReading.ts"
import { makeUpstream } from "../support/arbitraries.ts"
import { jsonOperations, samples } from "../support/OperationSamples.ts"
import { runs } from "../support/Runs.ts"

const members = deciding(["model", "max_tokens", "stop", "tokens_k", "n"])

const ambiguityOf = (text: string) => ambiguityIn(text, members)

describe("A name as the loosest of readers matches it", () => {
  // What Go's encoding/json matches by Unicode's simple folding, its second version without _ and -, and protobuf in camel case.
  it.each<readonly [name: string, same: string]>([
    ["MODEL", "model"],
    ["Model", "model"],
    ["\u017ftop", "stop"],
    ["\u017fTOP", "stop"],
    ["to\u212aens_\u212a", "tokens_k"],
    ["maxTokens", "max_tokens"],
    ["MaxTokens", "max_tokens"],
    ["max-tokens", "max_tokens"],
    ["_max__tokens_", "max_tokens"],
    ["MAX_TOKEN\u017f", "max_tokens"],
  ])("takes %s for %s", (name, same) => {
    expect(folded(name)).toBe(folded(same))
  })

  it.each<readonly [name: string, other: string]>([
    ["model2", "model"],
    ["mode", "model"],
    ["m\u00f6del", "model"],
    ["model ", "model"],
    ["model\u0000", "model"],
    // Neither of these folds to an ASCII letter by simple folding.
    ["m\u0130n", "min"],
    ["m\u0131n", "min"],
    ["\uff4dodel", "model"],
    ["m\u043edel", "model"],
  ])("does not take %j for %s", (name, other) => {
    expect(folded(name)).not.toBe(folded(other))
  })
})

describe("A member that is decided by", () => {
  it.each<readonly [text: string, name: string, why: "twice" | "spelling"]>([
    ['{"model":"a","model":"b"}', "model", "twice"],
    ['{"model":"a","x":{"model":1},"model":"a"}', "model", "twice"],
    ['{"model":"a","Model":"b"}', "model", "spelling"],
    ['{"Model":"b"}', "model", "spelling"],
    ['{"mod\\u0065l":"b"}', "model", "spelling"],
    ['{"model":"a","mod\\u0065l":"b"}', "model", "spelling"],
    ['{"mod\\u0065l":"b","model":"a"}', "model", "spelling"],
    ['{"\\u006d\\u006f\\u0064\\u0065\\u006c":"b"}', "model", "spelling"],
    ['{"n":1,"N":2}', "n", "spelling"],
    ['{"n":1 , "n" : 2}', "n", "twice"],
    ['{"\u017ftop":[]}', "stop", "spelling"],
    ['{"\\u017ftop":[]}', "stop", "spelling"],
    ['{"maxTokens":9,"max_tokens":1}', "max_tokens", "spelling"],
  ])("in %s is not read alike by all: %s", (text, name, why) => {
    expect(ambiguityOf(text)).toEqual({ name, why })
  })

  it.each([
    '{"model":"a"}',
    '{"model":"model"}',
    '{"model":"a","x":{"model":1,"model":2,"Model":3}}',
    '{"model":"a","messages":[{"model":1},{"model":2}],"tools":["model","n","N"]}',
    '{"model":"\\"model\\"","s":"\\u00e9"}',
    '{"x":1,"x":2,"X":3,"temperature":1}',
    '{"model":"a","user":"{\\"model\\":1,\\"model\\":2}"}',
    "{}",
  ])("in %s is", (text) => {
    expect(ambiguityOf(text)).toBeUndefined()
  })

  it("law: of any object, exactly those are read alike in which each such name stands once, as it is", () => {
    const spellings = fc.constantFrom(
      "model",
      "Model",
      "mod\\u0065l",
      "max_tokens",
      "MAX_TOKENS",
      "n",
      "x",
      "X",
      "y",
    )
    const values = fc.constantFrom("1", '"model"', '{"model":1}', '["n","N"]', '"\\u0041"')
    fc.assert(
      fc.property(fc.array(fc.tuple(spellings, values), { maxLength: 6 }), (parts) => {
        const text = `{${parts.map(([name, value]) => `"${name}":${value}`).join(",")}}`
        const names = parts.map(([name]) => name).filter((name) => !["x", "X", "y"].includes(name))
        const isPlain = names.every((name) => ["model", "max_tokens", "n"].includes(name))
        expect(ambiguityOf(text) === undefined).toBe(isPlain && new Set(names).size === names.length)
      }),
      { numRuns: runs(1_000) },
    )
  })
})

describe("Every operation", () => {
  afterEach(() => void vi.restoreAllMocks())

  it.each(jsonOperations)("declares all members that anything is decided by: $name", (operation) => {
    const read = new Set<string>()
    const parse = JSON.parse.bind(JSON)
    vi.spyOn(JSON, "parse").mockImplementation((text: string) => {
      const value: unknown = parse(text)
      if (typeof value !== "object" || value === null || !("model" in value)) return value
      return new Proxy(value, {
        get: (target, name, receiver) => {
          if (typeof name === "string") read.add(name)
          return Reflect.get(target, name, receiver)
        },
      })
    })
    const body = {
      model: "m",
      messages: [{ role: "user", content: "a" }],
      prompt: "a",
      input: "a",
      stream: operation.stream !== undefined,
      max_tokens: 5,
      stop: ["a"],
      ...samples[operation.name].request,
    }
    const upstream = makeUpstream({ maxTokens: 3, stop: ["x"], asksUsage: true, extraBody: { top_k: 1 } })
    const prepared = operation.decode(new TextEncoder().encode(JSON.stringify(body)), {}).pipe(
      Either.flatMap(({ affinity, bodyFor }) => {
        affinity()
        return bodyFor({ upstream, upstreamModel: "u" }, { usage: false, caps: [] })
      }),
    )
    expect(Either.isRight(prepared)).toBe(true)
    expect(read).toContain("model")
    expect([...read].filter((name) => operation.decidedBy.get(folded(name))?.name !== name)).toEqual([])
  })
})
