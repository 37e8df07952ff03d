/** `sluice check`: whether a configuration is good, and everything that is wrong with it. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Problem, Severity } from "../config/file/ConfigFile.ts"
import { openFile } from "../config/file/ConfigText.ts"
import { excerptOf } from "../config/file/Excerpt.ts"
import { toOperator } from "../config/file/Saying.ts"
import { makeSnapshot } from "../config/Snapshots.ts"
import type { GatewayConfig } from "../config/schema/GatewayConfig.ts"
import type { Paint, Shade } from "../terminal/Colour.ts"
import { printable } from "../terminal/Printable.ts"
import * as Upstreams from "../upstream/calls/Upstreams.ts"
import { CliFailure } from "./CliFailure.ts"
import { type Command, command } from "./Command.ts"
import { configOption, configPath, configVariable, readConfig } from "./configFile.ts"
import { Output } from "./Output.ts"
import { askAll } from "./online/Online.ts"
import { readingOf } from "./online/Reading.ts"

const manual = {
  name: "check",
  summary: "Check a configuration",
  about:
    "Checks a configuration and prints every problem with file, line and column: errors, warnings, and notes on what GPT_API reads differently.",
  argument: {
    name: "[FILE]",
    help: "the configuration; else CONFIG_PATH, else config/config.yaml",
    optional: true,
  },
  options: {
    config: { ...configOption, help: "the same, as the other commands take it" },
    online: {
      help: "also ask each client, with its key, for its models and which dialects it speaks; nothing that is asked is charged",
    },
    "no-env": {
      help: "variables that are not set are warnings, not errors: for a file that is checked elsewhere than it is used",
    },
  },
  examples: [
    "sluice check config/config.yaml",
    "sluice check --online",
    "sluice check --no-env config/config.yaml",
  ],
  environment: [configVariable, ["$…", "the variables that the configuration names"]],
  failure: "problems found",
} as const

const shades: Readonly<Record<Severity, Shade>> = { error: "red", warning: "yellow", note: "cyan" }

/** `config.yaml:11:5 error openai_clients[0].fallbak (openai): unknown key; …`, the line and a caret under it. */
const renderFound = (file: string, text: string, problem: Problem, paint: Paint): string => {
  const { upstream, column, line, message, severity } = problem
  const of = toOperator(upstream)
  const path = toOperator(problem.path)
  const place = path === "" ? "" : ` ${path}${of === "" ? "" : ` (${of})`}:`
  const head = `${paint("bold", `${file}:${line}:${column}`)} ${paint(shades[severity], severity)}${place} ${toOperator(message)}`
  const excerpt = excerptOf(text, line, column)
  if (excerpt === undefined) return `${head}\n`
  const margin = `  ${line} | `
  return `${head}\n${paint("dim", margin)}${printable(excerpt.line)}\n${" ".repeat(margin.length + excerpt.at)}${paint(shades[severity], "^")}\n`
}

/** `1 error, 2 warnings`; of what there is none, nothing. Notes are no verdict. */
const count = (severities: ReadonlyArray<Severity>): string =>
  (["error", "warning"] as const)
    .flatMap((severity) => {
      const found = severities.filter((one) => one === severity).length
      return found === 0 ? [] : [`${found} ${severity}${found === 1 ? "" : "s"}`]
    })
    .join(", ")

/** Asks the clients, and says of each what they said. Fails where one is not as its entry has it. */
const checkOnline = (config: GatewayConfig, say: (line: string) => Effect.Effect<void, CliFailure>) =>
  Effect.gen(function* () {
    const { paint } = yield* Output
    const { routes, secrets } = makeSnapshot(config, { generation: 1, loadedAt: 0, env: process.env })
    let wrong = 0
    for (const findings of yield* askAll(routes.upstreams, secrets)) {
      const { notes, problems } = readingOf(findings)
      wrong += problems.length
      const name = printable(findings.upstream.name)
      const parts = [...problems.map((problem) => paint("red", printable(problem))), ...notes.map(printable)]
      yield* say(`${paint("bold", name)}: ${parts.join("; ")}\n`)
    }
    if (wrong === 0) return
    yield* say(`${wrong} ${wrong === 1 ? "problem" : "problems"} found online\n`)
    return yield* new CliFailure({ exitCode: 1, message: "" })
  }).pipe(Effect.provide(Upstreams.layer))

export const check: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const path = yield* configPath(given.argument ?? given.text("config"))
    const { isOpen, loaded, text } = yield* readConfig(path, given.flag("no-env") ? { unset: "warning" } : {})
    const { paint, write } = yield* Output
    const say = (line: string) => Effect.catchTag(write(line), "OutputClosed", () => Effect.void)
    const problems = Either.match(loaded, { onLeft: (all) => all, onRight: ({ warnings }) => warnings })
    for (const problem of problems) yield* say(renderFound(path, text, problem, paint))
    const severities = problems.map(({ severity }) => severity)
    if (severities.includes("error")) {
      yield* say(`${path}: ${count(severities)}\n`)
      return yield* new CliFailure({ exitCode: 1, message: "" })
    }
    const isTold = isOpen && Either.isRight(loaded) && loaded.right.holdsKeys
    if (isTold) yield* say(`${paint("bold", path)} ${paint(shades.warning, "warning")} ${openFile}\n`)
    const verdict = Either.match(loaded, {
      onLeft: () => "good as far as it can be read without the environment",
      onRight: ({ config }) => {
        const { length } = config.openai_clients
        return `good; ${length} ${length === 1 ? "client" : "clients"}`
      },
    })
    const counted = count(isTold ? [...severities, "warning"] : severities)
    yield* say(`${path}: ${verdict}${counted === "" ? "" : `; ${counted}`}\n`)
    if (given.flag("online") && Either.isRight(loaded)) yield* checkOnline(loaded.right.config, say)
  }),
)
