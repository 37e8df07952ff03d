/** How the answers of legacy completions are shaped: a choice is its text, in an answer as in a chunk. */
import type { AnswerShape } from "../../answer/AnswerShape.ts"
import { joinMembers, objectOf } from "../../answer/transcript/Transcript.ts"
import { objectText } from "../../wire/JsonText.ts"

const place = { holder: undefined, content: "text" } as const

const cutChoice: AnswerShape["cutChoice"] = (index, members) => {
  const text = members.get("text")
  if (text === undefined) return undefined
  const rest = [...members].filter(([name]) => name !== "index" && name !== "text")
  const logprobs = rest.filter(([name]) => name === "logprobs")
  const last = rest.filter(([name]) => name !== "logprobs")
  return [
    objectText([["index", index], ["text", text], ...logprobs, ["finish_reason", "null"]]),
    objectText([["index", index], ["text", '""'], ...last]),
  ]
}

export const completionShape: AnswerShape = {
  inAnswer: place,
  inChunk: place,
  isTurn: false,
  answerObject: "text_completion",
  chunkObject: "text_completion",
  cutChoice,
  joinChoice: (chunks) => objectOf([["text", ""], ...Object.entries(joinMembers(chunks))]),
}
