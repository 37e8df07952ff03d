/**
 * Paths that are handed on to one upstream each as they are asked: which rule a request falls under, and what its upstream is asked for. Nothing below a
 * rule leads above it, however it is written: what could be read as another path by somebody on the way is refused.
 */
import { percentDecoded } from "../wire/PercentEncoding.ts"
import { tidied, withoutAuthority } from "../wire/TargetPath.ts"
import type { Upstream } from "./Upstream.ts"

/** The methods that can be handed on; `GET` answers `HEAD` too. */
export const passedMethods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

export type PassedMethod = (typeof passedMethods)[number]

/** All requests below a path go to an upstream. */
export interface PassthroughRule {
  /** Begins with a slash, and ends with none. */
  readonly path: string
  readonly upstream: Upstream
  readonly methods: ReadonlyArray<PassedMethod>
}

/** What a request below a rule asks for. */
export type Passed =
  | {
      readonly kind: "below"
      readonly rule: PassthroughRule
      /** As it was asked for here. */
      readonly asked: string
      /** As its upstream has it (`urlOf`). */
      readonly path: string
      readonly query: string
    }
  /** It could be read in two ways, of which one leads elsewhere. */
  | { readonly kind: "refused"; readonly rule: PassthroughRule }

/** Nothing else stands in a path (RFC 3986 §3.3), and each escape is whole. */
const pathText = /^(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*$/i

/** A query may hold two characters more, and much in practice that should be escaped; never what ends a line, or a URL. */
const queryText = /^[!-"$-~]*$/

/** As deep as somebody on the way may unescape what was escaped before. */
const mostUnescaped = 4

const escapes = /(?:%[0-9a-f]{2})+/gi

/** The text that is escaped; `undefined` where it is none, as dots in more bytes than UTF-8 has for them, which some servers read all the same. */
const unescaped = (text: string): string | undefined => {
  let isText = true
  const plain = text.replace(escapes, (run) => {
    const read = percentDecoded(run)
    if (read === run) isText = false
    return read
  })
  return isText ? plain : undefined
}

/** What some servers take for the end of a segment's name, or of the whole path, even where it was escaped. */
const behindName = /[;?#].*$/s

/** With what some servers take for a dot or a slash, such as those of full width. */
const folded = (text: string): string => text.normalize("NFKC")

const isDots = (segment: string): boolean => /^\.{1,2}$/.test(segment.replace(behindName, "").trim())

/** Slashes and control characters: of those, a name has none. */
const noName = /[/\\\p{Cc}]/u

/** Whether a segment is one name, however often it is unescaped: neither a way up nor two segments. */
export const isName = (segment: string): boolean => {
  let text = segment
  for (let times = 0; times <= mostUnescaped; times++) {
    const read = folded(text)
    if (isDots(read) || noName.test(read)) return false
    const next = unescaped(text)
    if (next === undefined) return false
    if (next === text) return true
    text = next
  }
  return false
}

const isBelow = (path: string, rule: string): boolean => path === rule || path.startsWith(`${rule}/`)

/** Where an upstream is asked: behind its base URL, which ends with the version itself; for what has no such version, at the root of its host (`urlOf`). */
const pathAtUpstream = (path: string): string =>
  isBelow(path, "/v1") ? path.slice("/v1".length) : `/${path}`

/** Which rule a request's target falls under, of several the closest; `undefined` where it falls under none. */
export const passedBy = (rules: ReadonlyArray<PassthroughRule>, target: string): Passed | undefined => {
  if (rules.length === 0) return undefined
  const [written = "", ...behind] = withoutAuthority(target).replace(/#.*$/s, "").split("?")
  const path = tidied(written)
  let rule: PassthroughRule | undefined
  for (const one of rules)
    if (isBelow(path, one.path) && one.path.length > (rule?.path.length ?? 0)) rule = one
  if (rule === undefined) return undefined
  const query = behind.join("?")
  const rest = path.slice(rule.path.length)
  const isPlain = pathText.test(written) && queryText.test(query) && rest.split("/").every(isName)
  return isPlain
    ? { kind: "below", rule, asked: path, path: pathAtUpstream(path), query }
    : { kind: "refused", rule }
}

/** What may be wrong with the path of a rule. */
export type RuleFault = "start" | "end" | "signs" | "dots"

/** Why a rule cannot have a path; `undefined` where it can. */
export const faultInRule = (path: string): RuleFault | undefined => {
  if (!path.startsWith("/")) return "start"
  if (path.endsWith("/")) return "end"
  if (!/^(?:\/[\w.~!$&'()*+,=:@-]+)+$/.test(path)) return "signs"
  return path.split("/").every(isName) ? undefined : "dots"
}
