/** The path of one model. */
import { describe, expect, it } from "vitest"
import { isModelPath, modelIn, withoutOuterSlashes } from "../../../src/operations/paths/ModelPath.ts"
import { pathOf } from "../../../src/operations/paths/RequestTarget.ts"

describe("A model's id in a path", () => {
  it.each([
    ["/v1/models/gpt-4o", "gpt-4o"],
    ["/models/gpt-4o?x=1", "gpt-4o"],
    ["/openai/models/gpt-4o", "gpt-4o"],
    ["//v1//models/gpt-4o", "gpt-4o"],
    ["/v1/models/org/name", "org/name"],
    ["/v1/models/org%2Fname", "org/name"],
    ["/v1/models/%2Fsrv%2Fmodels%2Fllama.gguf", "/srv/models/llama.gguf"],
    ["/v1/models//srv/models/llama.gguf", "/srv/models/llama.gguf"],
    ["/v1/models/models/x", "models/x"],
    ["http://gateway.test/v1/models/gpt%204o", "gpt 4o"],
    ["/v1/models/50%", "50%"],
  ])("of %s is %s", (target, id) => {
    expect(isModelPath(pathOf(target))).toBe(true)
    expect(modelIn(target)).toBe(id)
  })

  it.each(["/v1/models", "/v1/models/", "/v1/models//", "/v2/models/x", "/models/?x", "/"])(
    "is not in %s",
    (target) => {
      expect(isModelPath(pathOf(target))).toBe(false)
    },
  )

  it("is meant without the slashes around it", () => {
    expect(["/gpt-4o", "gpt-4o//", "//org/name/", "org//name"].map(withoutOuterSlashes)).toEqual([
      "gpt-4o",
      "gpt-4o",
      "org/name",
      "org//name",
    ])
  })
})
