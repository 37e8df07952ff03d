import { describe, expect, it } from "vitest"
import { DataKeeper } from "../../src/stream/KeptData.ts"

const data = (length: number): Uint8Array => new Uint8Array(length).fill(7)

describe("DataKeeper", () => {
  it("keeps data in order, by reference", () => {
    const keeper = new DataKeeper(1000)
    const datas = [data(100), data(200)]
    for (const one of datas) keeper.keep(one)
    expect(keeper.kept.truncated).toBe(false)
    expect(keeper.kept.data.map((one, at) => one === datas[at])).toEqual([true, true])
  })

  it("keeps a beginning without gaps, and says that there was more", () => {
    const keeper = new DataKeeper(250)
    for (const length of [500, 400, 100]) keeper.keep(data(length))
    expect(keeper.kept.data.map((one) => one.length)).toEqual([500])
    expect(keeper.kept.truncated).toBe(true)
  })

  it("keeps nothing where nothing may be kept", () => {
    const keeper = new DataKeeper(0)
    keeper.keep(data(1))
    expect(keeper.kept).toEqual({ data: [], truncated: true })
  })

  it("bounds how many there are, however small they are", () => {
    const keeper = new DataKeeper(6400)
    for (let i = 0; i < 1000; i++) keeper.keep(data(1))
    expect(keeper.kept.data.length).toBe(800)
  })

  it("counts what events of tokens bring rather than their envelopes, up to eight times the bytes", () => {
    const tokens = new DataKeeper(32_000)
    for (let i = 0; i < 1000; i++) tokens.keep(data(320))
    expect(tokens.kept.data.length).toBe(800)
    const images = new DataKeeper(32_000)
    for (let i = 0; i < 10; i++) images.keep(data(10_320))
    expect(images.kept.data.length).toBe(3)
  })

  it("does not keep a large chunk alive for a small slice of it", () => {
    const keeper = new DataKeeper(1000)
    const chunk = data(65_536)
    keeper.keep(chunk.subarray(10, 20))
    expect(keeper.kept.data[0]).toEqual(data(10))
    expect(keeper.kept.data[0]?.buffer.byteLength).toBe(10)
  })
})
