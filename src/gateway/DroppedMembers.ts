/** What of a request a target is not sent, noted for who is told of it. */
import * as Effect from "effect/Effect"
import type { RecordDraft } from "../audit/record/RecordDraft.ts"
import type { BodyFor } from "../upstream/Asking.ts"

/** Makes the same bodies, and notes of each what it leaves out. */
export const notingDropped =
  (bodyFor: BodyFor, draft: RecordDraft): BodyFor =>
  (target, omissions) =>
    Effect.map(bodyFor(target, omissions), (prepared) => {
      if (prepared.dropped !== undefined) draft.dropped(target.upstream.name, prepared.dropped)
      return prepared
    })
