/** Which of an upstream's headers go back to the client. */
import { describe, expect, it } from "vitest"
import { toClient, upstreamRequestId } from "../../src/operations/HeadersToClient.ts"
import { noSecrets, Secrets } from "../../src/secrets/Secrets.ts"

describe("back to the client", () => {
  it("passes rate limits, retry-after, OpenAI's headers and the upstream's request id by another name, not what it calls its body", () => {
    expect(
      toClient(
        {
          "content-type": "text/event-stream",
          "retry-after": "3",
          "retry-after-ms": "3000",
          "x-ratelimit-remaining-tokens": "7",
          "openai-processing-ms": "12",
          "x-request-id": "req_1",
        },
        noSecrets,
      ),
    ).toEqual({
      "retry-after": "3",
      "retry-after-ms": "3000",
      "x-ratelimit-remaining-tokens": "7",
      "openai-processing-ms": "12",
      "x-upstream-request-id": "req_1",
    })
  })

  it("passes what Anthropic says of its limits and of who was charged", () => {
    const limits = {
      "anthropic-ratelimit-tokens-remaining": "7",
      "anthropic-ratelimit-requests-reset": "2026-11-28T09:00:00Z",
      "anthropic-organization-id": "org",
    }
    const proxied = { ...limits, "request-id": "req_011", "x-request-id": "of-a-proxy" }
    expect(toClient(proxied, noSecrets)).toEqual({
      ...limits,
      "x-upstream-request-id": "req_011",
    })
  })

  it.each(["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"])(
    "finds what the upstream calls the request in %s",
    (name) => {
      expect(upstreamRequestId({ [name]: "req_1" }, noSecrets)).toBe("req_1")
      expect(upstreamRequestId({ [name]: "two\nlines" }, noSecrets)).toBeUndefined()
      expect(upstreamRequestId({ [name]: "x".repeat(129) }, noSecrets)).toBeUndefined()
    },
  )

  it("passes no cookies, framing, retry advice or unlisted headers", () => {
    expect(
      toClient(
        {
          "set-cookie": ["a=b", "c=d"],
          "content-length": "5",
          "content-encoding": "gzip",
          "transfer-encoding": "chunked",
          connection: "openai-version",
          "openai-version": "1",
          "x-should-retry": "true",
          "x-sluice-upstream": "forged",
          server: "nginx",
          "x-request-id": "not sane",
        },
        noSecrets,
      ),
    ).toEqual({})
  })

  it("repeats no secret that an upstream repeats", () => {
    expect(
      toClient(
        {
          "openai-organization": "org of sk-up-secret",
          "x-ratelimit-reset-requests": "1s",
          "retry-after": "%73k-up-secret",
          "x-request-id": "sk-up-secret",
        },
        new Secrets(["sk-up-secret"]),
      ),
    ).toEqual({
      "openai-organization": "org of [redacted]",
      "x-ratelimit-reset-requests": "1s",
      "retry-after": "[redacted]",
      "x-upstream-request-id": "[redacted]",
    })
  })
})
