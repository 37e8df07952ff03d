#!/usr/bin/env node
/** Runs the command line; nothing else. */
import "./runtime/V8.ts"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { exitCodeOf, runCommand } from "./cli/Dispatch.ts"
import { commands } from "./cli/Sluice.ts"
import { heedSignals, isHurried } from "./runtime/Signals.ts"
import { turnScheduler } from "./runtime/TurnScheduler.ts"
import { endWithLastWords } from "./runtime/Uncaught.ts"

// What cannot be told there is not worth the process.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

endWithLastWords()
heedSignals()

runCommand(commands, process.argv.slice(2)).pipe(
  Effect.provide(NodeContext.layer),
  Effect.withScheduler(turnScheduler),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(isHurried() ? 1 : exitCodeOf(exit)),
  }),
)
