/** Shared memory that nobody refers to is collected, in each thread that knew of it. */
import { describe, expect, it } from "vitest"
import { sharedBytes, weighed } from "../../src/wire/SharedBytes.ts"
import { areCollectedWithin } from "../support/collected.ts"

const megabyte = 1024 * 1024

describe("Shared bytes", () => {
  it("are collected though nothing else makes garbage", async () => {
    expect(await areCollectedWithin(400, () => sharedBytes(8 * megabyte))).toBe(true)
  })

  it("are collected where another thread made them", async () => {
    const made = () => weighed(new Uint8Array(new SharedArrayBuffer(8 * megabyte)))
    expect(await areCollectedWithin(400, made)).toBe(true)
  })

  it("are shared, zero and as long as asked for", () => {
    for (const length of [0, 1, 1000, megabyte]) {
      const bytes = sharedBytes(length)
      expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
      expect(Buffer.compare(bytes, new Uint8Array(length))).toBe(0)
    }
  })

  it("are themselves when weighed, again too, and so are others", () => {
    for (const bytes of [sharedBytes(megabyte), new Uint8Array(megabyte), new Uint8Array()]) {
      expect(weighed(weighed(bytes))).toBe(bytes)
    }
  })
})
