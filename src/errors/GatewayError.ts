/**
 * Everything that can go wrong for a client, and how each is answered: status, OpenAI error body and extra headers are declared
 * here once. The message of an error is derived from its data, and says what is wrong and what to do.
 */
import * as Data from "effect/Data"
import { withoutKeyForms } from "../secrets/KeyForm.ts"
import { noSecrets } from "../secrets/Secrets.ts"
import { longestTold, told } from "../secrets/Told.ts"
import { saidError, shapedBody } from "./ErrorShape.ts"
import { baseUrlOf } from "./Redirect.ts"
import type { RefusalKind } from "./RefusalKind.ts"

/** The `error` member of OpenAI's error bodies. */
export interface ErrorBody {
  readonly message: string
  readonly type: "invalid_request_error" | "rate_limit_error" | "upstream_error" | "server_error"
  readonly param: string | null
  readonly code: string | null
}

/** The client's body cannot be served as it is; `param` names the member at fault. */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<{
  readonly message: string
  readonly param: string | null
  /** The model asked for, where it could be read all the same. */
  readonly model?: string
}> {}

/** No upstream serves the model. */
export class ModelNotFound extends Data.TaggedError("ModelNotFound")<{ readonly model: string }> {}

/** Access keys are configured and the request carries none of them. */
export class AccessDenied extends Data.TaggedError("AccessDenied")<{
  readonly reason: "missing" | "wrong"
}> {}

/** Only operators are told this, and the key that was sent is none of theirs. */
export class AdminDenied extends Data.TaggedError("AdminDenied") {}

/** A web page asks that may not: by whose it is, or by the name it found the gateway under. */
export class PageRefused extends Data.TaggedError("PageRefused")<{
  readonly reason: "origin" | "host"
  /** As it came; absent where the browser told none. */
  readonly told: string | undefined
}> {}

/** A web page sends a body of a type that browsers send without asking first. */
export class UnsupportedMediaType extends Data.TaggedError("UnsupportedMediaType")<{
  readonly contentType: string | undefined
}> {}

/** The body is larger than `server.max_body_bytes`. */
export class RequestTooLarge extends Data.TaggedError("RequestTooLarge")<{ readonly limitBytes: number }> {}

/** The body holds more JSON values than are read. */
export class TooManyValues extends Data.TaggedError("TooManyValues") {}

/** The body is packed in a way that is not read here. */
export class UnsupportedEncoding extends Data.TaggedError("UnsupportedEncoding")<{
  /** As the client named it. */
  readonly encoding: string
  /** The names of those that are, listed. */
  readonly taken: string
}> {}

/** The client stopped sending its body. */
export class RequestUnreadable extends Data.TaggedError("RequestUnreadable")<{ readonly reason: string }> {}

/** Nothing is served at this path. */
export class UnknownPath extends Data.TaggedError("UnknownPath")<{
  readonly method: string
  readonly path: string
  /** The path that was meant, as far as one can tell. */
  readonly meant: string | undefined
}> {}

/** The path is served, but not for this method. */
export class MethodNotAllowed extends Data.TaggedError("MethodNotAllowed")<{
  readonly method: string
  readonly path: string
  readonly allow: string
}> {}

/** One attempt's failure, for messages: which upstream, and why in a few words. Holds no secret. */
export interface FailedAttempt {
  readonly upstream: string
  readonly reason: string
}

/** The client's answer is this refusal of an upstream: it is about the request, or every attempt failed, this one last. */
export class UpstreamRefused extends Data.TaggedError("UpstreamRefused")<{
  readonly upstream: string
  /** What the client gets. */
  readonly status: number
  /** What the upstream answered, and what that is about. */
  readonly said: {
    readonly kind: RefusalKind
    readonly answered: number
    /** Of a redirect, as it may be told. */
    readonly location: string | undefined
  }
  /** Whether it is about the request, or the client's own key. */
  readonly isClientsFault: boolean
  readonly headers: Readonly<Record<string, string>>
  /** As it came, without secrets. */
  readonly body: Uint8Array
  readonly failures: ReadonlyArray<FailedAttempt>
}> {}

/** Every attempt failed, the last because an upstream refused the key of Sluice's own configuration, or its account. */
export class UpstreamCredentialsRejected extends Data.TaggedError("UpstreamCredentialsRejected")<{
  readonly upstream: string
  readonly status: number
  readonly reason: "credentials" | "billing"
  readonly failures: ReadonlyArray<FailedAttempt>
}> {}

/** Every attempt failed to connect or broke off. */
export class UpstreamUnreachable extends Data.TaggedError("UpstreamUnreachable")<{
  readonly failures: ReadonlyArray<FailedAttempt>
}> {}

/** Every attempt timed out. */
export class UpstreamTimeout extends Data.TaggedError("UpstreamTimeout")<{
  readonly failures: ReadonlyArray<FailedAttempt>
}> {}

/** There is no room for the request now: too many are under way, their bodies take too much memory or wait to be read, or every upstream is full. */
export class Overloaded extends Data.TaggedError("Overloaded")<{
  readonly reason: "requests" | "memory" | "reading" | "upstreams"
  readonly retryAfterSeconds: number
}> {}

/** Seconds after which a client that found no room may come again. */
export const roomRetrySeconds = 1

/** There is no memory for a body. Whether its client has it all is told where errors become answers. */
export const noMemory = new Overloaded({ reason: "memory", retryAfterSeconds: roomRetrySeconds })

/** The requests that the client has under way take all that one may have of the room there is for all. */
export class ShareTaken extends Data.TaggedError("ShareTaken")<{
  readonly of: "requests" | "memory"
  readonly retryAfterSeconds: number
}> {}

/** The client sends its body too slowly, or not at all. */
export class RequestTooSlow extends Data.TaggedError("RequestTooSlow")<{
  /** Over which it was looked at. */
  readonly afterMs: number
  readonly leastBytesPerSecond: number
}> {}

/** The time for the request as a whole ran out before an upstream answered. */
export class DeadlineExceeded extends Data.TaggedError("DeadlineExceeded")<{
  readonly afterMs: number
  /** Whose time limit it was. */
  readonly setBy: "client" | "configuration"
  readonly failures: ReadonlyArray<FailedAttempt>
}> {}

/** The gateway is draining. */
export class ShuttingDown extends Data.TaggedError("ShuttingDown")<{
  readonly retryAfterSeconds: number
  /** When the request was cut that was under way. */
  readonly cut?: string
}> {}

/** A defect of the gateway itself; the cause goes to the log, never to the client. */
export class InternalError extends Data.TaggedError("InternalError")<{ readonly requestId: string }> {}

export type GatewayError =
  | InvalidRequest
  | ModelNotFound
  | AccessDenied
  | AdminDenied
  | PageRefused
  | UnsupportedMediaType
  | RequestTooLarge
  | TooManyValues
  | UnsupportedEncoding
  | RequestUnreadable
  | UnknownPath
  | MethodNotAllowed
  | UpstreamRefused
  | UpstreamCredentialsRejected
  | UpstreamUnreachable
  | UpstreamTimeout
  | DeadlineExceeded
  | Overloaded
  | RequestTooSlow
  | ShareTaken
  | ShuttingDown
  | InternalError

/** An error as it is answered. `body` is the bytes to send, always JSON. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

interface Declaration extends ErrorBody {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

const listed = (failures: ReadonlyArray<FailedAttempt>): string =>
  failures.map(({ upstream, reason }) => `${upstream}: ${reason}`).join("; ")

/** How the others failed, where others were asked too. */
const others = (upstream: string, failures: ReadonlyArray<FailedAttempt>): string => {
  const rest = failures.filter((one) => one.upstream !== upstream)
  return rest.length === 0 ? "" : ` Asked before it: ${listed(rest)}.`
}

/** A refusal in a sentence, with what its body says. */
const refusalInWords = ({ body, said: { answered, kind, location }, upstream }: UpstreamRefused): string => {
  const answer = `The upstream ${upstream} answered ${answered}`
  if (kind === "redirect" && location !== undefined) {
    const baseUrl = baseUrlOf(location)
    return baseUrl === undefined
      ? `${answer} with location ${location}, and redirects are not followed; check base_url.`
      : `${answer} with location ${location}, and redirects are not followed; set base_url to ${baseUrl}.`
  }
  if (kind === "firewall") {
    return `${answer}, not from its API but from a firewall before it: ${excerpt(body)}`
  }
  const message = saidError(body)?.message
  return message === undefined
    ? `${answer}, not in the shape of an OpenAI error: ${excerpt(body)}`
    : `${answer}: ${told(message, noSecrets)}`
}

const roomless: Readonly<Record<Overloaded["reason"], string>> = {
  requests: "too many requests are under way (server.max_in_flight)",
  memory:
    "the bodies of the requests under way take all the memory set apart for them (server.max_buffered_bytes)",
  reading: "too many large bodies wait to be read",
  upstreams: "every upstream that serves the model is busy (max_concurrent)",
}

/** What to do about it is for who runs the gateway. */
const pageRefusal = ({ reason, told: from }: PageRefused): string => {
  const shown = told(from ?? "", noSecrets)
  if (reason === "origin" && shown === "null") {
    return "A web page that hides its origin (a file, or a sandboxed frame) asks, and this gateway, which asks for no access key, would let it spend what is not its own. Serve the page from http://localhost, or let who runs the gateway set server.access_keys."
  }
  return reason === "origin"
    ? `A web page${shown === "" ? " of another site" : ` of ${shown}`} asks, and this gateway, which asks for no access key, would let it spend what is not its own. Who runs the gateway can list the page's origin in server.cors, or set server.access_keys.`
    : `A request under the name ${shown} may come from a web page that let this name mean the gateway's address. Ask for localhost or an IP address, or let who runs the gateway list http://${shown} in server.cors, or set server.access_keys.`
}

const shares: Readonly<Record<ShareTaken["of"], string>> = {
  requests: "of the requests that may be under way at once (server.max_in_flight)",
  memory: "of the memory set apart for bodies (server.max_buffered_bytes)",
}

const rejected: Readonly<Record<UpstreamCredentialsRejected["reason"], string>> = {
  credentials:
    "it refuses the api_key in this gateway's configuration, or what that key may do. Your own key is not to blame;",
  billing:
    "the account of this gateway's api_key there has no credit or quota left. You need not pay anything;",
}

/** The one declaration of status, OpenAI error body and headers per error. */
const declare = (error: GatewayError): Declaration => {
  switch (error._tag) {
    case "InvalidRequest":
      return {
        status: 400,
        message: error.message,
        type: "invalid_request_error",
        param: error.param,
        code: null,
      }
    case "ModelNotFound":
      return {
        status: 404,
        message: `The model \`${withoutKeyForms(error.model)}\` is not served here: no entry of openai_clients matches it. GET /v1/models lists what is.`,
        type: "invalid_request_error",
        param: "model",
        code: "model_not_found",
      }
    case "AccessDenied":
      return {
        status: 401,
        message:
          error.reason === "missing"
            ? "This gateway asks for an access key. Send it as `Authorization: Bearer <key>`."
            : "The access key sent is not one of this gateway's. Check `Authorization: Bearer <key>`.",
        type: "invalid_request_error",
        param: null,
        code: "invalid_api_key",
        headers: { "www-authenticate": "Bearer" },
      }
    case "AdminDenied":
      return {
        status: 401,
        message:
          "The key sent is not one of this gateway's admin.keys. Access keys are for asking models, not for this.",
        type: "invalid_request_error",
        param: null,
        code: "invalid_admin_key",
        headers: { "www-authenticate": "Bearer" },
      }
    case "PageRefused":
      return {
        status: 403,
        message: pageRefusal(error),
        type: "invalid_request_error",
        param: null,
        code: error.reason === "origin" ? "origin_not_allowed" : "host_not_allowed",
      }
    case "UnsupportedMediaType":
      return {
        status: 415,
        message: `A web page sends its body as application/json, not as ${told(error.contentType ?? "nothing", noSecrets)}: any other type goes without the browser's asking first. Set content-type.`,
        type: "invalid_request_error",
        param: null,
        code: "unsupported_media_type",
      }
    case "RequestTooLarge":
      return {
        status: 413,
        message: `The request body is larger than the ${error.limitBytes} bytes this gateway takes (server.max_body_bytes).`,
        type: "invalid_request_error",
        param: null,
        code: "request_too_large",
        headers: { connection: "close" },
      }
    case "TooManyValues":
      return {
        status: 400,
        message:
          "The request body holds more JSON values than this gateway reads of one request: about 100,000 members of objects, 400,000 objects or lists, or 2,000,000 numbers. Send long data as strings, or in several requests.",
        type: "invalid_request_error",
        param: null,
        code: "too_many_values",
        headers: { connection: "close" },
      }
    case "UnsupportedEncoding":
      return {
        status: 415,
        message: `The request body is encoded as ${error.encoding}, which this gateway does not read. Send it as one of ${error.taken}, or not encoded at all.`,
        type: "invalid_request_error",
        param: null,
        code: "unsupported_encoding",
        headers: { "accept-encoding": error.taken },
      }
    case "RequestUnreadable":
      return {
        status: 400,
        message: `The request body could not be read: ${error.reason}.`,
        type: "invalid_request_error",
        param: null,
        code: null,
        headers: { connection: "close" },
      }
    case "UnknownPath":
      return {
        status: 404,
        message: `Nothing is served at ${error.method} ${withoutKeyForms(error.path)}. ${
          error.meant === undefined
            ? "The endpoints are /v1/chat/completions, /v1/completions and /v1/models."
            : `Did you mean ${error.meant}? A base URL ends with /v1: the SDK appends the rest.`
        }`,
        type: "invalid_request_error",
        param: null,
        code: "unknown_url",
      }
    case "MethodNotAllowed":
      return {
        status: 405,
        message: `${withoutKeyForms(error.path)} does not take ${error.method}; it takes ${error.allow}.`,
        type: "invalid_request_error",
        param: null,
        code: "method_not_allowed",
        headers: { allow: error.allow },
      }
    case "UpstreamRefused":
      return {
        status: error.status,
        message: `${refusalInWords(error)}${others(error.upstream, error.failures)}`,
        type: "upstream_error",
        param: null,
        code: "upstream_refused",
        headers: error.headers,
      }
    case "UpstreamCredentialsRejected": {
      const whole = `The upstream ${error.upstream} answered ${error.status}: ${rejected[error.reason]} tell who runs the gateway.`
      return {
        status: 502,
        message: `${whole}${others(error.upstream, error.failures)}`,
        type: "upstream_error",
        param: null,
        code: error.reason === "billing" ? "upstream_out_of_credit" : "upstream_credentials_rejected",
      }
    }
    case "UpstreamUnreachable":
      return {
        status: 502,
        message: `No upstream could be reached. ${listed(error.failures)}.`,
        type: "upstream_error",
        param: null,
        code: "upstream_unreachable",
      }
    case "UpstreamTimeout":
      return {
        status: 504,
        message: `No upstream answered in time. ${listed(error.failures)}.`,
        type: "upstream_error",
        param: null,
        code: "upstream_timeout",
      }
    case "DeadlineExceeded":
      return {
        status: 504,
        message: `The request was not answered within ${error.afterMs} ms (${
          error.setBy === "client" ? "its x-request-timeout-ms" : "timeouts.request_ms of this gateway"
        }). ${error.failures.length === 0 ? "No upstream had failed until then" : listed(error.failures)}.`,
        type: "upstream_error",
        param: null,
        code: "deadline_exceeded",
      }
    case "Overloaded":
      return {
        status: 503,
        message: `This gateway has no room for the request now: ${roomless[error.reason]}. Send it again a little later.`,
        type: "server_error",
        param: null,
        code: "overloaded",
        // Who is turned away for want of room does not keep its connection either.
        headers: {
          "retry-after": String(error.retryAfterSeconds),
          ...(error.reason === "upstreams" ? {} : { connection: "close" }),
        },
      }
    case "ShareTaken":
      return {
        status: 429,
        message: `Your requests under way take all that one caller may have ${shares[error.of]}. Send it again when one of them has ended.`,
        type: "rate_limit_error",
        param: null,
        code: "caller_share_taken",
        headers: { "retry-after": String(error.retryAfterSeconds), connection: "close" },
      }
    case "RequestTooSlow":
      return {
        status: 408,
        message: `The request body came too slowly: not ${error.leastBytesPerSecond} bytes a second over ${error.afterMs} ms (server.receive_ms), or nothing at all.`,
        type: "invalid_request_error",
        param: null,
        code: "request_too_slow",
        headers: { connection: "close" },
      }
    case "ShuttingDown":
      return {
        status: 503,
        message: `This gateway is shutting down${error.cut === undefined ? "" : `, and the request was cut ${error.cut}`}. Send the request again; another instance will take it.`,
        type: "server_error",
        param: null,
        code: "shutting_down",
        headers: { "retry-after": String(error.retryAfterSeconds), connection: "close" },
      }
    case "InternalError":
      return {
        status: 500,
        message: `Something went wrong inside the gateway. Its log tells more under request id ${error.requestId}.`,
        type: "server_error",
        param: null,
        code: "internal_error",
      }
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What a page calls itself; where it has no title, its text. */
const wordsOfPage = (page: string): string =>
  /<title[^<>]*>([^<]*)/i.exec(page)?.[1] ?? page.replace(/<[^<>]*>/g, " ")

/** The first words of a body that is not ours, on one line. */
const excerpt = (body: Uint8Array): string => {
  const start = decoder.decode(body.subarray(0, 4 * longestTold))
  const isPage = start.trimStart().startsWith("<")
  const text = (isPage ? wordsOfPage(start) : start).trim()
  if (text === "") return isPage ? "(a page)" : "(no body)"
  const words = told(text, noSecrets, longestTold)
  return isPage ? `a page, "${words}"` : words
}

/** `{"error":{…}}` as OpenAI's SDKs expect it. */
export const encodeErrorBody = (body: ErrorBody): Uint8Array =>
  encoder.encode(
    JSON.stringify({
      error: { message: body.message, type: body.type, param: body.param, code: body.code },
    }),
  )

/** The error's declared status, headers and body; what an upstream says itself goes to the client, in OpenAI's shape. */
export const answerOf = (error: GatewayError): ErrorAnswer => {
  const declared = declare(error)
  return {
    status: declared.status,
    headers: { ...declared.headers, "content-type": "application/json" },
    body:
      (error._tag === "UpstreamRefused" ? shapedBody(error.body) : undefined) ?? encodeErrorBody(declared),
  }
}

/** The declared `code` of an error, for logs; some have none. */
export const codeOf = (error: GatewayError): string | undefined => declare(error).code ?? undefined

/** What went wrong in one line, for logs and audit records. */
export const describe = (error: GatewayError): string => declare(error).message
