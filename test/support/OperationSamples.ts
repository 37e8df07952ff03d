/** For each operation a request and an answer, so that what holds for every operation is tested of each: one that has no row here does not compile. */
import type { OperationName } from "../../src/operations/Operations.ts"
import { chatCompletion, textCompletion } from "./Wire.ts"

export interface OperationSample {
  /** A request but for its model. */
  readonly request: Readonly<Record<string, unknown>>
  readonly answer: Readonly<Record<string, unknown>>
  /** What the audit has of the tokens that the answer tells of. */
  readonly tokens: { readonly input: number | undefined; readonly output: number | undefined }
  /** Whether stop words, caps, prefixes and streams are of its business. */
  readonly writesText: boolean
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
}
