/** For each operation a request and an answer, so that what holds for every operation is tested of each: one that has no row here does not compile. */
import { noForm } from "../../src/operations/multipart/FormRelay.ts"
import { allOperations, type OperationName } from "../../src/operations/Operations.ts"
import { type FormEntry, file, formOf } from "./Forms.ts"
import { saying } from "./Messages.ts"
import { chatCompletion, textCompletion } from "./Wire.ts"

export interface OperationSample {
  /** A request but for its model. */
  readonly request: Readonly<Record<string, unknown>>
  /** An object, or bytes that are no JSON. */
  readonly answer: Readonly<Record<string, unknown>> | Uint8Array
  /** What asks for a stream, and its events, where both are its own. */
  readonly streamed?: {
    readonly asked: Readonly<Record<string, unknown>>
    readonly events: ReadonlyArray<Readonly<Record<string, unknown>>>
  }
  /** What the audit has of the tokens that the answer tells of. */
  readonly tokens: { readonly input: number | undefined; readonly output: number | undefined }
  /** The files of a request that is a form; absent where it is JSON. */
  readonly files?: ReadonlyArray<FormEntry>
  /** Whether stop words, caps, prefixes and streams are of its business. */
  readonly writesText: boolean
  /** What stop words, a cap of 9 tokens and `extra_body` add, where not as they do in chats, or to what writes no text. */
  readonly bounds?: Readonly<Record<string, unknown>>
}

export const samples: { readonly [Name in OperationName]: OperationSample } = {
  "chat.completions": {
    request: { messages: [{ role: "user", content: "Hello?" }] },
    answer: chatCompletion("Hello."),
    tokens: { input: 7, output: 3 },
    writesText: true,
  },
  completions: {
    request: { prompt: "Once" },
    answer: textCompletion(" upon"),
    tokens: { input: 7, output: 3 },
    writesText: true,
  },
  messages: {
    request: { messages: [{ role: "user", content: "Hello?" }], max_tokens: 64 },
    answer: saying("Hello."),
    tokens: { input: 7, output: 3 },
    writesText: true,
    bounds: { stop_sequences: ["<|end|>"], max_tokens: 9 },
  },
  responses: {
    request: { input: "Hello?" },
    // Without an id, which would be given out as another.
    answer: {
      object: "response",
      created_at: 1_764_000_000,
      status: "completed",
      model: "gpt-x",
      output: [
        {
          type: "message",
          id: "msg_1",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", annotations: [], text: "Hello." }],
        },
      ],
      usage: { input_tokens: 7, output_tokens: 3, total_tokens: 10 },
    },
    tokens: { input: 7, output: 3 },
    writesText: true,
    bounds: { max_output_tokens: 9 },
  },
  "messages.count_tokens": {
    request: { messages: [{ role: "user", content: "Hello?" }] },
    answer: { input_tokens: 9 },
    tokens: { input: undefined, output: undefined },
    writesText: false,
    // It asks for no answer, and knows no member that changes one.
    bounds: { top_k: undefined },
  },
  "responses.compact": {
    request: { input: "Hello?" },
    // Without what is encrypted, which would be given out with a mark.
    answer: {
      object: "response.compaction",
      created_at: 1_764_000_000,
      output: [{ id: "cmp_1", type: "compaction" }],
      usage: { input_tokens: 7, output_tokens: 3, total_tokens: 10 },
    },
    tokens: { input: 7, output: 3 },
    writesText: false,
    bounds: { top_k: undefined },
  },
  "responses.input_tokens": {
    request: { input: "Hello?" },
    answer: { object: "response.input_tokens", input_tokens: 7 },
    tokens: { input: undefined, output: undefined },
    writesText: false,
    bounds: { top_k: undefined },
  },
  embeddings: {
    request: { input: ["Hello", "Good day"], encoding_format: "float" },
    answer: {
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [0.25, -1e-3] },
        { object: "embedding", index: 1, embedding: [0.5, -0.006929283495992422] },
      ],
      model: "text-embedding-3-small",
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
    tokens: { input: 8, output: undefined },
    writesText: false,
  },
  moderations: {
    request: { input: ["Hello", "Good day"] },
    answer: {
      id: "modr-1",
      model: "omni-moderation-latest",
      results: [
        {
          flagged: true,
          categories: { violence: true },
          category_scores: { violence: 0.8599265510337075 },
          category_applied_input_types: { violence: ["text"] },
        },
      ],
    },
    tokens: { input: undefined, output: undefined },
    writesText: false,
  },
  rerank: {
    request: { query: "Which is a fruit?", documents: ["a stone", "an apple"], top_n: 1 },
    answer: {
      id: "07734bd2-2473-4f07-94e1-0d9f0e6843cf",
      results: [{ index: 1, relevance_score: 0.999071 }],
      meta: {
        api_version: { version: "2" },
        billed_units: { search_units: 1 },
        tokens: { input_tokens: 21 },
      },
    },
    tokens: { input: 21, output: undefined },
    writesText: false,
  },
  score: {
    request: { queries: "Which is a fruit?", documents: ["a stone", "an apple"] },
    answer: {
      id: "score-1",
      object: "list",
      created: 1,
      model: "gpt-x",
      data: [
        { index: 0, object: "score", score: 0.001094818115234375 },
        { index: 1, object: "score", score: 0.998046875 },
      ],
      usage: { prompt_tokens: 28, total_tokens: 28, completion_tokens: 0, prompt_tokens_details: null },
    },
    tokens: { input: 28, output: 0 },
    writesText: false,
  },
  classify: {
    request: { input: ["Loved it", "Left early"] },
    answer: {
      id: "classify-1",
      object: "list",
      created: 1,
      model: "gpt-x",
      data: [
        { index: 0, label: "good", probs: [0.02, 0.98], num_classes: 2 },
        { index: 1, label: "bad", probs: [0.91, 0.09], num_classes: 2 },
      ],
      usage: { prompt_tokens: 8, total_tokens: 8, completion_tokens: 0, prompt_tokens_details: null },
    },
    tokens: { input: 8, output: 0 },
    writesText: false,
  },
  pooling: {
    request: { input: "Hello", encoding_format: "float" },
    answer: {
      id: "pool-1",
      object: "list",
      created: 1,
      model: "gpt-x",
      data: [
        {
          index: 0,
          object: "pooling",
          data: [
            [0.25, -1e-3],
            [0.5, 0.125],
          ],
        },
      ],
      usage: { prompt_tokens: 2, total_tokens: 2, completion_tokens: 0, prompt_tokens_details: null },
    },
    tokens: { input: 2, output: 0 },
    writesText: false,
  },
  tokenize: {
    request: { prompt: "Hello" },
    answer: { count: 2, max_model_len: 4096, tokens: [151644, 9707], token_strs: null },
    tokens: { input: undefined, output: undefined },
    writesText: false,
  },
  detokenize: {
    request: { tokens: [151644, 9707] },
    answer: { prompt: "Hello" },
    tokens: { input: undefined, output: undefined },
    writesText: false,
  },
  "audio.speech": {
    request: { input: "Hello.", voice: "alloy" },
    answer: Uint8Array.from({ length: 3_000 }, (_, at) => (at * 7) % 256),
    streamed: {
      asked: { stream_format: "sse" },
      events: [
        { type: "speech.audio.delta", audio: "SUQz" },
        { type: "speech.audio.done", usage: { input_tokens: 4, output_tokens: 9, total_tokens: 13 } },
      ],
    },
    tokens: { input: undefined, output: undefined },
    writesText: false,
  },
  "images.generations": {
    request: { prompt: "A lighthouse." },
    answer: {
      created: 1,
      data: [{ b64_json: `iVBORw0KGgo${"A".repeat(200)}`, revised_prompt: "A lighthouse at night." }],
      usage: {
        input_tokens: 4,
        output_tokens: 272,
        total_tokens: 276,
        input_tokens_details: { text_tokens: 4 },
      },
    },
    tokens: { input: 4, output: 272 },
    writesText: false,
  },
  "audio.transcriptions": {
    request: { response_format: "json", language: "en" },
    files: [["file", file("speech.mp3", "audio/mpeg")]],
    answer: {
      text: "Hello.",
      usage: {
        type: "tokens",
        input_tokens: 14,
        input_token_details: { text_tokens: 0, audio_tokens: 14 },
        output_tokens: 4,
        total_tokens: 18,
      },
    },
    tokens: { input: 14, output: 4 },
    writesText: false,
  },
  "audio.translations": {
    request: { prompt: "A greeting" },
    files: [["file", file("speech.mp3", "audio/mpeg")]],
    answer: { text: "Hello." },
    tokens: { input: undefined, output: undefined },
    writesText: false,
  },
  "images.edits": {
    request: { prompt: "A hat on both" },
    files: [
      ["image[]", file("one.png", "image/png")],
      ["image[]", file("two.png", "image/png")],
      ["mask", file("mask.png", "image/png")],
    ],
    answer: {
      created: 1,
      data: [{ b64_json: "iVBORw0KGgo=" }],
      usage: { input_tokens: 50, output_tokens: 272, total_tokens: 322 },
    },
    tokens: { input: 50, output: 272 },
    writesText: false,
  },
  "images.variations": {
    request: { n: "2" },
    files: [["image", file("one.png", "image/png")]],
    answer: { created: 1, data: [{ url: "https://images.example/1" }, { url: "https://images.example/2" }] },
    tokens: { input: undefined, output: undefined },
    writesText: false,
  },
}

/** Operations that take JSON. */
export const jsonOperations = allOperations.filter(({ decode }) => decode !== noForm)

/** A body of an operation with these members: a form with its files before the fields, as OpenAI's packages write them, or JSON. */
export const sampleBody = (
  name: OperationName,
  members: Readonly<Record<string, unknown>>,
): { readonly type: string; readonly bytes: Buffer } => {
  const { files } = samples[name]
  if (files === undefined) return { type: "application/json", bytes: Buffer.from(JSON.stringify(members)) }
  const fields = Object.entries(members).filter(([, value]) => value !== undefined)
  return formOf([...files, ...fields.map(([field, value]) => [field, String(value)] as const)])
}

/** A sample's answer as an upstream gives it. */
export const givenOf = ({ answer }: OperationSample) =>
  answer instanceof Uint8Array
    ? { headers: { "content-type": "audio/mpeg" }, whole: Buffer.from(answer) }
    : { headers: { "content-type": "application/json" }, whole: Buffer.from(JSON.stringify(answer)) }
