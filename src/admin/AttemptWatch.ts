/** Has this process count what becomes of attempts, and answer how many of the last hour went well. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { FleetQuestion } from "../processes/FleetQuestion.ts"
import { Questions } from "../processes/Questions.ts"
import { FinishedRequests } from "../telemetry/FinishedRequests.ts"
import { AttemptCounts, type AttemptsByName } from "./AttemptCounts.ts"

export const attemptsQuestion: FleetQuestion<AttemptsByName> = {
  name: "attempts",
  isAnswer: (said): said is AttemptsByName => said instanceof Map,
}

export const layer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const { snapshot } = yield* CurrentConfig
    const counts = new AttemptCounts(() => clock.unsafeCurrentTimeMillis())
    yield* (yield* FinishedRequests).hear((record) => counts.note(record))
    yield* (yield* Questions).answer(attemptsQuestion, () =>
      Effect.sync(() => counts.of(new Set(snapshot().routes.byName.keys()))),
    )
  }),
)
