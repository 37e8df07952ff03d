import { describe, expect, it } from "vitest"
import { lastWords } from "../../src/runtime/Uncaught.ts"

const failing = (): unknown => {
  try {
    throw new TypeError("x is not\na function")
  } catch (error) {
    return error
  }
}

describe("What is said of what nobody caught", () => {
  it("is one line: the error, and the functions it went through", () => {
    const words = lastWords(failing())
    expect(words).toMatch(/^sluice: fatal: TypeError: x is not a function at failing \(\d+:\d+\) < .*\d+:\d+/)
    expect(words).not.toContain("\n")
    expect(words).not.toContain("file:")
  })

  it("is short, whatever was thrown", () => {
    const deep = new Error("e".repeat(100_000))
    deep.stack = `Error\n${"    at f (file:///work/dist/sluice.js:1:2)\n".repeat(10_000)}`
    for (const thrown of [deep, "a".repeat(100_000), { a: { b: "c".repeat(10_000) } }, undefined, null]) {
      expect(lastWords(thrown).length).toBeLessThan(1_500)
    }
  })
})
