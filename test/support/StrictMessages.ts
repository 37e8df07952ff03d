/** A strict provider that speaks messages. */
import type { JsonObject } from "../../src/wire/Json.ts"
import * as Anthropic from "./Messages.ts"
import {
  counted,
  first,
  isSame,
  object,
  objects,
  picture,
  placesBefore,
  type Speech,
  schema,
} from "./StrictSpeech.ts"
import { toolProblem } from "./StrictTools.ts"

/** Where a message of the system may not stand. */
const misplaced = (turns: ReadonlyArray<JsonObject>): string | undefined => {
  const at = turns.findIndex(
    ({ role }, place) =>
      role === "system" &&
      (turns[place - 1]?.["role"] !== "user" || (turns[place + 1]?.["role"] ?? "assistant") !== "assistant"),
  )
  return at === -1
    ? undefined
    : `messages.${at}: role 'system' must follow a 'user' message, and precede an 'assistant' message or end the array`
}

export const messages: Speech = {
  path: "/v1/messages",
  known: [
    ...["model", "messages", "system", "stream", "tools", "tool_choice", "max_tokens"],
    ...["thinking", "output_config"],
  ],
  understood: (body, said) => {
    const turns = objects(body["messages"])
    const blocks = turns.flatMap(({ content }) => objects(content))
    const ofType = (turn: JsonObject | undefined, type: string) =>
      objects(turn?.["content"]).filter((block) => block["type"] === type)
    const results = turns.flatMap((turn) => ofType(turn, "tool_result"))
    const thinking = object(body["thinking"])
    const reasons = thinking["type"] === "enabled"
    const seals = turns.flatMap((turn) => ofType(turn, "thinking")).map(({ signature }) => signature)
    return {
      problem: first([
        toolProblem(
          objects(body["tools"]).map(({ input_schema: schema, name }) => ({ name, schema })),
          128,
        ),
        misplaced(turns),
        typeof body["max_tokens"] !== "number" && "max_tokens: Field required",
        turns[0]?.["role"] !== "user" && "the first message is not the user's",
        ...turns.map((turn, at) => {
          const calls = ofType(turn, "tool_use").map(({ id }) => id)
          const next = objects(turns[at + 1]?.["content"]).slice(0, calls.length)
          return (
            !isSame(
              calls,
              next.map((block) => block["tool_use_id"]),
            ) &&
            calls.length > 0 &&
            "tool_use ids were found without tool_result blocks immediately after"
          )
        }),
        blocks.some(({ text, type }) => type === "text" && text === "") && "text blocks must be non-empty",
        blocks.some(
          ({ source, type }) =>
            type === "image" && !isSame(source, { type: "base64", media_type: "image/png", data: picture }),
        ) && "a picture cannot be read",
      ]),
      seals,
      given: reasons ? placesBefore(said, results.length).map((at) => `sig-${at}`) : [],
      results: results.length,
      reasons,
      isFormed: isSame(object(object(body["output_config"])["format"])["schema"], schema),
    }
  },
  whole: ({ calls, reasoning, text }, place, model) =>
    Anthropic.messageOf(
      [
        ...(reasoning === "" ? [] : [{ type: "thinking", thinking: reasoning, signature: `sig-${place}` }]),
        ...(text === "" ? [] : [Anthropic.textBlock(text)]),
        ...calls.map(({ args, id, name }) => ({
          type: "tool_use",
          id,
          name,
          input: object(JSON.parse(args)),
        })),
      ],
      {
        id: `msg_${place}`,
        model,
        stop_reason: calls.length === 0 ? "end_turn" : "tool_use",
        usage: {
          input_tokens: counted.input - counted.cached,
          cache_read_input_tokens: counted.cached,
          cache_creation_input_tokens: 0,
          output_tokens: counted.output,
          output_tokens_details: { thinking_tokens: 4 },
        },
      },
    ),
  frames: (whole) =>
    Anthropic.cutUp(Anthropic.eventsOf(whole), [6]).map((event) => Anthropic.framesOf([event]).toString()),
  error: (type, message) => ({ type: "error", error: { type, message } }),
}
