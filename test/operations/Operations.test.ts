/** The table of operations: what holds for every row, and that all that is said of them elsewhere is made of it. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { allOperations, operationCalled, operations } from "../../src/operations/Operations.ts"
import { servedPathOf } from "../../src/operations/paths/Endings.ts"
import { meantPath } from "../../src/operations/paths/MeantPath.ts"
import { deploymentIn } from "../../src/operations/paths/NamedPath.ts"
import { servedPaths } from "../../src/operations/paths/ServedPaths.ts"
import { spellingsOf, toldAs } from "../../src/operations/paths/Spellings.ts"
import { jsonOperations, samples } from "../support/OperationSamples.ts"

describe("the table of operations", () => {
  it("has each row under its name, and no name or path twice, however it is spelled", () => {
    for (const [name, operation] of Object.entries(operations)) expect(operation.name).toBe(name)
    const spelled = allOperations.flatMap(({ paths }) => paths.flatMap(spellingsOf))
    expect(new Set(spelled).size).toBe(spelled.length)
  })

  it.each(allOperations)("$name is found by its name and by all that leads to it", (operation) => {
    const { name, paths } = operation
    expect(operationCalled(name)).toBe(operation)
    expect(servedPaths).toContain(toldAs(paths[0]))
    for (const path of paths.filter((one) => !one.startsWith("//"))) {
      expect(servedPathOf(`https://api.example/v1${path}`)).toBe(path)
      expect(meantPath(`/api/v1${path}`)).toBe(`/v1${path}`)
      expect(deploymentIn(`/openai/deployments/d${path}`)).toEqual({ operation, name: "d" })
    }
  })

  it("knows no other", () => {
    for (const name of ["", "models", "toString", "__proto__"]) expect(operationCalled(name)).toBeUndefined()
  })

  it.each(jsonOperations)(
    "$name takes its model from the path of a deployment, whatever its body says",
    (operation) => {
      const body = { ...samples[operation.name].request, model: 5 }
      const asked = operation.decode(new TextEncoder().encode(JSON.stringify(body)), { deployment: "d" })
      expect(Either.getOrThrow(asked).facts.model).toBe("d")
    },
  )

  it.each(jsonOperations)(
    "$name decides by the model, and by nothing it reads in two ways",
    ({ decidedBy, decode }) => {
      expect(decidedBy.get("model")?.name).toBe("model")
      for (const { name } of decidedBy.values()) {
        const twice = decode(new TextEncoder().encode(`{"model":"m","${name}":1,"${name}":2}`), {})
        expect(Either.isLeft(twice) && twice.left.param).toMatch(name === "model" ? "model" : name)
      }
    },
  )
})
