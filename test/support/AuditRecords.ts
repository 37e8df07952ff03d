/** Records to be audited, and a look at what was written. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import { noUsage } from "../../src/answer/Usage.ts"
import type { AuditPolicy } from "../../src/audit/record/AuditPolicy.ts"
import type { AuditRecord } from "../../src/audit/record/AuditRecord.ts"
import type { RequestTrace } from "../../src/audit/record/RequestTrace.ts"
import { byColumn, type RowValues } from "../../src/audit/sqlite/Rows.ts"
import { DataBuffer } from "../../src/wire/DataBuffer.ts"

const encoder = new TextEncoder()

export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

/** Events' data as it is kept. */
export const packedOf = (datas: ReadonlyArray<Uint8Array>): Uint8Array => {
  const buffer = new DataBuffer()
  for (const data of datas) buffer.add(data)
  return buffer.packed
}

export const fullPolicy: AuditPolicy = { bodies: "full", maxBodyBytes: 1024 * 1024, retentionMonths: 0 }

/** 2026-11-22T17:35:00.123Z */
export const noon = Date.UTC(2026, 10, 22, 17, 35, 0, 123)

/** A chat that went well; every part may be said otherwise. */
export const sampleRecord = (id: string, over: Partial<AuditRecord> = {}): AuditRecord => ({
  id,
  startedAt: noon,
  clientIp: "192.0.2.7",
  endpoint: "chat.completions",
  model: "gpt-4o",
  upstreamModel: "gpt-4o-2024",
  upstream: "official",
  attempts: [
    { upstream: "spare", upstreamModel: "gpt-4o", status: undefined, cause: "connection refused", ms: 1.5 },
    { upstream: "official", upstreamModel: "gpt-4o-2024", status: 200, cause: undefined, ms: 812.25 },
  ],
  stream: false,
  status: 200,
  outcome: "ok",
  error: undefined,
  usage: {
    ...noUsage,
    inputTokens: 12,
    outputTokens: 34,
    totalTokens: 46,
    reasoningTokens: 5,
    cacheWriteTokens: 3,
  },
  latencyMs: 815.123456,
  ttftMs: undefined,
  finishReason: "stop",
  tools: true,
  toolCalls: false,
  multimodal: false,
  userAgent: "openai-node/6",
  keyFingerprint: "00112233aabbccdd",
  headers: { "content-type": "application/json", authorization: "[redacted]" },
  request: bytesOf('{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'),
  response: { kind: "plain", bytes: bytesOf('{"choices":[]}') },
  overheadMs: 1.123456,
  dialect: "chat",
  upstreamRequestId: "req_upstream",
  responseId: "chatcmpl-1",
  serviceTier: "default",
  conversation: "8899aabbccddeeff",
  configHash: "0123456789ab",
  dropped: [],
  notAsked: [],
  characters: undefined,
  answerBytes: undefined,
  answerType: undefined,
  ...over,
})

/** The trace of a request that is over. */
export const sampleTrace: RequestTrace = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentId: undefined,
  isSampled: true,
  state: undefined,
  method: "POST",
  route: "/v1/chat/completions",
  attempt: () => {
    throw new Error("the request is over")
  },
}

/** The key of a row. */
export const keyIn = (values: RowValues): string => String(byColumn(values)["record_key"])

/** A directory of its own, gone with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-audit-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)

export type Row = Readonly<Record<string, unknown>>

/** What a query says of a file, asked on a connection of its own. */
export const ask = (path: string, text: string): ReadonlyArray<Row> => {
  const database = new Sqlite(path, { readonly: true })
  try {
    const statement = database.prepare<Row>(text)
    return statement.all()
  } finally {
    database.close()
  }
}

export const idsIn = (path: string, from = "requests"): ReadonlyArray<string> =>
  ask(path, `SELECT id FROM ${from} ORDER BY id`).map(({ id }) => String(id))
