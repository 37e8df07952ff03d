/** What records keep of answers that hold vectors, images or sound. */
import { describe, expect, it } from "vitest"
import { objectExcerpt, RelayedExcerpt } from "../../src/answer/RelayedExcerpt.ts"
import { isJsonObject, type Json } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { outlineOf, relayLimits, vectorLimits } from "../../src/wire/JsonOutline.ts"

const encoder = new TextEncoder()

const numbers = (count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, at) => at / 7 - 20)

const base64 = (count: number): string =>
  Buffer.from(Float32Array.from(numbers(count)).buffer).toString("base64")

/** What is kept of an answer, as it is read of its bytes. */
const keptOf = (answer: Json, limits = vectorLimits): Json | undefined => {
  const bytes = encoder.encode(JSON.stringify(answer))
  const read = outlineOf(bytes, limits)
  return read === undefined ? undefined : parseObject(objectExcerpt(read, bytes.length))
}

const bytesIn = (answer: Json): number => JSON.stringify(answer).length

describe("what is kept of an answer with vectors", () => {
  const usage = { prompt_tokens: 8, total_tokens: 8, prompt_tokens_details: { cached_tokens: 3 } }

  it.each([
    ["numbers", numbers(1_536), "[1536 numbers]"],
    ["base64", base64(1_536), "[bytes in base64]"],
    [
      "zeros in base64, which no image begins with",
      base64(1_536).replace(/^.{40}/, "A".repeat(40)),
      "[bytes in base64]",
    ],
    ["a vector for each token", [numbers(64), numbers(64)], ["[64 numbers]", "[64 numbers]"]],
    ["few numbers, which are as they came", numbers(31), numbers(31)],
    ["what is no vector", [...numbers(40), "1"], [...numbers(40), "1"]],
  ])("is all that stands beside them: %s", (_, embedding, named) => {
    const answer = { object: "list", data: [{ object: "embedding", index: 0, embedding }], model: "m", usage }
    expect(keptOf(answer)).toEqual({
      ...answer,
      data: [{ object: "embedding", index: 0, embedding: named }],
      bytes: bytesIn(answer),
    })
  })

  it.each([
    ["numbers", numbers(1_536), "[left out]"],
    ["base64", base64(1_536), "[bytes in base64]"],
    ["a vector for each token", [numbers(64), numbers(64), numbers(1_000)], "[left out]"],
  ])("says of a long one no number that it does not know: %s", (_, embedding, named) => {
    const data = Array.from({ length: 100 }, (_, index) => ({ object: "embedding", index, embedding }))
    const answer = { object: "list", data, model: "m", usage }
    expect(keptOf(answer)).toEqual({
      ...answer,
      data: data.map((one) => ({ ...one, embedding: named })),
      bytes: bytesIn(answer),
    })
  })

  it("is bounded, however many vectors there are, and has what stands behind them", () => {
    for (const embedding of [numbers(8), base64(64)]) {
      const data = Array.from({ length: 20_000 }, (_, index) => ({ object: "embedding", index, embedding }))
      const kept = keptOf({ data, usage })
      expect(kept).toMatchObject({ usage })
      expect(JSON.stringify(kept).length).toBeLessThan(128 * 1024)
    }
  })
})

describe("what is kept of an answer with images", () => {
  it.each([
    ["iVBORw0KGgo", "image/png"],
    ["/9j/4AAQ", "image/jpeg"],
    ["UklGRiQA", "image/webp"],
    ["R0lGODlh", "image/gif"],
    [Buffer.from("\0\0\0 ftypavif").toString("base64"), "image/avif"],
    ["SUQzBAAA", "audio/mpeg"],
    ["AAAAAAAA", "bytes"],
  ])("names what begins %s", (begins, type) => {
    const answer = {
      created: 1,
      data: [{ b64_json: `${begins}${"A".repeat(200)}`, revised_prompt: "A cat." }],
    }
    const kept = { created: 1, data: [{ b64_json: `[${type} in base64]`, revised_prompt: "A cat." }] }
    expect(keptOf(answer, relayLimits)).toEqual({ ...kept, bytes: bytesIn(answer) })
  })

  it("is nothing where no body is kept, and how many bytes came is known all the same", () => {
    const excerpt = new RelayedExcerpt("json", 0)
    excerpt.add(encoder.encode("{}"))
    expect(excerpt.of({}, "application/json").length).toBe(0)
    expect(excerpt.bytes).toBe(2)
  })

  it("is of sound its type and how long it is", () => {
    const excerpt = new RelayedExcerpt("sound", 1_000)
    excerpt.add(new Uint8Array(3_000))
    const kept = parseObject(excerpt.of(undefined, "audio/mpeg"))
    expect(isJsonObject(kept) && kept).toEqual({ content_type: "audio/mpeg", bytes: 3_000 })
  })
})
