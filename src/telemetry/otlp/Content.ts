/** Reads what a finished request said and was answered, where its spans are to tell it: by the readers of the dialects, and never of long bodies. */
import * as Either from "effect/Either"
import type { AuditRecord } from "../../audit/record/AuditRecord.ts"
import type { NeutralAnswer } from "../../dialects/Answer.ts"
import type { Conversation } from "../../dialects/Conversation.ts"
import { forms } from "../../dialects/Forms.ts"
import { operationCalled } from "../../operations/Operations.ts"
import type { Dialect } from "../../routing/Dialect.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import { unpack, unpackedLength } from "../../wire/PackedData.ts"
import { answerAttributes, promptAttributes, settingAttributes } from "./Messages.ts"
import type { Attributes } from "./SpanData.ts"

/** Longer bodies would hold the event loop: spans tell nothing of them. */
const longestContent = 128 * 1024

/** Of all events of a stream, each of which repeats the names of its members. */
const longestStream = 8 * longestContent

/** And where only the settings are told. */
const longestForSettings = 16 * 1024

const objectIn = (bytes: Uint8Array | undefined, longest: number): JsonObject | undefined =>
  bytes === undefined || bytes.byteLength > longest ? undefined : parseObject(bytes)

const conversationOf = (
  dialect: Dialect,
  { request }: AuditRecord,
  longest: number,
): Conversation | undefined => {
  const body = objectIn(request, longest)
  return body === undefined ? undefined : Either.getOrElse(forms[dialect].readRequest(body), () => undefined)
}

/** The answer as the caller got it; one that was streamed is put together. */
const answerOf = (dialect: Dialect, { endpoint, response }: AuditRecord): NeutralAnswer | undefined => {
  if (response === undefined) return undefined
  if (response.kind === "plain") {
    const answer = objectIn(response.bytes, longestContent)
    return answer === undefined ? undefined : forms[dialect].readAnswer(answer)
  }
  const grammar = operationCalled(endpoint)?.stream
  if (grammar === undefined || unpackedLength(response.packed) > longestStream) return undefined
  return forms[dialect].readAnswer(grammar.assembled(unpack(response.packed), response.truncated))
}

/** What is said of a conversation beside its numbers. */
export interface Said {
  /** How the answer was to be. */
  readonly settings: Attributes
  /** Prompt and answer, where they are told. */
  readonly content: Attributes
}

const nothing: Said = { settings: {}, content: {} }

export const saidIn = (record: AuditRecord, capturesContent: boolean): Said => {
  const dialect = operationCalled(record.endpoint)?.dialect
  if (dialect === undefined) return nothing
  const conversation = conversationOf(dialect, record, capturesContent ? longestContent : longestForSettings)
  const answer = capturesContent ? answerOf(dialect, record) : undefined
  return {
    settings: conversation === undefined ? {} : settingAttributes(conversation),
    content: {
      ...(conversation === undefined || !capturesContent ? {} : promptAttributes(conversation)),
      ...(answer === undefined ? {} : answerAttributes(answer)),
    },
  }
}
