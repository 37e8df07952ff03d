/** The addresses of upstreams in the configuration: where they answer, and what calls go through. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { allOperations } from "../../operations/Operations.ts"
import { isDirect, parseProxy, proxyMistakes } from "../../routing/OutgoingProxy.ts"
import { parsedUrl } from "../../wire/ParsedUrl.ts"
import { fixed } from "./FixedWords.ts"
import { holesIn } from "./Presets.ts"
import { confidential } from "./Values.ts"

const longestUrl = 8_000

const longestPath = 1_000

const urlFaults = {
  long: fixed(`a URL has at most ${longestUrl} characters` as const),
  scheme: fixed("expected a URL that begins with http:// or https://"),
  space: fixed("a URL holds no white space"),
  text: fixed("a URL holds no lone surrogates, which cannot be sent"),
  host: fixed("expected a URL such as https://api.openai.com/v1; its host or port is not valid"),
  credentials: fixed(
    "a base_url carries no user or password; use api_key, or headers for another kind of credentials",
  ),
  hole: fixed("a word in braces is to be filled in: write your own in its place, without the braces"),
  fragment: fixed("a base_url has no fragment (#\u2026): it would not be sent"),
}

/** Why a `base_url` cannot be used, or `undefined`. Never repeats it: it may hold a password. */
const urlProblem = (value: string): string | undefined => {
  if (!/^https?:\/\//i.test(value)) return urlFaults.scheme
  if (/[\s\p{Cc}]/u.test(value)) return urlFaults.space
  if (/\p{Cs}/u.test(value)) return urlFaults.text
  if (value.length > longestUrl) return urlFaults.long
  if (holesIn(value).length > 0) return urlFaults.hole
  const url = parsedUrl(value)
  if (url === undefined) return urlFaults.host
  if (url.username !== "" || url.password !== "") {
    return urlFaults.credentials
  }
  if (value.includes("#")) return urlFaults.fragment
  return undefined
}

export const baseUrl = Schema.String.pipe(Schema.filter((value) => urlProblem(value))).annotations({
  title: "an http(s) URL",
  jsonSchema: { pattern: "^[Hh][Tt][Tt][Pp][Ss]?://" },
})

const pathFaults = {
  slash: fixed("expected a path that begins with /, or with // for one from the root of the host"),
  query: fixed("a path has no query and no fragment; what belongs to every path stays behind base_url"),
  dots: fixed("a path holds no . or .. between its slashes"),
  signs: fixed("a path holds no white space, braces, backslashes or empty parts"),
  long: fixed(`a path has at most ${longestPath} characters` as const),
}

/** Why a path cannot be asked, or `undefined`. */
const pathProblem = (value: string): string | undefined => {
  if (!value.startsWith("/")) return pathFaults.slash
  if (value.length > longestPath) return pathFaults.long
  if (/[?#]/.test(value)) return pathFaults.query
  if (/[\s\p{Cc}\p{Cs}\\{}]|.\/\/|\/$/u.test(value)) return pathFaults.signs
  // Escaped dots mean the same (WHATWG URL §4.4).
  return /\/(?:\.|%2e){1,2}(?:\/|$)/i.test(value) ? pathFaults.dots : undefined
}

const path = Schema.String.pipe(Schema.filter((value) => pathProblem(value))).annotations({
  title: "a path",
  jsonSchema: { pattern: "^/" },
})

/** What an upstream may have a path of its own for. */
const pathNames = ["models", ...allOperations.map(({ name }) => name)]

export const paths = Schema.Struct(
  Object.fromEntries(pathNames.map((name) => [name, Schema.optionalWith(path, { nullable: true })])),
).annotations({ title: "a map of operations to paths" })

for (const fault of Object.values(proxyMistakes)) fixed(fault)

/** What is wrong with a `proxy_url`, or `undefined`. */
const proxyProblem = (value: string | false): string | undefined =>
  value === false || isDirect(value) ? undefined : Either.getOrUndefined(Either.flip(parseProxy(value)))

export const proxyUrl = Schema.Union(Schema.String, Schema.Literal(false)).pipe(
  Schema.filter((value) => proxyProblem(value), {
    title: "the URL of a proxy, or false",
    jsonSchema: { title: "the URL of a proxy, or false", anyOf: [{ type: "string" }, { type: "boolean" }] },
    [confidential]: true,
  }),
)
