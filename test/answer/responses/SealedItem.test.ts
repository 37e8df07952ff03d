/** What one client encrypted of a response goes back to it as it was, and to nobody else. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { untouched } from "../../../src/answer/ChoiceTransform.ts"
import { responsesGrammar } from "../../../src/answer/responses/ResponsesGrammar.ts"
import { nothingOmitted } from "../../../src/operations/Additions.ts"
import type { Operation } from "../../../src/operations/Operation.ts"
import { compact } from "../../../src/operations/responses/Compact.ts"
import { inputTokens } from "../../../src/operations/responses/InputTokens.ts"
import { responses } from "../../../src/operations/responses/Responses.ts"
import { storedOperations } from "../../../src/operations/responses/StoredResponses.ts"
import { makerIn, marked } from "../../../src/routing/Mark.ts"
import { Secrets } from "../../../src/secrets/Secrets.ts"
import { makeUpstream } from "../../support/arbitraries.ts"
import { eventsOf, functionCall, message, reasoning, response } from "../../support/ResponseEvents.ts"

type Members = Readonly<Record<string, unknown>>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const first = (made: string): string => marked(made, "first")

const compaction = (content: string): Members => ({
  id: "cmp_1",
  type: "compaction",
  encrypted_content: content,
})

const readers = [responses, compact, inputTokens]

const decoded = (more: Members, { decode }: Pick<Operation, "decode"> = responses) =>
  Either.getOrThrow(decode(encoder.encode(JSON.stringify({ model: "m", ...more })), {}))

/** What a client of this name is sent as input, and what it is not; or what is wrong with that. */
const sentTo = (name: string, input: ReadonlyArray<unknown>, operation?: Pick<Operation, "decode">) =>
  Either.match(
    decoded({ input }, operation).bodyFor(
      { upstream: makeUpstream({ name }), upstreamModel: "m" },
      nothingOmitted,
    ),
    {
      onLeft: ({ param }) => ({ input: undefined, dropped: undefined, param }),
      onRight: ({ body, dropped }) => {
        const { input: sent }: { input: unknown } = JSON.parse(decoder.decode(body))
        return { input: sent, dropped, param: undefined }
      },
    },
  )

const outputIn = (text: string, member: "data" | "output" = "output"): ReadonlyArray<unknown> =>
  JSON.parse(text)[member]

const given = (
  { plain }: Pick<Operation, "plain">,
  whole: Members,
  member: "data" | "output" = "output",
): ReadonlyArray<unknown> => {
  const bytes = encoder.encode(JSON.stringify(whole))
  return outputIn(decoder.decode(plain.transform?.({ ...untouched, madeBy: "first" }, bytes)), member)
}

/** The items as events tell them one by one, and as the last one tells all. */
const streamed = (whole: Members): readonly [ReadonlyArray<unknown>, ReadonlyArray<unknown>] => {
  const answer = responsesGrammar.answer({
    includeUsage: true,
    choices: 1,
    secrets: new Secrets([]),
    madeBy: () => "first",
  })
  const datas = eventsOf(whole)
    .flatMap((event) =>
      answer.take({ data: encoder.encode(JSON.stringify(event)), event: String(event["type"]) }),
    )
    .map(({ data }) => JSON.parse(decoder.decode(data)))
  return [
    datas.flatMap(({ item, type }) => (type === "response.output_item.done" ? [item] : [])),
    datas.at(-1).response.output,
  ]
}

const itemArb = fc.oneof(
  fc.base64String({ minLength: 1 }).map((content) => ({ ...reasoning("So."), encrypted_content: content })),
  fc.constant({ ...reasoning("So."), encrypted_content: null }),
  fc.string().map((text) => message(text)),
  fc.constant(functionCall("{}")),
)

const isSealed = (item: Members): boolean => typeof item["encrypted_content"] === "string"

describe("Output that is sent back as input", () => {
  it("law: is for its maker what it was, and for others without the reasoning that is encrypted", () => {
    fc.assert(
      fc.property(fc.array(itemArb, { maxLength: 5 }), fc.constantFrom(...readers), (items, operation) => {
        const whole = response(items)
        const [told, all] = streamed(whole)
        expect(all).toEqual(given(responses, whole))
        expect(told).toEqual(all)
        expect(sentTo("first", all, operation)).toEqual({
          input: items,
          dropped: undefined,
          param: undefined,
        })
        const left = items.filter((item) => !isSealed(item))
        expect(sentTo("second", all, operation)).toEqual({
          input: left,
          dropped: left.length < items.length ? ["reasoning.encrypted_content"] : undefined,
          param: undefined,
        })
      }),
    )
  })

  it("is for nobody else where it is a conversation made shorter", () => {
    const made = [message("Hello."), compaction("gAAAAB")]
    for (const output of [
      given(compact, { id: "resp_1", object: "response.compaction", output: made }),
      given(responses, response(made)),
      given(
        storedOperations["responses.input_items"],
        { object: "list", data: made, has_more: false },
        "data",
      ),
      ...streamed(response(made)),
    ]) {
      expect(output).toEqual([made[0], compaction(first("gAAAAB"))])
      for (const operation of readers) {
        expect(sentTo("first", output, operation)).toMatchObject({ input: made, dropped: undefined })
        expect(sentTo("second", output, operation)).toMatchObject({ param: "input[1]" })
      }
    }
  })

  it.each<readonly [string, Members, unknown]>([
    ["a text", { input: "Hello?" }, undefined],
    [
      "encrypted reasoning",
      { input: [{ ...reasoning("So."), encrypted_content: first("gAAAA") }] },
      undefined,
    ],
    [
      "messages that have ids",
      { input: [message("Hello."), { role: "user", content: "?", id: "x" }] },
      undefined,
    ],
    ["no conversation", { input: "Hello?", conversation: null }, undefined],
    [
      "a response, whatever else",
      { previous_response_id: "resp_1", conversation: "conv_1", input: [compaction(first("g"))] },
      { kind: "response", id: "resp_1", param: "previous_response_id" },
    ],
    [
      "the last compaction",
      { input: [compaction(first("g")), compaction(marked("h", "second")), message("Hello.")] },
      { kind: "sealed", sealed: marked("h", "second") },
    ],
    ["a compaction from elsewhere", { input: [compaction("g")] }, { kind: "unmarked", madeAt: undefined }],
    [
      "an item by its id",
      { input: [{ type: "item_reference", id: "msg_1" }] },
      { kind: "unmarked", madeAt: undefined },
    ],
    ["an item by its id alone", { input: [{ id: "msg_1" }] }, { kind: "unmarked", madeAt: undefined }],
    [
      "a conversation",
      { input: "Hello?", conversation: { id: "conv_1" } },
      { kind: "unmarked", madeAt: "/v1/conversations" },
    ],
  ])("goes on from what one client keeps: %s", (_, body, continues) => {
    for (const operation of readers) expect(decoded(body, operation).facts.continues).toEqual(continues)
  })

  it("tells who made it by its end, however long it is", () => {
    const long = first("A".repeat(100_000))
    const { continues } = decoded({ input: [compaction(long)] }).facts
    const sealed = continues?.kind === "sealed" ? continues.sealed : ""
    expect(sealed.length).toBeLessThan(1_000)
    expect(makerIn(sealed, [{ name: "second" }, { name: "first" }])).toEqual({ name: "first" })
    expect(makerIn(sealed, [{ name: "second" }])).toBeUndefined()
  })
})
