/** The chunks of a stream, read one after the other: of those that follow a pattern only the text is read. */
import type { JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import { type ChunkPattern, mostIdlePatterns, patternOf, toldIn } from "./ChunkPattern.ts"

/** Mutable on purpose: one stream. */
export class ChunkReader {
  #pattern: ChunkPattern | undefined
  #idlePatterns = 0

  /** The chunk that data spells; `undefined` where it spells none. */
  read(data: Uint8Array): JsonObject | undefined {
    const told = this.#pattern === undefined ? undefined : toldIn(this.#pattern, data)
    if (this.#pattern === undefined || told === undefined) return this.#parse(data)
    this.#idlePatterns = 0
    return this.#pattern.chunkWith(told)
  }

  #parse(data: Uint8Array): JsonObject | undefined {
    const chunk = parseObject(data)
    if (chunk === undefined || this.#idlePatterns === mostIdlePatterns) return chunk
    const pattern = patternOf(data, chunk)
    if (pattern === undefined) return chunk
    this.#pattern = pattern
    this.#idlePatterns += 1
    return chunk
  }
}
