/** A configured remote that answers calls as OpenAI or Anthropic do, and a target: one upstream as one entry of a plan. */
import type * as Redacted from "effect/Redacted"
import type { JsonObject } from "../wire/Json.ts"
import type { Dialect } from "./Dialect.ts"
import type { ModelAbilities } from "./ModelAbilities.ts"
import type { OutgoingProxy } from "./OutgoingProxy.ts"

/** The names of the limit on an answer's tokens. Upstreams refuse both together. */
export const tokenLimits = ["max_tokens", "max_completion_tokens"] as const

export type TokenLimit = (typeof tokenLimits)[number]

/** How reasoning reaches the client; see docs/streams.md. */
export type ThinkingFormat = "passthrough" | "strip" | "think_tag" | "reasoning" | "reasoning_content"

/** Which models an upstream serves: equal to one of `values`, or containing one of them (case-sensitive). */
export interface ModelMatch {
  readonly type: "exact" | "keyword"
  readonly values: ReadonlyArray<string>
}

/** Milliseconds, for one attempt. */
export interface Timeouts {
  readonly connectMs: number
  /** Until the first event of a stream that says something; each byte before it begins the wait anew. */
  readonly firstByteMs: number
  /** Until the last byte of a plain answer. */
  readonly answerMs: number
  /** The longest silence inside an answer. */
  readonly idleMs: number
  readonly totalMs: number
}

/** How many calls an upstream is sent at once, and who may wait for a free place. */
export interface Concurrency {
  /** Calls under way at most, bodies included. */
  readonly max: number
  /** Calls that wait at most; what comes beyond does not wait. */
  readonly maxWaiting: number
  /** Milliseconds a call waits at most. */
  readonly maxWaitMs: number
}

/** How an upstream is asked to resume an answer that another broke off. */
export interface ResumePolicy {
  /** Members added to the body. */
  readonly body: JsonObject
  /** Members added to the assistant message that holds the text until here. */
  readonly message: JsonObject
}

/** Which cleanings apply to a request's messages. */
export interface RequestCleaning {
  readonly mergeUserMessages: boolean
  readonly dropEmptyMessages: boolean
  /** The names of the tags whose blocks are removed from earlier turns; none: they stay. */
  readonly stripHistoryThink: ReadonlyArray<string>
}

/** An entry of `openai_clients`, decoded, with defaults filled in and global settings merged. */
export interface Upstream {
  readonly name: string
  /** Without a trailing slash and a query. */
  readonly baseUrl: string
  /** What stands behind every path, with its `?`; empty where nothing does. */
  readonly query: string
  /** Where it answers operations elsewhere than others do, by their names. */
  readonly paths: Readonly<Record<string, string | undefined>>
  /** What its calls go through. */
  readonly proxy: OutgoingProxy | undefined
  /** Absent: the client's own key is passed through. */
  readonly apiKey: Redacted.Redacted<string> | undefined
  /** The header that takes the key as it is; absent: `authorization`, as a bearer token. */
  readonly keyHeader: string | undefined
  /** A client's own key may be sent to it. */
  readonly passesKey: boolean
  /** The conversation dialects it speaks, most preferred first. */
  readonly dialects: ReadonlyArray<Dialect>
  /** Nobody said so: its answers may teach better. */
  readonly dialectsAssumed: boolean
  readonly match: ModelMatch
  /** Share of traffic (YAML: `priority`); 0 = standby, tried after all others. */
  readonly weight: number
  /** The name of an upstream, else of a model. */
  readonly fallback: string | undefined
  /** The model name to send, whatever was asked. */
  readonly model: string | undefined
  readonly specialPrefix: string | undefined
  readonly stop: ReadonlyArray<string>
  readonly maxTokens: number | undefined
  /** What `maxTokens` is written as where the request has no limit of its own; `auto` as most upstreams know it. */
  readonly maxTokensMember: TokenLimit | "auto"
  /** Streams are asked for usage though their client did not. */
  readonly asksUsage: boolean
  readonly requestCleaning: RequestCleaning
  readonly headers: Readonly<Record<string, string>>
  readonly extraBody: JsonObject
  readonly thinkingFormat: ThinkingFormat | undefined
  /** The names of the tags its thinking stands between in a content: `think` for `<think>…</think>`. At least one. */
  readonly thinkingTags: ReadonlyArray<string>
  /** What becomes of a request that holds what its dialects cannot say: it goes without, or is refused. */
  readonly onUnsupported: "drop" | "reject"
  /** Whether conversations that are translated to messages are marked for its cache where their callers have not. */
  readonly cacheMarks: "auto" | "keep"
  /** What its models take, where that is not what is known of them by their names. */
  readonly abilities: Partial<ModelAbilities>
  readonly timeouts: Timeouts
  /** Absent: as many as come. */
  readonly concurrency: Concurrency | undefined
  /** Milliseconds without a first byte after which the next target of the plan is asked as well; absent: it never is. */
  readonly hedgeAfterMs: number | undefined
  /** Absent: never asked to resume another's answer. */
  readonly resume: ResumePolicy | undefined
}

/** One entry of a plan: an upstream and the model name it will be sent. */
export interface Target {
  readonly upstream: Upstream
  readonly upstreamModel: string
  /** In which it is asked, where that is not the caller's. */
  readonly dialect?: Dialect
}

/**
 * The path that an upstream is asked at: its own for this operation, else below its own for the operation that this one is a part of, as
 * `messages.count_tokens` is of `messages`, else the operation's first.
 */
export const pathAt = (
  { paths: own }: Pick<Upstream, "paths">,
  {
    name,
    paths: [first],
  }: { readonly name: string; readonly paths: readonly [string, ...ReadonlyArray<string>] },
): string => {
  const above = own[name] === undefined ? own[name.slice(0, name.lastIndexOf("."))] : undefined
  return above === undefined ? (own[name] ?? first) : above + first.slice(first.lastIndexOf("/"))
}

/** Where a path of an upstream leads: `/x` lies below its base URL, `//x` at the root of its host; the query stays behind either. */
export const urlOf = ({ baseUrl, query }: Pick<Upstream, "baseUrl" | "query">, path: string): string =>
  path.startsWith("//") ? new URL(baseUrl).origin + path.slice(1) + query : baseUrl + path + query

/** The host and port of an upstream's URL, which the configuration's checks found to be one. */
export const hostOf = (baseUrl: string): string => new URL(baseUrl).host
