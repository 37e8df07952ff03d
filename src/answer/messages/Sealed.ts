/**
 * What of a message its maker has sealed, and reads alone: signatures of thoughts, thoughts that are redacted, what a compaction holds beside its summary.
 * It is given out with its maker's mark.
 */
import { isMarked, marked } from "../../routing/Mark.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { holds, standsAt } from "../../wire/JsonBytes.ts"

/** Members that are sealed in whatever block, or delta of one, they stand. */
const sealedMembers = ["signature", "encrypted_content"]

/** The blocks of which all is sealed, as their `data`. */
const redacted = "redacted_thinking"

/** The sealed members of a block, or of a delta, with what they hold. */
export const sealedIn = (block: JsonObject): ReadonlyArray<readonly [name: string, sealed: string]> =>
  (block["type"] === redacted ? [...sealedMembers, "data"] : sealedMembers).flatMap((name) => {
    const value = block[name]
    return typeof value === "string" && value !== "" ? [[name, value] as const] : []
  })

/**
 * The block, or the delta, as it is given out; the very one where nothing in it is sealed.
 *
 * @param onlyAgain no more is marked than has a mark already
 */
export const withMarks = (block: JsonObject, upstream: string, onlyAgain = false): JsonObject => {
  const sealed = sealedIn(block).filter(([, value]) => !onlyAgain || isMarked(value))
  return sealed.length === 0
    ? block
    : { ...block, ...Object.fromEntries(sealed.map(([name, value]) => [name, marked(value, upstream)])) }
}

const signs = [...sealedMembers, redacted].map((name) => `"${name}"`)

/** Whether bytes may hold something that is sealed: what holds none of these words does not. */
export const maySeal = (data: Uint8Array): boolean => signs.some((sign) => holds(data, sign))

const encoder = new TextEncoder()

/** Where nearly all deltas say of what kind they are. */
const kindAt = '{"type":"content_block_delta","index":0,"delta":{"type":'.length

const plainKinds = ["text_delta", "thinking_delta", "input_json_delta"].map((kind) =>
  encoder.encode(`"${kind}"`),
)

/** Whether the data of a delta are surely of a kind of which nothing is sealed; a look at a few bytes, which each event pays for. */
export const isPlainDelta = (data: Uint8Array): boolean => {
  for (const kind of plainKinds) if (standsAt(data, kindAt, kind)) return true
  return false
}
