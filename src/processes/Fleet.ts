/** All processes that serve together, this one included: `/health` and `/metrics` speak for all of them, whichever is asked. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { FleetQuestion } from "./FleetQuestion.ts"
import { Questions } from "./Questions.ts"

export class Fleet extends Context.Tag("sluice/Fleet")<
  Fleet,
  {
    /**
     * What each of them says, those left out that cannot answer in time.
     *
     * @param about what it is about, where the answer depends on that: plain data
     */
    readonly ask: <A>(question: FleetQuestion<A>, about?: unknown) => Effect.Effect<ReadonlyArray<A>>
  }
>() {}

/** This process alone. */
export const layerAlone: Layer.Layer<Fleet, never, Questions> = Layer.effect(
  Fleet,
  Effect.map(Questions, ({ said }) => ({
    ask: ({ isAnswer, name }, about) =>
      Effect.map(said({ name, about }), (answer) => Option.toArray(answer).filter(isAnswer)),
  })),
)
