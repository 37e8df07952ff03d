/** The credential that a client sends: where it is found, whether it lets the client in, and whether an upstream gets it. */
import * as Redacted from "effect/Redacted"
import { AccessDenied } from "../errors/AccessErrors.ts"
import type { Upstream } from "../routing/Upstream.ts"
import { firstOf, type ReceivedHeaders } from "../wire/Headers.ts"
import { holdsKey, type KeyRing, keyCount } from "./AccessKey.ts"

/** Where clients send a bare key: Anthropic's, and Azure's. */
const keyNames = ["x-api-key", "api-key"]

/** The key the client sent: of `authorization: Bearer …` (RFC 9110 §11.1: the scheme in any case), else of `x-api-key`, else of `api-key`. */
export const clientKey = (headers: ReceivedHeaders): Redacted.Redacted<string> | undefined => {
  const bearer = /^bearer +(.*)$/is.exec(firstOf(headers["authorization"]).trim())?.[1]?.trim() ?? ""
  const sent = [bearer, ...keyNames.map((name) => firstOf(headers[name]).trim())]
  const key = sent.find((one) => one !== "")
  return key === undefined ? undefined : Redacted.make(key)
}

/** Why a client is not let in; nothing where it is: by its key, or because none is asked for. */
export const deniedTo = (
  accessKeys: KeyRing,
  sent: Redacted.Redacted<string> | undefined,
): AccessDenied | undefined => {
  if (keyCount(accessKeys) === 0) return undefined
  if (sent === undefined) return new AccessDenied({ reason: "missing" })
  return holdsKey(accessKeys, sent) ? undefined : new AccessDenied({ reason: "wrong" })
}

/**
 * The credential an upstream is sent: its own key, else the client's. Where access keys are configured, what the client sends is
 * this gateway's key and goes nowhere; nor does it go where the configuration says not to.
 */
export const credentialFor = (
  accessKeys: KeyRing,
  upstream: Pick<Upstream, "apiKey" | "passesKey">,
  headers: ReceivedHeaders,
): Redacted.Redacted<string> | undefined =>
  upstream.apiKey ?? (upstream.passesKey && keyCount(accessKeys) === 0 ? clientKey(headers) : undefined)

/** Who asks for what only operators are told: an operator, somebody who sent no key, or somebody whose key is no operator's. */
export type Inquirer = "operator" | "probe" | "impostor"

/** Who asks. All are operators where nobody is asked for a key at all. */
export const inquirerOf = (
  { accessKeys, adminKeys }: { readonly accessKeys: KeyRing; readonly adminKeys: KeyRing },
  headers: ReceivedHeaders,
): Inquirer => {
  if (keyCount(adminKeys) === 0) return keyCount(accessKeys) === 0 ? "operator" : "probe"
  const sent = clientKey(headers)
  if (sent === undefined) return "probe"
  return holdsKey(adminKeys, sent) ? "operator" : "impostor"
}
