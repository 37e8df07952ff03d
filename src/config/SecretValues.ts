/** The secrets of a configuration: which names speak of one, which values look like one, and every value that is one (SecretIndex.ts finds them in texts). */
import * as Redacted from "effect/Redacted"
import type { Upstream } from "../routing/Upstream.ts"
import { hasKeyForm } from "../secrets/KeyForm.ts"
import { shortestSecret } from "../secrets/Secrets.ts"
import { isJsonArray, type Json } from "../wire/Json.ts"
import { percentDecoded } from "../wire/PercentEncoding.ts"

/** Words of names whose values are credentials. */
const secretWords: ReadonlySet<string> = new Set([
  "apikey",
  "assertion",
  "auth",
  "authorization",
  "bearer",
  "cookie",
  "credential",
  "credentials",
  "jwt",
  "key",
  "passphrase",
  "passwd",
  "password",
  "pwd",
  "secret",
  "sig",
  "signature",
  "token",
])

/** Names that have such a word and mean something else. */
const harmlessNames: ReadonlySet<string> = new Set([
  "cache-key",
  "idempotency-key",
  "prompt-cache-key",
  "x-cache-key",
  "x-idempotency-key",
])

/**
 * Whether the value of a header, of a URL's parameter or of a member is a credential by its name: `x-goog-api-key`, `Ocp-Apim-Subscription-Key`,
 * `accessToken`, `sig`. Azure's functions take theirs as `code`.
 */
export const isSecretName = (name: string): boolean => {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z\d]+/)
  return (
    name === "code" || (words.some((word) => secretWords.has(word)) && !harmlessNames.has(words.join("-")))
  )
}

/** The credential of a header's value alone: without the scheme before it, and what `Basic` packs up (RFC 7617). */
const inHeader = (value: string): ReadonlyArray<string> => {
  const [, scheme = "", rest] = /^([a-z]+) +(.+)$/i.exec(value) ?? []
  if (rest === undefined) return [value]
  if (scheme.toLowerCase() !== "basic") return [value, rest]
  const unpacked = unpackedBasic(rest)
  return [value, rest, unpacked, unpacked.slice(unpacked.indexOf(":") + 1)]
}

const unpackedBasic = (packed: string): string => {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(packed), (character) => character.charCodeAt(0)))
  } catch {
    return packed
  }
}

const inQuery = (query: string): ReadonlyArray<string> =>
  query
    .slice(1)
    .split("&")
    .flatMap((parameter) => {
      const [name = "", ...value] = parameter.split("=")
      const text = value.join("=")
      const isSecret = isSecretName(percentDecoded(name)) || hasKeyForm(percentDecoded(text))
      return isSecret ? [text, percentDecoded(text)] : []
    })

/** Of members whose names say so, however deep. */
const inJson = (value: Json, isSecret = false): ReadonlyArray<string> => {
  if (typeof value === "string") return isSecret || hasKeyForm(value) ? [value] : []
  if (value === null || typeof value !== "object") return []
  if (isJsonArray(value)) return value.flatMap((item) => inJson(item, isSecret))
  return Object.entries(value).flatMap(([name, member]) => inJson(member, isSecretName(name)))
}

/** A text, and how it stands in JSON and in URLs. */
const spellingsOf = (text: string): ReadonlyArray<string> => [
  text,
  JSON.stringify(text).slice(1, -1),
  // A lone surrogate has no bytes.
  ...(/\p{Cs}/u.test(text) ? [] : [encodeURIComponent(text)]),
]

/** Each once and in all its spellings; one that another begins with stands behind it, so that the whole of the other is found. */
const listed = (values: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(values.flatMap(spellingsOf))]
    .filter((value) => value.length >= shortestSecret)
    .sort((a, b) => b.length - a.length)

const valuesOf = ({ apiKey, extraBody, headers, proxy, query, resume }: Upstream): ReadonlyArray<string> => [
  ...(apiKey === undefined ? [] : [Redacted.value(apiKey)]),
  ...Object.entries(headers).flatMap(([name, value]) =>
    isSecretName(name) || inHeader(value).some(hasKeyForm) ? inHeader(value) : [],
  ),
  ...inQuery(query),
  ...(proxy?.authorization === undefined ? [] : inHeader(Redacted.value(proxy.authorization))),
  ...inJson(extraBody),
  ...(resume === undefined ? [] : [...inJson(resume.body), ...inJson(resume.message)]),
]

/** Every secret of a configuration: those of its upstreams, and the keys that callers and operators show. */
export const secretsOf = (
  upstreams: ReadonlyArray<Upstream>,
  keys: ReadonlyArray<Redacted.Redacted<string>>,
): ReadonlyArray<string> => listed([...upstreams.flatMap(valuesOf), ...keys.map(Redacted.value)])
