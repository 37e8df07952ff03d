/** The help of the program and of each command: one screen, no line longer than a terminal is wide. */
import { sideBySide } from "../terminal/Table.ts"
import { version } from "../version.ts"
import type { Command, Manual, Named } from "./Command.ts"

/** The narrowest terminal that is common. */
const width = 80

/** Text over as many lines as it takes. A word that is longer than a line stays whole. */
const wrapped = (text: string, room: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

const indented = (lines: ReadonlyArray<string>) => lines.map((line) => `  ${line}`)

/** Names and what is said of them, side by side. */
const twoColumns = (entries: ReadonlyArray<Named>): ReadonlyArray<string> => {
  const left = Math.max(...entries.map(([name]) => name.length))
  const lines = entries.flatMap(([name, help]) =>
    wrapped(help, width - left - 4).map((line, at) => [at === 0 ? name : "", line]),
  )
  return indented(sideBySide(lines))
}

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", `${title}:`, ...lines]

const page = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join("")

const optionsOf = ({ argument, options }: Manual): ReadonlyArray<Named> => [
  ...(argument === undefined ? [] : [[argument.name, argument.help] as const]),
  ...Object.entries(options).map(([name, { help, short, value }]): Named => {
    const letter = short === undefined ? "    " : `-${short}, `
    return [`${letter}--${name}${value === undefined ? "" : ` ${value}`}`, help]
  }),
  ["-h, --help", "print this help"],
]

/** `sluice audit list [options]`. */
export const usageOf = ({ argument, name }: Manual): string =>
  `Usage: sluice ${name}${argument === undefined ? "" : ` ${argument.name}`} [options]`

/** The help of one command. */
export const helpOf = (manual: Manual): string =>
  page([
    ...wrapped(manual.about, width),
    "",
    usageOf(manual),
    ...section("Options", twoColumns(optionsOf(manual))),
    ...section("Examples", indented(manual.examples)),
    ...section("Environment", manual.environment.length === 0 ? [] : twoColumns(manual.environment)),
    "",
    ...wrapped(`Exit codes: 0 good, 1 ${manual.failure}, 2 wrong command line.`, width),
  ])

/** The help of the program, or of a family of commands such as `audit`. */
export const helpOfAll = (family: string, commands: ReadonlyArray<Command>): string => {
  const own = family === "" ? commands : commands.filter(({ name }) => name.startsWith(`${family} `))
  const name = family === "" ? "" : ` ${family}`
  return page([
    ...(family === ""
      ? wrapped(
          `Sluice ${version}, a self-hosted LLM gateway: one address for OpenAI's and Anthropic's APIs in front of many model providers.`,
          width,
        )
      : [`sluice${name}: what the gateway was asked, who answered, and how it ended.`]),
    "",
    `Usage: sluice${name} <command> [options]`,
    ...section("Commands", twoColumns(own.map(({ name, summary }) => [name, summary] as const))),
    ...section(
      "Options",
      twoColumns([
        ["-h, --help", "print help, also of a command: sluice audit list --help"],
        ["-V, --version", "print the version"],
      ]),
    ),
    ...section("Examples", indented(own.slice(0, 4).flatMap(({ examples }) => examples.slice(0, 1)))),
    "",
    ...wrapped(
      "The help of each command lists the environment variables it reads; NO_COLOR takes the colours out of all of them.",
      width,
    ),
    "Exit codes: 0 good, 1 the answer is no, 2 wrong command line.",
  ])
}
