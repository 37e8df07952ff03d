/** The requests of this process that are under way, for whoever looks. Each costs a place in a roster; nothing is told of it until somebody asks. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { RecordDraft } from "../audit/record/RecordDraft.ts"
import { type Listed, Roster } from "./Roster.ts"

/** A request under way. */
interface Active extends Listed {
  readonly draft: RecordDraft
}

export class ActiveRequests extends Context.Tag("sluice/ActiveRequests")<
  ActiveRequests,
  {
    readonly begin: (one: Active) => void
    readonly end: (one: Active) => void
    /** As they are now, in no order. To be looked at, and not to be kept: they hold what they were asked. */
    readonly all: () => ReadonlyArray<RecordDraft>
  }
>() {}

export const layer: Layer.Layer<ActiveRequests> = Layer.sync(ActiveRequests, () => {
  const roster = new Roster<Active>()
  return ActiveRequests.of({
    begin: (one) => roster.add(one),
    end: (one) => roster.delete(one),
    all: () => roster.all.map(({ draft }) => draft),
  })
})
