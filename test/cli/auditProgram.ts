/** `sluice audit` as a program of its own, for tests that need a process: it is signalled, and its reader goes away. */
import * as Command from "@effect/cli/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { auditCommand } from "../../src/cli/audit.ts"

Command.run(Command.make("sluice").pipe(Command.withSubcommands([auditCommand])), {
  name: "sluice",
  version: "0",
})(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause) ? 0 : 1),
  }),
)
