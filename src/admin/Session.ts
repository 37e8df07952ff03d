/**
 * What stands for an admin key in a browser: a token that is signed with the key's digest. Every process that has the key's configuration knows it, none
 * keeps a list, and it is worth nothing once the key is gone from the configuration.
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import type * as Redacted from "effect/Redacted"
import { digestOf, type KeyRing } from "../access/AccessKey.ts"

/** How long somebody stays signed in. */
export const sessionMs = 12 * 3_600_000

/** Longer ones are none of ours. */
const longestToken = 200

const signatureOf = (digest: string, signed: string): Buffer =>
  createHmac("sha256", digest).update(`sluice admin session ${signed}`).digest()

/**
 * A session that stands for this key.
 *
 * @param expiresAt epoch milliseconds
 * @param nonce letters and digits that tell it from all others
 */
export const sessionFor = (key: Redacted.Redacted<string>, expiresAt: number, nonce: string): string => {
  const signed = `${expiresAt.toString(36)}.${nonce}`
  return `${signed}.${signatureOf(digestOf(key), signed).toString("base64url")}`
}

/** Whether the token is a session of one of these keys, and not over at `now`. */
export const holdsSession = ({ digests }: KeyRing, token: string, now: number): boolean => {
  if (token.length > longestToken) return false
  const [, signed = "", expiry = "", signature = ""] =
    /^(([\da-z]{1,10})\.[\w-]{1,64})\.([\w-]{43})$/.exec(token) ?? []
  if (signed === "" || Number.parseInt(expiry, 36) <= now) return false
  const sent = Buffer.from(signature, "base64url")
  let isHeld = false
  // All of them, so that how long it takes says nothing of which.
  for (const digest of digests) {
    const expected = signatureOf(digest, signed)
    if (sent.length === expected.length && timingSafeEqual(sent, expected)) isHeld = true
  }
  return isHeld
}

export const cookieName = "sluice_admin"

/** The session in a `cookie` header, if one is there. Where several are, as a neighbour of the same host can bring about, none counts. */
export const sessionIn = (cookies: string | undefined): string | undefined => {
  const found = (cookies ?? "").split(";").flatMap((pair) => {
    const [name, ...value] = pair.trim().split("=")
    return name === cookieName ? [value.join("=")] : []
  })
  return found.length === 1 ? found[0] : undefined
}

const cookieWith = (token: string, maxAgeSeconds: number, isSecure: boolean): string =>
  `${cookieName}=${token}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`

/** The `set-cookie` that signs in, and the one that signs out. */
export const signingIn = (token: string, isSecure: boolean): string =>
  cookieWith(token, sessionMs / 1000, isSecure)

export const signingOut = (isSecure: boolean): string => cookieWith("", 0, isSecure)
