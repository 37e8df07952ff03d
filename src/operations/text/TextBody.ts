/**
 * The body a target is sent: the client's, with the target's model name, stop words, token cap and extra members. Edits are made in the
 * text, so that whatever they do not touch arrives byte for byte; without any edit the client's own bytes are forwarded.
 *
 * The messages are cleaned once per request (`clean`); each target then costs one walk over the text (`prepare`). Nothing the
 * client nested is ever printed anew, so no depth of it can overflow a printer.
 */
import * as Either from "effect/Either"
import { InvalidRequest } from "../../errors/RequestErrors.ts"
import { bodyToResume } from "../../resume/ResumeBody.ts"
import { type RequestCleaning, type TokenLimit, tokenLimits } from "../../routing/Upstream.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { memberText, replaceMembers } from "../../wire/JsonText.ts"
import { capName, nothingAdded, nothingOmitted, type Omissions } from "../Additions.ts"
import { fill } from "../ExtraBody.ts"
import { type Edits, edited, invalid } from "../JsonRequest.ts"
import type { AskedRequest, Prepared, Recipient } from "../Operation.ts"
import { cleanMessages, printMessages } from "./Messages.ts"
import type { TextRequest } from "./TextRequest.ts"

/** A request whose messages have been cleaned. */
export interface CleanedRequest {
  readonly request: TextRequest
  /** The body after cleaning. */
  readonly text: string
}

/** Cleans the messages. Fails where none is left. */
export const clean = (
  request: TextRequest,
  cleaning: RequestCleaning,
): Either.Either<CleanedRequest, InvalidRequest> => {
  const cleaned = cleanMessages(request.messages, cleaning)
  if (cleaned.messages === request.messages) {
    return Either.right({ request, text: request.text })
  }
  if (cleaned.messages.length === 0) {
    return invalid("messages", "`messages` holds only empty messages; at least one must say something.")
  }
  const before = memberText(request.text, "messages") ?? "[]"
  const messages = printMessages(before, request.messages, cleaned)
  return Either.right({
    request,
    text: replaceMembers(request.text, [["messages", messages]]),
  })
}

/** The bodies of one request: cleaned once for all targets that are cleaned alike, as they are unless the configuration says otherwise. */
export const bodiesOf = (request: TextRequest): Pick<AskedRequest, "bodyFor" | "bodyToResume"> => {
  let last: readonly [RequestCleaning, ReturnType<typeof clean>] | undefined
  const bodyFor: AskedRequest["bodyFor"] = (target, omissions) => {
    const { requestCleaning } = target.upstream
    if (last === undefined || !isSameCleaning(last[0], requestCleaning)) {
      last = [requestCleaning, clean(request, requestCleaning)]
    }
    return Either.flatMap(last[1], (cleaned) => prepare(cleaned, target, omissions))
  }
  return {
    bodyFor,
    bodyToResume: (target, omissions, said) =>
      Either.flatMap(bodyFor(target, omissions), (one) => resuming(request, one, target.upstream, said)),
  }
}

/** Never shown: only targets that have a body are asked to resume. */
const cannotResume = (): InvalidRequest =>
  new InvalidRequest({ message: "This target cannot resume the answer.", param: null })

/** The body that asks a target to resume an answer of which this text was said. */
const resuming = (
  { input }: TextRequest,
  prepared: Prepared,
  { resume }: Recipient["upstream"],
  text: string,
): Either.Either<Prepared, InvalidRequest> =>
  resume === undefined
    ? Either.left(cannotResume())
    : Either.mapBoth(bodyToResume(input, prepared.body, text, resume), {
        onLeft: cannotResume,
        onRight: (body) => ({ ...prepared, body, asItCame: false }),
      })

const isSameCleaning = (a: RequestCleaning, b: RequestCleaning): boolean =>
  a === b ||
  (a.mergeUserMessages === b.mergeUserMessages &&
    a.dropEmptyMessages === b.dropEmptyMessages &&
    a.stripHistoryThink === b.stripHistoryThink)

/** Members that are the client's alone to say, or not to. */
const clientsOwn: ReadonlySet<string> = new Set(["model", "messages", "prompt", "stream"])

/**
 * The members of `extra_body` the request leaves unsaid. A member that is there is said, `null` too. The two names of the token limit
 * are one member here, since upstreams refuse both together, and `stream_options` belong to streams only.
 */
const fillsOf = (request: TextRequest, extraBody: JsonObject): JsonObject => {
  const says = (name: string) => Object.hasOwn(request.body, name)
  const unsaid = (name: string) =>
    !clientsOwn.has(name) &&
    !(tokenLimits.some((limit) => limit === name) ? tokenLimits.some(says) : says(name)) &&
    (name !== "stream_options" || request.stream)
  return Object.fromEntries(Object.entries(extraBody).filter(([name]) => unsaid(name)))
}

/** The request's stop words; `undefined` where the member is neither a string nor an array of strings. */
const stopWords = (stop: Json): ReadonlyArray<string> | undefined => {
  if (stop === null) return []
  if (typeof stop === "string") return [stop]
  if (!isJsonArray(stop)) return undefined
  const words = stop.filter((word) => typeof word === "string")
  return words.length === stop.length ? words : undefined
}

const addStop = (
  said: Json,
  upstream: Recipient["upstream"],
  edits: Edits,
): Either.Either<void, InvalidRequest> => {
  if (upstream.stop.length === 0) return Either.void
  const words = stopWords(said)
  if (words === undefined) return invalid("stop", "`stop` must be a string or an array of strings.")
  const all = [...new Set([...upstream.stop, ...words])]
  if (all.length !== words.length || all.some((word, index) => word !== words[index])) {
    edits.set("stop", JSON.stringify(all))
  }
  return Either.void
}

/** Members that say how many choices are made of each prompt, every one of them as long as the limit lets it. */
const multipliers = ["n", "best_of"]

/** What of a cap each choice may have. What cannot be counted is refused: some read it all the same. */
const shareOf = (cap: number, said: (name: string) => Json): Either.Either<number, InvalidRequest> => {
  let share = cap
  for (const name of multipliers) {
    const times = said(name) ?? 1
    if (typeof times !== "number" || !Number.isInteger(times) || times < 1) {
      return invalid(name, `\`${name}\` must be a whole number of at least 1.`)
    }
    if (times > cap) {
      return invalid(
        name,
        `\`${name}\` asks for more choices than the ${cap} tokens an answer may have here.`,
      )
    }
    share = Math.min(share, Math.floor(cap / times))
  }
  return Either.right(share)
}

/** The name of a cap that was added, where the request has no limit of its own. */
const capTokens = (
  said: (name: string) => Json,
  upstream: Recipient["upstream"],
  omissions: Omissions,
  edits: Edits,
): Either.Either<TokenLimit | undefined, InvalidRequest> => {
  const cap = upstream.maxTokens
  if (cap === undefined) return Either.right(undefined)
  const share = shareOf(cap, said)
  if (Either.isLeft(share)) return Either.left(share.left)
  const used = tokenLimits.filter((name) => said(name) !== null)
  if (used.length === 0) {
    const name = capName(upstream.maxTokensMember, omissions)
    if (name !== undefined) edits.set(name, String(share.right))
    return Either.right(name)
  }
  for (const name of used) {
    const limit = said(name)
    if (typeof limit !== "number") return invalid(name, `\`${name}\` must be a number.`)
    // Several servers take -1 for no limit at all.
    if (limit > share.right || limit < 0) edits.set(name, String(share.right))
  }
  return Either.right(undefined)
}

/**
 * Usage is asked for of every stream, so that it can be audited; whether the client gets to see it is decided on the way back. Says whether the member
 * was added as a whole.
 */
const askForUsage = (said: Json, cleaned: CleanedRequest, edits: Edits): boolean => {
  if (!isJsonObject(said)) {
    edits.set("stream_options", '{"include_usage":true}')
    return said === null
  }
  if (said["include_usage"] !== true) {
    const text = edits.get("stream_options") ?? memberText(cleaned.text, "stream_options") ?? "{}"
    edits.set("stream_options", replaceMembers(text, [["include_usage", "true"]]))
  }
  return false
}

/**
 * The body for one target. `extra_body` is filled in first, so that the cap and the stop words hold over it too. A member the
 * target's configuration has to change and cannot, because it is of another type, is the client's mistake.
 *
 * @param omissions what the target is known to refuse of what would be added
 */
export const prepare = (
  cleaned: CleanedRequest,
  { upstream, upstreamModel }: Recipient,
  omissions: Omissions = nothingOmitted,
): Either.Either<Prepared, InvalidRequest> => {
  const { request } = cleaned
  const fills = fillsOf(request, upstream.extraBody)
  const said = (name: string): Json => request.body[name] ?? fills[name] ?? null

  const edits: Edits = new Map()
  fill(edits, fills)
  if (upstreamModel !== request.body["model"]) edits.set("model", JSON.stringify(upstreamModel))
  const stopped = addStop(said("stop"), upstream, edits)
  if (Either.isLeft(stopped)) return Either.left(stopped.left)
  const capped = capTokens(said, upstream, omissions, edits)
  if (Either.isLeft(capped)) return Either.left(capped.left)
  const asks = request.stream && upstream.asksUsage && !omissions.usage
  const usage = asks && askForUsage(said("stream_options"), cleaned, edits)
  const added = usage || capped.right !== undefined ? { usage, cap: capped.right } : nothingAdded

  return Either.right(edited(request, edits, added, cleaned.text))
}
