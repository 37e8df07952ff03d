import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { BodyCollector } from "../../src/upstream/BodyCollector.ts"

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
