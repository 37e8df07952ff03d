/** The error the client gets when every attempt failed. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { toldFailure } from "../../../src/upstream/policy/AttemptFailure.ts"
import { reasonOf } from "../../../src/upstream/policy/FailureWords.ts"
import { errorOfAll } from "../../../src/upstream/policy/LastError.ts"
import {
  failed,
  failureArb,
  noMemory,
  noPlace,
  refused,
  saying,
  timedOut,
  unreachable,
} from "../../support/failures.ts"

describe("errorOfAll", () => {
  it("gives the last upstream's answer, whoever failed before", () => {
    const error = errorOfAll([
      failed("a", unreachable),
      failed("b", refused(429, undefined, '{"error":{"message":"slow"}}')),
    ])
    expect(error).toMatchObject({ _tag: "UpstreamRefused", upstream: "b", status: 429 })
  })

  it("says that the gateway's own key was refused, and lets a passed-through key's 401 be the client's", () => {
    const ownKey = { _tag: "UpstreamCredentialsRejected", reason: "credentials" }
    expect(errorOfAll([failed("a", refused(401), "sk-own")])).toMatchObject({ ...ownKey, status: 401 })
    expect(errorOfAll([failed("a", saying(403, "permission denied"), "sk-own")])).toMatchObject(ownKey)
    expect(errorOfAll([failed("a", refused(401))])).toMatchObject({
      _tag: "UpstreamRefused",
      status: 401,
      isClientsFault: true,
    })
  })

  it("does not let the client pay where the gateway's own account is empty", () => {
    for (const failure of [
      refused(402),
      saying(429, "insufficient balance"),
      saying(403, "out of credits"),
    ]) {
      expect(errorOfAll([failed("a", failure, "sk-own")])).toMatchObject({
        _tag: "UpstreamCredentialsRejected",
        reason: "billing",
      })
      expect(errorOfAll([failed("a", failure)])._tag).toBe("UpstreamRefused")
    }
  })

  it("tells a 403 that speaks of no key as it is", () => {
    for (const failure of [saying(403, "Your input was flagged."), refused(403), refused(403, 0, "<html>")]) {
      expect(errorOfAll([failed("a", failure, "sk-own")])).toMatchObject({
        _tag: "UpstreamRefused",
        status: 403,
        isClientsFault: true,
      })
    }
  })

  it.each([
    [404, "", false],
    [404, "<html><title>404 Not Found</title></html>", false],
    [404, '{"detail":"Not Found"}', false],
    [404, '{"error":{"message":"Invalid URL (POST /v1/rerank)","type":"invalid_request_error"}}', false],
    [404, '{"error":{"message":"Resource not found","code":"404"}}', false],
    [405, '{"detail":"Method Not Allowed"}', false],
    [501, '{"error":{"message":"This server does not support embeddings."}}', false],
    [404, '{"error":{"message":"The model `m` does not exist","code":"model_not_found"}}', true],
    [404, '{"error":{"message":"Response with id \'resp_1\' not found."}}', true],
    [404, '{"error":{"message":"No endpoints found that support tool use.","code":404}}', true],
  ])("lets the client pay for a %i only where it is not of the path: %s", (status, body, isClientsFault) => {
    for (const key of ["sk-own", undefined]) {
      const failure = refused(status, undefined, body)
      expect(errorOfAll([failed("a", failure, key)])).toMatchObject({ status, isClientsFault })
    }
  })

  it("repeats no key that an upstream repeats, and is byte for byte otherwise", () => {
    const body = '{"error":{"message":"busy: sk-configured \u00e9","type":"t","param":null,"code":null}}'
    const told = (apiKey: string) => {
      const error = errorOfAll([failed("a", refused(503, undefined, body), apiKey)])
      return error._tag === "UpstreamRefused" ? new TextDecoder().decode(error.body) : undefined
    }
    expect(told("sk-configured")).toBe(body.replace("sk-configured", "[redacted]"))
    expect(told("sk-of-another")).toBe(body)
    expect(told("busy")).toBe(body)
  })

  it("tells why all failed, whoever failed last", () => {
    const error = errorOfAll([
      failed("a", unreachable),
      failed("b", refused(401), "k"),
      failed("c", refused(503)),
    ])
    expect(error).toMatchObject({
      _tag: "UpstreamRefused",
      failures: [
        { upstream: "a", reason: "could not connect (ECONNREFUSED)" },
        { upstream: "b", reason: "answered 401 (it refuses the key)" },
        { upstream: "c", reason: "answered 503" },
      ],
    })
  })

  it("calls it a timeout only when every attempt timed out", () => {
    expect(errorOfAll([failed("a", timedOut), failed("b", timedOut)])._tag).toBe("UpstreamTimeout")
    expect(errorOfAll([failed("a", unreachable), failed("b", timedOut)])._tag).toBe("UpstreamUnreachable")
  })

  it("says that there is no room only where there is none anywhere, and what lacked last", () => {
    expect(errorOfAll([failed("a", unreachable), failed("b", noPlace)])._tag).toBe("UpstreamUnreachable")
    expect(errorOfAll([failed("a", timedOut), failed("b", noPlace)])._tag).toBe("UpstreamTimeout")
    expect(errorOfAll([failed("a", refused(401), "sk-own"), failed("b", noPlace)])._tag).toBe(
      "UpstreamCredentialsRejected",
    )
    expect(errorOfAll([failed("a", noMemory), failed("b", noPlace)])).toMatchObject({
      _tag: "Overloaded",
      reason: "upstreams",
    })
    expect(errorOfAll([failed("a", noPlace), failed("b", noMemory)])).toMatchObject({
      _tag: "Overloaded",
      reason: "memory",
    })
  })

  it("names each upstream once, with how it failed last", () => {
    expect(
      errorOfAll([failed("a", unreachable), failed("b", unreachable), failed("a", timedOut)]),
    ).toMatchObject({
      failures: [
        { upstream: "a", reason: "timed out (first_byte after 60000 ms)" },
        { upstream: "b", reason: "could not connect (ECONNREFUSED)" },
      ],
    })
  })

  it("passes on what an upstream says about rates, and nothing that is about its own connection or its cookies", () => {
    const failure = refused(429, 3000, "", {
      "retry-after": "3",
      "x-ratelimit-limit": "9",
      "set-cookie": "a=b",
      "transfer-encoding": "chunked",
    })
    expect(errorOfAll([failed("a", failure)])).toMatchObject({
      headers: { "retry-after": "3", "x-ratelimit-limit": "9" },
    })
    expect(JSON.stringify(errorOfAll([failed("a", failure)]))).not.toMatch(/cookie|chunked/)
  })

  it("never answers a client with a redirect", () => {
    const location = "https://user:pw@api.example/v1/chat/completions?key=secret"
    expect(errorOfAll([failed("a", refused(307, undefined, "", { location }))])).toMatchObject({
      status: 502,
      isClientsFault: false,
      said: { kind: "redirect", answered: 307, location: "https://api.example/v1/chat/completions" },
    })
  })

  it("law: every failure has a reason in words and a declared error", () => {
    fc.assert(
      fc.property(fc.array(failureArb, { minLength: 1 }), (failures) => {
        for (const failure of failures) expect(reasonOf(toldFailure(failure))).not.toBe("")
        expect(errorOfAll(failures.map((failure) => failed("a", failure)))._tag).toMatch(
          /^(Upstream|Overloaded)/,
        )
      }),
    )
  })
})
