import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  mostHeadBytes,
  putNumber,
  sharedEnd,
  sharedStart,
  unpack,
  unpackedLength,
} from "../../src/wire/PackedData.ts"
import { packedOf } from "../support/AuditRecords.ts"

/** Data that has much in common with what comes before and after it, and some that has not. */
const datas = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ max: 1, maxLength: 12 }),
    fc
      .tuple(fc.uint8Array({ maxLength: 90 }), fc.nat(30), fc.nat(30))
      .map(([own, start, end]) =>
        Uint8Array.from([...new Uint8Array(start).fill(1), ...own, ...new Uint8Array(end).fill(2)]),
      ),
  ),
  { maxLength: 30 },
)

const totalOf = (given: ReadonlyArray<Uint8Array>): number =>
  given.reduce((sum, { length }) => sum + length, 0)

describe("packed data", () => {
  it("law: what is unpacked is what was packed", () => {
    fc.assert(
      fc.property(datas, (given) => {
        expect(unpack(packedOf(given))).toEqual(given)
      }),
    )
  })

  it("law: its length unpacked is that of all data", () => {
    fc.assert(
      fc.property(datas, (given) => {
        expect(unpackedLength(packedOf(given))).toBe(totalOf(given))
      }),
    )
  })

  it("law: it takes no more than the data and a head for each", () => {
    fc.assert(
      fc.property(datas, (given) => {
        expect(packedOf(given).length).toBeLessThanOrEqual(totalOf(given) + mostHeadBytes * given.length)
      }),
    )
  })

  it("law: what data shares with the beginning and with the end does not overlap, and is all that is shared", () => {
    const bytes = fc.uint8Array({ max: 1, maxLength: 12 })
    fc.assert(
      fc.property(bytes, bytes, (before, data) => {
        const start = sharedStart(before, before.length, data)
        const end = sharedEnd(before, before.length, data, start)
        expect(start + end).toBeLessThanOrEqual(Math.min(before.length, data.length))
        expect(data.slice(0, start)).toEqual(before.slice(0, start))
        expect(data.slice(data.length - end)).toEqual(before.slice(before.length - end))
        const own = data.slice(start, data.length - end)
        const ownBefore = before.slice(start, before.length - end)
        if (own.length > 0 && ownBefore.length > 0) {
          expect(own[0]).not.toBe(ownBefore[0])
          expect(own.at(-1)).not.toBe(ownBefore.at(-1))
        }
      }),
    )
  })

  it("holds the chunks of a stream in a small part of what they have", () => {
    const chunk = (content: string) =>
      new TextEncoder().encode(
        `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"${content}"}}]}`,
      )
    const given = ["Once", " upon", " a", " time", " there", " was"].map(chunk)
    expect(packedOf(given).length).toBeLessThan(totalOf(given) / 3)
  })

  it("keeps large events between small ones", () => {
    const given = [200, 20_000, 200, 100_000, 100_000, 10].map((length, at) =>
      new Uint8Array(length).fill(at % 2),
    )
    expect(unpack(packedOf(given))).toEqual(given)
  })

  it("writes numbers of any size that data can have", () => {
    for (const value of [0, 127, 128, 16_383, 16_384, 32 * 1024 * 1024, 2 ** 31, 2 ** 35 - 1]) {
      const room = new Uint8Array(8)
      const length = putNumber(room, 0, value)
      expect(length).toBeLessThanOrEqual(mostHeadBytes / 3)
      const head = Uint8Array.from([0, 0, ...room.subarray(0, length)])
      if (value === 0) expect(unpackedLength(head)).toBe(0)
      else expect(unpackedLength(Uint8Array.from([...room.subarray(0, length), 0, 0]))).toBe(value)
    }
  })
})
