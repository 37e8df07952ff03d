/** A list of models as Anthropic's clients read it: page by page. */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors/RequestErrors.ts"
import type { Model } from "../routing/ModelList.ts"
import type { JsonObject } from "../wire/Json.ts"

const defaultLimit = 20
const largestLimit = 1_000

/** A model of which nobody says when it was made. */
const unknownDate = "1970-01-01T00:00:00Z"

const dateOf = (seconds: number): string =>
  seconds > 0 && seconds < 1e11 ? new Date(seconds * 1000).toISOString().replace(".000Z", "Z") : unknownDate

/** One model, with what others say of how much it takes. */
export const anthropicModel = ({
  created,
  id,
  name,
  object: _,
  owned_by: __,
  ...more
}: Model): JsonObject => ({
  type: "model",
  id,
  display_name: typeof name === "string" && name !== "" ? name : id,
  created_at: dateOf(created),
  ...more,
})

const invalid = (param: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ param, message: `${param}: ${message}` }))

const limitIn = (query: URLSearchParams): number | undefined => {
  const said = query.get("limit")
  if (said === null) return defaultLimit
  const limit = /^\d{1,4}$/.test(said) ? Number(said) : 0
  return limit >= 1 && limit <= largestLimit ? limit : undefined
}

/** The page of these models that a query asks for: the first, the one behind `after_id`, or the one before `before_id`. */
export const modelPage = (
  models: ReadonlyArray<Model>,
  query: URLSearchParams,
): Either.Either<JsonObject, InvalidRequest> => {
  const limit = limitIn(query)
  if (limit === undefined) return invalid("limit", `Input should be a whole number from 1 to ${largestLimit}`)
  const [after, before] = [query.get("after_id"), query.get("before_id")]
  const placeOf = (id: string): number => models.findIndex((model) => model.id === id)
  const start = after === null ? 0 : placeOf(after) + 1
  const end = before === null ? models.length : placeOf(before)
  if (after !== null && start === 0) return invalid("after_id", "no model of this list has this id")
  if (end === -1) return invalid("before_id", "no model of this list has this id")
  const between = models.slice(start, end)
  const page = before !== null && after === null ? between.slice(-limit) : between.slice(0, limit)
  return Either.right({
    data: page.map(anthropicModel),
    has_more: page.length < between.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  })
}
