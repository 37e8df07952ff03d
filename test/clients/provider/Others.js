/** What the fake provider answers but for conversations, by the end of the path: bodies that are JSON, bytes, and what came in forms. */
import { text } from "./Said.js"

/** The vector of every text: numbers that a float of 32 bits has exactly. */
export const vector = [0.25, -1, 3.5]

/** The bytes of what is spoken and drawn. */
export const bytes = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7) % 256))

const base64 = Buffer.from(Float32Array.from(vector).buffer).toString("base64")

const image = { created: 1_700_000_000, data: [{ b64_json: bytes.toString("base64") }] }

const tokens = { input_tokens: 3, output_tokens: 4, total_tokens: 7 }

export const others = {
  embeddings: ({ encoding_format, input, model }) => ({
    object: "list",
    data: [input].flat().map((_, index) => ({
      object: "embedding",
      index,
      embedding: encoding_format === "base64" ? base64 : vector,
    })),
    model,
    usage: { prompt_tokens: 3, total_tokens: 3 },
  }),
  moderations: ({ input, model = "omni-moderation-latest" }) => ({
    id: "modr-1",
    model,
    results: [input].flat().map(() => ({
      flagged: true,
      categories: { violence: true },
      category_scores: { violence: 0.86 },
      category_applied_input_types: { violence: ["text"] },
    })),
  }),
  rerank: ({ documents }) => ({
    id: "rerank-1",
    results: documents.map((_, at) => ({ index: documents.length - 1 - at, relevance_score: 1 / (at + 1) })),
    meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
  }),
  "images/generations": () => ({
    ...image,
    usage: { ...tokens, input_tokens_details: { text_tokens: 3, image_tokens: 0 } },
  }),
  "images/edits": () => image,
  "images/variations": () => image,
  "audio/transcriptions": () => ({ text, usage: { type: "tokens", ...tokens } }),
  "audio/translations": () => ({ text }),
  "messages/count_tokens": () => ({ input_tokens: 12 }),
  "responses/input_tokens": () => ({ object: "response.input_tokens", input_tokens: 12 }),
  "responses/compact": () => ({
    id: "resp_compact",
    object: "response.compaction",
    created_at: 1_700_000_000,
    output: [{ id: "cmp_1", type: "compaction", encrypted_content: "gAAAA" }],
    usage: {
      ...tokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    },
  }),
}

/** What is streamed but for conversations. */
export const streamed = {
  "audio/transcriptions": [
    { type: "transcript.text.delta", delta: text },
    { type: "transcript.text.done", text, usage: { type: "tokens", ...tokens } },
  ],
  "audio/speech": [
    { type: "speech.audio.delta", audio: bytes.toString("base64") },
    { type: "speech.audio.done", usage: tokens },
  ],
  "images/generations": [
    { type: "image_generation.partial_image", b64_json: bytes.toString("base64"), partial_image_index: 0 },
    { type: "image_generation.completed", b64_json: bytes.toString("base64"), usage: tokens },
  ],
  "images/edits": [{ type: "image_edit.completed", b64_json: bytes.toString("base64"), usage: tokens }],
}
