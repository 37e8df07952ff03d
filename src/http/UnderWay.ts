/** A request that a server has under way, as its connection knows it. */
import type { ServerResponse } from "node:http"
import type { Unsent } from "../audit/record/RecordDraft.ts"

/** What time it is, and how much of it passed since the last look, for whoever is looked at. */
export interface Look {
  /** Epoch milliseconds. */
  readonly now: number
  /** Less than what passed where the process itself stood still. */
  readonly stepMs: number
  /** How long a client may take nothing of its answer. */
  readonly sendMs: number
  /** How long it may send nothing of its body. */
  readonly receiveMs: number
}

export interface UnderWay {
  readonly response: ServerResponse
  /** The one that came behind it on its connection. */
  behind: UnderWay | undefined
  /** Its body is still being read, or, where it is answered, thrown away. */
  readonly isHalfBegun: boolean
  readonly isStranger: boolean
  /** Ends it, and tells its client, where that can be told. */
  cut(when: string): void
  /** The last byte of its answer is out. */
  sent(): void
  /** Its connection is closed. */
  gone(unsent: Unsent): void
  /** Time has passed. */
  look(look: Look): void
}
