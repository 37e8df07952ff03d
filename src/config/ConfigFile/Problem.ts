/** What is wrong with a configuration file, and where, as people read it. */
import { clipped } from "../../domain/Clipped.ts"
import { printableJson } from "../../terminal/Printable.ts"

/** The way to a value: keys of maps and positions in lists. */
export type Path = ReadonlyArray<string | number>

export interface Problem {
  /** What is wrong and what would be right. Holds no secret. */
  readonly message: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** As `renderPath` writes it; empty for the file as a whole. */
  readonly path: string
  readonly severity: Severity
  /** The name of the client it is about, if that may be told. */
  readonly client: string | undefined
}

/**
 * Only errors keep the configuration from being used. A warning is told whenever it is; a note only to whoever has the file checked.
 */
export type Severity = "error" | "warning" | "note"

/** What the messages of one value are made from before its place in the text is known. */
export interface Finding {
  readonly path: Path
  readonly message: string
  readonly severity: Severity
  /** Point at the key of the path's last step rather than at its value. */
  readonly atKey: boolean
}

const longestShown = 60

/** A run of letters and digits that no word is, or what begins as OpenAI's keys do. */
const keys =
  /\bsk-|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}|[A-Za-z0-9]{32,}/i

/** Whether a text looks like a credential that slipped into a wrong place. Names of models, made of words and dates, do not. */
export const looksLikeKey = (text: string): boolean => keys.test(text)

/** Text of the file shortened to one line, quoted; a text that looks like a credential is not repeated. */
export const quote = (text: string): string =>
  looksLikeKey(text) ? '"…"' : printableJson(JSON.stringify(clipped(text, longestShown)))

/** A key as far as its first word goes: of `"Authorization: Bearer …"`, all in one pair of quotes, not what may be a secret. */
const firstWord = (key: string): string => key.replace(/(?<=[^\s:=])[\s:=].*$/s, "…")

/** `openai_clients[0].model_match`; keys that are not plain words are written `["X-Custom.a"]`. */
export const renderPath = (path: Path): string => {
  let rendered = ""
  for (const step of path) {
    if (typeof step === "number") rendered += `[${step}]`
    else if (!/^[A-Za-z_][\w-]*$/.test(step) || looksLikeKey(step))
      rendered += `[${quote(looksLikeKey(step) ? step : firstWord(step))}]`
    else rendered += rendered === "" ? step : `.${step}`
  }
  return rendered
}

/** `config.yaml:2:43 openai_clients[0].fallbak: unknown key; did you mean "fallback"?` */
export const renderProblem = (file: string, problem: Problem): string => {
  const at = `${file}:${problem.line}:${problem.column}`
  const severity = problem.severity === "error" ? "" : `${problem.severity}: `
  return problem.path === ""
    ? `${at} ${severity}${problem.message}`
    : `${at} ${problem.path}: ${severity}${problem.message}`
}
