/** A list of models page by page, as Anthropic's clients read it. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { anthropicModel, modelPage } from "../../src/gateway/ModelPage.ts"
import type { Model } from "../../src/routing/ModelList.ts"
import { isJsonArray, isJsonObject, type JsonObject } from "../../src/wire/Json.ts"

const model = (id: string): Model => ({ id, object: "model", created: 0, owned_by: "a" })
const many = (count: number) => Array.from({ length: count }, (_, at) => model(`m${at}`))

const page = (models: ReadonlyArray<Model>, query: string): JsonObject =>
  Either.getOrThrow(modelPage(models, new URLSearchParams(query)))

const idsOf = ({ data }: JsonObject): ReadonlyArray<unknown> =>
  data !== undefined && isJsonArray(data) ? data.filter(isJsonObject).map(({ id }) => id) : []

describe("A page of models", () => {
  it("is of 20 unless it is said, and tells where it begins and ends", () => {
    expect(page(many(25), "")).toMatchObject({ has_more: true, first_id: "m0", last_id: "m19" })
    expect(page(many(25), "limit=1000&beta=true")).toMatchObject({ has_more: false, last_id: "m24" })
    expect(page([], "")).toEqual({ data: [], has_more: false, first_id: null, last_id: null })
  })

  it("is the one before a model, or between two", () => {
    expect(idsOf(page(many(9), "before_id=m8&limit=2"))).toEqual(["m6", "m7"])
    expect(page(many(9), "before_id=m2&limit=2")).toMatchObject({ has_more: false, first_id: "m0" })
    expect(idsOf(page(many(9), "after_id=m1&before_id=m4"))).toEqual(["m2", "m3"])
  })

  it("law: the pages behind each other are the list", () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 30 }), (count, limit) => {
        const models = many(count)
        const ids: Array<unknown> = []
        let query = `limit=${limit}`
        for (;;) {
          const one = page(models, query)
          ids.push(...idsOf(one))
          if (one["has_more"] !== true) break
          query = `limit=${limit}&after_id=${String(one["last_id"])}`
        }
        expect(ids).toEqual(models.map(({ id }) => id))
      }),
    )
  })

  it.each([
    "limit=0",
    "limit=1001",
    "limit=x",
    "limit=",
    "limit=1.5",
    "limit=0x10",
    "limit=1e2",
    "after_id=gone",
    "before_id=gone",
  ])("is refused for %s", (query) => {
    expect(Either.isLeft(modelPage(many(3), new URLSearchParams(query)))).toBe(true)
  })

  it("says of a model what is known, and that it was made in 1970 where nobody says when", () => {
    expect(anthropicModel(model("m"))).toEqual({
      type: "model",
      id: "m",
      display_name: "m",
      created_at: "1970-01-01T00:00:00Z",
    })
    expect(anthropicModel({ ...model("m"), name: "" })).toMatchObject({ display_name: "m" })
    expect(anthropicModel({ ...model("m"), created: 1_764_000_000, name: "M", context_length: 9 })).toEqual({
      type: "model",
      id: "m",
      display_name: "M",
      created_at: "2025-11-24T16:00:00Z",
      context_length: 9,
    })
  })
})
