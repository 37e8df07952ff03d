/** What this process answers when those that serve together are asked. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Asked, FleetQuestion } from "./FleetQuestion.ts"

export class Questions extends Context.Tag("sluice/Questions")<
  Questions,
  {
    /** Has this process answer a question for as long as the scope is open. */
    readonly answer: <A>(
      question: FleetQuestion<A>,
      answer: (about: unknown) => Effect.Effect<A>,
    ) => Effect.Effect<void, never, Scope.Scope>
    /** What this process says; nothing where nobody in it answers. */
    readonly said: (asked: Asked) => Effect.Effect<Option.Option<unknown>>
  }
>() {}

export const layer: Layer.Layer<Questions> = Layer.sync(Questions, () => {
  const answers = new Map<string, (about: unknown) => Effect.Effect<unknown>>()
  return Questions.of({
    answer: ({ name }, answer) =>
      Effect.acquireRelease(
        Effect.sync(() => void answers.set(name, answer)),
        () => Effect.sync(() => answers.delete(name)),
      ),
    said: ({ about, name }) => {
      const answer = answers.get(name)
      return answer === undefined
        ? Effect.succeedNone
        : answer(about).pipe(
            Effect.asSome,
            Effect.catchAllCause((cause) =>
              Effect.as(
                Effect.logError("a question about this process was not answered", { name }, cause),
                Option.none(),
              ),
            ),
          )
    },
  })
})
