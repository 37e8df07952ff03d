/** The body for a target that is asked in another dialect than the caller's: written in its own, and then prepared as one that came in it. */
import * as Either from "effect/Either"
import { withAnsweredCalls } from "../../dialects/AnsweredCalls.ts"
import type { Conversation, Turn } from "../../dialects/Conversation.ts"
import type { WrittenRequest } from "../../dialects/DialectForm.ts"
import { forms } from "../../dialects/Forms.ts"
import { abilitiesOf } from "../../dialects/KnownModels.ts"
import { type Loss, nameOf, namesOf } from "../../dialects/Loss.ts"
import { InvalidRequest, unsaidToAll } from "../../errors/RequestErrors.ts"
import type { Dialect } from "../../routing/Dialect.ts"
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import { tokenLimits } from "../../routing/Upstream.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { encodeJson } from "../../wire/JsonBytes.ts"
import { type Additions, capName, type Omissions } from "../Additions.ts"
import type { AskedRequest, Prepared, Recipient } from "../Operation.ts"
import type { ServedOperation } from "../Operations.ts"
import { conversations, translatedFrom } from "./Conversations.ts"

type Made = Either.Either<Prepared, InvalidRequest>

const refused = (message: string, param: string | null): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ message, param }))

/** Never shown: nobody is asked to resume an answer of a request that has no body for it. */
const neverResumed = refused("Its answer is never resumed.", null)

const ownBody = (
  { bodyFor, bodyToResume }: AskedRequest,
  recipient: Recipient,
  omissions: Omissions,
  said: string | undefined,
): Made =>
  said === undefined
    ? bodyFor(recipient, omissions)
    : (bodyToResume?.(recipient, omissions, said) ?? neverResumed)

/** The members of a request that answers in its dialect repeat. */
const repeatedOf = (from: Dialect, body: JsonObject): JsonObject => {
  const { repeated } = forms[from]
  return Object.fromEntries(Object.entries(body).filter(([name]) => repeated.has(name)))
}

/** What a target takes: its configuration knows better than its model's name, and a refusal of the cap's name better still. */
const abilitiesFor = ({ upstream, upstreamModel }: Recipient, omissions: Omissions): ModelAbilities => {
  const known = { ...abilitiesOf(upstreamModel), ...upstream.abilities }
  const { maxTokensMember: configured } = upstream
  const preferred = configured === "auto" ? known.capMember : configured
  return {
    ...known,
    ...(omissions.reasoning === "none" ? { efforts: ["none"] } : {}),
    capMember: capName(preferred, omissions) ?? preferred,
  }
}

/** The name under which the caller's cap is written, where chat has two for it. */
const capIn = (to: Dialect, body: JsonObject): Pick<Additions, "cap" | "isCallersCap"> | undefined => {
  const cap = to === "chat" ? tokenLimits.find((name) => body[name] !== undefined) : undefined
  return cap === undefined ? undefined : { cap, isCallersCap: true }
}

/** The members that say how much is to be thought. */
const reasoningMembers = ["reasoning_effort", "reasoning", "thinking", "output_config"] as const

/** What says the caller's wish to reason, or not to: a target may know no such member. */
const reasoningIn = (
  body: JsonObject,
  { settings }: Conversation,
): Pick<Additions, "reasoning"> | undefined => {
  const member = reasoningMembers.find((name) => body[name] !== undefined)
  return settings.reasoning === undefined || member === undefined ? undefined : { reasoning: member }
}

/** Without a word of how much is to be thought, which is told. */
const withoutReasoning = (conversation: Conversation): Conversation => {
  const { reasoning, ...settings } = conversation.settings
  if (reasoning === undefined) return conversation
  const loss: Loss = { as: reasoning.as, isEssential: false, because: "model" }
  return { ...conversation, settings, foreign: [...conversation.foreign, loss] }
}

/** Told to think nothing; a wish to think is told. */
const unthinking = (conversation: Conversation): Conversation => {
  const wish = conversation.settings.reasoning
  const { foreign, settings } = wish?.value.mode === "on" ? withoutReasoning(conversation) : conversation
  const reasoning = { value: { mode: "off" as const }, as: wish?.as ?? "reasoning" }
  return { ...conversation, settings: { ...settings, reasoning }, foreign }
}

const wishedOf = (conversation: Conversation, { reasoning }: Omissions): Conversation => {
  if (reasoning === undefined) return conversation
  return reasoning === "none" ? unthinking(conversation) : withoutReasoning(conversation)
}

const causeOf = (loss: Loss, to: Dialect, model: string): string => {
  const member = `\`${nameOf(loss)}\``
  if (loss.because === "model") return `its model ${model} does not take this ${member}`
  return loss.because === "in_part"
    ? `${to}, its dialect, cannot say this ${member}`
    : `${to}, its dialect, has no ${member}`
}

/** Why a client cannot be asked: a part of a sentence about it. */
const whyUnsaid = (loss: Loss, to: Dialect, model: string): string =>
  `${causeOf(loss, to, model)}${loss.isEssential ? "" : ", and its on_unsupported is reject"}`

const written = (
  conversation: Conversation,
  to: Dialect,
  recipient: Recipient,
  omissions: Omissions,
): Either.Either<WrittenRequest, InvalidRequest> => {
  const { upstream, upstreamModel } = recipient
  const request = forms[to].writeRequest(conversation, {
    model: upstreamModel,
    abilities: abilitiesFor(recipient, omissions),
    upstream: upstream.name,
    cacheMarks: omissions.marks === true ? "keep" : upstream.cacheMarks,
  })
  const fatal =
    upstream.onUnsupported === "reject"
      ? request.losses.find(({ keepsAnswer }) => keepsAnswer !== true)
      : request.losses.find(({ isEssential }) => isEssential)
  return fatal === undefined
    ? Either.right(request)
    : Either.left(
        unsaidToAll(
          [{ upstream: upstream.name, reason: whyUnsaid(fatal, to, upstreamModel) }],
          nameOf(fatal),
        ),
      )
}

/** As writers tell of what they leave out of it. */
const thoughts = "reasoning"

/** Without what was thought in earlier turns, whoever sealed it; as it is where nothing was. */
const withoutThoughts = (conversation: Conversation): Conversation => {
  const turns = conversation.turns.map((turn): Turn => {
    if (turn.role !== "assistant") return turn
    const parts = turn.parts.filter(({ kind }) => kind !== "reasoning")
    return parts.length === turn.parts.length ? turn : { ...turn, parts }
  })
  return turns.every((turn, at) => turn === conversation.turns[at])
    ? conversation
    : { ...conversation, turns: turns.filter(({ parts }) => parts.length > 0) }
}

/** What its callers call a result without a call, and a call without a result. */
const namesOfCalls: { readonly [D in Dialect]: Readonly<Record<"orphan" | "unanswered", string>> } = {
  chat: { orphan: "messages.tool", unanswered: "messages.tool_calls" },
  responses: { orphan: "input.function_call_output", unanswered: "input.function_call" },
  messages: { orphan: "messages.content.tool_result", unanswered: "messages.content.tool_use" },
}

/** With a result to each call and a call to each result; as it is where they have. */
const mended = (conversation: Conversation, from: Dialect): Conversation => {
  const { hadOrphans, hadUnanswered, turns } = withAnsweredCalls(conversation.turns)
  if (turns === conversation.turns) return conversation
  const { orphan, unanswered } = namesOfCalls[from]
  const changed = [...(hadOrphans ? [orphan] : []), ...(hadUnanswered ? [unanswered] : [])]
  const foreign = changed.map((as) => ({ as, isEssential: false }))
  return { ...conversation, turns, foreign: [...conversation.foreign, ...foreign] }
}

const isAsked = ({ parts }: Turn): boolean =>
  parts.some((part) =>
    part.kind === "text" ? part.text.trim() !== "" : part.kind !== "foreign" && part.kind !== "reasoning",
  )

/** A model is asked nothing that nobody asked: what there is may be blank, or what no other dialect has. */
const nothingAsked = (from: Dialect): Either.Either<never, InvalidRequest> => {
  const member = from === "responses" ? "input" : "messages"
  return refused(`\`${member}\` has nothing that a model of another dialect can be asked.`, member)
}

const translated = (
  from: Dialect,
  to: Dialect,
  body: JsonObject,
  recipient: Recipient,
  omissions: Omissions,
  said: string | undefined,
): Made =>
  Either.gen(function* () {
    const read = mended(yield* forms[from].readRequest(body), from)
    const conversation = omissions.thoughts === true ? withoutThoughts(read) : read
    const wished = wishedOf(conversation, omissions)
    const request = yield* written(wished, to, recipient, omissions)
    if (!wished.turns.some(isAsked)) return yield* nothingAsked(from)
    const bytes = encodeJson(request.body)
    if (bytes === undefined) return yield* refused("The request is nested too deep to be translated.", null)
    const { dialect: _, ...own } = recipient
    const asked = yield* conversations[to].decode(bytes, {})
    const prepared = yield* ownBody(asked, own, omissions, said)
    const losses = namesOf(request.losses)
    const unthought = conversation === read || losses.includes(thoughts) ? [] : [thoughts]
    return {
      ...prepared,
      asItCame: false,
      added: {
        ...prepared.added,
        ...capIn(to, request.body),
        ...reasoningIn(request.body, wished),
        ...(to === "chat" && request.body["tools"] !== undefined ? { toolsInChat: true } : {}),
        ...(request.hasOwnMarks === true ? { marks: true } : {}),
      },
      dropped: [...losses, ...unthought, ...(prepared.dropped ?? [])],
      translation: {
        from: to,
        to: from,
        upstream: recipient.upstream.name,
        tags: recipient.upstream.thinkingTags,
        renamed: request.renamed,
        repeated: repeatedOf(from, body),
      },
    }
  })

/**
 * The body for a target of a request that was read, in the dialect that the target is asked in.
 *
 * @param said what was said of an answer, where the target is to resume it
 */
export const preparedFor = (
  operation: ServedOperation,
  asked: AskedRequest,
  recipient: Recipient,
  omissions: Omissions,
  said: string | undefined,
): Made => {
  const from = translatedFrom(operation)
  const { dialect: to } = recipient
  const { conversation } = asked
  return to === undefined || from === undefined || to === from || conversation === undefined
    ? ownBody(asked, recipient, omissions, said)
    : translated(from, to, conversation, recipient, omissions, said)
}
