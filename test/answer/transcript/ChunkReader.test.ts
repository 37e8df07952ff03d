import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ChunkReader } from "../../../src/answer/transcript/ChunkReader.ts"
import { parseObject } from "../../../src/wire/JsonBytes.ts"
import { textArb } from "../../support/answers.ts"
import { runs } from "../../support/Runs.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const deltaArb = fc.oneof(
  { weight: 6, arbitrary: fc.record({ content: textArb }) },
  fc.record({ reasoning_content: textArb }),
  fc.record({ role: fc.constant("assistant"), content: fc.constant("") }),
  fc.record({
    tool_calls: fc.tuple(fc.record({ index: fc.nat(1), function: fc.record({ arguments: textArb }) })),
  }),
)

const chunkArb = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      id: fc.constantFrom("a", "b"),
      choices: fc.tuple(fc.record({ index: fc.nat(1), delta: deltaArb })),
    }),
  },
  fc.constant({ error: { message: "no" } }),
)

const dataArb = fc.oneof(
  { weight: 9, arbitrary: chunkArb.map((chunk) => JSON.stringify(chunk)) },
  fc.constantFrom("[DONE]", '{"choices":[{"index":0,"delta":{"content":"'),
)

describe("law: a chunk reads as it does alone", () => {
  it("whatever came before it", () => {
    fc.assert(
      fc.property(fc.array(dataArb, { maxLength: 40 }), (datas) => {
        const reader = new ChunkReader()
        for (const data of datas.map(encode)) expect(reader.read(data)).toEqual(parseObject(data))
      }),
      { numRuns: runs(300) },
    )
  })
})
