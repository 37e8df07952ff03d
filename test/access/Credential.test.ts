/** The credential a client sends, whom it lets in, and who gets it. */
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import { keyRing } from "../../src/access/AccessKey.ts"
import { clientKey, credentialFor, deniedTo, inquirerOf } from "../../src/access/Credential.ts"
import type { ReceivedHeaders } from "../../src/wire/Headers.ts"

const open = keyRing([])
const closed = keyRing([Redacted.make("access")])

describe("clientKey", () => {
  const key = (headers: ReceivedHeaders) => {
    const redacted = clientKey(headers)
    return redacted === undefined ? undefined : Redacted.value(redacted)
  }

  it("is the bearer token, the scheme in any case, else x-api-key", () => {
    expect(key({ authorization: "Bearer sk-1" })).toBe("sk-1")
    expect(key({ authorization: "bEARER   sk-1 ", "x-api-key": "sk-2" })).toBe("sk-1")
    expect(key({ "x-api-key": " sk-2 " })).toBe("sk-2")
    expect(key({ authorization: "Basic dTpw", "x-api-key": "sk-2" })).toBe("sk-2")
    expect(key({ authorization: "Bearer ", "x-api-key": "sk-2" })).toBe("sk-2")
  })

  it("is absent where none was sent", () => {
    for (const headers of [
      {},
      { authorization: "Bearer" },
      { authorization: "Basic dTpw" },
      { "x-api-key": " " },
      { authorization: [] },
    ]) {
      expect(key(headers)).toBeUndefined()
    }
  })

  it("does not print", () => {
    expect(`${clientKey({ authorization: "Bearer sk-secret" })}`).not.toContain("secret")
  })

  it("is read from api-key too, behind the others", () => {
    expect(key({ "api-key": " k " })).toBe("k")
    expect(key({ "api-key": "k", "x-api-key": "x" })).toBe("x")
    expect(key({ "api-key": "k", authorization: "Basic abc" })).toBe("k")
    expect(key({ "api-key": "k", authorization: "bearer b" })).toBe("b")
  })
})

describe("deniedTo", () => {
  it("lets everybody in where no key is asked for", () => {
    expect(deniedTo(open, undefined)).toBeUndefined()
    expect(deniedTo(open, Redacted.make("any"))).toBeUndefined()
  })

  it("lets in who sends a key that is asked for, and says what is wrong with others", () => {
    expect(deniedTo(closed, Redacted.make("access"))).toBeUndefined()
    expect(deniedTo(closed, Redacted.make("other"))?.reason).toBe("wrong")
    expect(deniedTo(closed, undefined)?.reason).toBe("missing")
  })
})

describe("credentialFor", () => {
  const own = Redacted.make("own")
  const headers = { authorization: "Bearer sent" }
  const given = (accessKeys: typeof open, upstream: Parameters<typeof credentialFor>[1]) => {
    const credential = credentialFor(accessKeys, upstream, headers)
    return credential === undefined ? undefined : Redacted.value(credential)
  }

  it("is the upstream's own key before the client's", () => {
    expect(given(open, { apiKey: own, passesKey: true })).toBe("own")
    expect(given(open, { apiKey: undefined, passesKey: true })).toBe("sent")
  })

  it("is not the client's where that is this gateway's key, or the configuration keeps it", () => {
    expect(given(closed, { apiKey: undefined, passesKey: true })).toBeUndefined()
    expect(given(open, { apiKey: undefined, passesKey: false })).toBeUndefined()
  })
})

describe("inquirerOf", () => {
  const admin = keyRing([Redacted.make("admin")])
  const sends = (key: string): ReceivedHeaders => ({ authorization: `Bearer ${key}` })

  it("takes everybody for an operator where no key is asked for at all, and nobody where only callers need one", () => {
    expect(inquirerOf({ accessKeys: open, adminKeys: open }, {})).toBe("operator")
    expect(inquirerOf({ accessKeys: closed, adminKeys: open }, sends("access"))).toBe("probe")
  })

  it("knows operators by their key, and an access key for none", () => {
    const rings = { accessKeys: closed, adminKeys: admin }
    expect(inquirerOf(rings, sends("admin"))).toBe("operator")
    expect(inquirerOf(rings, sends("access"))).toBe("impostor")
    expect(inquirerOf(rings, {})).toBe("probe")
  })
})
