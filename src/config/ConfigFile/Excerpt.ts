/** The line of a file that a problem points at, as it may be shown: nothing in it that is, or may be, a secret. */
import { looksLikeKey } from "./Problem.ts"

/** A line as it may be shown, and where in it the problem's column is. */
export interface Excerpt {
  readonly line: string
  /** From 0. */
  readonly at: number
}

/** Keys whose values are words, names and numbers; those of all others may be secrets. */
const harmlessKeys: ReadonlySet<string> = new Set([
  "name",
  "base_url",
  "type",
  "value",
  "priority",
  "fallback",
  "model",
  "max_tokens",
  "thinking_format",
  "strategy",
  "rounds",
  "bodies",
  "trust_proxy",
])

const isHarmless = (key: string): boolean =>
  harmlessKeys.has(key) || /_(?:ms|bytes|seconds|months|concurrent|waiting)$/.test(key)

/** References to variables, punctuation with white space, and the words between. */
const tokens = /\$\{[A-Z_][A-Z0-9_]*\}|[\s,[\]{}:"']+|(?:(?!\$\{[A-Z_][A-Z0-9_]*\})[^\s,[\]{}:"'])+/g

const reference = /^\$\{[A-Z_][A-Z0-9_]*\}$/

const punctuation = /^[\s,[\]{}:"']+$/

const keyLike = /^[A-Za-z_][\w-]{0,39}$/

/** What words and addresses are written in. Where there is `@`, `?` or `=` in a line, as with credentials in URLs, no value is told. */
const wordLike = /^[\w./$<>|*-]+$/

const mask = "\u2026"

/** Longer lines are cut. */
const longestLine = 100

/**
 * What stands in a line before its comment. Keys are shown, and the values of harmless ones; any other value is masked but for references to variables,
 * and so is all of a line that begins without a key, which goes on with a value of before.
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
      const isTold =
        isKey || reference.test(token) || (isHarmless(key) && !holdsCredentials && wordLike.test(token))
      if (isTold && !looksLikeKey(token)) told = token
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
