/** Has this process answer which requests are under way in it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { ActiveRequests } from "../gateway/ActiveRequests.ts"
import type { FleetQuestion } from "../processes/FleetQuestion.ts"
import { Questions } from "../processes/Questions.ts"
import { activeOf } from "./ActiveTold.ts"
import type { ActiveReport } from "./api/ActiveReport.ts"
import { ActiveQuery } from "./api/RequestQuery.ts"

export const activeQuestion: FleetQuestion<ActiveReport> = {
  name: "active",
  isAnswer: (said): said is ActiveReport => Predicate.hasProperty(said, "requests"),
}

const isQuery = Schema.is(ActiveQuery)

export const layer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const { all } = yield* ActiveRequests
    yield* (yield* Questions).answer(activeQuestion, (about) =>
      Effect.sync(() => activeOf(all(), isQuery(about) ? about : {}, clock.unsafeCurrentTimeMillis())),
    )
  }),
)
