/**
 * Usage that was asked for by the gateway alone, taken out of what its client gets. Upstreams put other members into the chunk that reports it
 * (llama.cpp its `timings`, vLLM the `system_fingerprint`), which they would send in another one had nobody asked: these are not to be lost.
 */
import type { Json, JsonObject } from "../wire/Json.ts"
import type { TextPlace } from "./ChoiceText.ts"

/** Members that say nothing of their own in the last chunk. */
const quiet: ReadonlySet<string> = new Set([
  "id",
  "object",
  "created",
  "model",
  "choices",
  "usage",
  "obfuscation",
])

const isBlank = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)

/** Whether a chunk has members that the last one did not have, or had otherwise. */
const saysMore = (chunk: JsonObject, lastChunk: JsonObject): boolean =>
  Object.entries(chunk).some(
    ([name, value]) => !quiet.has(name) && !isBlank(value) && value !== lastChunk[name],
  )

/**
 * The chunk without its usage; `undefined` where nothing is left to say. One without choices gets one that says nothing: many clients read the first
 * choice of every chunk, and expect none without only where they asked for usage.
 */
export const withoutUsage = (
  { holder, content }: TextPlace,
  chunk: JsonObject,
  lastChunk: JsonObject,
): JsonObject | undefined => {
  const { usage: _, ...rest } = chunk
  const choices = chunk["choices"]
  if (Array.isArray(choices) && choices.length > 0) return rest
  if (!saysMore(chunk, lastChunk)) return undefined
  const silence = holder === undefined ? { [content]: "" } : { [holder]: {} }
  return { ...rest, choices: [{ index: 0, ...silence, finish_reason: null }] }
}
