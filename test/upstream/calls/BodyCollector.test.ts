import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { BodyCollector } from "../../../src/upstream/calls/BodyCollector.ts"
import { mostCopied } from "../../../src/wire/GrowingBytes.ts"
import { areCollectedWithin } from "../../support/collected.ts"

describe("A body that is read whole", () => {
  it("law: is its chunks joined, where they are within the limit, and else says so", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.nat(100), (chunks, limit) => {
        const body = new BodyCollector(limit)
        const excess = chunks.map((chunk) => body.keep(chunk)).find((one) => one !== undefined)
        const joined = Buffer.concat(chunks)
        if (joined.length <= limit) {
          expect(excess).toBeUndefined()
          expect(Buffer.from(body.whole())).toEqual(joined)
        } else expect(excess).toMatchObject({ _tag: "BrokenOff", reason: `a body of over ${limit} bytes` })
      }),
    )
  })

  it("keeps nothing that there is no memory for", () => {
    const claimed: Array<number> = []
    const body = new BodyCollector(1_000, (bytes) => {
      claimed.push(bytes)
      return false
    })
    expect(body.keep(new Uint8Array(7))).toMatchObject({ _tag: "NoRoom", lacks: "memory" })
    expect(claimed).toEqual([7])
    expect(body.whole()).toHaveLength(0)
  })
})

describe("A body that is collected", () => {
  it("is one piece at any time, which is moved only while it is short", () => {
    const collector = new BodyCollector(64 * 1024 * 1024)
    const moves: Array<number> = []
    let buffer: ArrayBufferLike | undefined
    for (let at = 0; at < 1_024; at++) {
      expect(collector.keep(new Uint8Array(65_536).fill(at))).toBeUndefined()
      const whole = collector.whole()
      if (whole.buffer !== buffer) moves.push(whole.length)
      buffer = whole.buffer
    }
    expect(Math.max(...moves)).toBeLessThanOrEqual(mostCopied + 65_536)
    const whole = collector.whole()
    expect([whole.length, whole[0], whole[65_536 * 77], whole.at(-1)]).toEqual([67_108_864, 0, 77, 255])
    // A thread is handed it without a copy.
    expect(whole.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(collector.keep(new Uint8Array(1))?._tag).toBe("BrokenOff")
  })

  it("is let go of by the engine when nobody refers to it", async () => {
    const large = new Uint8Array(mostCopied + 1)
    const collected = () => {
      const collector = new BodyCollector(64 * 1024 * 1024)
      collector.keep(large)
      collector.keep(large.subarray(0, 1))
      return collector.whole()
    }
    expect(await areCollectedWithin(100, collected)).toBe(true)
  })
})
