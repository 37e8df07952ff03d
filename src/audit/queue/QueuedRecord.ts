/** A record on its way to the database: cut to what is kept, with the key that makes writing it twice harmless. */
import { identityOf } from "../../answer/AnswerIdentity.ts"
import { operationCalled } from "../../operations/Operations.ts"
import { encodeJson } from "../../wire/JsonBytes.ts"
import { unpack, unpackedLength } from "../../wire/PackedData.ts"
import type { AuditPolicy } from "../record/AuditPolicy.ts"
import type { AuditedBody, AuditRecord } from "../record/AuditRecord.ts"
import { completed, endpointIn, type RowValues, valuesOf, type WrittenValues } from "../sqlite/Rows.ts"

/** As many of a body's bytes as are kept, and how many there were. */
export interface KeptBytes {
  readonly bytes: Uint8Array
  readonly total: number
}

/** A whole answer, or the data of a stream's events, to be reassembled when it is written. */
export type KeptResponse =
  | ({ readonly kind: "plain" } & KeptBytes)
  | Extract<AuditedBody, { readonly kind: "events" }>

export interface QueuedRecord {
  /** Its row, but for the bodies. */
  readonly values: RowValues
  readonly request: KeptBytes | undefined
  readonly response: KeptResponse | undefined
  /** Of each body. */
  readonly maxBodyBytes: number
}

/** The place at or before `end` where no UTF-8 sequence is cut. */
const utf8Boundary = (bytes: Uint8Array, end: number): number => {
  let at = end
  while (at > 0 && at > end - 4 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--
  return at
}

const cut = (bytes: Uint8Array, maxBytes: number): KeptBytes => {
  const total = bytes.byteLength
  return { bytes: total > maxBytes ? bytes.subarray(0, utf8Boundary(bytes, maxBytes)) : bytes, total }
}

const cutResponse = (body: AuditedBody, maxBytes: number): KeptResponse =>
  body.kind === "plain" ? { kind: "plain", ...cut(body.bytes, maxBytes) } : body

/** A record as it waits: without bodies where none are kept, and else with no more of them than may be. */
export const queuedRecord = (record: AuditRecord, key: string, policy: AuditPolicy): QueuedRecord => {
  const { request, response } = record
  const { maxBodyBytes } = policy
  const keeps = policy.bodies === "full"
  return {
    values: valuesOf(record, key),
    request: keeps && request !== undefined ? cut(request, maxBodyBytes) : undefined,
    response: keeps && response !== undefined ? cutResponse(response, maxBodyBytes) : undefined,
    maxBodyBytes,
  }
}

/** What a record is taken to hold beside its bodies, an estimate on the high side. */
const recordBytes = 4096

/** An answer as it is kept. */
export const bytesOf = (response: KeptResponse): Uint8Array =>
  response.kind === "plain" ? response.bytes : response.packed

/** How many bytes its bodies have, as they are kept. */
export const bodyBytesOf = ({ request, response }: QueuedRecord): number =>
  (request?.bytes.byteLength ?? 0) + (response === undefined ? 0 : bytesOf(response).byteLength)

/** The same when the data of streams is unpacked. */
export const unpackedBytesOf = (record: QueuedRecord): number => {
  const { response } = record
  const grown = response?.kind === "events" ? unpackedLength(response.packed) - response.packed.byteLength : 0
  return bodyBytesOf(record) + grown
}

/** About how many bytes of memory a record will hold while it waits. */
export const weightOf = (record: QueuedRecord): number => recordBytes + bodyBytesOf(record)

const decoder = new TextDecoder()

const textOf = ({ bytes, total }: KeptBytes): string => {
  const text = decoder.decode(bytes)
  return total > bytes.byteLength ? `${text}…[cut: ${bytes.byteLength} of ${total} bytes kept]` : text
}

type WrittenAnswer = Omit<WrittenValues, "request">

/** An answer as it is written down; one that was streamed is put together, and says only then what it is called. */
const written = ({ maxBodyBytes, response, values }: QueuedRecord): WrittenAnswer => {
  if (response === undefined) return { response: null }
  if (response.kind === "plain") return { response: textOf(response) }
  const grammar = operationCalled(endpointIn(values))?.stream
  if (grammar === undefined) return { response: null }
  const answer = grammar.assembled(unpack(response.packed), response.truncated)
  const bytes = encodeJson(answer)
  return { response: bytes === undefined ? null : textOf(cut(bytes, maxBodyBytes)), ...identityOf(answer) }
}

/** The record as a row: bodies as text, streams reassembled. Takes as long as the answer is long, so it runs off the hot path. */
export const rowOfQueued = (record: QueuedRecord): RowValues =>
  completed(record.values, {
    request: record.request === undefined ? null : textOf(record.request),
    ...written(record),
  })
