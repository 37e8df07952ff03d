/** What may be wrong with a request itself. */
import * as Data from "effect/Data"
import { withoutKeyForms } from "../secrets/KeyForm.ts"
import { clipped } from "../wire/Clipped.ts"
import type { Declaration } from "./Declaration.ts"

/** A client that was not asked, and why: the request cannot be said to it. */
export interface NotAsked {
  readonly upstream: string
  /** A part of a sentence. Holds no secret. */
  readonly reason: string
}

/** The client's body cannot be served as it is; `param` names the member at fault. */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<{
  readonly message: string
  readonly param: string | null
  /** As the dialect's own servers call the mistake; none is known of most. */
  readonly code?: string
  /** The model asked for, where it could be read all the same. */
  readonly model?: string
  /** Nothing is wrong with it, but that this client cannot be asked it in its dialect: another may be. */
  readonly unsaid?: NotAsked
}> {
  get declared(): Declaration {
    return {
      status: 400,
      message: this.message,
      type: "invalid_request_error",
      param: this.param,
      code: this.code ?? null,
    }
  }
}

/** The most clients that are told. */
const mostUnsaid = 8

/** The request cannot be said to any client of the model, in the dialect of each. */
export const unsaidToAll = (clients: ReadonlyArray<NotAsked>, param: string | null): InvalidRequest => {
  const [first] = clients
  const told = clients.slice(0, mostUnsaid).map(({ reason, upstream }) => `${upstream}: ${reason}`)
  const more = clients.length - told.length
  const all = `${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}`
  return new InvalidRequest({
    message: `No client of this model can be asked this (${all}). Leave ${param === null ? "it" : `\`${param}\``} out, or ask a model whose client speaks your dialect.`,
    param,
    ...(first === undefined ? {} : { unsaid: first }),
  })
}

/** No upstream serves the model. */
export class ModelNotFound extends Data.TaggedError("ModelNotFound")<{ readonly model: string }> {
  get declared(): Declaration {
    const model = withoutKeyForms(this.model)
    return {
      status: 404,
      message: `The model \`${model}\` is not served here: no entry of openai_clients matches it. GET /v1/models lists what is.`,
      anthropicMessage: `model: ${model} (no entry of openai_clients matches it; GET /v1/models lists what is served)`,
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    }
  }
}

/** With which status an upstream said that it has nothing at a path of this gateway. */
export interface LackTold {
  readonly status: number
  readonly path: string
}

/** An upstream that serves a model, and the conversation dialects it speaks. */
export interface Speaker {
  readonly upstream: string
  readonly dialects: ReadonlyArray<string>
  /** What it was found to lack, although it was expected to speak it. */
  readonly lacking: LackTold | undefined
}

/** The most of them that are told. */
const mostSpeakers = 8

const foundLacking = ({ path, status }: LackTold): string => `it answered ${status} at ${path}`

/** `openai (chat, responses)`, `vllm (chat; it answered 404 at /v1/messages)`, `jina (none)`. */
const speakerInWords = ({ dialects, lacking, upstream }: Speaker): string => {
  const spoken = dialects.length === 0 ? "none" : dialects.join(", ")
  return `${upstream} (${lacking === undefined ? spoken : `${spoken}; ${foundLacking(lacking)}`})`
}

/** The same of one that speaks nothing: `jina`, `vllm (it answered 404 at /v1/messages)`. */
const muteInWords = ({ lacking, upstream }: Speaker): string =>
  lacking === undefined ? upstream : `${upstream} (${foundLacking(lacking)})`

const listed = (speakers: ReadonlyArray<Speaker>): string => {
  const areMute = speakers.every(({ dialects }) => dialects.length === 0)
  const told = speakers.slice(0, mostSpeakers).map(areMute ? muteInWords : speakerInWords)
  const more = speakers.length - told.length
  const all = `${told.join(", ")}${more > 0 ? ` and ${more} more` : ""}`
  return areMute
    ? `No client of it speaks any dialect of conversations: ${all}`
    : `Its clients speak others: ${all}`
}

/** Upstreams serve the model, and none of them speaks the dialect of the request. OpenAI answers a model's wrong endpoint with 404, too. */
export class DialectNotSpoken extends Data.TaggedError("DialectNotSpoken")<{
  readonly model: string
  readonly dialect: string
  readonly speakers: ReadonlyArray<Speaker>
  /** Where callers speak the dialects that are spoken. */
  readonly paths: ReadonlyArray<string>
  /** The operation, where it is a part of the dialect that cannot be translated. */
  readonly part: string | undefined
}> {
  get declared(): Declaration {
    const { dialect, model, part, paths, speakers } = this
    const there = paths.length === 0 ? "" : `Ask for it at ${paths.join(" or ")}; or, if`
    const mistaken = speakers.some(({ lacking }) => lacking !== undefined)
      ? " Or the `base_url` is wrong of one that answered so, for it has nothing at that path."
      : ""
    const byPath =
      part === undefined
        ? ""
        : ` \`${part}\` alone is not translated; a client that can do it otherwise is told its path, as \`paths: { ${part}: //… }\`.`
    return {
      status: 404,
      message: `The model \`${withoutKeyForms(model)}\` is not served in the dialect \`${dialect}\`. ${listed(speakers)}. ${there || "If"} one of them does speak \`${dialect}\`, name that among its \`dialects\` in the configuration.${byPath}${mistaken}`,
      type: "invalid_request_error",
      param: "model",
      code: "dialect_not_spoken",
    }
  }
}

/** All upstreams of the model that were asked lack the endpoint. */
export class EndpointLacking extends Data.TaggedError("EndpointLacking")<{
  readonly model: string
  /** Where it is served here. */
  readonly path: string
  readonly lacking: ReadonlyArray<{ readonly upstream: string; readonly status: number }>
}> {
  get declared(): Declaration {
    const { lacking, model, path } = this
    const told = lacking
      .slice(0, mostSpeakers)
      .map(({ status, upstream }) => `${upstream} answered ${status}`)
    return {
      status: 404,
      message: `No client of the model \`${withoutKeyForms(model)}\` has ${path} (${told.join(", ")}).`,
      type: "invalid_request_error",
      param: "model",
      code: "endpoint_not_served",
    }
  }
}

/** No upstream of the configuration made the response of this id. OpenAI answers so, too, of one it does not know. */
export class ResponseNotFound extends Data.TaggedError("ResponseNotFound")<{
  readonly id: string
  /** The member that names it; `null` where its path does. */
  readonly param: "previous_response_id" | null
}> {
  get declared(): Declaration {
    const id = withoutKeyForms(clipped(this.id, longestShownId))
    return {
      status: this.param === null ? 404 : 400,
      message: `No client of this configuration made the response \`${id}\`: it was not given out here, or the client that made it is gone or has another name.`,
      type: "invalid_request_error",
      param: this.param,
      code: this.param === null ? "response_not_found" : "previous_response_not_found",
    }
  }
}

const longestShownId = 200

/** A connection of another protocol is asked for. */
export class NoUpgrade extends Data.TaggedError("NoUpgrade") {
  get declared(): Declaration {
    return {
      status: 426,
      message:
        "Nothing is served over WebSockets. Ask over HTTP: responses by POST /v1/responses, with `stream: true` for events.",
      type: "invalid_request_error",
      param: null,
      code: "upgrade_not_supported",
      headers: { upgrade: "HTTP/1.1" },
    }
  }
}

/** What to say of a base URL; nothing where it is right, and only the end of the path is mistyped. */
const ofBaseUrl = (path: string, meant: string): string => {
  if (!path.toLowerCase().endsWith(meant.replace(/^\/v1/, ""))) return ""
  return meant.startsWith("/v1/messages") || path.startsWith("/anthropic/v1/")
    ? " Anthropic's SDKs append /v1/messages themselves: their base URL ends before /v1."
    : " A base URL ends with /v1: the SDK appends the rest."
}

/** Nothing is served at this path. */
export class UnknownPath extends Data.TaggedError("UnknownPath")<{
  readonly method: string
  readonly path: string
  /** The path that was meant, as far as one can tell. */
  readonly meant: string | undefined
  /** What is served, in words for those of whom nothing can be told. */
  readonly served: ReadonlyArray<string>
  /** What is said in place of all that. */
  readonly instead?: string
}> {
  get declared(): Declaration {
    const { instead, meant, method, path, served } = this
    return {
      status: 404,
      message: `Nothing is served at ${method} ${withoutKeyForms(path)}. ${
        instead ??
        (meant === undefined
          ? `The endpoints are ${served.slice(0, -1).join(", ")} and ${served.at(-1)}. A rule of \`passthrough\` in the configuration can hand on other paths.`
          : `Did you mean ${meant}?${ofBaseUrl(path, meant)}`)
      }`,
      type: "invalid_request_error",
      param: null,
      code: "unknown_url",
    }
  }
}

/** The path is served, but not for this method. */
export class MethodNotAllowed extends Data.TaggedError("MethodNotAllowed")<{
  readonly method: string
  readonly path: string
  readonly allow: string
}> {
  get declared(): Declaration {
    return {
      status: 405,
      message: `${withoutKeyForms(this.path)} does not take ${this.method}; it takes ${this.allow}.`,
      type: "invalid_request_error",
      param: null,
      code: "method_not_allowed",
      headers: { allow: this.allow },
    }
  }
}

/** The most that a body may have, and which key of `server` says so. */
export interface BodyLimit {
  readonly limitBytes: number
  readonly setBy: "max_body_bytes" | "max_upload_bytes"
}

/** The body is larger than that. */
export class RequestTooLarge extends Data.TaggedError("RequestTooLarge")<BodyLimit> {
  get declared(): Declaration {
    return {
      status: 413,
      message: `The request body is larger than the ${this.limitBytes} bytes this gateway takes (server.${this.setBy}).`,
      type: "invalid_request_error",
      param: null,
      code: "request_too_large",
      headers: { connection: "close" },
    }
  }
}

/** The body holds more JSON values than are read. */
export class TooManyValues extends Data.TaggedError("TooManyValues") {
  get declared(): Declaration {
    return {
      status: 400,
      message:
        "The request body holds more JSON values than this gateway reads of one request: about 100,000 members of objects, 400,000 objects or lists, or 2,000,000 numbers. Send long data as strings, or in several requests.",
      type: "invalid_request_error",
      param: null,
      code: "too_many_values",
      headers: { connection: "close" },
    }
  }
}

/** The body is packed in a way that is not read here. */
export class UnsupportedEncoding extends Data.TaggedError("UnsupportedEncoding")<{
  /** As the client named it. */
  readonly encoding: string
  /** The names of those that are, listed. */
  readonly taken: string
}> {
  get declared(): Declaration {
    return {
      status: 415,
      message: `The request body is encoded as ${this.encoding}, which this gateway does not read. Send it as one of ${this.taken}, or not encoded at all.`,
      type: "invalid_request_error",
      param: null,
      code: "unsupported_encoding",
      headers: { "accept-encoding": this.taken },
    }
  }
}

/** The client stopped sending its body. */
export class RequestUnreadable extends Data.TaggedError("RequestUnreadable")<{ readonly reason: string }> {
  get declared(): Declaration {
    return {
      status: 400,
      message: `The request body could not be read: ${this.reason}.`,
      type: "invalid_request_error",
      param: null,
      code: null,
      headers: { connection: "close" },
    }
  }
}

/** The client sends its body too slowly, or not at all. */
export class RequestTooSlow extends Data.TaggedError("RequestTooSlow")<{
  /** Over which it was looked at. */
  readonly afterMs: number
  readonly leastBytesPerSecond: number
}> {
  get declared(): Declaration {
    return {
      status: 408,
      message: `The request body came too slowly: not ${this.leastBytesPerSecond} bytes a second over ${this.afterMs} ms (server.receive_ms), or nothing at all.`,
      type: "invalid_request_error",
      param: null,
      code: "request_too_slow",
      headers: { connection: "close" },
    }
  }
}
