/** What of a request the answer is translated by, where its target was asked in another dialect than the caller's. */
import type { RenamedTool } from "../../dialects/DialectForm.ts"
import type { Dialect } from "../../routing/Dialect.ts"
import type { JsonObject } from "../../wire/Json.ts"

/** Plain values: long answers are translated in another thread. */
export interface Translation {
  /** In which the upstream answers. */
  readonly from: Dialect
  /** The caller's. */
  readonly to: Dialect
  readonly upstream: string
  /** The names of the tags in which it may tell its thinking. */
  readonly tags: ReadonlyArray<string>
  readonly renamed: ReadonlyArray<RenamedTool>
  /** What of the request its answers repeat. */
  readonly repeated: JsonObject
}
