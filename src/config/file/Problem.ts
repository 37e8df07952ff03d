/** What is wrong with a configuration file, and where: told to everybody, and to its operator. */
import { descend, keysOf, type SchemaPlace } from "./Expected.ts"
import { ellipsis, fromFile, ofProgram, publicly, type Saying, say, silence, toOperator } from "./Saying.ts"

/** The way to a value: keys of maps and positions in lists. */
export type Path = ReadonlyArray<string | number>

export interface Problem {
  /** What is wrong and what would be right. */
  readonly message: Saying
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** As `pathSaid` says it; silence for the file as a whole. */
  readonly path: Saying
  readonly severity: Severity
  /** The name of the upstream it is about. */
  readonly upstream: Saying
}

/**
 * Only errors keep the configuration from being used. A warning is told whenever it is; a note only to whoever has the file checked.
 */
export type Severity = "error" | "warning" | "note"

/** What the messages of one value are made from before its place in the text is known. */
export interface Finding {
  readonly path: Path
  readonly message: Saying
  readonly severity: Severity
  /** Point at the key of the path's last step rather than at its value. */
  readonly atKey: boolean
}

/** Names of headers that people configure: told like keys of the schema. */
const headerNames: ReadonlySet<string> = new Set([
  "api-key",
  "authorization",
  "connection",
  "content-length",
  "content-type",
  "host",
  "http-referer",
  "openai-organization",
  "openai-project",
  "transfer-encoding",
  "user-agent",
  "x-api-key",
  "x-custom",
  "x-goog-api-key",
  "x-title",
])

const isKnown = (step: string, { ast }: SchemaPlace, before: Path): boolean =>
  (ast !== undefined && keysOf(ast).includes(step)) ||
  (before.at(-1) === "headers" && headerNames.has(step.toLowerCase()))

const plainWord = /^[A-Za-z_][\w-]*$/

/** `openai_clients[0].model_match`: keys that the schema knows, positions, and of other keys what may be told: else `["…"]`. */
export const pathSaid = (path: Path, root: SchemaPlace, known: ReadonlyArray<string> = []): Saying => {
  let place: SchemaPlace = root
  let said = silence
  for (const [depth, step] of path.entries()) {
    if (typeof step === "number") said = say`${said}[${step}]`
    else if (isKnown(step, place, path.slice(0, depth)) || known.includes(step)) {
      said = say`${said}${ofProgram(depth === 0 ? step : `.${step}`)}`
    } else {
      const as = (key: string): string =>
        plainWord.test(key) ? (depth === 0 ? key : `.${key}`) : `["${key}"]`
      const candidates = place.ast === undefined ? [] : keysOf(place.ast)
      said = say`${said}${fromFile(step, { known: candidates, as, otherwise: say`[${ellipsis}]` })}`
    }
    place = descend(place, step)
  }
  return said
}

const told = (tell: (saying: Saying) => string, file: string, problem: Problem): string => {
  const path = tell(problem.path)
  const severity = problem.severity === "error" ? "" : `${problem.severity}: `
  return `${file}:${problem.line}:${problem.column} ${path === "" ? "" : `${path}: `}${severity}${tell(problem.message)}`
}

/** For `/health` and the log: `config.yaml:2:43 openai_clients[0]["…"]: unknown key; did you mean "fallback"?` */
export const toldPublicly = (file: string, problem: Problem): string => told(publicly, file, problem)

/** For the operator's terminal: `config.yaml:2:43 openai_clients[0].fallbak: unknown key; did you mean "fallback"?` */
export const toldToOperator = (file: string, problem: Problem): string => told(toOperator, file, problem)
