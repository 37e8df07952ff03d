/** Runs `sluice audit …` within a test. */
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { auditCommand } from "../../../src/cli/audit.ts"
import { Output } from "../../../src/cli/Output.ts"
import { plain } from "../../../src/terminal/Colour.ts"

interface Ran {
  readonly out: string
  readonly err: string
  /** 0, or what `CliFailure` says; a misuse that @effect/cli finds is 2. */
  readonly code: number
}

const sluice = Command.run(Command.make("sluice").pipe(Command.withSubcommands([auditCommand])), {
  name: "sluice",
  version: "0",
})

export const audit = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
): Effect.Effect<Ran> =>
  Effect.gen(function* () {
    const out: Array<string> = []
    const err: Array<string> = []
    const console = yield* Effect.console
    const ended = yield* sluice(["node", "sluice", "audit", ...args]).pipe(
      Effect.provideService(Output, {
        write: (text) => Effect.sync(() => void out.push(text)),
        paint: plain,
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
    const code = Either.match(ended, {
      onLeft: (failure) => (ValidationError.isValidationError(failure) ? 2 : failure.exitCode),
      onRight: () => 0,
    })
    if (Either.isLeft(ended) && ended.left._tag === "CliFailure") err.push(ended.left.message)
    return { out: out.join(""), err: err.join("\n"), code }
  })
