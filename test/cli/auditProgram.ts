/** `sluice audit` as a program of its own, for tests that need a process: it is signalled, and its reader goes away. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { auditCommands } from "../../src/cli/audit.ts"
import { exitCodeOf, runCommand } from "../../src/cli/Dispatch.ts"

runCommand(auditCommands, process.argv.slice(2)).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit)),
  }),
)
