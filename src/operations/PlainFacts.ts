/** What is known of a request that asks for nothing but its model, and says whether it wants a stream. */
import type { RequestFacts } from "./Operation.ts"

export const plainFacts = (model: string, stream: boolean): RequestFacts => ({
  model,
  stream,
  // Where a client cannot ask for the usage, every answer tells of it.
  includeUsage: true,
  tools: false,
  multimodal: false,
  choices: { n: undefined, prompts: 1 },
  unresumable: undefined,
  continues: undefined,
})
