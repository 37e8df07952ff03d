/** The line of a file that a problem points at, as the operator may be shown it: nothing in it that may be a secret. */
import { GatewayConfig } from "../schema/GatewayConfig.ts"
import { everyKey } from "./Expected.ts"
import { isHarmless, isVariableName } from "./Saying.ts"

/** A line as it may be shown, and where in it the problem's column is. */
export interface Excerpt {
  readonly line: string
  /** From 0. */
  readonly at: number
}

/** Keys whose values are words, names and numbers; those of all others may be secrets. */
const harmlessKeys: ReadonlySet<string> = new Set([
  "name",
  "thinking_tags",
  "base_url",
  "preset",
  "dialects",
  "type",
  "value",
  "priority",
  "fallback",
  "client",
  "path",
  "methods",
  "model",
  "max_tokens",
  "thinking_format",
  "strategy",
  "rounds",
  "bodies",
  "trust_proxy",
])

const knownKeys = [...new Set(everyKey(GatewayConfig.ast))]

const isKnownKey: ReadonlySet<string> = new Set(knownKeys)

const hasHarmlessValue = (key: string): boolean =>
  harmlessKeys.has(key) || /_(?:ms|bytes|seconds|months|concurrent|waiting)$/.test(key)

/** References to variables, punctuation with white space, and the words between. */
const tokens = /\$\{[A-Z_][A-Z0-9_]*\}|[\s,[\]{}:"']+|(?:(?!\$\{[A-Z_][A-Z0-9_]*\})[^\s,[\]{}:"'])+/g

const reference = /^\$\{([A-Z_][A-Z0-9_]*)\}$/

const punctuation = /^[\s,[\]{}:"']+$/

const keyLike = /^[A-Za-z_][\w-]{0,39}$/

const mask = "\u2026"

/** Longer lines are cut. */
const longestLine = 100

/**
 * What stands in a line before its comment. Known keys are shown and short words in their place, and short words and numbers as the values of harmless ones; any
 * other value is masked but for references to variables, and so is all of a line that begins without a key, which goes on with a value of before.
 *
 * @param column from 1, in UTF-16 units
 */
export const excerptOf = (text: string, line: number, column: number): Excerpt | undefined => {
  const whole = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/, line)
    [line - 1]?.replaceAll("\t", " ")
  if (whole === undefined || whole.trim() === "") return undefined
  const written = whole.replace(/(^|\s)#.*$/, "").trimEnd()
  const [lead = ""] = /^\s*(?:-(?:\s+|$))*/.exec(written) ?? []
  // As with credentials in URLs.
  const holdsCredentials = /[@?=]/.test(written)
  let shown = lead
  let at = Math.min(column - 1, lead.length)
  let key = ""
  let mayBeKey = true
  for (const { 0: token, index } of written.slice(lead.length).matchAll(tokens)) {
    const offset = lead.length + index
    const isKey = mayBeKey && keyLike.test(token) && /^["']?\s*:/.test(written.slice(offset + token.length))
    let told = mask
    if (punctuation.test(token)) {
      told = token
      mayBeKey = /[{,]\s*["']?$/.test(token) || (shown.trim() === "" && /^["']$/.test(token))
    } else {
      mayBeKey = false
      if (isKey) key = token
      const variable = reference.exec(token)?.[1]
      const isTold = isKey
        ? isKnownKey.has(token) || isHarmless(token, knownKeys)
        : variable !== undefined
          ? isVariableName(variable)
          : hasHarmlessValue(key) && !holdsCredentials && isHarmless(token)
      if (isTold) told = token
    }
    if (column - 1 >= offset)
      at = shown.length + (told === token ? Math.min(column - 1 - offset, token.length) : 0)
    // One mask for words in a row.
    shown += told === mask && /\u2026\s*$/.test(shown) ? "" : told
  }
  const cut = shown.trimEnd()
  return {
    line: cut.length > longestLine ? `${cut.slice(0, longestLine)}${mask}` : cut,
    at: Math.min(at, longestLine),
  }
}
