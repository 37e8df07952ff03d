import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { modelNames } from "../../src/routing/ModelNames.ts"
import { makeRoutingTable } from "../../src/routing/Route.ts"
import { containing, exactly, makeUpstream, modelArb, upstreamsArb } from "../support/arbitraries.ts"

describe("What metrics call a model", () => {
  it("is its name where the configuration has it, else the first keyword that admits it, else other", () => {
    const table = makeRoutingTable([
      makeUpstream({ name: "a", match: containing("4o", "gpt") }),
      makeUpstream({ name: "b", match: exactly("gpt-4o", "claude") }),
    ])
    const named = modelNames(table, ["gpt-5"])
    const names = {
      claude: "claude",
      "gpt-4o": "gpt-4o",
      "gpt-4": "gpt",
      "x-4o-gpt": "4o",
      "gpt-5": "gpt-5",
      llama: "other",
    }
    for (const [asked, name] of Object.entries(names)) {
      expect([asked, named(asked)]).toEqual([asked, name])
      expect([asked, named(asked)]).toEqual([asked, name])
    }
  })

  it("law: is a name of the configuration or other, whatever is asked", () => {
    fc.assert(
      fc.property(upstreamsArb(), fc.array(modelArb), fc.array(fc.string()), (upstreams, models, told) => {
        const named = modelNames(makeRoutingTable(upstreams), told)
        const names = new Set([...told, ...upstreams.flatMap(({ match }) => match.values), "other"])
        for (const model of models) expect(names.has(named(model))).toBe(true)
      }),
    )
  })
})
