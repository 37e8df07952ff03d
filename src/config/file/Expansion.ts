/** `${VAR}` and `${VAR:-default}` in the string values of the configuration. */
import { type Saying, say } from "./Saying.ts"

/** Environment variables by name. */
export type Env = Readonly<Record<string, string | undefined>>

export interface Expansion {
  /** With every reference replaced; unset ones by nothing. */
  readonly text: string
  /** Whether the text holds any reference to a variable. */
  readonly expanded: boolean
  /** Variables that are not set and have no default, each once. */
  readonly unset: ReadonlyArray<string>
  /** What is wrong with a reference, if one is malformed. */
  readonly malformed: Saying | undefined
}

const name = /[A-Za-z_][A-Za-z0-9_]*/y

/** Defaults may hold references in turn; nobody nests deeper. */
const deepest = 10

const malformedReference = say`\${ begins a reference to an environment variable: write \${NAME} or \${NAME:-default}, or $\${ for a literal \${`

/** What was read, and where it ended. */
type Reading = readonly [text: string, end: number]

/** Mutable on purpose: reads one text. */
class References {
  readonly unset = new Set<string>()
  expanded = false
  malformed: Saying | undefined
  readonly #text: string
  readonly #env: Env

  constructor(text: string, env: Env) {
    this.#text = text
    this.#env = env
  }

  /** Reads up to the `}` that ends a default, or to the end of the text at depth 0. */
  read(start: number, depth: number, wanted: boolean): Reading {
    const text = this.#text
    let out = ""
    let at = start
    let braces = 0
    while (at < text.length) {
      if (text.startsWith("$${", at)) {
        out += "${"
        // The brace of an escape opens nothing outside a default, and balances inside one.
        if (depth > 0) braces++
        at += 3
      } else if (text.startsWith("${", at)) {
        const [value, end] = this.#reference(at, depth, wanted)
        if (this.malformed !== undefined) return ["", text.length]
        out += value
        at = end
      } else {
        const character = text[at]
        if (depth > 0 && character === "}" && braces === 0) return [out, at]
        if (character === "{") braces++
        else if (character === "}") braces--
        out += character
        at++
      }
    }
    if (depth > 0) this.malformed = say`a reference to an environment variable has no closing }`
    return [out, at]
  }

  /** Reads the reference that begins at `start`. `wanted`: its value will be used, so an unset variable is missed. */
  #reference(start: number, depth: number, wanted: boolean): Reading {
    const text = this.#text
    this.expanded = true
    name.lastIndex = start + 2
    const variable = name.exec(text)?.[0]
    if (variable === undefined || depth >= deepest) return this.#malformed()
    const after = start + 2 + variable.length
    const value = Object.hasOwn(this.#env, variable) ? this.#env[variable] : undefined
    if (text[after] === "}") {
      if (value === undefined && wanted) this.unset.add(variable)
      return [value ?? "", after + 1]
    }
    if (!text.startsWith(":-", after)) return this.#malformed()
    const useDefault = value === undefined || value === ""
    const [fallback, end] = this.read(after + 2, depth + 1, wanted && useDefault)
    return [useDefault ? fallback : value, end + 1]
  }

  #malformed(): Reading {
    this.malformed = malformedReference
    return ["", this.#text.length]
  }
}

/**
 * Replaces references once, from left to right: what a variable holds is never expanded again. A default is used where the variable is
 * unset or empty (as in a shell), may hold references, and its braces balance, so that it may be JSON. `$${` is a literal `${`; any
 * other `$` stands for itself.
 */
export const expand = (text: string, env: Env): Expansion => {
  if (!text.includes("${")) return { text, expanded: false, unset: [], malformed: undefined }
  const references = new References(text, env)
  const [out] = references.read(0, 0, true)
  const { expanded, malformed, unset } = references
  return { text: out, expanded, unset: [...unset], malformed }
}
