import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import { forms } from "../../src/dialects/Forms.ts"
import { Losses } from "../../src/dialects/Losses.ts"
import { type Dialect, dialects } from "../../src/routing/Dialect.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { writeFor } from "./Abilities.ts"

const names = ["a", "b", "c", "d"]

const lossArb = fc.record({ as: fc.constantFrom(...names), isEssential: fc.boolean() })

const pairs = dialects.flatMap((from) => dialects.map((to) => [from, to] as const))

describe("Losses", () => {
  it("are told once each, in the order in which they were found, and are essential if they ever were", () => {
    fc.assert(
      fc.property(fc.array(lossArb), (told) => {
        const losses = new Losses()
        losses.tellAll(told)
        expect(losses.all.map(({ as }) => as)).toEqual([...new Set(told.map(({ as }) => as))])
        for (const { as, isEssential } of losses.all)
          expect(isEssential).toBe(told.some((one) => one.as === as && one.isEssential))
      }),
    )
  })

  it("may be as many as a request has members: each costs the same", () => {
    const many = 150_000
    const losses = new Losses()
    for (let at = 0; at < many; at++) losses.tell(`member_${at}`)
    expect(losses.all).toHaveLength(many)
  })
})

/** Bodies in which the same part stands where it may be left out, and then where it must not. */
const twice: { readonly [from in "chat" | "messages"]: JsonObject } = {
  chat: {
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "thing" }, { type: "text", text: "Yes" }] },
      { role: "user", content: [{ type: "thing" }, { type: "text", text: "And?" }] },
    ],
  },
  messages: {
    model: "m",
    max_tokens: 100,
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "container_upload" }, { type: "text", text: "Yes" }] },
      { role: "user", content: [{ type: "container_upload" }, { type: "text", text: "And?" }] },
    ],
  },
}

describe.each(pairs)("From %s to %s", (from, to) => {
  it.skipIf(from === "responses")(
    "what must not be missing is not forgotten for having been missed before",
    () => {
      const body = from === "responses" ? {} : twice[from]
      const read = Either.getOrThrow(forms[from].readRequest(body))
      const { losses } = forms[to].writeRequest(read, writeFor())
      expect(losses.map(({ isEssential }) => isEssential)).toEqual([true])
    },
  )
})

const assistantIn = (from: Dialect, text: JsonObject, count: number): JsonObject => ({
  model: "m",
  ...(from === "messages" ? { max_tokens: 100 } : {}),
  [from === "responses" ? "input" : "messages"]: [
    { role: "user", content: "Hi" },
    { role: "assistant", content: Array.from({ length: count }, () => text) },
  ],
})

it.each(dialects)("A message may have more parts than a call may have arguments, in %s", (dialect) => {
  const text = { type: dialect === "responses" ? "output_text" : "text", text: "a" }
  const read = forms[dialect].readRequest(assistantIn(dialect, text, 150_000))
  expect(forms[dialect].writeRequest(Either.getOrThrow(read), writeFor()).losses).toEqual([])
})
