import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { keyRing } from "../../src/access/AccessKey.ts"
import { cookieName, holdsSession, sessionFor, sessionIn } from "../../src/admin/Session.ts"

const key = Redacted.make("admin-key-of-the-operator")
const other = Redacted.make("admin-key-of-another")
const now = Date.UTC(2026, 10, 28)
const token = sessionFor(key, now + 1000, "a1b2")

describe("a session", () => {
  it("stands for its key until it is over, and for as long as the key is configured", () => {
    expect(holdsSession(keyRing([other, key]), token, now)).toBe(true)
    expect(holdsSession(keyRing([other, key]), token, now + 1000)).toBe(false)
    expect(holdsSession(keyRing([other]), token, now)).toBe(false)
    expect(holdsSession(keyRing([]), token, now)).toBe(false)
  })

  it("does not hold the key", () => {
    expect(token).not.toContain(Redacted.value(key))
  })

  it("is none where a character of it is another", () => {
    const ring = keyRing([key])
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(..."09azAZ-_."), (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        // The last character of a digest's base64url has two bits that mean nothing.
        fc.pre(changed !== token && at < token.length - 1)
        expect(holdsSession(ring, changed, now)).toBe(false)
      }),
    )
  })

  it("is none of any text that nobody signed", () => {
    const ring = keyRing([key])
    fc.assert(fc.property(fc.string(), (text) => !holdsSession(ring, text, now)))
  })
})

describe("the session in a cookie", () => {
  it.each([
    [undefined, undefined],
    ["", undefined],
    ["a=b", undefined],
    [`${cookieName}=${token}`, token],
    [`a=b; ${cookieName}=${token}; c=d`, token],
    [`${cookieName}=one; ${cookieName}=${token}`, undefined],
  ])("of %j is %j", (header, found) => {
    expect(sessionIn(header)).toBe(found)
  })
})
