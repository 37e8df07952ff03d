/** What the audit keeps of one request: who asked what, which attempts were made, what came back, and how it ended. */
import type { Usage } from "../../answer/Usage.ts"
import type { Outcome } from "../../errors/Outcome.ts"
import type { Dialect } from "../../routing/Dialect.ts"
import type { AttemptSpan, RequestTrace } from "./RequestTrace.ts"

/** Why an attempt gave no answer, or not all of one, where its status does not say so. */
export type AttemptFault = "connect" | "timeout" | "broken" | "error" | "unusable" | "busy" | "cut"

/** One attempt: a status, or the cause why there was none; both where its stream began and broke off, and others were asked to resume it. */
export interface AttemptRecord {
  readonly upstream: string
  /** None where its list of models was asked for. */
  readonly upstreamModel: string | undefined
  /** In which it was asked, where that is not the caller's. */
  readonly dialect?: Dialect | undefined
  readonly status: number | undefined
  readonly cause: string | undefined
  /** What a refusal said, in the upstream's words: clean of keys, and short. */
  readonly said?: string
  readonly ms: number
  /** Of one that failed, where its status does not say how. */
  readonly failure?: AttemptFault
  /** It was asked to resume an answer that another upstream broke off. */
  readonly resumed?: true
  /** It was made beside another that was slow. */
  readonly hedged?: true
  /** Where traces are on. */
  readonly span?: AttemptSpan
}

/** What came of an attempt. */
export type AttemptOutcome = Pick<AttemptRecord, "cause" | "failure" | "said" | "status">

/** An upstream of the plan that was not asked when it was its turn: the request cannot be said to it. */
export interface PassedByRecord {
  readonly upstream: string
  /** In which it would have been asked. */
  readonly dialect: Dialect | undefined
  readonly cause: string
}

/** The answer as the client got it: a plain body, or the data of a stream's events (`PackedData`), to be reassembled when it is written down. */
export type AuditedBody =
  | { readonly kind: "plain"; readonly bytes: Uint8Array }
  | { readonly kind: "events"; readonly packed: Uint8Array; readonly truncated: boolean }

/** What is unknown is `undefined`, and NULL in the audit. */
export interface AuditRecord {
  readonly id: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly clientIp: string
  readonly endpoint: string
  /** As asked. */
  readonly model: string | undefined
  /** As sent. */
  readonly upstreamModel: string | undefined
  readonly upstream: string | undefined
  readonly attempts: ReadonlyArray<AttemptRecord>
  readonly stream: boolean | undefined
  readonly status: number
  readonly outcome: Outcome
  readonly error: string | undefined
  readonly usage: Usage
  readonly latencyMs: number
  readonly ttftMs: number | undefined
  readonly finishReason: string | undefined
  readonly tools: boolean | undefined
  readonly toolCalls: boolean | undefined
  readonly multimodal: boolean | undefined
  readonly userAgent: string | undefined
  /** Tells one client's key from another's without keeping it. */
  readonly keyFingerprint: string | undefined
  /** Credentials redacted. */
  readonly headers: Readonly<Record<string, string>>
  readonly request: Uint8Array | undefined
  readonly response: AuditedBody | undefined
  /** Of `latencyMs`, what no upstream was waited for. */
  readonly overheadMs: number | undefined
  /** The conversation dialect that the client spoke. */
  readonly dialect: string | undefined
  /** What the upstream that answered called the request. */
  readonly upstreamRequestId: string | undefined
  /** What the answer calls itself; of a stream it is read off the answer when that is put together. */
  readonly responseId: string | undefined
  /** By which tariff the answer says it was made; of a stream likewise. */
  readonly serviceTier: string | undefined
  /** Tells one conversation from another, where the client said which a request belongs to, without keeping its name. */
  readonly conversation: string | undefined
  /** Tells one configuration from another. */
  readonly configHash: string
  /** What of the request the upstream that answered was not sent. */
  readonly dropped: ReadonlyArray<string>
  /** Upstreams whose turn it was, and that were not asked. */
  readonly notAsked: ReadonlyArray<PassedByRecord>
  /** Of a text that was to be spoken. */
  readonly characters: number | undefined
  /** Of an answer that was handed on as its bytes came, which a record does not hold. */
  readonly answerBytes: number | undefined
  readonly answerType: string | undefined
  /** The trace it belongs to, where traces are on. It is told in the log. */
  readonly trace?: RequestTrace | undefined
}
