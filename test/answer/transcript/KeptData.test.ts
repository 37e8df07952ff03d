import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataKeeper, keeperOf } from "../../../src/answer/transcript/KeptData.ts"
import { unpack } from "../../../src/wire/PackedData.ts"

const data = (length: number): Uint8Array => new Uint8Array(length).fill(7)

const lengthsIn = (keeper: DataKeeper): ReadonlyArray<number> =>
  unpack(keeper.kept.packed).map(({ length }) => length)

describe("DataKeeper", () => {
  it("keeps what it was given, in order, whatever becomes of it afterwards", () => {
    const datas = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9_000 }), { maxLength: 40 })
    fc.assert(
      fc.property(datas, (given) => {
        const keeper = new DataKeeper(1_000_000)
        for (const one of given) {
          const passing = one.slice()
          keeper.keep(passing)
          passing.fill(0)
        }
        expect(unpack(keeper.kept.packed)).toEqual(given)
        expect(keeper.kept.truncated).toBe(false)
      }),
    )
  })

  it("keeps a beginning without gaps, and says that there was more", () => {
    const keeper = new DataKeeper(250)
    for (const length of [500, 400, 100]) keeper.keep(data(length))
    expect(lengthsIn(keeper)).toEqual([500])
    expect(keeper.kept.truncated).toBe(true)
  })

  it("keeps nothing where nothing may be kept", () => {
    const keeper = keeperOf(0)
    keeper.keep(data(1))
    expect(keeper.kept).toEqual({ packed: new Uint8Array(0), truncated: true })
  })

  it("keeps of an answer that is not kept its first event and its last, and of the read that the first came in nothing", () => {
    const read = Buffer.from('{"id":"first"}')
    const keeper = keeperOf(0)
    keeper.keep(read.subarray())
    read.fill(0)
    for (const text of ['{"id":"second"}', '{"id":"last"}', "[DONE]"]) keeper.keep(Buffer.from(text))
    const kept = unpack(keeper.kept.packed).map((one) => Buffer.from(one).toString())
    expect(kept).toEqual(['{"id":"first"}', '{"id":"last"}'])
  })

  it("bounds how many there are, however small they are", () => {
    const keeper = new DataKeeper(6400)
    for (let i = 0; i < 1000; i++) keeper.keep(data(1))
    expect(lengthsIn(keeper).length).toBe(800)
  })

  it("counts what events of tokens bring rather than their envelopes, up to eight times the bytes", () => {
    const tokens = new DataKeeper(32_000)
    for (let i = 0; i < 1000; i++) tokens.keep(data(320))
    expect(lengthsIn(tokens).length).toBe(800)
    const images = new DataKeeper(32_000)
    for (let i = 0; i < 10; i++) images.keep(data(10_320))
    expect(lengthsIn(images).length).toBe(3)
  })

  it("holds no more than twice the memory of what it keeps, however large the chunk it came in", () => {
    const keeper = new DataKeeper(100_000)
    const given = [10, 5_000, 3].map((length, at) => data(length).fill(at))
    for (const one of given) {
      const chunk = data(65_536)
      chunk.set(one, 10)
      keeper.keep(chunk.subarray(10, 10 + one.length))
    }
    expect(unpack(keeper.kept.packed)).toEqual(given)
    expect(keeper.kept.packed.buffer.byteLength).toBeLessThanOrEqual(2 * 5_060)
  })
})
