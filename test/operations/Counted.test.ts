/** What answers and requests cost beside tokens, in the shapes that providers give them: a price list has no other place to find it. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { noUsage, type Usage } from "../../src/answer/Usage.ts"
import { type OperationName, operationCalled } from "../../src/operations/Operations.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import type { JsonObject } from "../../src/wire/Json.ts"

const counted: ReadonlyArray<
  readonly [who: string, name: OperationName, answer: JsonObject, usage: Partial<Usage>]
> = [
  [
    "Cohere's rerank",
    "rerank",
    { results: [], meta: { api_version: { version: "2" }, billed_units: { search_units: 3 } } },
    { searchUnits: 3 },
  ],
  [
    "Cohere's rerank with the tokens it took",
    "rerank",
    { results: [], meta: { billed_units: { search_units: 1 }, tokens: { input_tokens: 21 } } },
    { searchUnits: 1, inputTokens: 21 },
  ],
  [
    "OpenRouter's rerank",
    "rerank",
    { results: [], usage: { cost: 0.001, search_units: 1, total_tokens: 120 } },
    { searchUnits: 1, totalTokens: 120 },
  ],
  ["Jina's rerank", "rerank", { results: [], usage: { total_tokens: 15 } }, { totalTokens: 15 }],
  [
    "Cohere's embeddings, whose billed units are tokens",
    "embeddings",
    { data: [{}], meta: { billed_units: { input_tokens: 2 } } },
    { inputTokens: 2 },
  ],
  [
    "OpenAI's transcript, by the second",
    "audio.transcriptions",
    { text: "Hello.", usage: { type: "duration", seconds: 9 } },
    { audioSeconds: 9 },
  ],
  [
    "a verbose transcript of OpenAI, which rounds what it bills",
    "audio.transcriptions",
    { text: "Hello.", duration: 8.470000267028809, segments: [], usage: { type: "duration", seconds: 9 } },
    { audioSeconds: 9 },
  ],
  [
    "a verbose transcript without usage, as of Groq",
    "audio.transcriptions",
    { text: "Hello.", duration: 8.47, x_groq: { id: "req_1" } },
    { audioSeconds: 8.47 },
  ],
  [
    "a verbose translation whose duration is a text",
    "audio.translations",
    { text: "Hello.", duration: "8.47" },
    { audioSeconds: 8.47 },
  ],
  [
    "OpenAI's transcript, by the token",
    "audio.transcriptions",
    {
      text: "Hello.",
      usage: {
        type: "tokens",
        input_tokens: 14,
        input_token_details: { text_tokens: 0, audio_tokens: 14 },
        output_tokens: 45,
        total_tokens: 59,
      },
    },
    { inputTokens: 14, outputTokens: 45, totalTokens: 59, audioTokens: 14 },
  ],
  [
    "Mistral's transcript",
    "audio.transcriptions",
    {
      text: "Hello.",
      usage: { prompt_audio_seconds: 203, prompt_tokens: 4, completion_tokens: 635, total_tokens: 3264 },
    },
    { audioSeconds: 203, inputTokens: 4, outputTokens: 635, totalTokens: 3264 },
  ],
  ["a transcript with no word of it", "audio.transcriptions", { text: "Hello.", duration: "" }, {}],
  [
    "images by the token",
    "images.generations",
    {
      data: [{ b64_json: "a" }, { b64_json: "b" }],
      usage: {
        input_tokens: 50,
        input_tokens_details: { text_tokens: 10, image_tokens: 40 },
        output_tokens: 4160,
        total_tokens: 4210,
      },
    },
    { images: 2, inputTokens: 50, outputTokens: 4160, totalTokens: 4210, imageTokens: 40 },
  ],
  ["images by the piece", "images.variations", { data: [{ url: "https://a" }] }, { images: 1 }],
  ["an edited image", "images.edits", { data: [{ b64_json: "a" }] }, { images: 1 }],
  ["no image", "images.generations", { data: {} }, {}],
]

const event = (value: JsonObject) => ({
  event: undefined,
  data: new TextEncoder().encode(JSON.stringify(value)),
})

const streamed: ReadonlyArray<
  readonly [who: string, name: OperationName, events: ReadonlyArray<JsonObject>, usage: Partial<Usage>]
> = [
  [
    "a transcript by the second",
    "audio.transcriptions",
    [
      { type: "transcript.text.delta", delta: "Hello." },
      { type: "transcript.text.done", text: "Hello.", usage: { type: "duration", seconds: 4.5 } },
    ],
    { audioSeconds: 4.5 },
  ],
  [
    "two images, the parts of which count for none",
    "images.generations",
    [
      { type: "image_generation.partial_image", b64_json: "a", partial_image_index: 0 },
      { type: "image_generation.completed", b64_json: "b" },
      { type: "image_generation.completed", b64_json: "c", usage: { output_tokens: 272 } },
    ],
    { images: 2, outputTokens: 272 },
  ],
  [
    "an edited image",
    "images.edits",
    [{ type: "image_edit.completed", b64_json: "b", usage: { output_tokens: 272 } }],
    { images: 1, outputTokens: 272 },
  ],
  [
    "speech",
    "audio.speech",
    [{ type: "speech.audio.done", usage: { input_tokens: 4, output_tokens: 9, total_tokens: 13 } }],
    { inputTokens: 4, outputTokens: 9, totalTokens: 13 },
  ],
]

describe("what an answer cost is read", () => {
  it.each(counted)("of %s", (_, name, answer, usage) => {
    expect(operationCalled(name)?.plain.read(answer).usage).toEqual({ ...noUsage, ...usage })
  })

  it.each(streamed)("of a stream: %s", (_, name, events, usage) => {
    const run = operationCalled(name)?.stream?.answer({ includeUsage: true, choices: 1, secrets: noSecrets })
    for (const one of events) run?.take(event(one))
    run?.end({ kind: "ended" })
    expect(run?.summary.usage).toEqual({ ...noUsage, ...usage })
  })
})

describe("the characters of a request", () => {
  const charactersIn = (name: OperationName, body: JsonObject): number | undefined => {
    const bytes = new TextEncoder().encode(JSON.stringify({ model: "m", voice: "alloy", ...body }))
    const asked = operationCalled(name)?.decode(bytes, {})
    return asked === undefined ? undefined : Either.getOrThrow(asked).facts.characters
  }

  it.each([
    ["Hello.", 6],
    ["Grüße", 5],
    ["你好", 2],
    ["\u{1f600}!", 2],
    ["", 0],
  ])("are counted where they are to be spoken, each once: %j", (input, characters) => {
    expect(charactersIn("audio.speech", { input })).toBe(characters)
  })

  it("are unknown of what is no text, and of all that is not spoken", () => {
    expect(charactersIn("audio.speech", { input: ["Hello."] })).toBeUndefined()
    expect(charactersIn("embeddings", { input: "Hello." })).toBeUndefined()
  })
})
