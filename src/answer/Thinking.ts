/** Converts between the ways upstreams send reasoning: as `<think>…</think>` in the content, or beside it. ThinkTag.ts says what a tag is. */
import type { ThinkingFormat } from "../routing/Upstream.ts"
import { fromTags, give } from "./FromTags.ts"
import type { ThinkingMachine } from "./ThinkingMachine.ts"
import { defaultThinkingTags, thinkTag } from "./ThinkTag.ts"
import { toTags } from "./ToTags.ts"

/** UTF-16 code units that are held back at most, for a block that may never close or for white space before the first text. */
export const defaultMaxHeld = 1024 * 1024

/**
 * The machine of a thinking format, for one choice. An empty piece gives nothing.
 *
 * - `strip` removes blocks from the content, and the white space around a block that opened it; reasoning pieces pass.
 * - `reasoning`, `reasoning_content` do the same, and give a block's inner text out as reasoning. (They differ in what the member
 *   is called on the wire, which is not known here.)
 * - `think_tag` writes reasoning pieces into the content as blocks.
 *
 * White space before the first text is held back, since it goes if a block follows; so are the beginning of a tag and a later
 * block until it closes. A later block of more than `maxHeld` code units, tags counted, is text up to that length and read on from
 * there; white space of more than `maxHeld` before the first text is text.
 *
 * `tags` are the names of tags that are read; `think_tag` writes the first.
 */
export const thinking = (
  format: Exclude<ThinkingFormat, "passthrough">,
  { maxHeld = defaultMaxHeld, tags: names = defaultThinkingTags }: ThinkingOptions = {},
): ThinkingMachine => {
  const tags = names.map(thinkTag)
  switch (format) {
    case "strip":
      return fromTags({ tags, take: () => {}, maxHeld })
    case "reasoning":
    case "reasoning_content":
      return fromTags({ tags, take: (outputs, inner) => give(outputs, "reasoning", inner), maxHeld })
    case "think_tag":
      return toTags(tags[0] ?? thinkTag(defaultThinkingTags[0]))
  }
}

export interface ThinkingOptions {
  readonly tags?: ReadonlyArray<string>
  /** At least the length of a tag. */
  readonly maxHeld?: number
}

/** A whole text without its thinking: what `strip` gives of an answer of this text, however long a block is. */
export const withoutThinking = (text: string, tags: ReadonlyArray<string>): string => {
  if (!text.includes("<")) return text
  const strip = thinking("strip", { tags, maxHeld: Number.POSITIVE_INFINITY })
  const [state, pieces] = strip.step(strip.initial, { field: "content", text })
  return [...pieces, ...strip.halt(state)].map((piece) => piece.text).join("")
}
