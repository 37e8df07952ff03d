import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isAccessKey } from "../../src/domain/AccessKey.ts"

const keys = (...texts: ReadonlyArray<string>) => texts.map((text) => Redacted.make(text))

describe("isAccessKey", () => {
  it("admits each of the keys and nothing near them", () => {
    for (const key of ["one", "two", "three"]) {
      expect(isAccessKey(Redacted.make(key), keys("one", "two", "three"))).toBe(true)
      for (const near of [`${key} `, key.slice(1), key.toUpperCase(), key + key, ""]) {
        expect(isAccessKey(Redacted.make(near), keys("one", "two", "three"))).toBe(false)
      }
    }
  })

  it("law: is membership", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 3 }), fc.array(fc.string({ maxLength: 3 })), (sent, known) => {
        expect(isAccessKey(Redacted.make(sent), keys(...known))).toBe(known.includes(sent))
      }),
    )
  })
})
