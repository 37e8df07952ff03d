/** What is asked of a stored response, and where. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { givenId } from "../../../src/answer/responses/ResponseId.ts"
import { nothingOmitted } from "../../../src/operations/Additions.ts"
import { operationsByName } from "../../../src/operations/Operations.ts"
import { storedOperations } from "../../../src/operations/responses/StoredResponses.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

const stored = Object.values(storedOperations)
const id = givenId("resp_1", "first")

describe("What is asked of a stored response", () => {
  it.each(stored)(
    "by $name stands in its target; a body that came all the same is not sent on",
    (operation) => {
      const body = new TextEncoder().encode('{"model":"m","stream":true}')
      const asked = Either.getOrThrow(operation.decode(body, { id, query: "stream=true" }))
      const streams = operation.name === "responses.retrieve"
      expect(asked.facts).toMatchObject({ model: "", stream: streams, continues: { id, param: null } })
      const target = { upstream: makeUpstream({ name: "first" }), upstreamModel: "" }
      const sent = Either.getOrThrow(asked.bodyFor(target, nothingOmitted))
      expect(sent).toMatchObject({ asItCame: false, body: new Uint8Array() })
    },
  )

  it.each(stored)("by $name is refused without an id, and by one that leads elsewhere", ({ decode }) => {
    for (const wrong of [undefined, "..", "a/b"]) {
      expect(Either.flip(decode(new Uint8Array(), { id: wrong }))).toMatchObject({ right: { param: null } })
    }
  })

  it("is asked below the path that an upstream has for responses, by the id that it gave", () => {
    const elsewhere = makeUpstream({ name: "first", paths: { responses: "/r" } })
    const other = makeUpstream({ name: "second" })
    const at = (name: keyof typeof storedOperations) => operationsByName[name].keptAt
    expect(at("responses.retrieve")?.(elsewhere, id)).toBe("/r/resp_1")
    expect(at("responses.cancel")?.(elsewhere, id)).toBe("/r/resp_1/cancel")
    expect(at("responses.input_items")?.(other, id)).toBe(`/responses/${id}/input_items`)
  })
})
