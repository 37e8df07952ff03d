/** The credential that a client sends: where it is found, whether it lets the client in, and whether an upstream gets it. */
import * as Redacted from "effect/Redacted"
import { AccessDenied } from "../errors/AccessErrors.ts"
import type { FaceName } from "../errors/faces/Face.ts"
import type { Upstream } from "../routing/Upstream.ts"
import { firstOf, type ReceivedHeaders } from "../wire/Headers.ts"
import { holdsKey, type KeyRing, keyCount } from "./AccessKey.ts"

type Key = Redacted.Redacted<string>

/** Of `authorization: Bearer …` (RFC 9110 §11.1: the scheme in any case). */
const bearerOf = (headers: ReceivedHeaders): string =>
  /^bearer +(.*)$/is.exec(firstOf(headers["authorization"]).trim())?.[1]?.trim() ?? ""

const bareKeyOf = (headers: ReceivedHeaders, name: "api-key" | "x-api-key"): string =>
  firstOf(headers[name]).trim()

/**
 * The keys that a client sent, which Anthropic's clients and Azure's send bare. The one that counts where there are several comes first: `x-api-key` for
 * Anthropic's API, which takes that of both, else the bearer token.
 */
export const clientKeys = (headers: ReceivedHeaders, face: FaceName): ReadonlyArray<Key> => {
  const bearer = bearerOf(headers)
  const bare = bareKeyOf(headers, "x-api-key")
  const first = face === "anthropic" ? [bare, bearer] : [bearer, bare]
  return [...first, bareKeyOf(headers, "api-key")].flatMap((key) => (key === "" ? [] : [Redacted.make(key)]))
}

/** The key that lets a client in: of those sent the first that is asked for here, or the first where none is asked for. */
export const acceptedKey = (accessKeys: KeyRing, sent: ReadonlyArray<Key>): Key | undefined =>
  keyCount(accessKeys) === 0 ? sent[0] : sent.find((key) => holdsKey(accessKeys, key))

/** Why a client is not let in that sent these and none that lets it in; nothing where none is asked for. */
export const deniedWith = (accessKeys: KeyRing, sent: ReadonlyArray<Key>): AccessDenied | undefined => {
  if (keyCount(accessKeys) === 0) return undefined
  return new AccessDenied({ reason: sent.length === 0 ? "missing" : "wrong" })
}

/**
 * The credential an upstream is sent: its own key, else the client's. Where access keys are configured, what the client sends is
 * this gateway's key and goes nowhere; nor does it go where the configuration says not to.
 */
export const credentialFor = (
  accessKeys: KeyRing,
  upstream: Pick<Upstream, "apiKey" | "passesKey">,
  { face, headers }: { readonly face: FaceName; readonly headers: ReceivedHeaders },
): Key | undefined =>
  upstream.apiKey ??
  (upstream.passesKey && keyCount(accessKeys) === 0 ? clientKeys(headers, face)[0] : undefined)

/** Who asks for what only operators are told: an operator, somebody who sent no key, or somebody whose key is no operator's. */
export type Inquirer = "operator" | "probe" | "impostor"

/** Who asks. All are operators where nobody is asked for a key at all. */
export const inquirerOf = (
  { accessKeys, adminKeys }: { readonly accessKeys: KeyRing; readonly adminKeys: KeyRing },
  headers: ReceivedHeaders,
): Inquirer => {
  if (keyCount(adminKeys) === 0) return keyCount(accessKeys) === 0 ? "operator" : "probe"
  const sent = clientKeys(headers, "openai")
  if (sent.length === 0) return "probe"
  return acceptedKey(adminKeys, sent) === undefined ? "impostor" : "operator"
}
