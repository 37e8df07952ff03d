/**
 * The contract of an operation: all that the gateway knows of an endpoint it serves. Routes and methods, the lists in messages and documents, the
 * audit's names, and what is done to requests and answers follow from it. The table is in Operations.ts; each row has a folder of its own.
 */
import type * as Either from "effect/Either"
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { AnswerFacts } from "../answer/PlainAnswer.ts"
import type { RelayedContent } from "../answer/RelayedAnswer.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import type { FaceName } from "../errors/faces/Face.ts"
import type { InvalidRequest } from "../errors/RequestErrors.ts"
import type { Unresumable } from "../resume/Unresumable.ts"
import type { Dialect } from "../routing/Dialect.ts"
import type { Upstream } from "../routing/Upstream.ts"
import type { JsonObject } from "../wire/Json.ts"
import type { OutlineLimits } from "../wire/JsonOutline.ts"
import type { StoredBytes } from "../wire/StoredBytes.ts"
import type { Additions, Omissions } from "./Additions.ts"
import type { Form } from "./multipart/Form.ts"
import type { Deciding } from "./OneReading.ts"
import type { Translation } from "./translation/Translation.ts"

/**
 * `/rerank` stands below a base URL, whichever it is; `//v2/rerank` at the root of the host, and nowhere else. `{id}` stands for the id of what is asked
 * about.
 */
export type ServedPath = `/${string}`

export interface Operation<Name extends string = string> {
  /** As the audit and the log call it. */
  readonly name: Name
  readonly method: "DELETE" | "GET" | "POST"
  /** The conversation dialect that is spoken there; `undefined` where it is not for conversations. */
  readonly dialect: Dialect | undefined
  /** That none of its upstreams has it is told by an error of this gateway, whose status callers know what to do about. */
  readonly mayLack?: true
  /** How whoever calls it is told of errors. */
  readonly face: FaceName
  /** What it does, for people: a row of README's table. */
  readonly about: string
  /** Where it is served. The first is the one that is told, and asked of upstreams; the others are names it has elsewhere. */
  readonly paths: readonly [ServedPath, ...ReadonlyArray<ServedPath>]
  /** All members of a request that anything is decided by, here or on its way back: none of them may be read in two ways. */
  readonly decidedBy: Deciding
  /** Callers ask for a WebSocket there first, and go on over HTTP once they are told that there is none. */
  readonly refusesUpgrade?: true
  /** Where an upstream has what it keeps by this id; absent where a request is about nothing that is kept. */
  readonly keptAt?: (upstream: Pick<Upstream, "name" | "paths">, id: string) => string
  /**
   * Reads a request. Refused is only what the gateway could not route or answer, or what others would read otherwise than it does; all else is the
   * upstream's to judge.
   *
   * @param onlyModel the one that is meant where nobody names any: the only one that is served
   */
  readonly decode: (
    body: Uint8Array,
    target: AskedTarget,
    onlyModel?: string,
  ) => Either.Either<AskedRequest, InvalidRequest>
  /** Reads a body that is a form (multipart/form-data); absent where none is taken. */
  readonly form?: FormReader
  /** What of answers is given out with its maker's mark; absent: they hold nothing that is their maker's alone. */
  readonly marks?: (maker: Upstream, upstreams: ReadonlyArray<Upstream>) => Marks
  readonly plain: PlainAnswers
  /** How its answers stream; `undefined` where they never do. */
  readonly stream: StreamGrammar | undefined
}

/**
 * All that is its maker's alone (ids, signatures); or of that what comes with a mark, which another gateway has set: without one of this gateway's own
 * behind it, it would come back as what somebody else made.
 */
export type Marks = "all" | "marked"

export type FormReader = (
  form: Form,
  target: AskedTarget,
) => Either.Either<AskedRequest<StoredBytes>, InvalidRequest>

/** What the target of a request says beside its operation. Plain values. */
export interface AskedTarget {
  /** The model that its path names, which the body's does not change, nor need be there. */
  readonly deployment?: string | undefined
  /** The id in its path, as it was given out. */
  readonly id?: string | undefined
  /** What of its query upstreams are to know, without its `?`. */
  readonly query?: string | undefined
}

/** A request as it was read; `Body` is what its targets are sent. */
export interface AskedRequest<Body = Uint8Array> {
  readonly facts: RequestFacts
  /** The body as it was read, of a conversation that can be translated. */
  readonly conversation?: JsonObject
  /** What the request begins with, for routing it to the upstream that has seen the same; bounded. */
  readonly affinity: () => string
  /**
   * The body for a target.
   *
   * @param omissions what the target is known to refuse of what the gateway adds
   */
  readonly bodyFor: (target: Recipient, omissions: Omissions) => Either.Either<Prepared<Body>, InvalidRequest>
  /** The body that asks a target to resume an answer of which this text was said; `undefined` where no answer is ever resumed. */
  readonly bodyToResume:
    | ((target: Recipient, omissions: Omissions, said: string) => Either.Either<Prepared, InvalidRequest>)
    | undefined
}

/** What is known of a request once it has been read, whether what it was read to is still there or not. Plain values. */
export interface RequestFacts {
  /** The model asked for. */
  readonly model: string
  readonly stream: boolean
  /** Tools, or functions as they were called before, are offered to the model. */
  readonly tools: boolean
  /** The input holds something that is not text. */
  readonly multimodal: boolean
  /** The client itself asked for the usage chunk (`stream_options.include_usage`). */
  readonly includeUsage: boolean
  readonly choices: ChoicesAsked
  /** Of a text that is to be spoken, which is paid by them. */
  readonly characters?: number | undefined
  /** Why its answer could never be resumed, whatever it says; `undefined` where it could. */
  readonly unresumable: Unresumable | undefined
  /** What it goes on from, or is about, that one upstream keeps, or alone can read: that one is asked, and nobody else. */
  readonly continues: Continued | undefined
}

/** What one upstream keeps, or alone can read, as a request has it. */
export type Continued =
  | NamedResponse
  /** Sealed, and marked with who made it. */
  | { readonly kind: "sealed"; readonly sealed: string }
  /** What tells nothing of its upstream. */
  | {
      readonly kind: "unmarked"
      /** Where callers make such things themselves, if they do: at the upstream of a rule. */
      readonly madeAt: ServedPath | undefined
    }

/** A response that an upstream keeps. */
export interface NamedResponse {
  readonly kind: "response"
  /** As it was given out. */
  readonly id: string
  /** The member that names it; `null` where the path does. */
  readonly param: "previous_response_id" | null
}

/** What a request says of its choices. */
export interface ChoicesAsked {
  /** For each prompt; `undefined` where it does not say, which it does by `null`. */
  readonly n: number | undefined
  readonly prompts: number
}

/** What of a target shapes the body it is sent. Plain values. */
export interface Recipient {
  readonly upstream: Pick<
    Upstream,
    | "abilities"
    | "asksUsage"
    | "extraBody"
    | "maxTokens"
    | "maxTokensMember"
    | "name"
    | "cacheMarks"
    | "onUnsupported"
    | "paths"
    | "requestCleaning"
    | "resume"
    | "stop"
    | "thinkingTags"
  >
  readonly upstreamModel: string
  /** In which it is asked, where that is not the caller's. */
  readonly dialect?: Dialect | undefined
}

/** What to send to a target. */
export interface Prepared<Body = Uint8Array> {
  /** The very one that the client sent, where nothing had to change. */
  readonly body: Body
  readonly asItCame: boolean
  /** What it holds that only this gateway says. */
  readonly added: Additions
  /** What of the request it does not hold, since the target could not take it. */
  readonly dropped?: ReadonlyArray<string>
  /** How its answer is given out, where it is in another dialect than the caller's. */
  readonly translation?: Translation
}

/** Answers that come whole, and not as a stream. */
export type PlainAnswers = JudgedAnswers | RelayedAnswers

interface AnyPlainAnswers {
  /** How much of a long one is kept to know what it is. */
  readonly outline: OutlineLimits
  /** Whether an answer that is an object says something: else another target is asked. */
  readonly says: (answer: JsonObject) => boolean
  /** What an answer lacks that says nothing, in words. */
  readonly silence: string
  /** Whether anything of an answer of these bytes is changed. */
  readonly isChanged: (transform: ChoiceTransform, body: Uint8Array) => boolean
  /** What an answer that is an object says of itself. */
  readonly read: (answer: JsonObject) => AnswerFacts
}

/** JSON objects that are read to their last byte and judged before any of them is given out: one that breaks off is asked of another target. */
export interface JudgedAnswers extends AnyPlainAnswers {
  readonly kind: "judged"
  /** An error in an answer is what was asked for, and no failure. */
  readonly tellsErrors?: true
  /** A long one is handed on as its bytes come, once its beginning has shown that it is an object: whoever made it has been paid for it. */
  readonly isHandedOn?: true
  /** It is made of vectors: a record keeps what stands beside them, and it may be bytes in place of an object, where its type says so. */
  readonly holdsVectors?: true
  /** The answer with its texts changed, the same bytes where nothing changes; `undefined` where answers have no text to change. */
  readonly transform: ((transform: ChoiceTransform, body: Uint8Array) => Uint8Array) | undefined
}

/** What is known of answers that are handed on as their bytes come. */
export interface HandedOn extends Pick<AnyPlainAnswers, "outline" | "read" | "says" | "silence"> {
  readonly holds: RelayedContent
}

/** Answers of any size that are handed on as their bytes come, once their first ones have shown that they are answers. Nothing of them is changed. */
export interface RelayedAnswers extends AnyPlainAnswers, HandedOn {
  readonly kind: "relayed"
  readonly transform: undefined
  /** What is no object as the object that says the same, of which events can be made; `undefined` where there is none. */
  readonly objectOf?: (bytes: Uint8Array) => Uint8Array | undefined
}
