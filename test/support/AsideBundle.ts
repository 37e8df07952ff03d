/** The program of the thread that reads heavy bodies, as Node can run it: bundled once per process that asks for it. */
import { threadId } from "node:worker_threads"
import { bundled } from "./AuditBundle.ts"

let entry: URL | undefined

export const asideThread = (): URL => {
  entry ??= bundled("src/aside/AsideThread.ts", `aside-thread-${process.pid}-${threadId}`)
  return entry
}
