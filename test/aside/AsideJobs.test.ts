/** What is done aside comes to the same as what the event loop does. */
import * as Either from "effect/Either"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { asideJobs } from "../../src/aside/AsideJobs.ts"
import { nothingOmitted } from "../../src/operations/Additions.ts"
import { allOperations } from "../../src/operations/Operations.ts"
import { preparedFor } from "../../src/operations/translation/TranslatedRequest.ts"
import { Pieces } from "../../src/wire/Pieces.ts"
import { makeUpstream } from "../support/arbitraries.ts"
import { runs } from "../support/Runs.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const content = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "<think>a</think>b", null, [{ type: "text", text: "a" }]),
)
const messages = fc.array(
  fc.record({ role: fc.constantFrom("user", "assistant", "system", "tool"), content }),
  { maxLength: 6 },
)
const bodies = fc.oneof(
  fc
    .record(
      {
        model: fc.constantFrom("m", "", 5),
        messages,
        prompt: fc.string(),
        input: fc.string({ unit: "grapheme" }),
        stream: fc.boolean(),
        n: fc.nat(5),
        x: fc.jsonValue(),
      },
      { requiredKeys: ["messages"] },
    )
    .map((body) => bytesOf(JSON.stringify(body))),
  fc.constant(bytesOf('\ufeff{"model":"m","messages":[{"role":"user","content":"a"}],"prompt":"a"}')),
  fc.uint8Array({ maxLength: 40 }),
)

/** The bytes in shared memory, in two pieces. */
const piecesOf = (bytes: Uint8Array, at: number): ReadonlyArray<Uint8Array> => {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  const place = at % (bytes.length + 1)
  return [shared.subarray(0, place), shared.subarray(place)]
}

describe("What is done aside", () => {
  it("law: is what is done of small bodies, whatever they are", () => {
    fc.assert(
      fc.property(bodies, fc.nat(), fc.constantFrom(...allOperations), (bytes, at, operation) => {
        const upstream = makeUpstream({
          maxTokens: 100,
          stop: ["x"],
          resume: { body: { a: 1 }, message: {} },
        })
        const { bytes: joined, read } = asideJobs.read({
          operation: operation.name,
          target: {},
          pieces: piecesOf(bytes, at),
        })
        expect([...joined]).toEqual([...bytes])
        const request = operation.decode(bytes, {})
        if (Either.isLeft(request)) {
          const { message, model, param } = request.left
          expect(read).toEqual({ kind: "mistake", message, param, model })
          return
        }
        expect(read).toMatchObject({ kind: "request", affinity: request.right.affinity() })
        const { characters, model, multimodal, stream, tools } = request.right.facts
        expect(read).toMatchObject({ facts: { characters, model, multimodal, stream, tools } })
        for (const said of [undefined, "so far"]) {
          const prepared = asideJobs.prepare({
            operation: operation.name,
            target: {},
            bytes: joined,
            recipient: { upstream, upstreamModel: "u" },
            omissions: nothingOmitted,
            said,
          })
          const here = preparedFor(
            operation,
            request.right,
            { upstream, upstreamModel: "u" },
            nothingOmitted,
            said,
          )
          if (Either.isLeft(here)) {
            expect(prepared).toMatchObject({ kind: "mistake", param: here.left.param })
            continue
          }
          const body = here.right.asItCame ? undefined : new TextDecoder().decode(here.right.body)
          expect(
            prepared.kind === "prepared" && {
              ...prepared,
              body: prepared.body && new TextDecoder().decode(prepared.body),
            },
          ).toEqual({
            kind: "prepared",
            body,
            added: here.right.added,
          })
        }
      }),
    )
  })
})

describe("A body in pieces", () => {
  it("law: is what came, whatever length was said and however it was cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 900_000 }), { maxLength: 5 }),
        fc.nat({ max: 3_000_000 }),
        (sizes, expected) => {
          const pieces = new Pieces(expected)
          sizes.forEach((size, at) => void pieces.add(new Uint8Array(size).fill(at + 1)))
          const all = Buffer.concat(sizes.map((size, at) => new Uint8Array(size).fill(at + 1)))
          expect(pieces.size).toBe(all.length)
          if (all.length > 0) expect(Buffer.compare(pieces.whole(), all)).toBe(0)
          const shared = pieces.shared()
          expect(Buffer.compare(Buffer.concat([...shared]), all)).toBe(0)
          for (const { buffer } of shared) expect(buffer).toBeInstanceOf(SharedArrayBuffer)
        },
      ),
      { numRuns: runs(30) },
    )
  })
})
