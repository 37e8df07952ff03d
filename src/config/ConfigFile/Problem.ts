/** What is wrong with a configuration file, and where, as people read it. */

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
  /** A warning does not keep the configuration from being used. */
  readonly severity: "error" | "warning"
}

/** What the messages of one value are made from before its place in the text is known. */
export interface Finding {
  readonly path: Path
  readonly message: string
  readonly severity: "error" | "warning"
  /** Point at the key of the path's last step rather than at its value. */
  readonly atKey: boolean
}

const longestShown = 60

/** Text of the file shortened to one line, quoted; a text that looks like a credential is not repeated. */
export const quote = (text: string): string =>
  /\bsk-/i.test(text)
    ? '"…"'
    : JSON.stringify(text.length > longestShown ? `${text.slice(0, longestShown)}…` : text)

/** `openai_clients[0].model_match`; keys that are not plain words are written `["X-Custom.a"]`. */
export const renderPath = (path: Path): string => {
  let rendered = ""
  for (const step of path) {
    if (typeof step === "number") rendered += `[${step}]`
    else if (!/^[A-Za-z_][\w-]*$/.test(step) || /^sk-/i.test(step)) rendered += `[${quote(step)}]`
    else rendered += rendered === "" ? step : `.${step}`
  }
  return rendered
}

/** `config.yaml:2:43 openai_clients[0].fallbak: unknown key; did you mean "fallback"?` */
export const renderProblem = (file: string, problem: Problem): string => {
  const at = `${file}:${problem.line}:${problem.column}`
  const severity = problem.severity === "warning" ? "warning: " : ""
  return problem.path === ""
    ? `${at} ${severity}${problem.message}`
    : `${at} ${problem.path}: ${severity}${problem.message}`
}
