/** The body of a request in Anthropic's dialect for one target: the client's bytes but for the members that the target's configuration changes. */
import * as Either from "effect/Either"
import { InvalidRequest } from "../../errors/RequestErrors.ts"
import { bodyToResume, type ResumableInput } from "../../resume/ResumeBody.ts"
import { isJsonArray, isJsonObject, type Json } from "../../wire/Json.ts"
import { type Additions, nothingAdded, type Omissions } from "../Additions.ts"
import { fill, fillsOf } from "../ExtraBody.ts"
import { type Edits, edited, invalid } from "../JsonRequest.ts"
import type { Prepared, Recipient } from "../Operation.ts"
import { type MessagesRequest, neverResumable } from "./MessagesRequest.ts"
import { messagesFor, type OwnMessages } from "./OwnBlocks.ts"
import { clearNoThinking, noThinking, thinkingFor } from "./ThinkingFor.ts"

/** Members that are the client's alone to say, or not to; and what is no member of this dialect. */
const notFilled: ReadonlySet<string> = new Set(["model", "messages", "system", "stream", "stream_options"])

/** The configured stop words before the request's. Blank ones are refused in this dialect, so none is added. */
const withStop = (said: Json, stop: ReadonlyArray<string>): Either.Either<Json, InvalidRequest> => {
  const own = stop.filter((word) => word.trim() !== "")
  if (own.length === 0) return Either.right(said)
  const words = said === null ? [] : isJsonArray(said) ? said : undefined
  if (words === undefined || !words.every((word) => typeof word === "string")) {
    return invalid("stop_sequences", "stop_sequences: Input should be an array of strings")
  }
  const all = [...new Set([...own, ...words])]
  const isSame = all.length === words.length && all.every((word, index) => word === words[index])
  return Either.right(isSame ? said : all)
}

const withCap = (said: Json, cap: number | undefined): Either.Either<Json, InvalidRequest> => {
  if (cap === undefined) return Either.right(said)
  if (said === null) return Either.right(cap)
  if (typeof said !== "number") return invalid("max_tokens", "max_tokens: Input should be a valid integer")
  return Either.right(said > cap || said < 0 ? cap : said)
}

/**
 * The body for one target. `extra_body` is filled in first, so that the cap and the stop words hold over it too. A member the target's configuration
 * has to change and cannot, because it is of another type, is the client's mistake.
 */
export const prepare = (
  request: MessagesRequest,
  { upstream, upstreamModel }: Recipient,
  omissions: Omissions,
): Either.Either<Prepared, InvalidRequest> => {
  const { body } = request
  const fills = fillsOf(body, upstream.extraBody, notFilled)
  const said = (name: string): Json => body[name] ?? fills[name] ?? null
  const stop = withStop(said("stop_sequences"), upstream.stop)
  if (Either.isLeft(stop)) return Either.left(stop.left)
  const limit = withCap(said("max_tokens"), upstream.maxTokens)
  if (Either.isLeft(limit)) return Either.left(limit.left)

  const edits: Edits = new Map()
  fill(edits, fills)
  if (upstreamModel !== body["model"]) edits.set("model", JSON.stringify(upstreamModel))
  if (stop.right !== said("stop_sequences")) edits.set("stop_sequences", JSON.stringify(stop.right))
  const isCapped = limit.right !== said("max_tokens")
  if (isCapped) edits.set("max_tokens", JSON.stringify(limit.right))
  const own = messagesFor(request, upstream.name, omissions)
  return Either.right(
    withOwnMessages(request, own, edits, said("thinking"), isCapped ? limit.right : undefined),
  )
}

const thoughtsHeld: Additions = { ...nothingAdded, thoughts: true }

/**
 * The body with these edits, and with these messages.
 *
 * @param asked what is asked of thinking
 * @param cap a limit of tokens that was set
 */
export const withOwnMessages = (
  request: MessagesRequest,
  { dropped = [], holdsThoughts, losesThread, text }: OwnMessages,
  edits: Edits,
  asked: Json,
  cap: Json | undefined,
): Prepared => {
  if (text !== undefined) edits.set("messages", text)
  const thinking = thinkingFor(asked, cap, losesThread)
  if (thinking !== asked) edits.set("thinking", JSON.stringify(thinking))
  if (thinking === noThinking) clearNoThinking(request, edits)
  const left = thinking === noThinking ? [...dropped, "thinking"] : dropped
  const prepared = edited(request, edits, holdsThoughts ? thoughtsHeld : nothingAdded)
  return left.length === 0 ? prepared : { ...prepared, dropped: left }
}

/** A message of the model with which the request ends is what its answer begins within. */
const endsInOwnMessage: ResumableInput["unresumable"] = ({ messages }) => {
  const last = messages !== undefined && isJsonArray(messages) ? messages.at(-1) : undefined
  if (last === undefined || !isJsonObject(last)) return "unreadable"
  return last["role"] === "assistant" ? "own_prefill" : undefined
}

const input: ResumableInput = {
  member: "messages",
  neverResumable,
  unresumable: endsInOwnMessage,
  withSaid: (messages, text, message) =>
    `${messages.slice(0, -1)},${JSON.stringify({ role: "assistant", content: text, ...message })}]`,
}

/** Never shown: only targets that have a body are asked to resume. */
const cannotResume = (): InvalidRequest =>
  new InvalidRequest({ message: "This target cannot resume the answer.", param: null })

/** The body that asks a target to resume an answer of which this text was said. */
export const bodyToResumeFor = (
  request: MessagesRequest,
  target: Recipient,
  omissions: Omissions,
  said: string,
): Either.Either<Prepared, InvalidRequest> =>
  Either.flatMap(prepare(request, target, omissions), (prepared) => {
    const { resume } = target.upstream
    if (resume === undefined) return Either.left(cannotResume())
    return Either.mapBoth(bodyToResume(input, prepared.body, said, resume), {
      onLeft: cannotResume,
      onRight: (body) => ({ ...prepared, body, asItCame: false }),
    })
  })
