/** What of a request the answer is translated by, where its target was asked in another dialect than the caller's. */
import type { RenamedTool } from "../../dialects/DialectForm.ts"
import type { Dialect } from "../../routing/Dialect.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { Running } from "../../wire/Machine.ts"
import type { SseEvent } from "../../wire/Sse.ts"

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

/** Events of an answer under way. */
export interface FinishingEvents extends Running<SseEvent, SseEvent> {
  /** All has been said: only counts and the end are to come, which some upstreams leave out. Then `rest` ends it. */
  readonly isFinished: boolean
}
