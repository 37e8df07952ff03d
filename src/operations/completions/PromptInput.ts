/** The input of a legacy completion: its prompt, one text or several, or tokens. */
import * as Either from "effect/Either"
import { leadOf } from "../InputLead.ts"
import { decidingText, type TextInput } from "../text/TextInput.ts"

export const promptInput: TextInput = {
  member: "prompt",
  decidedBy: decidingText([]),
  messagesIn: () => Either.right([]),
  affinity: ({ prompt }) => leadOf(prompt),
  neverResumable: ({ prompt }) => (typeof prompt === "string" ? undefined : "prompt_not_text"),
  unresumable: () => undefined,
  withSaid: (prompt, text) => prompt.slice(0, -1) + JSON.stringify(text).slice(1),
}
