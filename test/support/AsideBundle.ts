/** The programs of the threads that read heavy bodies and the audit, as Node can run them: bundled once per process that asks for them. */
import { threadId } from "node:worker_threads"
import { bundled } from "./AuditBundle.ts"

let entry: URL | undefined

let reader: URL | undefined

/** The program of the thread that reads the audit, likewise. */
export const readThread = (): URL => {
  reader ??= bundled("src/audit/read/ReadThread.ts", `read-thread-${process.pid}-${threadId}`)
  return reader
}

export const asideThread = (): URL => {
  entry ??= bundled("src/aside/AsideThread.ts", `aside-thread-${process.pid}-${threadId}`)
  return entry
}
