/** What a client's models take of requests that are translated for it, where that is not what is known of models by their names. */
import * as Schema from "effect/Schema"
import {
  allEfforts,
  reasoningHistories,
  takenWhen,
  thinkingForms,
  thinksWhen,
} from "../../routing/ModelAbilities.ts"
import { optional } from "./Keys.ts"
import { longestTimer, whole } from "./Values.ts"

const taken = Schema.Literal(...takenWhen)

const efforts = Schema.Array(Schema.Literal(...allEfforts)).annotations({ title: "a list of efforts" })

export const Abilities = Schema.Struct({
  sampling: optional(taken, {
    description: "Whether the models take `temperature`, `top_p` and `top_k`.",
    examples: ["never"],
  }),
  top_k: optional(Schema.Boolean, {
    description:
      "Whether the models take `top_k` in chat, as vLLM's and others' do. OpenAI refuses it. Several presets say so.",
    examples: [true],
  }),
  thinking: optional(Schema.Literal(...thinkingForms), {
    description:
      "How Sluice asks for reasoning in messages: by a `budget` of tokens, `adaptive` with an effort, or not at all (`none`).",
    examples: ["adaptive"],
  }),
  thinks: optional(Schema.Literal(...thinksWhen), {
    description: "When the models reason: `when_asked`, `by_default` (they can be told not to), or `always`.",
    examples: ["always"],
  }),
  efforts: optional(efforts, {
    description:
      "The efforts that the models know, from the least to the most; Sluice sends the nearest to the one asked for. `[]`: the models take none. Absent, and not known: in messages none, in the other dialects any as it came.",
    examples: [["low", "medium", "high"]],
  }),
  prefill: optional(Schema.Boolean, {
    description: "Whether the models go on from a last message of their own.",
    examples: [false],
  }),
  forced_tools: optional(taken, {
    description: "Whether the models can be made to call a tool (`tool_choice`).",
    examples: ["while_not_thinking"],
  }),
  free_form_tools: optional(Schema.Boolean, {
    description:
      "Whether the models know tools that take any text (`custom`). `false`: Sluice sends each as a function of one text, and turns its calls back.",
    examples: [true],
  }),
  schemas: optional(Schema.Boolean, {
    description:
      "Whether the models answer by a JSON Schema in messages (`output_config.format`), and call tools strictly by theirs.",
    examples: [true],
  }),
  later_instructions: optional(Schema.Boolean, {
    description:
      "Whether the models take instructions later than at the beginning in messages. `false`: Sluice sends them as a turn of the user.",
    examples: [true],
  }),
  most_stops: optional(whole(0, 1000), {
    description:
      "How many stop words the models take in chat. Sluice sends the first ones, and tells of the others. `0`: the models take none.",
    examples: [4],
  }),
  max_output: optional(whole(1, longestTimer), {
    description:
      "The tokens of an answer at most. Sluice asks in messages for as many where the caller does not say how many.",
    examples: [64_000],
  }),
  reasoning_history: optional(Schema.Literal(...reasoningHistories), {
    description:
      "What of their earlier reasoning the models are sent in chat (`reasoning_content`): nothing (`none`), what they thought since the user spoke last (`tool_loop`), or `all` of it.",
    examples: ["tool_loop"],
  }),
}).pipe(
  Schema.rename({
    forced_tools: "forcedTools",
    free_form_tools: "freeFormTools",
    later_instructions: "laterInstructions",
    max_output: "maxOutput",
    most_stops: "mostStops",
    reasoning_history: "reasoningHistory",
    top_k: "topK",
  }),
)
