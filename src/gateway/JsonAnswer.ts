/** What is answered with JSON of this gateway's own. */
import type { ClientAnswer } from "./Exchange.ts"

const encoder = new TextEncoder()

/** A 200 with this value. */
export const jsonAnswer = (value: unknown): ClientAnswer & { readonly body: Uint8Array } => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: encoder.encode(JSON.stringify(value)),
})
