#!/usr/bin/env node
/** Runs the command line; nothing else. */
import "./V8.ts"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { exitCodeOf, runCommand } from "./cli/Dispatch.ts"
import { commands } from "./cli/Sluice.ts"
import { turnScheduler } from "./TurnScheduler.ts"

// What cannot be told there is not worth the process.
process.stderr.on("error", () => {})

// The first signal drains, the second means it.
let signals = 0
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    signals += 1
    if (signals > 1) process.exit(1)
  })
}

runCommand(commands, process.argv.slice(2)).pipe(
  Effect.provide(NodeContext.layer),
  Effect.withScheduler(turnScheduler),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit)),
  }),
)
