/** Why the audit cannot be read, said so that the reader of the message knows what to do. */
import * as Data from "effect/Data"
import type { DatabaseFault } from "../sqlite/DatabaseFault.ts"

/**
 * - `absent`: there is no such file;
 * - `forbidden`: this user may not read it, or not even look whether it is there;
 * - `foreign`: a database, and none that this program's gateway has opened;
 * - `newer`: a later release wrote it;
 * - `busy`: locked for longer than is waited;
 * - `unfinished`: its writer was killed while it wrote, and completes the file when it starts;
 * - `broken`: anything else, in SQLite's words.
 */
export type UnreadableReason = "absent" | "forbidden" | "foreign" | "newer" | "busy" | "unfinished" | "broken"

const advice: Readonly<Record<UnreadableReason, string>> = {
  absent: "there is no audit; name its database, or set AUDIT_URL",
  forbidden: "this user may not read it; ask as the user that the gateway runs as, or with sudo",
  foreign: "holds no audit of Sluice's",
  newer: "was written by a later release of Sluice; read it with that",
  busy: "is locked by another program; try again when that is done",
  unfinished:
    "was being written when its writer ended; start the gateway, which completes it, then ask again",
  broken: "cannot be read",
}

export class AuditUnreadable extends Data.TaggedError("AuditUnreadable")<{
  readonly path: string
  readonly reason: UnreadableReason
  /** More, where there is more to say. */
  readonly detail: string | undefined
}> {
  override get message(): string {
    const more = this.detail === undefined ? "" : ` (${this.detail})`
    return `${this.path}: ${advice[this.reason]}${more}`
  }
}

/** Whether a database was left in the midst of a write that only a writer can take back. */
const isUnfinished = ({ detail }: DatabaseFault): boolean =>
  detail.includes("SQLITE_READONLY_ROLLBACK") || detail.includes("SQLITE_READONLY_RECOVERY")

/** What a fault of the database means to whoever reads it. */
export const unreadable =
  (path: string) =>
  (fault: DatabaseFault): AuditUnreadable =>
    fault.kind === "locked"
      ? new AuditUnreadable({ path, reason: "busy", detail: undefined })
      : fault.kind === "newer"
        ? new AuditUnreadable({ path, reason: "newer", detail: fault.detail })
        : isUnfinished(fault)
          ? new AuditUnreadable({ path, reason: "unfinished", detail: undefined })
          : new AuditUnreadable({ path, reason: "broken", detail: fault.detail })
