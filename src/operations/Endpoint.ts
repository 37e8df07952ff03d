/** The table of proxied operations. Adding one is a row here (and a schema where its answers differ in shape). */
import type { AnswerShape } from "../answer/AnswerShape.ts"
import { chatShape } from "./chat/ChatShape.ts"
import { textShape } from "./completions/TextShape.ts"
import { type Deciding, deciding } from "./OneReading.ts"

export interface Endpoint {
  /** As the audit calls it. */
  readonly name: "chat.completions" | "completions"
  /** Below `/v1` towards clients, below `base_url` towards upstreams. */
  readonly path: "/chat/completions" | "/completions"
  /** The member that must be there, beside `model`. */
  readonly input: "messages" | "prompt"
  /** How its answers are shaped. */
  readonly shape: AnswerShape
  /** All members of a request that anything is decided by, here or on its way back. */
  readonly decidedBy: Deciding
}

/** Of every operation that asks for a completion: routing, caps, stop words, the form of the answer, and how many there are. */
const ofCompletions = [
  "model",
  "stream",
  "stream_options",
  "stop",
  "max_tokens",
  "max_completion_tokens",
  "n",
  "best_of",
  "echo",
  "prompt",
]

/** Of its members, what is decided by within them. */
const within = { stream_options: deciding(["include_usage"]) }

export const chatCompletions: Endpoint = {
  name: "chat.completions",
  path: "/chat/completions",
  input: "messages",
  shape: chatShape,
  decidedBy: deciding([...ofCompletions, "messages", "tools", "functions"], within),
}

export const completions: Endpoint = {
  name: "completions",
  path: "/completions",
  input: "prompt",
  shape: textShape,
  decidedBy: deciding([...ofCompletions, "tools", "functions"], within),
}

export const endpoints: ReadonlyArray<Endpoint> = [chatCompletions, completions]

export const endpointNamed = (name: Endpoint["name"]): Endpoint =>
  name === "completions" ? completions : chatCompletions
