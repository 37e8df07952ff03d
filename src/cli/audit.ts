/** `sluice audit`: what the gateway was asked, who answered, and how it ended; of the live database and all archives. */
import { exportRows } from "./audit/export.ts"
import { keys } from "./audit/keys.ts"
import { list } from "./audit/list.ts"
import { show } from "./audit/show.ts"
import { stats } from "./audit/stats.ts"
import type { Command } from "./Command.ts"

export const auditCommands: ReadonlyArray<Command> = [list, show, stats, exportRows, keys]
