/** Annotations of the web say between which characters of a text they hold: also of one that was changed. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ChoiceTransform } from "../../../src/answer/ChoiceTransform.ts"
import { transformResponse } from "../../../src/answer/responses/PlainResponse.ts"
import { responsesGrammar as grammar } from "../../../src/answer/responses/ResponsesGrammar.ts"
import { bytesOf } from "../../support/answers.ts"
import { eventsOf, message, response } from "../../support/ResponseEvents.ts"
import { runs } from "../../support/Runs.ts"

const citation = (from: number, to: number) => ({
  type: "url_citation",
  start_index: from,
  end_index: to,
  url: "https://example.com/",
  title: "Example",
})

const cited = (text: string, from: number, to: number, id = "msg_1") => ({
  ...message(text, id),
  content: [{ type: "output_text", text, logprobs: [], annotations: [citation(from, to)] }],
})

/** The events of a response, with its annotations before the ends of their texts. */
const annotated = (whole: ReturnType<typeof response>, size: number) =>
  eventsOf(whole, size)
    .flatMap((event) => {
      const { content_index: part, item_id: id, output_index: at, type } = event
      if (type !== "response.output_text.done") return [event]
      const items: ReadonlyArray<ReturnType<typeof cited>> = JSON.parse(JSON.stringify(whole["output"]))
      const annotations = items[Number(at)]?.content[Number(part)]?.annotations ?? []
      return [
        ...annotations.map((annotation, index) => ({
          type: "response.output_text.annotation.added",
          item_id: id,
          output_index: at,
          content_index: part,
          annotation_index: index,
          annotation,
        })),
        event,
      ]
    })
    .map((event, at) => ({ ...event, sequence_number: at }))

const streamed = (transform: ChoiceTransform, whole: ReturnType<typeof response>, size: number) => {
  const run = grammar.changed(transform, false)
  const events = annotated(whole, size).map((one) => ({ data: bytesOf(one), event: undefined }))
  return [...(run?.take(events) ?? []), ...(run?.rest() ?? [])].map(({ data }) =>
    JSON.parse(Buffer.from(data).toString()),
  )
}

const plain = (transform: ChoiceTransform, whole: ReturnType<typeof response>) =>
  JSON.parse(Buffer.from(transformResponse(transform, bytesOf(whole))).toString())

const marked = "[example](https://example.com/)"

/** What of its text the first annotation of an item marks. */
const markOf = ({ content: [part] }: ReturnType<typeof cited>) => {
  const [annotation] = part?.annotations ?? []
  return [...(part?.text ?? "")].slice(annotation?.start_index, annotation?.end_index).join("")
}

describe("Annotations of a changed text", () => {
  it("law: mark the same words, in the answer that comes whole and in every event of the other", () => {
    const transforms = fc.record({
      prefix: fc.constantFrom(undefined, "P: ", "🦥 é "),
      thinking: fc.constantFrom("passthrough" as const, "strip" as const),
    })
    const before = fc.constantFrom(
      "",
      "See ",
      "<think>so</think>\n\nSee ",
      "🦥 see <th ",
      `${"🦥".repeat(35)}\n<think>so</think>`,
    )
    const after = fc.constantFrom("", " and more.", "\n<think>open", "<")
    const size = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(transforms, before, after, size, (transform, before, after, size) => {
        const from = [...before].length
        const item = (id: string) => cited(`${before}${marked}${after}`, from, from + marked.length, id)
        const whole = response([item("msg_1"), item("msg_2")])
        const changed = plain(transform, whole)
        for (const one of changed.output) expect(markOf(one)).toBe(marked)
        if (transform.prefix === undefined && transform.thinking === "passthrough") return
        const events = streamed(transform, whole, size)
        expect(events.at(-1).response).toEqual(changed)
        for (const event of events) {
          if (event.type === "response.output_item.done") {
            expect(event.item).toEqual(changed.output[event.output_index])
          }
          if (event.type === "response.output_text.annotation.added") {
            expect(event.annotation).toEqual(changed.output[event.output_index].content[0].annotations[0])
          }
        }
      }),
      { numRuns: runs(300) },
    )
  })

  it("are left as they are where they say no place, or one that is none", () => {
    const odd = [
      { type: "file_citation", index: 2, file_id: "file_1" },
      { type: "url_citation", start_index: -4, end_index: "9" },
      null,
      5,
    ]
    const item = { ...message("Hi"), content: [{ type: "output_text", text: "Hi", annotations: odd }] }
    const changed = plain({ prefix: "P: ", thinking: "strip" }, response([item]))
    expect(changed.output[0].content).toEqual([{ type: "output_text", text: "P: Hi", annotations: odd }])
  })

  it("are moved soon, however many there are and however much is held back", () => {
    const text = `Hi\n<think>${"x".repeat(900_000)}`
    const many = Array.from({ length: 5_000 }, (_, at) => citation(at, at * 160))
    const item = { ...message(text), content: [{ type: "output_text", text, annotations: many }] }
    const changed = plain({ prefix: "P: ", thinking: "strip" }, response([item]))
    expect(changed.output[0].content[0].annotations.at(-1)).toMatchObject({ end_index: 4_999 * 160 + 3 })
  })
})
