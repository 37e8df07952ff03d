/**
 * What is said when something was thrown that nobody caught, before the process ends. Node would print the line of the program it was thrown at, which in
 * a bundle is thousands of characters of other things.
 */
import { writeSync } from "node:fs"
import { inspect } from "node:util"

/** Of the functions it went through. */
const mostFrames = 12

/** What an error says; of something else that was thrown, what it is. */
const longestText = 500

/** `name (line:column)` of a line of a stack; the file is the program, or Node's own. */
const frame = (line: string): string => {
  const [, name, file = "", place = ""] =
    /^\s+at (?:async )?(?:(.*?) \()?(.*?)((?::\d+){0,2})\)?$/.exec(line) ?? []
  const where = file.startsWith("node:") ? `${file}${place}` : place.slice(1)
  return name === undefined ? where : `${name} (${where})`
}

/** One line: what was thrown, and through which functions. */
export const lastWords = (thrown: unknown): string => {
  const said = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : inspect(thrown, { depth: 0 })
  const text = said.replace(/\s+/g, " ").slice(0, longestText)
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : ""
  const frames = stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, mostFrames)
    .map(frame)
  return `sluice: fatal: ${text}${frames.length === 0 ? "" : ` at ${frames.join(" < ")}`}`
}

/** Ends the process so, with Node's own exit code. */
export const endWithLastWords = (): void => {
  process.on("uncaughtException", (thrown) => {
    try {
      writeSync(process.stderr.fd, `${lastWords(thrown)}\n`)
    } finally {
      process.exit(1)
    }
  })
}
