/** The credential a client sends, whom it lets in, and who gets it. */
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import { keyRing } from "../../src/access/AccessKey.ts"
import {
  acceptedKey,
  clientKeys,
  credentialFor,
  deniedWith,
  inquirerOf,
} from "../../src/access/Credential.ts"
import type { ReceivedHeaders } from "../../src/wire/Headers.ts"

const open = keyRing([])
const closed = keyRing([Redacted.make("access")])

describe("clientKeys", () => {
  const keys = (headers: ReceivedHeaders, face: "anthropic" | "openai" = "openai") =>
    clientKeys(headers, face).map(Redacted.value)

  it("are the bearer token, the scheme in any case, and those of x-api-key and api-key", () => {
    expect(keys({ authorization: "Bearer sk-1" })).toEqual(["sk-1"])
    expect(keys({ authorization: "bEARER   sk-1 ", "x-api-key": "sk-2" })).toEqual(["sk-1", "sk-2"])
    expect(keys({ "x-api-key": " sk-2 " })).toEqual(["sk-2"])
    expect(keys({ authorization: "Basic dTpw", "x-api-key": "sk-2" })).toEqual(["sk-2"])
    expect(keys({ authorization: "Bearer ", "x-api-key": "sk-2" })).toEqual(["sk-2"])
    expect(keys({ "api-key": " k ", "x-api-key": "x", authorization: "bearer b" })).toEqual(["b", "x", "k"])
  })

  it("begin with x-api-key for Anthropic's clients, whose API takes that of both", () => {
    const both = { authorization: "Bearer sk-1", "x-api-key": "sk-2", "api-key": "sk-3" }
    expect(keys(both, "anthropic")).toEqual(["sk-2", "sk-1", "sk-3"])
    expect(keys({ authorization: "Bearer sk-1" }, "anthropic")).toEqual(["sk-1"])
  })

  it("are none where none was sent", () => {
    for (const headers of [
      {},
      { authorization: "Bearer" },
      { authorization: "Basic dTpw" },
      { "x-api-key": " " },
      { authorization: [] },
    ]) {
      expect(keys(headers)).toEqual([])
    }
  })

  it("do not print", () => {
    expect(`${clientKeys({ authorization: "Bearer sk-secret" }, "openai")}`).not.toContain("secret")
  })
})

describe("acceptedKey", () => {
  const accepted = (ring: typeof open, ...sent: ReadonlyArray<string>) => {
    const key = acceptedKey(
      ring,
      sent.map((one) => Redacted.make(one)),
    )
    return key === undefined ? undefined : Redacted.value(key)
  }

  it("is the first of those sent where no key is asked for", () => {
    expect(accepted(open, "any", "other")).toBe("any")
    expect(accepted(open)).toBeUndefined()
  })

  it("is the one that is asked for, wherever it was sent", () => {
    expect(accepted(closed, "access")).toBe("access")
    expect(accepted(closed, "other", "access")).toBe("access")
    expect(accepted(closed, "other")).toBeUndefined()
    expect(accepted(closed)).toBeUndefined()
  })
})

describe("deniedWith", () => {
  it("says what is wrong with a client that is not let in", () => {
    expect(deniedWith(open, [])).toBeUndefined()
    expect(deniedWith(closed, [Redacted.make("other")])?.reason).toBe("wrong")
    expect(deniedWith(closed, [])?.reason).toBe("missing")
  })
})

describe("credentialFor", () => {
  const own = Redacted.make("own")
  const asked = { headers: { authorization: "Bearer sent" }, face: "openai" } as const
  const given = (accessKeys: typeof open, upstream: Parameters<typeof credentialFor>[1]) => {
    const credential = credentialFor(accessKeys, upstream, asked)
    return credential === undefined ? undefined : Redacted.value(credential)
  }

  it("is the upstream's own key before the client's", () => {
    expect(given(open, { apiKey: own, passesKey: true })).toBe("own")
    expect(given(open, { apiKey: undefined, passesKey: true })).toBe("sent")
  })

  it("is of two the one that the API asked for takes", () => {
    const headers = { authorization: "Bearer token", "x-api-key": "key" }
    const sent = (face: "anthropic" | "openai") => {
      const key = credentialFor(open, { apiKey: undefined, passesKey: true }, { headers, face })
      return key === undefined ? undefined : Redacted.value(key)
    }
    expect([sent("anthropic"), sent("openai")]).toEqual(["key", "token"])
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
    expect(inquirerOf(rings, { ...sends("access"), "x-api-key": "admin" })).toBe("operator")
  })
})
