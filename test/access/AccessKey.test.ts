import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { holdsKey, keyCount, keyRing } from "../../src/access/AccessKey.ts"

const ring = (...texts: ReadonlyArray<string>) => keyRing(texts.map((text) => Redacted.make(text)))

describe("holdsKey", () => {
  it("admits each of the keys and nothing near them", () => {
    for (const key of ["one", "two", "three"]) {
      expect(holdsKey(ring("one", "two", "three"), Redacted.make(key))).toBe(true)
      for (const near of [`${key} `, key.slice(1), key.toUpperCase(), key + key, ""]) {
        expect(holdsKey(ring("one", "two", "three"), Redacted.make(near))).toBe(false)
      }
    }
  })

  it("law: is membership", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 3 }), fc.array(fc.string({ maxLength: 3 })), (sent, known) => {
        expect(holdsKey(ring(...known), Redacted.make(sent))).toBe(known.includes(sent))
      }),
    )
  })

  it("keeps no key, and counts one that is listed twice once", () => {
    const keys = ring("one-secret-key", "one-secret-key", "another")
    expect(keyCount(keys)).toBe(2)
    expect([...keys.digests].join(" ")).not.toContain("one-secret-key")
  })
})
