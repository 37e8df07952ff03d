/** Whether a request that has just finished is one of those asked for: what the audit's SQL says, of one row. */
import type { AuditFilter } from "../audit/read/AuditFilter.ts"
import type { RequestRow } from "./api/RequestRow.ts"

const isSame = <A>(asked: A | undefined, value: A | null): boolean => asked === undefined || asked === value

const holds = (text: string, values: ReadonlyArray<string | null>): boolean =>
  values.some((value) => value?.toLowerCase().includes(text.toLowerCase()) === true)

const isInTime = ({ since, until }: AuditFilter, startedAt: string): boolean => {
  const at = Date.parse(startedAt)
  return (since === undefined || at >= since) && (until === undefined || at < until)
}

export const admitsRow = (filter: AuditFilter, row: RequestRow): boolean =>
  isInTime(filter, row.started_at) &&
  isSame(filter.model, row.model) &&
  isSame(filter.upstream, row.upstream) &&
  isSame(filter.endpoint, row.endpoint) &&
  (filter.status === undefined ||
    (row.status !== null && row.status >= filter.status.first && row.status <= filter.status.last)) &&
  (filter.outcome === "failed" ? row.outcome !== "ok" : isSame<string>(filter.outcome, row.outcome)) &&
  isSame(filter.clientIp, row.client_ip) &&
  isSame(filter.keyFingerprint, row.key_fingerprint) &&
  isSame(filter.conversation, row.conversation) &&
  (filter.text === undefined || holds(filter.text, [row.id, row.model, row.error]))
