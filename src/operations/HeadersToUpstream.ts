/** Which of a client's headers go to an upstream: those of an allow-list, beneath what is configured and the key. */
import * as Redacted from "effect/Redacted"
import type { FaceName } from "../errors/faces/Face.ts"
import type { Upstream } from "../routing/Upstream.ts"
import { admit, isJsonType, isSendable, type ReceivedHeaders, type SentHeaders } from "../wire/Headers.ts"
import { hopsName, hopsTold } from "./Hops.ts"
import { sessionNames } from "./Session.ts"

/** What goes upstream of a client's headers; never credentials, cookies, or who forwarded for whom. */
const clientNames: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "content-type",
  "idempotency-key",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-client-request-id",
  ...sessionNames,
])
const clientPrefixes = ["openai-", "anthropic-", "x-claude-code-", "x-stainless-"]

/** What by its name holds a credential: `openai-api-key`. */
const credentialName = /(?:key|token|secret|authorization)$/

const isCredential = (name: string): boolean => credentialName.test(name) && !clientNames.has(name)

/** Who is charged, and for what no more than once: said of the key that it goes with, so never beside another's. */
const keyOwnersNames = ["anthropic-workspace-id", "idempotency-key", "openai-organization", "openai-project"]

/** Anthropic's API takes no request without one; of its versions the one that takes most. */
const anthropicVersion = "2023-06-01"

/** What clients of the other family alone say: nothing to an upstream that is asked in another dialect than theirs. */
const ofOthers: { readonly [F in FaceName]: ReadonlyArray<string> } = {
  openai: ["anthropic-", "x-claude-code-"],
  anthropic: ["openai-"],
}

/** What is sent. */
export interface SentBody {
  /** Whatever the client calls it, where that is `as_said`. */
  readonly body: "json" | "form" | "none" | "as_said"
  readonly face: FaceName
  /** The upstream is asked in another dialect than the client asks in. */
  readonly isTranslated?: boolean
}

/**
 * The headers of a call to an upstream. Configured headers win over the client's and over `key`, which is the one decided for
 * this attempt; only how often the request has gone through Sluice is nobody's to say. A body that is no form of parts is JSON by the time it is sent, whatever the client called it (`curl -d` calls it a form too).
 */
export const toUpstream = (
  client: ReceivedHeaders,
  upstream: Pick<Upstream, "headers"> & Partial<Pick<Upstream, "apiKey" | "keyHeader">>,
  key: Redacted.Redacted<string> | undefined,
  { body, face, isTranslated = false }: SentBody,
): SentHeaders => {
  const headers = admit(client, clientNames, clientPrefixes)
  for (const name in headers) if (isCredential(name)) delete headers[name]
  if (isTranslated)
    for (const name in headers) if (ofOthers[face].some((one) => name.startsWith(one))) delete headers[name]
  // The key is the gateway's, or there is none.
  if (key === undefined || key === upstream.apiKey) for (const name of keyOwnersNames) delete headers[name]
  if (body === "none") delete headers["content-type"]
  else if (body === "json" && !isJsonType(headers["content-type"]))
    headers["content-type"] = "application/json"
  if (face === "anthropic") headers["anthropic-version"] ??= anthropicVersion
  if (key !== undefined) {
    const name = upstream.keyHeader ?? "authorization"
    const value = upstream.keyHeader === undefined ? `Bearer ${Redacted.value(key)}` : Redacted.value(key)
    if (isSendable(name, value)) headers[name] = value
  }
  for (const [given, value] of Object.entries(upstream.headers)) {
    const name = given.toLowerCase()
    // A form without its own type, which names its boundary, cannot be read.
    if (body === "form" && name === "content-type") continue
    if (isSendable(name, value)) headers[name] = value
  }
  headers[hopsName] = hopsTold(client)
  return headers
}
