/** Runs `sluice audit …` within a test. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { auditCommands } from "../../../src/cli/audit.ts"
import { runCommand } from "../../../src/cli/Dispatch.ts"
import { Output } from "../../../src/cli/Output.ts"
import { type Paint, plain } from "../../../src/terminal/Colour.ts"

interface Ran {
  readonly out: string
  readonly err: string
  /** 0, or what `CliFailure` says. */
  readonly code: number
}

export const audit = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  paint: Paint = plain,
  isTerminal = false,
): Effect.Effect<Ran> =>
  Effect.gen(function* () {
    const out: Array<string> = []
    const err: Array<string> = []
    const console = yield* Effect.console
    const ended = yield* runCommand(auditCommands, ["audit", ...args]).pipe(
      Effect.provideService(Output, {
        write: (text) => Effect.sync(() => void out.push(text)),
        paint,
        room: 100,
        isTerminal,
      }),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)))),
      Effect.withConsole({
        ...console,
        log: (...parts) => Effect.sync(() => void out.push(parts.join(" "))),
        error: (...parts) => Effect.sync(() => void err.push(parts.join(" "))),
      }),
      Effect.provide(NodeContext.layer),
      Effect.either,
    )
    const code = Either.match(ended, { onLeft: ({ exitCode }) => exitCode, onRight: () => 0 })
    return { out: out.join(""), err: err.join("\n"), code }
  })
