/** All commands of `sluice`, in the order its help lists them. */
import { auditCommands } from "./audit.ts"
import type { Command } from "./Command.ts"
import { check } from "./check.ts"
import { explain } from "./explain.ts"
import { serve } from "./serve.ts"

export const commands: ReadonlyArray<Command> = [serve, check, explain, ...auditCommands]
