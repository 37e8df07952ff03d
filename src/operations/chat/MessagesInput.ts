/** The input of a chat: its messages. */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { invalid } from "../JsonRequest.ts"
import { textOf } from "../text/Messages.ts"
import { decidingText, type TextInput } from "../text/TextInput.ts"

/** The messages of a conversation, which has at least one. */
export const messagesOf = (
  messages: Json | undefined,
): Either.Either<ReadonlyArray<JsonObject>, InvalidRequest> => {
  if (messages === undefined) return invalid("messages", "`messages` is missing.")
  if (!isJsonArray(messages)) return invalid("messages", "`messages` must be an array.")
  if (messages.length === 0) return invalid("messages", "`messages` is empty; at least one is needed.")
  const objects = messages.filter(isJsonObject)
  if (objects.length === messages.length) return Either.right(objects)
  const index = messages.findIndex((message) => !isJsonObject(message))
  return invalid(`messages[${index}]`, `\`messages[${index}]\` must be an object.`)
}

/** Instructions and the first user message count with this many UTF-16 units each: a long shared prompt must not drown out the user. */
const leadingLength = 4_096

const instructionRoles: ReadonlySet<Json | undefined> = new Set(["system", "developer"])

/** How many messages lead: through the first user message, else through the first that is no instruction. */
const leadingCount = (messages: ReadonlyArray<JsonObject>): number => {
  const user = messages.findIndex((message) => message["role"] === "user")
  if (user !== -1) return user + 1
  const turn = messages.findIndex((message) => !instructionRoles.has(message["role"]))
  return turn === -1 ? messages.length : turn + 1
}

/**
 * What the conversation begins with, for routing it to the upstream that has it in its prefix cache: everything up to and
 * including the first user message, each side bounded. It stays the same when later turns are added.
 */
const leadOf = (messages: ReadonlyArray<JsonObject>): string => {
  const count = leadingCount(messages)
  const before: Array<string> = []
  let length = 0
  for (const message of messages.slice(0, count - 1)) {
    if (length >= leadingLength) break
    const text = textOf(message["content"])
    before.push(text)
    length += text.length
  }
  const last = textOf(messages[count - 1]?.["content"])
  return `${before.join("\n").slice(0, leadingLength)}\n${last.slice(0, leadingLength)}`
}

/** A message of the model with which the request ends is what its answer begins within, perhaps. */
const endsInOwnMessage = ({ messages }: JsonObject): "unreadable" | "own_prefill" | undefined => {
  const last = messages !== undefined && isJsonArray(messages) ? messages.at(-1) : undefined
  if (!isJsonObject(last)) return "unreadable"
  return last["role"] === "assistant" ? "own_prefill" : undefined
}

export const messagesInput: TextInput = {
  member: "messages",
  decidedBy: decidingText(["messages"]),
  messagesIn: ({ messages }) => messagesOf(messages),
  affinity: (_, messages) => leadOf(messages),
  neverResumable: () => undefined,
  unresumable: endsInOwnMessage,
  withSaid: (messages, text, message) =>
    `${messages.slice(0, -1)},${JSON.stringify({ role: "assistant", content: text, ...message })}]`,
}
