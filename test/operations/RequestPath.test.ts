/** Which path is meant by what clients write. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { allOperations, operations } from "../../src/operations/Operations.ts"
import {
  baseUrlOf,
  deploymentIn,
  isModelPath,
  meantPath,
  modelIn,
  namedIn,
  passedQuery,
  pathOf,
  spellingsOf,
  withoutOuterSlashes,
} from "../../src/operations/RequestPath.ts"

const chat = "/v1/chat/completions"

describe("pathOf", () => {
  it.each([
    ["/v1/chat/completions", chat],
    ["/v1//chat/completions", chat],
    ["//v1/chat/completions", chat],
    ["/v1/chat///completions//", chat],
    ["/v1/chat/completions/", chat],
    ["/v1/chat/completions?beta=true", chat],
    ["/v1/chat/completions/?a=/b//c/", chat],
    ["http://gateway.test/v1/chat/completions", chat],
    ["HTTP://gateway.test:8000//v1/chat/completions/?x=1", chat],
    ["https://user:pass@[::1]:8000/v1/chat/completions", chat],
    ["/v1/ch%61t/completion%73", chat],
    ["/v1/chat%2Fcompletions", "/v1/chat%2Fcompletions"],
    ["http://gateway.test", "/"],
    ["http://gateway.test?x=/v1/models", "/"],
    ["http:///v1/models", "/v1/models"],
    ["/", "/"],
    ["///", "/"],
    ["", "/"],
    ["?x", "/"],
    ["*", "*"],
    ["/%", "/%"],
    ["/%zz%00", "/%zz%00"],
  ])("of %s is %s", (target, path) => {
    expect(pathOf(target)).toBe(path)
  })

  it("is the same however often a slash is repeated, with a query and in absolute form", () => {
    const slashes = fc.integer({ min: 1, max: 4 }).map((count) => "/".repeat(count))
    fc.assert(
      fc.property(
        fc.constantFrom(...allOperations.flatMap(({ paths }) => paths.flatMap(spellingsOf))),
        fc.array(slashes, { minLength: 8, maxLength: 8 }),
        fc.constantFrom("", "/", "//"),
        fc.constantFrom("", "?api-version=2024-10-21", "?a=//b"),
        fc.constantFrom("", "http://gateway.test", "https://gateway.test:8443"),
        (path, gaps, end, query, origin) => {
          const parts = path.slice(1).split("/")
          const spelled = parts.map((part, index) => `${gaps[index]}${part}`).join("")
          expect(pathOf(`${origin}${spelled}${end}${query}`)).toBe(path)
        },
      ),
    )
  })

  it("takes any text, and changes no path it gave", () => {
    fc.assert(
      fc.property(fc.string(), (target) => {
        const path = pathOf(`/${target}`)
        expect(path.startsWith("/")).toBe(true)
        expect(path).not.toContain("//")
        if (!/[%?#]/.test(target)) expect(pathOf(path)).toBe(path)
      }),
    )
  })
})

describe("The query that upstreams are told", () => {
  it.each([
    ["/v1/chat/completions", undefined],
    ["/v1/messages?beta=true", "beta=true"],
    ["/v1/responses/r?include=a&include=b#x", "include=a&include=b"],
    ["/openai/deployments/m/embeddings?api-version=2024-10-21", ""],
    ["/openai/deployments/m/embeddings?a=1&Api-Version=preview&b", "a=1&b"],
    ["/v1/embeddings?api-versions=1&api-version", "api-versions=1"],
    ["/v1/embeddings?a=\u{e9}", undefined],
  ])("of %s is %s", (target, query) => {
    expect(passedQuery(target)).toBe(query)
  })
})

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

describe("A deployment in a path", () => {
  it.each([
    ["/openai/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/openai/deployments/gpt-4o/completions", operations.completions, "gpt-4o"],
    ["/v1/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/v1/openai/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/openai/deployments/org/name/chat/completions", operations["chat.completions"], "org/name"],
    ["/openai/deployments/org%2Fname/chat/completions", operations["chat.completions"], "org/name"],
  ])("of %s", (path, operation, name) => {
    expect(deploymentIn(path)).toEqual({ operation, name })
  })

  it.each([
    "/openai/deployments/chat-completions",
    "/openai/deployments/completions",
    "/openai/deployments/chat/completions",
    "/openai/deployments/gpt-4o/assistants",
    "/openai/v2/deployments/gpt-4o/chat/completions",
    "/v1/chat/completions",
  ])("is not in %s", (path) => {
    expect(deploymentIn(path)).toBeUndefined()
  })
})

describe("The id of a stored response in a path", () => {
  it.each([
    ["/v1/responses/resp_1", "resp_1", ["responses.retrieve", "responses.delete"]],
    ["/responses/resp_1", "resp_1", ["responses.retrieve", "responses.delete"]],
    ["/openai/v1/responses/a%2Fb/cancel", "a/b", ["responses.cancel"]],
    ["/v1/openai/responses/input_items/input_items", "input_items", ["responses.input_items"]],
  ])("of %s", (path, id, names) => {
    const named = namedIn(path)
    expect(named?.names).toEqual({ id })
    expect(named?.operations.map(({ name }) => name)).toEqual(names)
  })

  it.each([
    "/v1/responses",
    "/v1/responses/",
    "/v1/responses/a/b",
    "/v1/responses//cancel",
    "/v2/responses/resp_1",
    "/v1/responses/resp_1/cancel/cancel",
  ])("is not in %s", (path) => {
    expect(namedIn(path)).toBeUndefined()
  })
})

describe("The path that was meant", () => {
  it.each([
    ["/v1/v1/chat/completions", "/v1/chat/completions"],
    ["/api/v1/chat/completions", "/v1/chat/completions"],
    ["/v1/chat/completions/chat/completions", "/v1/chat/completions"],
    ["/V1/Chat/Completions", "/v1/chat/completions"],
    ["/v1/chat/completions/models", "/v1/models"],
    ["/v2/completions", "/v1/completions"],
    ["/api/v1/embeddings", "/v1/embeddings"],
    ["/v1/embedding", "/v1/embeddings"],
    ["/openai/Chat/Completion", "/v1/chat/completions"],
    ["/v1/model", "/v1/models"],
    ["/v1/chat", undefined],
    ["/v1/files", undefined],
    ["/v1/assistants", undefined],
    ["/", undefined],
  ])("by %s is %s", (path, meant) => {
    expect(meantPath(path)).toBe(meant)
  })
})

describe("an address of an API", () => {
  it("gives the base URL that leads to an endpoint, and none for a page", () => {
    expect(baseUrlOf("https://api.example/v1/chat/completions")).toBe("https://api.example/v1")
    expect(baseUrlOf("https://api.example/v1/completions")).toBe("https://api.example/v1")
    expect(baseUrlOf("https://login.example/")).toBeUndefined()
    expect(baseUrlOf("/v1/chat/completions")).toBeUndefined()
  })
})
