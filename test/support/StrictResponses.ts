/** A strict provider that speaks responses. */
import * as OpenAi from "./ResponseEvents.ts"
import {
  counted,
  first,
  isSame,
  object,
  objects,
  openAiError,
  openAiProblem,
  picture,
  placesBefore,
  type Speech,
  schema,
} from "./StrictSpeech.ts"

export const responses: Speech = {
  path: "/v1/responses",
  known: [
    ...["model", "input", "instructions", "stream", "tools", "tool_choice", "parallel_tool_calls"],
    ...["max_output_tokens", "reasoning", "text", "include", "store"],
  ],
  understood: (body, said) => {
    const input = objects(body["input"])
    const calls = input.filter(({ type }) => type === "function_call")
    const results = input.filter(({ type }) => type === "function_call_output")
    const seals = input.flatMap(({ encrypted_content: seal, id, type }) =>
      type === "reasoning" ? [[id, seal]] : [],
    )
    const images = input
      .flatMap(({ content }) => objects(content))
      .filter(({ type }) => type === "input_image")
    const effort = object(body["reasoning"])["effort"]
    const reasons = effort !== undefined && effort !== "none"
    return {
      problem: first([
        openAiProblem(body),
        !isSame(
          calls.map((call) => call["call_id"]),
          results.map((result) => result["call_id"]),
        ) && "calls and results do not fit together",
        reasons && !JSON.stringify(body["include"] ?? []).includes("reasoning.encrypted_content")
          ? "reasoning cannot come back"
          : undefined,
        images.some(({ image_url: url }) => url !== `data:image/png;base64,${picture}`) &&
          "a picture cannot be read",
      ]),
      seals,
      given: reasons ? placesBefore(said, results.length).map((at) => [`rs_${at}`, `enc-${at}`]) : [],
      results: results.length,
      reasons,
      isFormed: isSame(object(object(body["text"])["format"])["schema"], schema),
    }
  },
  whole: ({ calls, reasoning, text }, place, model) =>
    OpenAi.response(
      [
        ...(reasoning === ""
          ? []
          : [{ ...OpenAi.reasoning(reasoning, `rs_${place}`), encrypted_content: `enc-${place}` }]),
        ...(text === "" ? [] : [OpenAi.message(text, `msg_${place}`)]),
        ...calls.map(({ args, id, name }) => ({
          ...OpenAi.functionCall(args, `fc_${id}`),
          call_id: id,
          name,
        })),
      ],
      {
        id: `resp_${place}`,
        model,
        usage: {
          input_tokens: counted.input,
          input_tokens_details: { cached_tokens: counted.cached },
          output_tokens: counted.output,
          output_tokens_details: { reasoning_tokens: 4 },
          total_tokens: counted.input + counted.output,
        },
      },
    ),
  frames: (whole) => OpenAi.eventsOf(whole).map((event) => OpenAi.wireOf([event])),
  error: openAiError,
}
