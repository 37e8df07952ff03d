import { describe, expect, it } from "vitest"
import { errorData, errorEvent } from "../../src/domain/StreamError.ts"
import { bytesOf } from "../support/answers.ts"
import { finishChunk, textChunk } from "../support/Wire.ts"

const eventOf = (value: unknown, event?: string) => errorEvent({ data: bytesOf(value), event })

const shape = { type: "upstream_error", param: null, code: null }

describe("errorEvent", () => {
  it("knows the shapes errors come in", () => {
    const boom = { ...shape, message: "boom" }
    expect(eventOf({ error: { message: "boom" } })).toEqual(boom)
    expect(eventOf({ error: "boom" })).toEqual(boom)
    expect(eventOf({ error: { message: "boom", type: "rate_limit", code: 429, param: "n" } })).toEqual({
      message: "boom",
      type: "rate_limit",
      param: "n",
      code: "429",
    })
    expect(eventOf({ object: "error", message: "boom", type: "BadRequestError", code: 400 })).toMatchObject({
      message: "boom",
      type: "BadRequestError",
      code: "400",
    })
    expect(eventOf({ type: "error", error: { type: "overloaded_error", message: "boom" } })).toMatchObject({
      message: "boom",
      type: "overloaded_error",
    })
  })

  it("says something even where the upstream says nothing", () => {
    for (const error of [{}, [], true, { message: "" }, { message: { deep: 1 } }]) {
      expect(eventOf({ error })?.message).toMatch(/upstream/)
    }
  })

  it("keeps further members of the upstream's error", () => {
    expect(eventOf({ error: { message: "boom", metadata: { provider: "x" } } })).toMatchObject({
      metadata: { provider: "x" },
    })
  })

  it("takes every event named error for one", () => {
    expect(eventOf({ message: "boom" }, "error")?.message).toBe("boom")
    expect(errorEvent({ data: new TextEncoder().encode("plain words"), event: "error" })?.message).toBe(
      "plain words",
    )
    expect(
      errorEvent({ data: new TextEncoder().encode("x".repeat(100_000)), event: "error" })?.message.length,
    ).toBe(1000)
  })

  it("takes chunks, nulls and talk of errors for none", () => {
    for (const value of [
      textChunk('an "error" of mine: {"error": 1}'),
      finishChunk("error"),
      { ...textChunk("a"), error: null },
      { error: "" },
      { error: false },
      ["error"],
      "error",
    ]) {
      expect(eventOf(value)).toBeUndefined()
    }
    expect(errorEvent({ data: new TextEncoder().encode('{"error": cut'), event: undefined })).toBeUndefined()
  })
})

describe("errorData", () => {
  it("is an OpenAI error body", () => {
    const data = errorData({ ...shape, message: "boom" })
    expect(new TextDecoder().decode(data)).toBe(
      '{"error":{"type":"upstream_error","param":null,"code":null,"message":"boom"}}',
    )
  })

  it("leaves out members that are nested too deep to be printed", () => {
    const depth = 200_000
    const text = `{"error":{"message":"boom","deep":${"[".repeat(depth)}${"]".repeat(depth)}}}`
    const error = errorEvent({ data: new TextEncoder().encode(text), event: undefined })
    if (error !== undefined) {
      expect(JSON.parse(new TextDecoder().decode(errorData(error)))).toEqual({
        error: { ...shape, message: "boom" },
      })
    }
    expect(error).toBeDefined()
  })
})
